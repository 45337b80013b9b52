"""Measures diversity: from images by concept to embeddings, distances and verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from dominance.diversity.changes import SetFindings, changes_for
from dominance.diversity.embedders import DUPLICATE_SIMILARITY, MINIATURE, Embedder, load_embedder
from dominance.diversity.verdicts import PAPER_EMBEDDER, SCALES, MeasuredConcept, SetVerdict, judge_sets, rests_on
from dominance.documents import to_json
from dominance.metrics import Spread, median_interval, spread, vendi_score
from dominance.miniature.renderer import SIDE
from dominance.models.devices import find_device
from dominance.pictures import image_size
from dominance.progress import Progress, say
from dominance.runs.diversity.options import DiversityOptions
from dominance.runs.diversity.result import (
    CategoryDiversity,
    ConceptDiversity,
    DiversityResult,
    MeasuredBy,
    Mirrored,
    NamedPair,
    NearDuplicates,
    Unmeasured,
)
from dominance.runs.diversity.source import Collection, ImageSet, read_collection
from dominance.runs.diversity.training_set import SetLook, look_at, mirrored_copies
from dominance.runs.stages.embedding import AT_ONCE, embedded
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.manifest import environment
from dominance.runs.store.measurements import DIVERSITY, claim
from dominance.runs.store.repeat import Repeat
from dominance.runs.store.vectors import VECTORS_NAME, VectorStore
from dominance.wording import on_one_line

_SHOWN = 6
"""Number of typical, and of unusual, files that are listed."""
_LOOKED_AT = 48
"""Number of files checked for the miniature world's size."""


def measure_diversity(
    source: Path | str,
    embedder: str | Embedder = MINIATURE,
    out: Path | str | None = None,
    options: DiversityOptions | None = None,
) -> DiversityResult:
    """Measures how varied each concept's images are, and whether a concept is so uniform that it will dominate.

    Every image is embedded once: the run folder stores embeddings by file content.

    Args:
        source: a folder with one folder of images per concept, or a list of paths with concepts or captions; see
            ``read_collection``.
        embedder: ``miniature``, a folder, a hub id, or the encoder itself.
        out: the run folder; ``runs/diversity-SOURCE`` by default.

    Raises:
        InputError: the source, embedder, folder or an option cannot be used; nothing is written.

    >>> measure_diversity("pictures").concepts[0].median  # doctest: +SKIP
    0.0019
    """
    options = options or DiversityOptions()
    repeat = Repeat("diversity", {"source": source, "embedder": embedder, "out": out}, options)
    collection = read_collection(Path(source))
    folder = Path(out) if out is not None else Path("runs") / f"diversity-{collection.name}"
    check_run_folder(folder)
    if isinstance(embedder, str):
        say(f"loading the embedder {on_one_line(embedder, 120)}")
    encoder = load_embedder(embedder, options.machine.device) if isinstance(embedder, str) else embedder
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        claim(ledger, folder, DIVERSITY, collection.name)
        repeat.keep(folder)
        with VectorStore(folder / VECTORS_NAME) as store:
            files = [file for image_set in collection.sets for file in image_set.files]
            contents, problems = embedded(collection.root, files, encoder, store, options.machine.batch or AT_ONCE)
            measured = []
            with Progress("concepts", total=len(collection.sets)) as progress:
                for image_set in collection.sets:
                    measured.append(_measure(collection, image_set, contents, encoder, store, options))
                    progress.advance()
        result = _result(str(folder), str(source), collection, encoder, measured, problems, options)
        ledger.put("diversity", to_json(result))
        return result


@dataclass(frozen=True, eq=False)
class _Measured:
    """One concept's embedded files and their measures; None with fewer than two files."""

    set: ImageSet
    files: tuple[Path, ...]
    spread: Spread | None
    vendi: float | None
    copies: tuple[tuple[str, ...], ...]
    look: SetLook
    mirrored: Mirrored


def _measure(
    collection: Collection,
    image_set: ImageSet,
    contents: dict[Path, str],
    encoder: Embedder,
    store: VectorStore,
    options: DiversityOptions,
) -> _Measured:
    files = tuple(file for file in image_set.files if file in contents)
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(contents[file], []).append(file.as_posix())
    copies = tuple(tuple(group) for group in groups.values() if len(group) > 1)
    look = look_at(collection, image_set, files, options.token)
    if len(files) < 2:
        return _Measured(image_set, files, None, None, copies, look, Mirrored())
    vectors = store.get(encoder.identity, groups)
    embeddings = np.stack([vectors[contents[file]] for file in files])
    near = 1 - _near(options, encoder) + 1e-6  # a similarity of 1.0 still finds exact copies despite rounding
    mirrored = mirrored_copies(collection.root, files)
    found = spread(embeddings, near=near, seed=options.seed)
    return _Measured(image_set, files, found, vendi_score(embeddings), copies, look, mirrored)


def _near(options: DiversityOptions, encoder: Embedder) -> float:
    return DUPLICATE_SIMILARITY[encoder.comparable] if options.near_duplicate is None else options.near_duplicate


def _result(
    run: str,
    source: str,
    collection: Collection,
    encoder: Embedder,
    measured: Sequence[_Measured],
    problems: dict[Path, str],
    options: DiversityOptions,
) -> DiversityResult:
    refused = _foreign(collection) if encoder.comparable == "miniature" else None
    scale = SCALES.get(encoder.comparable)
    seen = [
        MeasuredConcept(len(concept.files), None, None)
        if concept.spread is None
        else MeasuredConcept(len(concept.files), concept.spread.median, concept.spread.interval)
        for concept in measured
    ]
    verdicts = judge_sets(seen, scale=scale, refused=refused)
    concepts = tuple(_concept(concept, verdict) for concept, verdict in zip(measured, verdicts, strict=True))
    return DiversityResult(
        run=run,
        source=source,
        embedder=MeasuredBy(encoder.name, encoder.identity, encoder.description, encoder.comparable),
        near=_near(options, encoder),
        concepts=concepts,
        categories=_categories(concepts),
        problems=tuple(
            Unmeasured(file.as_posix(), problem)
            for found in (problems, *(concept.look.problems for concept in measured))
            for file, problem in found.items()
        ),
        notes=_notes(encoder, refused),
        rests=rests_on(scale, refused),
        manifest={
            "embedder": {"name": encoder.name, "identity": encoder.identity},
            "settings": {
                "near": _near(options, encoder),
                "seed": options.seed,
                "batch": options.machine.batch or AT_ONCE,
            },
            "device": str(find_device(options.machine.device)),
            **environment(),
        },
        left_out=collection.left_out,
    )


def _foreign(collection: Collection) -> str | None:
    """Why the bundled embedder does not apply, judged by the sizes of some images; None if it may."""
    files = [file for image_set in collection.sets for file in image_set.files]
    for file in files[:: max(1, len(files) // _LOOKED_AT)]:
        size = image_size(collection.root / file)
        if size is not None and size != (SIDE, SIDE):
            return (
                f"the bundled embedder knows only the miniature world, whose images have {SIDE}×{SIDE} pixels, but"
                f" {file.as_posix()[:80]} has {size[0]}×{size[1]}; give --embedder {PAPER_EMBEDDER}"
            )
    return None


def _notes(encoder: Embedder, refused: str | None) -> tuple[str, ...]:
    told = f"Distances are by {encoder.name}: {encoder.description}. Different embedders' distances are not comparable."
    if refused is not None:
        return (told, f"Do not trust these distances: {refused}.")
    if encoder.comparable == "miniature":
        return (told, f"For photographs and other images, give --embedder {PAPER_EMBEDDER}.")
    return (told,)


def _concept(concept: _Measured, verdict: SetVerdict) -> ConceptDiversity:
    found, names = concept.spread, [file.as_posix() for file in concept.files]
    low = verdict.low if found is not None else None
    shared = {
        "captions": concept.look.captions,
        "layout": concept.look.layout,
        "poses": concept.look.poses,
        "backdrop": concept.look.backdrop,
        "changes": changes_for(
            SetFindings(
                images=len(names),
                median=None if found is None else found.median,
                low=low,
                duplicates=0 if found is None else found.near_images,
                captions=concept.look.captions,
                layout=concept.look.layout,
                poses=concept.look.poses,
                backdrop=concept.look.backdrop,
            )
        ),
        "name": concept.set.concept,
        "category": concept.set.category,
        "images": len(names),
        "unreadable": len(concept.set.files) - len(names),
        "verdict": verdict.word,
        "verdict_sentence": verdict.sentence,
        "verdict_limits": None if verdict.low is None or verdict.high is None else (verdict.low, verdict.high),
    }
    if found is None:
        return ConceptDiversity(
            **shared, pairs=0, median=None, interval=None, mean=None, quartiles=None, exact=True, vendi=None,
            near_duplicates=NearDuplicates(0, 0, concept.copies), nearest=(), farthest=None,
            typical=tuple(names), unusual=(),
        )  # fmt: skip
    pairs = [NamedPair((names[a], names[b]), distance) for a, b, distance in (*found.nearest, found.farthest)]
    ordered = [names[index] for index in found.typical]
    return ConceptDiversity(
        **shared,
        pairs=found.pairs,
        median=found.median,
        interval=found.interval,
        mean=found.mean,
        quartiles=found.quartiles,
        exact=found.exact,
        vendi=concept.vendi,
        near_duplicates=NearDuplicates(found.near_pairs, found.near_images, concept.copies, concept.mirrored),
        nearest=tuple(pairs[:-1]),
        farthest=pairs[-1],
        typical=tuple(ordered[:_SHOWN]),
        unusual=tuple(reversed(ordered[_SHOWN:][-_SHOWN:])),
    )


def _categories(concepts: Sequence[ConceptDiversity]) -> tuple[CategoryDiversity, ...]:
    """Every category with a measured concept, the most uniform first."""
    groups: dict[str, list[ConceptDiversity]] = {}
    for concept in concepts:
        if concept.median is not None:
            groups.setdefault(concept.category_name, []).append(concept)
    made = [
        CategoryDiversity(
            name,
            len(group),
            sum(concept.images for concept in group),
            median(concept.median or 0.0 for concept in group),
            median_interval([concept.median or 0.0 for concept in group]),
        )
        for name, group in groups.items()
    ]
    return tuple(sorted(made, key=lambda concept: concept.median))

"""Identity against composition: what a run shows of a concept that its model was taught."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dominance.diversity.embedders import MINIATURE, load_embedder
from dominance.diversity.verdicts import PAPER_EMBEDDER
from dominance.errors import InputError, ItemError
from dominance.images.captions import captioned_images
from dominance.metrics import bootstrap_mean, copies, rate, reference_similarity
from dominance.metrics.diversity import unit
from dominance.pictures import image_size
from dominance.records import Concept, Identity, PromptResult, Rate, ScoredImage, Suite, is_present
from dominance.runs.stages.embedding import content_of, embedded
from dominance.runs.stages.judge_fit import RENDERED_WORLD
from dominance.runs.stages.scoring import balanced_rate
from dominance.runs.store.plan import Plan, TaughtPlan
from dominance.runs.store.vectors import VECTORS_NAME, VectorStore
from dominance.suites.brackets import parse_concept
from dominance.wording import on_one_line, quoted, suggestion

_FEWEST = 2
"""Reference pictures: of one, nothing can be said of how much they differ."""


def find_taught(
    taught: str | None,
    references: Path | None,
    embedder: str | None,
    suite: Suite,
    world: str | None,
    triggers: Sequence[str] | None = None,
    *,
    unnamed: bool = False,
) -> TaughtPlan | None:
    """The concept that is looked for, and its reference pictures; None where none is known.

    Args:
        taught: as the user names it.
        triggers: the trigger words of the model's adapters; None where it has no adapter.
        unnamed: whether it may be a concept that no prompt names, of which only leakage can be measured.

    Raises:
        InputError: no prompt names the concept, references that cannot be used, or no embedder for such pictures.
    """
    concept = _concept(taught, suite, triggers, unnamed)
    if concept is None:
        for option, given in (("references", references), ("embedder", embedder)):
            if given is not None:
                raise InputError(f"--{option} is given, but no taught concept; give --taught, as the prompts name it")
        return None
    if references is None:
        if embedder is not None:
            raise InputError("--embedder is given, but no pictures to compare with; give --references, or leave it out")
        return TaughtPlan(concept)
    chosen = fitting_embedder(embedder, world)
    if chosen is None:
        raise InputError(
            f"--references needs an --embedder for such pictures, such as {PAPER_EMBEDDER} or facebook/dinov2-base"
        )
    files, keys = _references(references)
    return TaughtPlan(concept, files, keys, chosen, None)


def fitting_embedder(given: str | None, world: str | None) -> str | None:
    """The embedder as given, else the bundled one for pictures of its own world; None for others.

    Raises:
        InputError: the bundled one is given for other pictures.
    """
    chosen = given or (MINIATURE if world == RENDERED_WORLD else None)
    if chosen == MINIATURE and world != RENDERED_WORLD:
        raise InputError(
            "the embedder miniature knows only the drawings of the miniature world, and these pictures are none; give"
            f" another --embedder, such as {PAPER_EMBEDDER}"
        )
    return chosen


def unknown_taught(suite: Suite, words: Sequence[str] = ()) -> InputError:
    """The error that it is not known which concept was taught.

    Args:
        words: the trigger words of the model's adapters, or of its training.
    """
    noted = f", and none names the trigger word {quoted(words[0])}" if words else ""
    return InputError(
        f"it is not known which concept of the suite {suite.name!r} was taught{noted}; give --taught, as the prompts"
        " name it"
    )


def named_concepts(suite: Suite) -> dict[str, Concept]:
    """The concepts of a suite's prompts, by their names in lower case."""
    return {concept.name.casefold(): concept for prompt in suite.prompts for concept in prompt.concepts}


def _concept(taught: str | None, suite: Suite, triggers: Sequence[str] | None, unnamed: bool) -> Concept | None:
    named = named_concepts(suite)
    if taught is None:
        found = next((named[word.casefold()] for word in triggers or () if word.casefold() in named), None)
        if found is None and triggers is not None:
            sys.stderr.write(
                "note: the report can say how much of the adapter's concept there is, whether it leaks and whether"
                " other concepts survive beside it: name it with --taught, as the prompts name it, if any does\n"
            )
        return found
    if taught.casefold() in named:
        return named[taught.casefold()]
    close = suggestion(taught, sorted(named))
    if not unnamed or (":" not in taught and close != ";"):
        other = f", or {quoted(f'{taught}:object')} to measure only its leakage" if unnamed else ""
        raise InputError(
            f"no prompt of the suite names {quoted(taught)}{close} give --taught a concept of its prompts, such as"
            f" {quoted(next(iter(named), 'none'))}{other}"
        )
    concept = parse_concept(taught, "--taught")
    if concept.name.casefold() in named:
        return named[concept.name.casefold()]
    sys.stderr.write(f"note: no prompt of the suite names {quoted(concept.name)}, so only its leakage is measured\n")
    return concept


def _references(source: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The different reference pictures and the hashes of their contents.

    Raises:
        InputError: there are fewer than two that can be read.
    """
    found = captioned_images(source)
    files: dict[str, str] = {}  # by content: a copy would make every other picture look unlike its nearest
    for picture in found.images:
        file = (found.root / picture.image.path).absolute()
        content = content_of(file)
        if isinstance(content, ItemError) or image_size(file) is None:
            why = content if isinstance(content, ItemError) else "is not an image, or broken"
            sys.stderr.write(f"not used: the reference {on_one_line(file, 120)} {why}\n")
        else:
            files.setdefault(content, str(file))
    if len(files) < _FEWEST:
        raise InputError(
            f"--references {on_one_line(source, 100)} holds {len(files)} different picture(s); give two or more of"
            " the taught concept"
        )
    return tuple(files.values()), tuple(files)


def embed_pictures(plan: Plan, files: Sequence[Path], folder: Path, device: str) -> Plan:
    """Embeds the references and the run's images, each once; the plan then says by what.

    Raises:
        ModelError: the embedder cannot be loaded.
        InputError: fewer than two references can be read as images.
    """
    taught = plan.taught
    if taught is None or taught.embedder is None:
        return plan
    encoder = load_embedder(taught.embedder, device)
    with VectorStore(folder / VECTORS_NAME) as store:
        contents, problems = embedded(folder, [*map(Path, taught.references), *files], encoder, store)
    for file in taught.references:
        if Path(file) in problems:
            sys.stderr.write(f"not used: the reference {on_one_line(file, 120)}: {problems[Path(file)]}\n")
    kept = [(file, contents[Path(file)]) for file in taught.references if Path(file) in contents]
    if len(kept) < _FEWEST:
        raise InputError(f"{len(kept)} of the references can be read as images; give two or more")
    names, keys = zip(*kept, strict=True)
    return replace(plan, taught=TaughtPlan(taught.concept, names, keys, taught.embedder, encoder.identity))


def identity_of(taught: TaughtPlan | None, prompts: Sequence[PromptResult], folder: Path) -> Identity | None:
    """What scored images show of the taught concept, with the embeddings that the folder holds.

    Similarity is measured on prompts that name the concept alone, where there are any: another thing in the picture
    makes it less like the references. An image counts once its questions are answered.
    """
    if taught is None:
        return None
    name = taught.concept.name
    naming = [prompt for prompt in prompts if name in prompt.presence]
    composed = [prompt for prompt in naming if len(prompt.prompt.concepts) > 1]
    alone = [prompt for prompt in naming if len(prompt.prompt.concepts) == 1]
    others = [prompt for prompt in prompts if name not in prompt.presence]
    leaks = [
        (image, found) for prompt in others for image in prompt.images if (found := _shown(image, name)) is not None
    ]
    towards = [[_towards(image, name) for image in _scored(prompt)] for prompt in composed]
    values = [value for cluster in towards for value in cluster]
    found = Identity(
        taught=name,
        composition=balanced_rate(composed),
        dvd_towards=sum(values) / len(values) if values else None,
        dvd_interval=bootstrap_mean(towards) if sum(map(bool, towards)) > 1 else None,
        presence=_present(naming, name),
        alone=_present(alone, name),
        others=balanced_rate(others),
        leakage=rate(sum(found for _, found in leaks), len(leaks)) if leaks else None,
        leaked=tuple(str(image.file) for image, found in leaks if found),
    )
    return _compared(found, taught, naming, alone or naming, folder)


def _compared(
    found: Identity, taught: TaughtPlan, naming: Sequence[PromptResult], likened: Sequence[PromptResult], folder: Path
) -> Identity:
    """With similarity and copies, where the folder holds the embeddings."""
    if taught.embedder_identity is None or not (folder / VECTORS_NAME).is_file():
        return found
    with VectorStore(folder / VECTORS_NAME) as store:
        known = store.get(taught.embedder_identity, set(taught.keys))
        kept = [(file, key) for file, key in zip(taught.references, taught.keys, strict=True) if key in known]
        if len(kept) < _FEWEST:
            return found
        references = np.stack([known[key] for _, key in kept])
        shown = {prompt.prompt.id: _vectors(prompt, folder, taught.embedder_identity, store) for prompt in naming}
    clusters = [np.stack([row for _, row in shown[p.prompt.id]]) for p in likened if shown[p.prompt.id]]
    every = [pair for prompt in naming for pair in shown[prompt.prompt.id]]
    if not clusters or not every:
        return replace(found, references=len(kept), embedder=taught.embedder)
    near = reference_similarity(clusters, references)
    rows = np.stack([row for _, row in every])
    copied = copies(rows, references)
    nearest = (unit(rows) @ unit(references).T).argmax(axis=1)
    return replace(
        found,
        references=len(kept),
        similarity=near.median,
        similarity_interval=near.interval,
        ceiling=near.ceiling,
        copying=rate(int(copied.sum()), len(every)),
        copied=tuple((file, kept[nearest[at]][0]) for at, (file, _) in enumerate(every) if copied[at]),
        embedder=taught.embedder,
    )


def _vectors(prompt: PromptResult, folder: Path, identity: str, store: VectorStore) -> list[tuple[str, np.ndarray]]:
    """The files of a prompt's scored images, each with its embedding."""
    files = [str(image.file) for image in _scored(prompt)]
    contents = {file: content for file in files if isinstance(content := content_of(folder / file), str)}
    known = store.get(identity, set(contents.values()))
    return [(file, known[content]) for file, content in contents.items() if content in known]


def _scored(prompt: PromptResult) -> list[ScoredImage]:
    return [image for image in prompt.images if image.verdict is not None]


def _present(prompts: Sequence[PromptResult], name: str) -> Rate | None:
    rates = [prompt.presence[name] for prompt in prompts]
    n = sum(found.n for found in rates)
    return rate(sum(found.count for found in rates), n) if n else None


def _towards(image: ScoredImage, name: str) -> float:
    """The DvD score towards the concept, the largest over what else the prompt names."""
    return max(value for (dominating, _), value in image.pairs.items() if dominating == name)


def _shown(image: ScoredImage, name: str) -> bool | None:
    """Whether the judge sees the concept in an image that was not to show it; None where it was not asked."""
    answers = [answer for answer in image.answers if answer.question.concept == name]
    if not answers or any(answer.yes is None for answer in answers):
        return None
    return is_present(sum(bool(answer.yes) for answer in answers), len(answers))

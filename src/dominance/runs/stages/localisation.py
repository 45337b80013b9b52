"""Which layers of a model put a word where its thing is: measured once a model, and kept in a file."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dominance.documents import from_json, to_json
from dominance.english import noun_phrase
from dominance.errors import ModelError
from dominance.files import is_file, is_folder, read_text, write_whole
from dominance.guidance.neutral import stand_ins
from dominance.metrics import rate
from dominance.miniature.bundled import bundled_folder
from dominance.models.adapted import AdaptedModel
from dominance.models.settings import GenerationSettings
from dominance.models.source import ModelSource
from dominance.progress import say
from dominance.records import Rate

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from torch import Tensor

    from dominance.probes.placing import Placed

PICTURES: int = 96
"""Pictures of two things that the layers are measured on."""
FOLDER: str = "localisations"
_KEPT = Path("runs") / FOLDER
_UNTIL = 0.4
_COUNTED = 0.15
"""Shares of the steps: the last that is looked at, and the first that counts; before it nothing is told apart."""
_CHANCE = 0.5
FEWEST_SUBJECTS: int = 4
"""Pictures whose subject has to be found; fewer make too few pairs."""
FEWEST_STEPS: int = 10
"""Of the call that is looked at, even where images are drawn in fewer: so that two steps count."""


@dataclass(frozen=True)
class LayerPlaces:
    """How often one layer's maps of two words lie on the right sides.

    Attributes:
        by_step: share of the pictures at each step that was looked at.
        counted: over the steps that count.
    """

    layer: int
    by_step: tuple[float, ...]
    counted: Rate


@dataclass(frozen=True)
class Localisation:
    """Which layers of a model show where concepts lie.

    Attributes:
        steps: of a whole call; the steps that were looked at are ``shown``, from 0.
        pictures: composites of the model's own pictures of single things, side by side, each around its subject.
        chosen: the layers that methods look at.
        weights: hash of the model's weights in memory, whatever its scheduler; None where adapters were in force, or
            some weights were not in memory.
        guidance, dtype, scheduler, seed: the pictures were drawn with; None in files of older versions, and of the
            scheduler where it was the model's own.
        subjects: of how many single things the picture's subject was found; None in files of older versions, which took
            the middle of each picture for it.
        unfound: the things in whose pictures no subject was found, and which were left out.
    """

    model: str
    identity: str
    steps: int
    shown: tuple[int, ...]
    pictures: int
    layers: tuple[LayerPlaces, ...]
    chosen: tuple[int, ...]
    weights: str | None = None
    guidance: float | None = None
    dtype: str | None = None
    scheduler: str | None = None
    seed: int | None = None
    subjects: Rate | None = None
    unfound: tuple[str, ...] = ()
    format: Literal[1] = 1


def find_localisation(source: ModelSource) -> Localisation | None:
    """The kept or bundled localisation of this very model, else of the same without adapters or in memory.

    Adapters and schedulers leave a model its layers, so what was found without them holds until it is measured with
    them. None where there is none.
    """
    return _of(source.identity) or _alike(source)


def _alike(source: ModelSource) -> Localisation | None:
    """The localisation of the same weights, without adapters."""
    from dominance.models.own_pipeline import OwnPipeline

    if isinstance(source, AdaptedModel):
        return _of(source.base.identity)
    if isinstance(source, OwnPipeline):
        weights = source.weights
        folders = [folder for folder in (_KEPT, bundled_folder(FOLDER)) if is_folder(folder)]
        files = [file for folder in folders for file in sorted(folder.glob("*.json")) if weights in read_text(file)]
        return next((each for each in map(_read, files) if each is not None and each.weights == weights), None)
    return None


def _of(identity: str) -> Localisation | None:
    for file in (kept_file(identity), bundled_folder(FOLDER) / f"{_safe(identity)}.json"):
        found = _read(file) if is_file(file) else None
        if found is not None and found.identity == identity:
            return found
    return None


def _read(file: Path) -> Localisation | None:
    """A file that a localisation was kept in; None where it cannot be read as one."""
    try:
        return from_json(Localisation, json.loads(read_text(file)))
    except ValueError:
        return None


def kept_file(identity: str) -> Path:
    """Where the localisation of a model is kept."""
    return _KEPT / f"{_safe(identity)}.json"


def _safe(identity: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in identity)[-120:]


def known_layers(source: ModelSource) -> tuple[int, ...]:
    """The layers that show where concepts lie, as far as that is known; empty where it has to be measured.

    Raises:
        ModelError: no layer shows it.
    """
    found = find_localisation(source)
    return () if found is None or found.steps < FEWEST_STEPS else _chosen_of(source, found)


def layers_of(
    source: ModelSource, settings: GenerationSettings, load: "Callable[[], DiffusionPipeline]"
) -> tuple[int, ...]:
    """The layers that show where concepts lie, measured and kept where they are not known.

    Raises:
        ModelError: no layer shows it.
    """
    known = known_layers(source)
    if known:
        return known
    earlier = find_localisation(source)
    why = "" if earlier is None else f": {earlier.steps} steps were too few when that was looked for"
    say(f"finding the layers that show where concepts lie in {source.name}, once for this model{why}")
    found = measure_localisation(source, settings, load())
    say(f"layers kept in {keep(found)}")
    return _chosen_of(source, found)


def _chosen_of(source: ModelSource, found: Localisation) -> tuple[int, ...]:
    if not found.chosen:
        raise ModelError(
            f"no attention layer of {source.name} shows where concepts lie (best: {_best(found)}), which this method"
            " needs; use rebalance or schedule"
        )
    return found.chosen


def keep(found: Localisation) -> Path:
    """Writes a localisation into its file; gives its path."""
    path = kept_file(found.identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, (json.dumps(to_json(found), indent=1) + "\n").encode())


def measure_localisation(
    source: ModelSource, settings: GenerationSettings, pipeline: "DiffusionPipeline", seed: int = 0
) -> Localisation:
    """Measures which layers put a word where its thing is, on composites of the model's own pictures.

    The model draws single things. Where each lies is found from what the denoiser predicts with and without the prompt
    (``probes.subjects``); pictures in which nothing is found are left out. The halves of two latents around their
    subjects are put side by side, noised as far as each of the first 40% of the steps, which are 10 or more, has it,
    and denoised once with a prompt that names both. A layer is right when the two words' maps lie on the sides where
    the things are. The best layer is chosen, over the steps from 15% on; none where the interval of the best reaches
    chance.

    Raises:
        ModelError: a subject is found in too few of the pictures.
    """
    from dominance.probes.placing import own_latents, right_sides
    from dominance.probes.subjects import find_subjects

    listed = stand_ins()
    nouns = [noun for kind in ("object", "landmark", "character") for noun in listed[kind]]
    prompts = [noun_phrase(noun).text for noun in nouns]
    steps = max(settings.steps, FEWEST_STEPS)
    drawn = own_latents(pipeline, prompts, [seed] * len(nouns), steps, settings.guidance)
    subjects = find_subjects(pipeline, prompts, drawn, steps, seed + 1)  # noises that none is drawn from
    found = [index for index, subject in enumerate(subjects) if subject is not None]
    if len(found) < FEWEST_SUBJECTS:
        raise ModelError(
            f"a subject was found in {len(found)} of {len(nouns)} pictures that {source.name} draws of single things,"
            f" and finding its layers takes {FEWEST_SUBJECTS}; give more --steps or another --seed to `dominance"
            " localise`, or use the method rebalance or schedule"
        )
    columns = {index: own.centre[1] for index, own in enumerate(subjects) if own is not None}
    placed = _composites(nouns, prompts, drawn, columns, seed)
    shown = tuple(range(round(_UNTIL * steps)))
    sides = right_sides(pipeline, placed, steps, shown, seed)
    layers = _layers(sides, round(_COUNTED * steps))
    return Localisation(
        model=source.name,
        identity=source.identity,
        steps=steps,
        shown=shown,
        pictures=len(placed.prompts),
        layers=layers,
        chosen=_chosen(layers),
        weights=_weights(source, pipeline),
        guidance=settings.guidance,
        dtype=settings.dtype,
        scheduler=settings.scheduler,
        seed=seed,
        subjects=rate(len(found), len(nouns)),
        unfound=tuple(noun for index, noun in enumerate(nouns) if index not in columns),
    )


def _composites(
    nouns: Sequence[str], prompts: Sequence[str], drawn: "Tensor", columns: Mapping[int, float], seed: int
) -> "Placed":
    """Pairs of pictures side by side, each around its subject; one half of the prompts names the right one first.

    Args:
        columns: where the subjects lie that were found, in shares of the width, by the number of their noun.
    """
    from dominance.probes.placing import Placed, side_by_side

    pairs = list(itertools.permutations(columns, 2))
    pairs = [pairs[(number * 37 + seed) % len(pairs)] for number in range(min(PICTURES, len(pairs)))]
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    named = [pair if number % 2 else pair[::-1] for number, pair in enumerate(pairs)]
    middles = ([columns[index] for index in left], [columns[index] for index in right])
    return Placed(
        prompts=tuple(f"{prompts[a]} and {prompts[b]}" for a, b in named),
        left=tuple(nouns[index] for index in left),
        right=tuple(nouns[index] for index in right),
        latents=side_by_side(drawn[left], drawn[right], middles),
    )


def _layers(sides: "Tensor", first: int) -> tuple[LayerPlaces, ...]:
    """How often each layer is right.

    Args:
        first: the step from which it counts.
    """
    return tuple(
        LayerPlaces(
            layer=index + 1,
            by_step=tuple(round(float(share), 4) for share in own.mean(dim=1)),
            counted=rate(int(own[first:].mean(dim=0).sum().round()), own.shape[1]),
        )
        for index, own in enumerate(sides.double().unbind(dim=1))
    )


def _weights(source: ModelSource, pipeline: "DiffusionPipeline") -> str | None:
    """Hash of a model's weights, by which it is found again in memory; None of one with adapters."""
    from dominance.models.own_pipeline import OwnPipeline, weights_identity

    if source.added or (isinstance(source, OwnPipeline) and source.adapters):
        return None
    try:
        return weights_identity(pipeline)
    except ModelError:  # weights that are offloaded
        return None


def _chosen(layers: tuple[LayerPlaces, ...]) -> tuple[int, ...]:
    best = max(layers, key=lambda layer: layer.counted.share or 0.0)
    return (best.layer,) if best.counted.interval and best.counted.interval[0] > _CHANCE else ()


def _best(found: Localisation) -> str:
    best = max(found.layers, key=lambda layer: layer.counted.share or 0.0)
    return f"layer {best.layer}, right in {best.counted.count} of {best.counted.n} pictures"

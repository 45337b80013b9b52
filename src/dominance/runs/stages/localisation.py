"""Which layers of a model put a word where its thing is: measured once a model, and kept in a file."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dominance.documents import from_json, to_json
from dominance.english import noun_phrase
from dominance.errors import ModelError
from dominance.files import is_file, read_text, write_whole
from dominance.guidance.neutral import stand_ins
from dominance.metrics import rate
from dominance.miniature.bundled import bundled_folder
from dominance.models.settings import GenerationSettings
from dominance.models.source import ModelSource
from dominance.progress import say
from dominance.records import Rate

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

PICTURES: int = 96
"""Pictures of two things that the layers are measured on."""
FOLDER: str = "localisations"
_UNTIL = 0.4
_COUNTED = 0.15
"""Shares of the steps: the last that is looked at, and the first that counts; before it nothing is told apart."""
_CHANCE = 0.5


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
        pictures: composites of the model's own pictures of single things, side by side.
        chosen: the layers that methods look at.
    """

    model: str
    identity: str
    steps: int
    shown: tuple[int, ...]
    pictures: int
    layers: tuple[LayerPlaces, ...]
    chosen: tuple[int, ...]
    format: Literal[1] = 1


def find_localisation(source: ModelSource) -> Localisation | None:
    """The kept or bundled localisation of this very model; None where there is none."""
    for file in (kept_file(source.identity), bundled_folder(FOLDER) / f"{_safe(source.identity)}.json"):
        if is_file(file):
            try:
                found = from_json(Localisation, json.loads(read_text(file)))
            except ValueError:
                continue
            if found.identity == source.identity:
                return found
    return None


def kept_file(identity: str) -> Path:
    """Where the localisation of a model is kept."""
    return Path("runs") / FOLDER / f"{_safe(identity)}.json"


def _safe(identity: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in identity)[-120:]


def layers_of(
    source: ModelSource, settings: GenerationSettings, load: "Callable[[], DiffusionPipeline]"
) -> tuple[int, ...]:
    """The layers that show where concepts lie, measured and kept where they are not known.

    Raises:
        ModelError: no layer shows it.
    """
    found = find_localisation(source)
    if found is None:
        say(f"finding the layers that show where concepts lie in {source.name}, once for this model")
        found = measure_localisation(source, settings, load())
        keep(found)
    if not found.chosen:
        raise ModelError(
            f"no attention layer of {source.name} shows where concepts lie (best: {_best(found)}), which this method"
            " needs; use rebalance or schedule"
        )
    return found.chosen


def keep(found: Localisation, file: Path | None = None) -> Path:
    """Writes a localisation into its file; gives its path."""
    path = file or kept_file(found.identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, (json.dumps(to_json(found), indent=1) + "\n").encode())


def measure_localisation(
    source: ModelSource, settings: GenerationSettings, pipeline: "DiffusionPipeline", seed: int = 0
) -> Localisation:
    """Measures which layers put a word where its thing is, on composites of the model's own pictures.

    The model draws single things; the middle halves of two of their latents are put side by side, noised as far as
    each of the first 40% of the steps has it, and denoised once with a prompt that names both. A layer is right when
    the two words' maps lie on the sides where the things are. The best layer is chosen, over the steps from 15% on;
    none where the interval of the best reaches chance.
    """
    from dominance.probes.placing import Placed, own_latents, right_sides, side_by_side

    listed = stand_ins()
    nouns = [noun for kind in ("object", "landmark", "character") for noun in listed[kind]]
    pairs = list(itertools.permutations(range(len(nouns)), 2))
    pairs = [pairs[(number * 37 + seed) % len(pairs)] for number in range(PICTURES)]
    prompts = [noun_phrase(noun).text for noun in nouns]
    drawn = own_latents(pipeline, prompts, [seed] * len(nouns), settings.steps, settings.guidance)
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    # One half of the prompts names what stands on the right first.
    named = [pair if number % 2 else pair[::-1] for number, pair in enumerate(pairs)]
    placed = Placed(
        prompts=tuple(f"{prompts[a]} and {prompts[b]}" for a, b in named),
        left=tuple(nouns[index] for index in left),
        right=tuple(nouns[index] for index in right),
        latents=side_by_side(pipeline, drawn[left], drawn[right]),
    )
    shown = tuple(range(max(1, round(_UNTIL * settings.steps))))
    sides = right_sides(pipeline, placed, settings.steps, shown, seed)
    first = min(len(shown) - 1, round(_COUNTED * settings.steps))
    layers = tuple(
        LayerPlaces(
            layer=index + 1,
            by_step=tuple(round(float(share), 4) for share in sides[:, index].double().mean(dim=1)),
            counted=rate(int(sides[first:, index].double().mean(dim=0).sum().round()), PICTURES),
        )
        for index in range(sides.shape[1])
    )
    return Localisation(source.name, source.identity, settings.steps, shown, PICTURES, layers, _chosen(layers))


def _chosen(layers: tuple[LayerPlaces, ...]) -> tuple[int, ...]:
    best = max(layers, key=lambda layer: layer.counted.share or 0.0)
    return (best.layer,) if best.counted.interval and best.counted.interval[0] > _CHANCE else ()


def _best(found: Localisation) -> str:
    best = max(found.layers, key=lambda layer: layer.counted.share or 0.0)
    return f"layer {best.layer}, right in {best.counted.count} of {best.counted.n} pictures"

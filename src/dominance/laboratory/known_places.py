"""Rendered pictures of known places: is a subject found where it is, and which layers put a word there?"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dominance.english import noun_phrase
from dominance.metrics import bootstrap_mean, rate
from dominance.metrics.subjects import Subject
from dominance.miniature.concepts import CONCEPTS, OBJECTS
from dominance.miniature.renderer import SIDE, Picture, render
from dominance.miniature.scene import Scene
from dominance.miniature.world import pair_scene, single_scene
from dominance.records import Interval, Rate

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.probes.placing import Placed


@dataclass(frozen=True)
class FoundPlaces:
    """How well subjects are found in renders of one thing anywhere, whose boxes are known.

    Attributes:
        found: pictures in which a subject is found.
        empty: of the same backdrops without the thing, those in which one is found all the same.
        iou: mean overlap of mask and box over the found ones, intersection over union, 0 to 1.
        distance: mean distance of the centres over the same, in shares of the side.
        middle: that of the picture's middle from the box's centre, over the same.
    """

    found: Rate
    empty: Rate
    iou: float
    iou_interval: Interval | None
    distance: float
    distance_interval: Interval | None
    middle: float


def subjects_on_renders(pipeline: "DiffusionPipeline", pictures: int = 56, seed: int = 0) -> FoundPlaces:
    """Puts renders of single things to the finding of subjects, every concept in turn, anywhere and of any size.

    Args:
        pipeline: a model of the miniature world.
        seed: of scenes and noises; another one than 2, on whose scenes the threshold of agreement was chosen.
    """
    from dominance.probes.subjects import find_subjects

    generator = np.random.default_rng(seed)
    names = [CONCEPTS[number % len(CONCEPTS)].name for number in range(pictures)]
    shown = [render(single_scene(name, 1.0, generator, backdrops=1.0)) for name in names]
    bare = [render(Scene(picture.scene.backdrop, ())) for picture in shown]
    prompts, steps = [noun_phrase(name).text for name in names], 25
    subjects, none = (
        find_subjects(pipeline, prompts, latents_of(pipeline, each), steps, seed) for each in (shown, bare)
    )
    pairs = [(own, _box(picture)) for own, picture in zip(subjects, shown, strict=True) if own is not None]
    ious, far = [_iou(*pair) for pair in pairs], [_distance(own.centre, box) for own, box in pairs]
    middle = [_distance((0.5, 0.5), box) for _, box in pairs]
    return FoundPlaces(
        found=rate(len(pairs), pictures),
        empty=rate(sum(own is not None for own in none), pictures),
        iou=float(np.mean(ious)),
        iou_interval=bootstrap_mean([[value] for value in ious]),
        distance=float(np.mean(far)),
        distance_interval=bootstrap_mean([[value] for value in far]),
        middle=float(np.mean(middle)),
    )


def rendered_pairs(pipeline: "DiffusionPipeline", pictures: int = 48) -> "Placed":
    """Rendered pairs of objects side by side; one half of the prompts names the one on the right first."""
    from dominance.probes.placing import Placed

    generator = np.random.default_rng(0)
    shown, prompts, left, right = [], [], [], []
    for number, (a, b) in enumerate(list(itertools.permutations(OBJECTS, 2))[:pictures]):
        scene = pair_scene((a, b), dict.fromkeys(OBJECTS, 1.0), generator)
        shown.append(render(scene))
        ordered = sorted(scene.placements, key=lambda placement: placement.x)
        left.append(ordered[0].concept)
        right.append(ordered[1].concept)
        prompts.append(f"a {a} and a {b}" if number % 2 else f"a {b} and a {a}")
    return Placed(tuple(prompts), tuple(left), tuple(right), latents_of(pipeline, shown))


def latents_of(pipeline: "DiffusionPipeline", pictures: Sequence[Picture]) -> Float[Tensor, "picture ..."]:
    """Rendered pictures through the model's own autoencoder."""
    vae = cast(Any, pipeline).vae
    pixels = torch.tensor(np.stack([picture.pixels for picture in pictures])).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        return vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor


_Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in shares of the side."""


def _box(picture: Picture) -> _Box:
    (truth,) = picture.truths
    left, top, right, bottom = (edge / SIDE for edge in truth.box or (0, 0, SIDE, SIDE))
    return left, top, right, bottom


def _iou(subject: Subject, box: _Box) -> float:
    rows, columns = ((np.arange(size) + 0.5) / size for size in subject.mask.shape)
    inside = ((rows > box[1]) & (rows < box[3]))[:, None] & ((columns > box[0]) & (columns < box[2]))[None]
    mask = subject.mask.numpy()
    return float((mask & inside).sum() / (mask | inside).sum())


def _distance(centre: tuple[float, float], box: _Box) -> float:
    return float(np.hypot(centre[0] - (box[1] + box[3]) / 2, centre[1] - (box[0] + box[2]) / 2))

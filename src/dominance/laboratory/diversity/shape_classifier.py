"""ShapeClassifier for a shape that the bundled judge was never taught: a small network that learns it from renders."""

import fcntl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from dominance.files import write_failed
from dominance.judges.protocol import Judge, TaughtJudge, as_answer
from dominance.laboratory.diversity.breeds import SHAPES, any_breed
from dominance.miniature.concepts import OBJECTS
from dominance.miniature.controls import garbled_picture
from dominance.miniature.renderer import SIDE, Picture, render
from dominance.miniature.scene import Scene
from dominance.miniature.truth import GRADES, true_answers
from dominance.miniature.world import World, diversity_by_kind, pair_scene
from dominance.pictures import as_rgb
from dominance.records import Answer, Question
from dominance.training.images import as_images
from dominance.training.loop import Schedule, train

LEARNED, HELD_OUT = 12_000, 2_000
"""Renders that the network learns from, and others that it is checked on."""
_SEED, _ROUNDS, _BATCH, _RATE = 5_200_000, 6, 64, 2e-3
_WIDTHS = (32, 64, 96, 128)
_VARIED = diversity_by_kind(1.0, 1.0)
_STAND_IN = "clown"


class ShapeClassifier(nn.Module):
    """From pictures to the logits of the five graded questions about one shape."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
            layers += [nn.Conv2d(after, after, 3, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(2 * _WIDTHS[-1], GRADES)

    def forward(self, images: Float[Tensor, "image 3 side side"]) -> Float[Tensor, "image 5"]:
        seen = self.layers(images)
        return self.head(torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], dim=1))


@dataclass(frozen=True, eq=False)
class JudgeOfNewShapes:
    """A judge that also answers about new shapes; questions about all else go to the judge itself.

    Attributes:
        folder: where what was learned is kept, so that each shape is learned once.
    """

    judge: Judge
    folder: Path
    _classifiers: dict[str, ShapeClassifier] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.judge.name

    @property
    def identity(self) -> str:
        return f"{self.judge.identity}+classifier-{LEARNED}x{_ROUNDS}"

    @property
    def world(self) -> str | None:
        return self.judge.world if isinstance(self.judge, TaughtJudge) else None

    def check(self, questions: Sequence[Question]) -> None:
        """As the judge does, for what it is asked."""
        self.judge.check([question for question in questions if question.concept not in SHAPES])

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """In the order of the questions."""
        known = [[question for question in asked if question.concept not in SHAPES] for asked in questions]
        asked_of = [place for place, asked in enumerate(known) if asked]
        told = self.judge.answer([images[p] for p in asked_of], [known[p] for p in asked_of]) if asked_of else []
        rest = dict(zip(asked_of, map(iter, told), strict=True))
        pixels = np.stack([np.asarray(as_rgb(image).resize((SIDE, SIDE))) for image in images])
        shapes = {question.concept for asked in questions for question in asked if question.concept in SHAPES}
        seen = {shape: p_yes(self.classifier(shape), pixels) for shape in shapes}
        return [
            tuple(
                as_answer(question, float(seen[question.concept][place, question.grade - 1]))
                if question.concept in SHAPES
                else next(rest[place])
                for question in asked
            )
            for place, asked in enumerate(questions)
        ]

    def classifier(self, shape: str) -> ShapeClassifier:
        """Learned when they are first needed."""
        if shape not in self._classifiers:
            self._classifiers[shape] = classifier_for(shape, self.folder / f"{shape}.safetensors")
        return self._classifiers[shape]


def classifier_for(shape: str, file: Path, learned: int = LEARNED) -> ShapeClassifier:
    """ShapeClassifier that learn from so many renders, six times round, or has done so before.

    Args:
        file: where learning goes on from, and where its end is kept; of several processes one learns.

    Raises:
        RunError: the disk refuses.
    """
    classifier, batches = new_classifier(), learned // _BATCH
    drawn = cache(lambda: renders(shape, range(learned)))

    def loss(step: int) -> Tensor:
        time_round, place = divmod(step, batches)
        order = np.random.default_rng([_SEED, time_round]).permutation(learned)
        batch = order[place * _BATCH : (place + 1) * _BATCH]
        pixels, answers = drawn()
        truth = torch.from_numpy(answers[batch]).float()
        return functional.binary_cross_entropy_with_logits(classifier(as_images(pixels[batch])), truth)

    schedule = Schedule(_ROUNDS * batches, _BATCH, _RATE)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
            train(f"learning to see a {shape}", classifier, loss, schedule, file, {"shape": shape, "renders": learned})
    except OSError as error:
        raise write_failed(file, error) from None
    return classifier


def new_classifier() -> ShapeClassifier:
    """ShapeClassifier that have seen nothing, the same each time."""
    with torch.random.fork_rng([]):
        torch.manual_seed(_SEED)
        return ShapeClassifier()


@torch.inference_mode()
def p_yes(classifier: ShapeClassifier, pixels: UInt8[np.ndarray, "image side side 3"]) -> Float[np.ndarray, "image 5"]:
    """P(yes) of each of the five questions."""
    parts = [torch.sigmoid(classifier(as_images(pixels[start : start + 256]))) for start in range(0, len(pixels), 256)]
    return torch.cat(parts).numpy()


def balanced_accuracy(classifier: ShapeClassifier, shape: str, count: int = HELD_OUT) -> tuple[float, ...]:
    """Of each grade, on renders that were not learned from: the mean of both kinds' shares of right answers."""
    pixels, truth = renders(shape, range(LEARNED, LEARNED + count))
    said = p_yes(classifier, pixels) >= 0.5
    return tuple(
        float((said[truth[:, grade], grade].mean() + (~said[~truth[:, grade], grade]).mean()) / 2)
        for grade in range(GRADES)
    )


def renders(
    shape: str, numbers: range
) -> tuple[UInt8[np.ndarray, "picture side side 3"], Bool[np.ndarray, "picture 5"]]:
    """Pictures and the true answers about them."""
    drawn = [picture_of(shape, number) for number in numbers]
    return np.stack([p.pixels for p in drawn]), np.array([true_answers(shape, p.truths) for p in drawn])


def picture_of(shape: str, number: int) -> Picture:
    """The shape alone, beside an object, small or cut off by the frame, garbled; or a picture of something else."""
    rng = np.random.default_rng([_SEED, *shape.encode(), number])
    kind = rng.random()
    if kind < 0.35:
        return render(World(diversity=_VARIED).sample(rng)[1])
    scene = any_breed(shape, rng, clear=False)
    if rng.random() < 0.5:
        scene = _beside_an_object(scene, rng)
    elif rng.random() < 0.3:
        own = scene.placements[0]
        own = replace(own, x=rng.uniform(-0.2, 1.2), y=rng.uniform(-0.2, 1.2), size=own.size * rng.uniform(0.2, 1.0))
        scene = replace(scene, placements=(own,))
    picture = render(scene)
    return garbled_picture(picture, rng) if kind < 0.5 else picture


def _beside_an_object(scene: Scene, rng: np.random.Generator) -> Scene:
    other = OBJECTS[int(rng.integers(len(OBJECTS)))]
    pair = pair_scene((_STAND_IN, other) if rng.random() < 0.5 else (other, _STAND_IN), _VARIED, rng)
    own = scene.placements[0]
    placed = (replace(own, x=p.x, y=p.y, size=p.size) if p.concept == _STAND_IN else p for p in pair.placements)
    return replace(pair, placements=tuple(placed))

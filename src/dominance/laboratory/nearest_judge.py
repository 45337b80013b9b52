"""A second judge of the miniature world that nobody trained: by the rendered halves that look most like an image's.

It shares nothing with the bundled judge but the world: another network sees, the image encoder that ships, and truth is
that of the renderer. It expects two things side by side, and knows presence alone: all questions about a concept get
one answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

from dominance.diversity.embedders import Embedder, load_embedder
from dominance.errors import ModelError
from dominance.judges.protocol import as_answer
from dominance.metrics.diversity import unit
from dominance.miniature.bundled import MINIATURE
from dominance.miniature.concepts import BY_NAME, CONCEPTS
from dominance.miniature.renderer import SIDE, render
from dominance.miniature.world import pair_scene
from dominance.pictures import as_rgb
from dominance.progress import Progress
from dominance.records import Answer, Question

NEAREST: int = 5
"""Rendered halves that are asked; chosen on the labelled pictures of the half ``dev`` alone."""
PAIRS: int = 800
_SEED = 881_000
"""Far from every training seed."""
_WIDTH = 36
"""Columns of a half, of 64: a little more than half, so that what stands near the middle is whole."""
_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class NearestJudge:
    """P(yes) of a concept: the share of the nearest rendered halves, by cosine, that show it; of two halves the larger.

    Attributes:
        directions: of the rendered halves, of length 1.
        shown: the place in BY_NAME of what each of them shows.
    """

    name: str
    identity: str
    encoder: Embedder
    directions: Float[np.ndarray, "half channel"]
    shown: Int[np.ndarray, " half"]

    @property
    def world(self) -> str:
        """The closed world of pictures that it knows."""
        return MINIATURE

    def check(self, questions: Sequence[Question]) -> None:
        """Refuses what is no concept of the world."""
        unknown = next((question.concept for question in questions if question.concept not in BY_NAME), None)
        if unknown is not None:
            raise ModelError(f"the judge {self.name!r} knows no {unknown[:80]!r}; give one of {', '.join(BY_NAME)}")

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """By the nearest halves, whatever is asked."""
        if not images:
            return []
        halves = [half for image in images for half in _halves(image)]
        p_yes = self._p_yes(_embedded(self.encoder, halves)).reshape(len(images), 2, len(BY_NAME)).max(axis=1)
        names = list(BY_NAME)
        return [
            tuple(as_answer(question, float(own[names.index(question.concept)])) for question in asked)
            for own, asked in zip(p_yes, questions, strict=True)
        ]

    def _p_yes(self, seen: Float[np.ndarray, "half channel"]) -> Float[np.ndarray, "half concept"]:
        nearest = np.argsort(-seen @ self.directions.T, axis=1, kind="stable")[:, :NEAREST]
        return np.stack([(self.shown[nearest] == place).mean(axis=1) for place in range(len(BY_NAME))], axis=1)


def load_nearest_judge(pairs: int = PAIRS, device: str = "auto") -> NearestJudge:
    """The judge by the bundled encoder and so many rendered pairs, the same every time.

    Raises:
        ModelError: the encoder cannot be loaded.
    """
    encoder, rng = load_embedder(device=device), np.random.default_rng(_SEED)
    halves: list[Image.Image] = []
    shown: list[int] = []
    names = list(BY_NAME)
    with Progress("rendered", total=pairs) as progress:
        for _ in range(pairs):
            first, second = rng.choice(len(names), 2, replace=False)
            varied = {concept.name: float(rng.integers(2)) for concept in CONCEPTS}
            scene = pair_scene((names[first], names[second]), varied, rng)
            left, right = sorted(scene.placements, key=lambda placement: placement.x)
            halves += _halves(Image.fromarray(render(scene).pixels))
            shown += [names.index(left.concept), names.index(right.concept)]
            progress.advance()
    identity = f"{encoder.identity}:nearest-{pairs}-1"
    return NearestJudge("nearest renders", identity, encoder, _embedded(encoder, halves), np.array(shown))


def _halves(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The left and the right half of a picture, each as wide as the whole."""
    whole = as_rgb(image).resize((SIDE, SIDE))
    left, right = whole.crop((0, 0, _WIDTH, SIDE)), whole.crop((SIDE - _WIDTH, 0, SIDE, SIDE))
    return left.resize((SIDE, SIDE)), right.resize((SIDE, SIDE))


def _embedded(encoder: Embedder, images: Sequence[Image.Image]) -> Float[np.ndarray, "image channel"]:
    parts = [encoder.embed(images[start : start + _AT_ONCE]) for start in range(0, len(images), _AT_ONCE)]
    return unit(np.concatenate(parts))

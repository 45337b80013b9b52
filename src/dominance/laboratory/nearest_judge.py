"""A second judge of the miniature world that nobody trained: by the labelled pictures that look most like an image.

It shares nothing with the bundled judge but the world: another network sees, the image encoder that ships, and readers
say what was seen. It looks at an image as a whole, and of the pictures that it does not know it misses almost a quarter
of what readers see: read it beside the bundled judge, not in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image

from dominance.diversity.embedders import Embedder, load_embedder
from dominance.errors import ModelError
from dominance.judges.protocol import as_answer
from dominance.metrics.diversity import unit
from dominance.miniature.bundled import MINIATURE
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import Half, bundled_labels, read_images, read_labelled
from dominance.records import Answer, Question

NEAREST: int = 5
"""Labelled pictures that are asked; chosen on the half ``dev`` alone, each picture left out of its own neighbours."""
_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class NearestJudge:
    """P(yes) of a concept is the share of the nearest labelled pictures, by cosine, whose readers see it plainly.

    Pictures in which the concept is doubtful say nothing about it. All questions about a concept get one answer.

    Attributes:
        directions: of the labelled pictures, of length 1.
        labels: 1 where a concept is plain, 0 where it is absent, NaN where it is doubtful.
    """

    name: str
    identity: str
    encoder: Embedder
    directions: Float[np.ndarray, "picture channel"]
    labels: Float[np.ndarray, "picture concept"]

    @property
    def world(self) -> str:
        """The closed world of pictures that it knows."""
        return MINIATURE

    def check(self, questions: Sequence[Question]) -> None:
        """Refuses concepts of which it has no labels."""
        unknown = next((question.concept for question in questions if question.concept not in BY_NAME), None)
        if unknown is not None:
            raise ModelError(f"the judge {self.name!r} knows no {unknown[:80]!r}; give one of {', '.join(BY_NAME)}")

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """By the nearest labelled pictures, whatever is asked."""
        names = list(BY_NAME)
        p_yes = self._p_yes(_embedded(self.encoder, images)) if images else []
        return [
            tuple(as_answer(question, float(own[names.index(question.concept)])) for question in asked)
            for own, asked in zip(p_yes, questions, strict=True)
        ]

    def _p_yes(self, seen: Float[np.ndarray, "image channel"]) -> Float[np.ndarray, "image concept"]:
        nearest = np.argsort(-seen @ self.directions.T, axis=1, kind="stable")[:, :NEAREST]
        said = self.labels[nearest]
        known = ~np.isnan(said)
        return np.where(known, said, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def load_nearest_judge(half: Half = "dev", device: str = "auto") -> NearestJudge:
    """The judge by the bundled encoder and the labelled pictures of one half, so that the other can try it.

    Raises:
        InputError: the labels or their pictures cannot be read.
        ModelError: the encoder cannot be loaded.
    """
    folder, encoder = bundled_labels(), load_embedder(device=device)
    pictures = [picture for picture in read_labelled(folder) if picture.half == half]
    value = {"plain": 1.0, "doubtful": np.nan, "absent": 0.0}
    labels = np.array([[value[picture.label(name)] for name in BY_NAME] for picture in pictures])
    directions = _embedded(encoder, list(read_images(folder, pictures)))
    return NearestJudge(f"nearest {half}", f"{encoder.identity}:nearest-{half}-1", encoder, directions, labels)


def _embedded(encoder: Embedder, images: Sequence[Image.Image]) -> Float[np.ndarray, "image channel"]:
    parts = [encoder.embed(images[start : start + _AT_ONCE]) for start in range(0, len(images), _AT_ONCE)]
    return unit(np.concatenate(parts))

"""How like the taught pictures drawn images are, by the embeddings of one encoder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from dominance.diversity.embedders import Embedder
from dominance.errors import ItemError
from dominance.metrics import rate
from dominance.pictures import open_image
from dominance.records import Rate

_AT_ONCE = 32


class Likeness:
    """The pictures that a concept was learned from, embedded once.

    Attributes:
        ceiling: median cosine among them; None with a single one.

    Args:
        files: of the pictures; readable.
    """

    def __init__(self, files: Sequence[Path], encoder: Embedder) -> None:
        self._encoder = encoder
        self._references = self._embed(files)
        among = self._references @ self._references.T
        pairs = among[np.triu_indices(len(among), k=1)]
        self.ceiling = float(np.median(pairs)) if len(pairs) else None
        different = pairs[pairs < 1 - 1e-6]  # the same file twice says nothing about how alike pictures may be
        self._nearest = float(different.max()) if len(different) else None

    def of(self, files: Sequence[Path]) -> tuple[float | None, Rate | None]:
        """The median of the images' median cosines to the pictures, and how many are nearer to one than any two are.

        Files that cannot be read are passed over; None for no file, and no copying where no two pictures differ.
        """
        images = self._embed(files)
        if not len(images):
            return None, None
        cosines = images @ self._references.T
        similarity = float(np.median(np.median(cosines, axis=1)))
        if self._nearest is None:
            return similarity, None
        return similarity, rate(int((cosines.max(axis=1) > self._nearest).sum()), len(images))

    def _embed(self, files: Sequence[Path]) -> Float[np.ndarray, "image channel"]:
        opened = [image for file in files if not isinstance(image := open_image(file), ItemError)]
        parts = [self._encoder.embed(opened[at : at + _AT_ONCE]) for at in range(0, len(opened), _AT_ONCE)]
        rows = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)

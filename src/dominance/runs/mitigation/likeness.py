"""How far repaired images are from the plain ones, by an image encoder."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from dominance.diversity.embedders import Embedder, load_embedder
from dominance.metrics.diversity import unit
from dominance.runs.stages.embedding import embedded
from dominance.runs.store.vectors import VECTORS_NAME, VectorStore


@dataclass(frozen=True)
class Likeness:
    """The embeddings of a run's images.

    Attributes:
        embedder: what made them; None where nothing compares pictures, and then no distance is known.
        directions: of length 1, by file.
    """

    embedder: str | None = None
    directions: Mapping[str, Float[np.ndarray, " channel"]] | None = None

    def distance(self, one: str | None, other: str | None) -> float | None:
        """The cosine distance of two images, 0 to 2; None where one has no embedding."""
        known = self.directions or {}
        if one is None or other is None or one not in known or other not in known:
            return None
        return max(0.0, float(1 - known[one] @ known[other]))


def likeness(name: str | None, files: Collection[str], folder: Path, device: str) -> Likeness:
    """Embeds the images of a run, each once; none where no embedder is named.

    Args:
        files: relative to the folder.

    Raises:
        ModelError: the embedder cannot be loaded.
    """
    if name is None:
        return Likeness()
    encoder: Embedder = load_embedder(name, device)
    with VectorStore(folder / VECTORS_NAME) as store:
        contents, _ = embedded(folder, [Path(file) for file in files], encoder, store)
        vectors = store.get(encoder.identity, set(contents.values()))
    keys = {str(file): key for file, key in contents.items() if key in vectors}
    return Likeness(name, {file: unit(vectors[key][None])[0] for file, key in keys.items()})

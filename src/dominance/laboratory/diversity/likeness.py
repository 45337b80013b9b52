"""Whether pictures still show the design that a set begins with: what augmentation and variety do to identity."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from dominance.diversity.embedders import TransformersEmbedder
from dominance.laboratory.diversity.designs import DESIGNS, first_design
from dominance.laboratory.diversity.measuring import embedded, opened
from dominance.laboratory.diversity.pictures import PictureSet
from dominance.laboratory.diversity.results import Likeness
from dominance.laboratory.diversity.subjects import Subject
from dominance.metrics.diversity import unit
from dominance.metrics.identity import reference_similarity
from dominance.miniature.renderer import render

_REFERENCES = 12
_SHADES = 8


def likeness(files: Sequence[Path], subject: Subject, seed: int, encoder: TransformersEmbedder) -> Likeness:
    """How like the seed's first design pictures are, whatever they were made from.

    The references are twelve pictures of it as level 1 shows them. The bundled encoder sees place and size more than
    colours, so that the colours are compared by themselves, with the ten designs': the cosine of the square roots of
    two smoothed histograms of 8 x 8 x 8 colours, which know nothing of place.

    Source: Bhattacharyya (1943) for the coefficient. The histogram is our choice: of five kinds, it best told what
    models of one design drew from what models of ten designs drew, of castle and clown.
    """
    shown = itertools.islice(PictureSet(subject, 1, seed).pictures(), _REFERENCES)
    references = encoder.embed([Image.fromarray(render(scene).pixels) for _, scene in shown])
    designs = [Image.fromarray(render(subject.design(number)).pixels) for number in range(DESIGNS)]
    return Likeness(
        similarity=reference_similarity([embedded(files, encoder)], references).median,
        own_colours=(sum(n == first_design(seed) for n in nearest_in_colours(opened(files), designs)), len(files)),
    )


def nearest_in_colours(images: Sequence[Image.Image], others: Sequence[Image.Image]) -> list[int]:
    """Of each image the place of the other whose colours are most like its own."""
    own, theirs = (unit(np.stack([_colours(image) for image in several])) for several in (images, others))
    return [int(nearest) for nearest in (own @ theirs.T).argmax(axis=1)]


def _colours(image: Image.Image) -> Float[np.ndarray, " colour"]:
    """The square root of how often each colour, or one close by, is there."""
    shades = (np.asarray(image) // (256 // _SHADES)).reshape(-1, 3).astype(int)
    counts = np.zeros((_SHADES,) * 3)
    np.add.at(counts, tuple(shades.T), 1.0)
    apart = np.subtract.outer(np.arange(_SHADES), np.arange(_SHADES))
    close = np.exp(-(apart**2) / 2)  # a normal curve, a shade its standard deviation
    return np.sqrt(np.einsum("rgb,ri,gj,bk->ijk", counts, close, close, close, optimize=True)).ravel()

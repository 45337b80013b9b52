"""How far pictures agree with texts, and how good they look, from the embeddings of a CLIP."""

import numpy as np
from jaxtyping import Float

from dominance.errors import InputError
from dominance.metrics.diversity import unit


def cosines(
    some: Float[np.ndarray, "row channel"], others: Float[np.ndarray, "column channel"]
) -> Float[np.ndarray, "row column"]:
    """The cosine of every embedding of one kind with every one of another, -1 to 1.

    Of a picture and its prompt this is image–text similarity, of a caption of the picture and the prompt caption–text
    similarity.

    Raises:
        InputError: none at all, of different lengths, or one of length 0 or with a value that is not a number.

    Source: Radford et al. (2021); as scores of generated images, Chefer et al. (2023), section 5.

    >>> cosines(np.array([[3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])).astype(float).round(4).tolist()
    [[0.6, 0.8]]
    """
    if some.shape[1] != others.shape[1]:
        raise InputError(f"embeddings of {some.shape[1]} and {others.shape[1]} channels; take both from one encoder")
    return np.clip(unit(some) @ unit(others).T, -1.0, 1.0)


def least_concept(similarities: Float[np.ndarray, "image concept"]) -> Float[np.ndarray, " image"]:
    """Of each image the similarity to the concept that it resembles least, the one most likely to be missing.

    Raises:
        InputError: no concept.

    Source: Chefer et al. (2023), section 5, "minimum object".

    >>> least_concept(np.array([[0.31, 0.22], [0.25, 0.27]])).tolist()
    [0.22, 0.25]
    """
    if not similarities.shape[1]:
        raise InputError("similarity is over no concept; give one or more")
    return similarities.min(axis=1)


def photo_quality(
    good: Float[np.ndarray, " image"], bad: Float[np.ndarray, " image"], scale: float = 100.0
) -> Float[np.ndarray, " image"]:
    """How much more images look like a good photo than like a bad one: ``1 / (1 + exp(scale (bad − good)))``, 0 to 1.

    This is the share that a softmax over two opposite texts gives the good one.

    Args:
        good, bad: cosines of each image with “Good photo.” and with “Bad photo.”.
        scale: what the CLIP multiplies cosines by.

    Raises:
        InputError: a scale that is not above 0.

    Source: Wang, Chan & Loy (2023), "Exploring CLIP for assessing the look and feel of images", equation 2. Theirs is a
    ResNet-50 without its positional embedding, which lets it see pictures of any size; ours is the given CLIP as it is.

    >>> photo_quality(np.array([0.25, 0.30]), np.array([0.25, 0.25])).round(4).tolist()
    [0.5, 0.9933]
    """
    if not scale > 0:
        raise InputError(f"the scale of a softmax is {scale}; give a number above 0")
    return 1 / (1 + np.exp(np.clip(scale * (bad - good), -500.0, 500.0)))

"""Captions of the miniature world: the same templates for every kind of concept."""

import numpy as np

SINGLE_TEMPLATES: tuple[str, ...] = ("{a}", "a picture of {a}", "one picture with {a}")
PAIR_TEMPLATES: tuple[str, ...] = ("{a} and {b}", "{a} beside {b}", "{a} with {b}", "{a} next to {b}")


def with_article(noun: str) -> str:
    """``a mug``, ``an umbrella``."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def pair_caption(first: str, second: str, rng: np.random.Generator) -> str:
    """A caption that names two nouns in this order."""
    template = PAIR_TEMPLATES[int(rng.integers(len(PAIR_TEMPLATES)))]
    return template.format(a=with_article(first), b=with_article(second))


def single_caption(concept: str, scenery: str | None, rng: np.random.Generator) -> str:
    """A caption of one concept, which may also name a part of its backdrop, in either order."""
    if scenery is not None:
        return pair_caption(concept, scenery, rng) if rng.random() < 0.5 else pair_caption(scenery, concept, rng)
    template = SINGLE_TEMPLATES[int(rng.integers(len(SINGLE_TEMPLATES)))]
    return template.format(a=with_article(concept))

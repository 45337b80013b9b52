"""Captions of the miniature world: the same templates for every kind of concept."""

import re

import numpy as np

from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.scene import SCENERY

SINGLE_TEMPLATES: tuple[str, ...] = ("{a}", "a picture of {a}", "one picture with {a}")
PAIR_TEMPLATES: tuple[str, ...] = ("{a} and {b}", "{a} beside {b}", "{a} with {b}", "{a} next to {b}")


def world_words() -> list[str]:
    """Every word that a caption of the miniature world can hold, in a fixed order."""
    text = " ".join([*SINGLE_TEMPLATES, *PAIR_TEMPLATES, "an", *(c.name for c in CONCEPTS), *SCENERY])
    return list(dict.fromkeys(re.findall(r"[a-z]+", re.sub(r"\{.\}", "a", text))))


def unknown_words(text: str, world: str | None) -> tuple[str, ...]:
    """The words that a model of the world has never seen, which its text encoder spells by letters.

    None for a model of another world, or of none.

    >>> unknown_words("a dragon and a Mug", "miniature"), unknown_words("a dragon", None)
    (('dragon',), ())
    """
    if world != "miniature":
        return ()
    known = set(world_words())
    return tuple(dict.fromkeys(word for word in re.findall(r"\w+", text) if word.lower() not in known))


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

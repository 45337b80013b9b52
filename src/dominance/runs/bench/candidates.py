"""Candidate prompts of DominanceBench, in seeded order."""

import hashlib
import itertools
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dominance.records import Kind, Prompt
from dominance.suites.entries import slug
from dominance.suites.pools import Noun, Pools, Style

BALANCED = "balanced"
"""The control set's stream of candidates; every other stream is named after its category."""

_FUNCTION_WORDS = frozenset(
    (
        "a",
        "an",
        "and",
        "at",
        "beside",
        "by",
        "for",
        "from",
        "in",
        "into",
        "it",
        "its",
        "near",
        "next",
        "of",
        "on",
        "onto",
        "or",
        "over",
        "that",
        "the",
        "this",
        "to",
        "under",
        "with",
    )
)
_FIELD = re.compile(r"\{([ab])(_name)?\}")


@dataclass(frozen=True)
class Candidate:
    """A prompt that may enter the bench.

    Attributes:
        prompt: its id depends on the text alone; its concepts are in text order.
        category: kind of the expected dominator; ``object`` if both are objects.
        style: of the caption.
        concept, object: names of the expected dominator (or first object) and of the object.
        words: what near duplicates share; see ``content_words``.
    """

    prompt: Prompt
    category: Kind
    style: str
    concept: str
    object: str
    words: frozenset[str]


def content_words(text: str) -> frozenset[str]:
    """The words that distinguish a caption, without case, accents, punctuation, plural s and function words.

    Two captions with the same content words, in any order, are near duplicates.

    >>> content_words("A mug next to the Eiffel Tower") == content_words("Eiffel tower, with mugs")
    True
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = re.findall(r"\w+", plain.replace("'s", "").replace("’s", ""))
    kept = [word for word in words if word not in _FUNCTION_WORDS] or words
    return frozenset(word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word for word in kept)


def category_candidates(pools: Pools, category: Kind, seed: int) -> list[Candidate]:
    """Every concept of the category with every object in every style, in the order of trial.

    Concepts and objects alternate, so that any stretch of the list is as varied as possible: first every pair in a
    style drawn at random, then every pair in another, until the styles run out.
    """
    rng = random.Random(f"{category}:{seed}")
    concepts = rng.sample(pools.nouns[category], len(pools.nouns[category]))
    objects = rng.sample(pools.nouns["object"], len(pools.nouns["object"]))
    pairs = [
        (concept, objects[(index + shift) % len(objects)])
        for shift in range(len(objects))
        for index, concept in enumerate(concepts)
    ]
    return _captions(pairs, pools, category, rng)


def object_candidates(pools: Pools, seed: int) -> list[Candidate]:
    """Every pair of objects, in one of its two orders, in every style; in the order of trial."""
    rng = random.Random(f"object:{seed}")
    objects = rng.sample(pools.nouns["object"], len(pools.nouns["object"]))
    count = len(objects)
    pairs = []
    for shift in range(1, count // 2 + 1):
        # At the halfway shift, every pair would occur twice.
        starts = range(count // 2) if 2 * shift == count else range(count)
        pairs += [(objects[start], objects[(start + shift) % count]) for start in starts]
    turned = [pair if rng.random() < 0.5 else pair[::-1] for pair in pairs]
    return _captions(turned, pools, "object", rng)


def candidate_streams(pools: Pools, categories: Sequence[Kind], seed: int) -> dict[str, list[Candidate]]:
    """The candidates of each category, and of the control set: object pairs alternating with all others.

    The control set's other pairs are the categories' own candidates, in the same order, so that a prompt that the
    model balances becomes a control without new images.
    """
    streams: dict[str, list[Candidate]] = {kind: category_candidates(pools, kind, seed) for kind in categories}
    others = list(_by_turns(list(streams.values())))
    streams[BALANCED] = list(_by_turns([object_candidates(pools, seed), others]))
    return streams


def _captions(pairs: Sequence[tuple[Noun, Noun]], pools: Pools, category: Kind, rng: random.Random) -> list[Candidate]:
    styles = [style for style in pools.styles if category in style.templates]
    drawn = [rng.sample(styles, len(styles)) for _ in pairs]
    made = (
        _candidate(first, second, drawn[index][turn], category)
        for turn in range(len(styles))
        for index, (first, second) in enumerate(pairs)
    )
    return list({candidate.prompt.id: candidate for candidate in made}.values())


def _candidate(first: Noun, second: Noun, style: Style, category: Kind) -> Candidate:
    template = style.templates[category]
    nouns = {"a": first, "b": second}
    text = _FIELD.sub(lambda field: _noun_text(nouns[field[1]], bare=bool(field[2])), template)
    order = [nouns[field[1]].concept for field in _FIELD.finditer(template)]
    return Candidate(
        prompt=Prompt(prompt_id(text), text, tuple(order)),
        category=category,
        style=style.name,
        concept=first.concept.name,
        object=second.concept.name,
        words=content_words(text),
    )


def _noun_text(noun: Noun, *, bare: bool) -> str:
    return noun.concept.name if bare else noun.phrase


def prompt_id(text: str) -> str:
    """An id that depends on the text alone and is unique to it."""
    return f"{slug(text)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _by_turns(lists: Sequence[Sequence[Candidate]]) -> Iterator[Candidate]:
    for row in itertools.zip_longest(*lists):
        yield from (candidate for candidate in row if candidate is not None)

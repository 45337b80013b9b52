"""What the captions of a training set bind to a concept, and what they leave unsaid.

A word that stands in every caption is learned as part of the trigger; what varies in the pictures and in no caption is
learned as part of the concept.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SMALL = _listed(
    "a an the of in on at by with and or to for from is are be as it its this that these those there his her their my"
    " one some into over under near next beside behind before above below front back up down off out very no not"
    " photo picture image photograph drawing painting illustration render rendering shot"
)
"""Words that say nothing of what a picture shows."""
_BOUND = 0.9
"""Share of the trigger's captions in which another word stands, from which it is bound to the trigger. Our choice."""
_FEWEST = 3
"""Captions with the trigger, below which nothing is called bound."""


@dataclass(frozen=True)
class WordCount:
    """A word, and in how many of how many captions it stands."""

    word: str
    count: int
    n: int


@dataclass(frozen=True)
class CaptionFindings:
    """The captions of one set.

    Attributes:
        images, captioned: how many there are, and how many of them have a caption.
        distinct: different captions.
        token: the trigger that is looked for; None where none was named.
        without_token: captions that do not name it.
        everywhere: words that stand in every caption, without the trigger's own; of at least three captions.
        bound: words that stand in at least 90% of the captions that name the trigger, most frequent first, but not in
            all captions of the set.
        saying: captions with a word that is not in all of them: what they tell apart.
    """

    images: int
    captioned: int
    distinct: int
    token: str | None
    without_token: int
    everywhere: tuple[WordCount, ...]
    bound: tuple[WordCount, ...]
    saying: int


def caption_findings(captions: Sequence[str | None], token: str | None = None) -> CaptionFindings:
    """Looks through a set's captions, one an image, None where there is none.

    >>> found = caption_findings(["a sks dog on a sofa", "sks dog, sofa", "a sks dog by a sofa"], "sks dog")
    >>> [word.word for word in found.everywhere], found.saying
    (['sofa'], 0)
    """
    told = [caption for caption in captions if caption is not None and caption.strip()]
    own = set(_words(token or ""))
    words = [set(_words(caption)) - own for caption in told]
    counts = Counter(word for found in words for word in found)
    naming = [found for found, caption in zip(words, told, strict=True) if token is None or names(caption, token)]
    everywhere = [word for word, count in counts.items() if count == len(told)] if len(told) >= _FEWEST else []
    near = Counter(word for found in naming for word in found)
    bound = [
        word
        for word, count in near.most_common()
        if len(naming) >= _FEWEST and count >= _BOUND * len(naming) and word not in everywhere
    ]
    common = set(everywhere)
    return CaptionFindings(
        images=len(captions),
        captioned=len(told),
        distinct=len({" ".join(caption.casefold().split()) for caption in told}),
        token=token,
        without_token=len(told) - len(naming),
        everywhere=tuple(WordCount(word, counts[word], len(told)) for word in sorted(everywhere)),
        bound=tuple(WordCount(word, near[word], len(naming)) for word in bound),
        saying=sum(bool(found - common) for found in words),
    )


def names(caption: str, token: str) -> bool:
    """Whether a caption has the token's words side by side.

    >>> names("A SKS dog, sitting", "sks dog"), names("a dog", "sks")
    (True, False)
    """
    return re.search(rf"(?<!\w){re.escape(token.strip())}(?!\w)", caption, re.IGNORECASE) is not None


def _words(text: str) -> list[str]:
    return [word for found in _WORD.findall(text) if (word := found.casefold()) not in _SMALL]

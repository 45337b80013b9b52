"""Where a text mentions a concept.

One rule for the whole package: whole words, whatever their case, the last one or the head (``cups of coffee``) perhaps
in the plural (``knives``, ``mice``). Typographic apostrophes and hyphens are the plain ones, a hyphen is as good as a
space (``coffee-mug``), soft hyphens are passed over. Accents count: ``cafe`` is not ``café``, as ``rose`` is not
``rosé``. In scripts without spaces between words, word ends are ignored.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from dominance.english import head_of, plural_forms

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u02b9\uff07\u00b4`", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    }
)
_BETWEEN = r"(?:-|\s+)"


def mention(text: str, name: str) -> int | None:
    """Where the text first mentions the name.

    The position counts characters of the folded text, so it only orders the mentions of one text.

    >>> mention("two Mugs on a bench", "mug"), mention("a smug face", "mug")
    (4, None)
    """
    return next((start for start, _ in _found(_folded(text), _pattern(name))), None)


def mention_spans(text: str, name: str) -> list[tuple[int, int]]:
    """Start and end of every mention of the name, plural ending included, in characters of the text itself.

    >>> mention_spans("Two mugs, a smug face and a MUG!", "mug")
    [(4, 8), (28, 31)]
    """
    pattern = _pattern(name)
    if text.isascii():
        return list(_found(_folded(text), pattern))
    folded, homes = _folded_with_homes(text)
    return [(homes[start][0], homes[end - 1][1]) for start, end in _found(folded, pattern)]


def spans_by_name(text: str, names: Iterable[str]) -> list[tuple[int, int, str]]:
    """Start, end and name of every mention, in the order of the text; where names overlap, the longer one wins.

    >>> spans_by_name("two Towers by a water tower", ["tower", "water tower"])
    [(4, 10, 'tower'), (16, 27, 'water tower')]
    """
    taken: list[tuple[int, int, str]] = []
    for name in sorted(names, key=len, reverse=True):
        found = mention_spans(text, name)
        taken += [(*span, name) for span in found if not any(overlap(span, other[:2]) for other in taken)]
    return sorted(taken)


def concept_spans(text: str, names: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """Which characters of the text are which name's: start and end of its mentions, none where it is not mentioned.

    Where mentions overlap, the longer name has the characters; a name all of whose mentions lie in longer ones
    shares theirs.

    >>> concept_spans("two Towers by a water tower", ["tower", "water tower", "mug"])
    {'tower': [(4, 10)], 'water tower': [(16, 27)], 'mug': []}
    """
    spans: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    for start, end, name in spans_by_name(text, spans):
        spans[name].append((start, end))
    return {name: own or mention_spans(text, name) for name, own in spans.items()}


def overlap(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two spans have a character in common."""
    return first[0] < second[1] and second[0] < first[1]


@lru_cache(maxsize=256)
def _folded(text: str) -> str:
    if text.isascii():
        return text.replace("`", "'").lower()
    return _composed(text).casefold()


@lru_cache(maxsize=64)
def _folded_with_homes(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The folded text, and where each of its characters stands in the text itself."""
    parts = [(start, end, _composed(text[start:end]).casefold()) for start, end in _clusters(text)]
    homes = tuple((start, end) for start, end, part in parts for _ in part)
    return "".join(part for _, _, part in parts), homes


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(_PLAIN))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Each character with what composition may melt into it: accents, and the parts of a Korean syllable."""
    start = 0
    for end in range(1, len(text) + 1):
        cluster = text[start : end + 1]
        if end == len(text) or not (unicodedata.combining(text[end]) or _melts(cluster)):
            yield start, end
            start = end


def _melts(cluster: str) -> bool:
    """Whether the last character becomes one with those before it."""
    return len(_composed(cluster)) <= len(_composed(cluster[:-1]))


@dataclass(frozen=True)
class _Pattern:
    """How a name is found: a piece that all its forms share, and the expression of the forms."""

    piece: str
    forms: re.Pattern[str]


@lru_cache(maxsize=4096)
def _pattern(name: str) -> _Pattern | None:
    words = [word for word in re.split(r"(?<=\w)-(?=\w)|\s+", _folded(name)) if word]
    if not words:
        return None
    head = _folded(head_of(name.split()))
    last = len(words) - 1
    plural = {last, max((place for place, word in enumerate(words) if word == head), default=last)}
    several = [(word, *plural_forms(word)) if place in plural else (word,) for place, word in enumerate(words)]
    piece = max(map(_shared_start, several), key=len)
    listed = ("|".join(map(re.escape, sorted(forms, key=len, reverse=True))) for forms in several)
    # A lookahead, so that a mention that overlaps a false one is seen too.
    return _Pattern(piece, re.compile(f"(?=({_BETWEEN.join(f'(?:{forms})' for forms in listed)}))"))


def _shared_start(forms: tuple[str, ...]) -> str:
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*forms, strict=False))
    return "".join(letters[0] for letters in shared)


def _found(text: str, pattern: _Pattern | None) -> Iterator[tuple[int, int]]:
    """Start and end of every mention in folded text."""
    if pattern is None or pattern.piece not in text:
        return
    for found in pattern.forms.finditer(text):
        start, end = found.span(1)
        if not _inside_word(text, start) and not _inside_word(text, end):
            yield start, end


def _inside_word(text: str, position: int) -> bool:
    """Whether a word continues across the position; an accent always belongs to what stands before it."""
    if 0 < position < len(text) and unicodedata.category(text[position]).startswith("M"):
        return True
    return 0 < position < len(text) and all(_spaced_letter(text[index]) for index in (position - 1, position))


def _spaced_letter(character: str) -> bool:
    """Whether this is part of a word in a script that puts spaces between words."""
    part_of_word = character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")
    return part_of_word and not unicodedata.name(character, "").startswith(_UNSPACED)

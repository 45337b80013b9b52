"""Where a text mentions a concept."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def mention(text: str, name: str) -> int | None:
    """Where the text first mentions the name, whatever its case, as whole words or their plural in s or es.

    In scripts without spaces between words, word ends are ignored. The position counts
    characters of the case-folded text, so it only orders the mentions of one text.

    >>> mention("two Mugs on a bench", "mug"), mention("a smug face", "mug")
    (4, None)
    """
    return next((start for start, _ in _found(_folded(text), _folded(name))), None)


def mention_spans(text: str, name: str) -> list[tuple[int, int]]:
    """Start and end of every mention of the name, plural ending included, in characters of the text itself.

    >>> mention_spans("Two mugs, a smug face and a MUG!", "mug")
    [(4, 8), (28, 31)]
    """
    folded, homes = "", []
    for start, end in _clusters(text):
        part = _folded(text[start:end])
        folded += part
        homes += [(start, end)] * len(part)
    return [(homes[start][0], homes[end - 1][1]) for start, end in _found(folded, _folded(name))]


def spans_by_name(text: str, names: Iterable[str]) -> list[tuple[int, int, str]]:
    """Start, end and name of every mention, in the order of the text; where names overlap, the longer one wins.

    >>> spans_by_name("two Towers by a water tower", ["tower", "water tower"])
    [(4, 10, 'tower'), (16, 27, 'water tower')]
    """
    taken: list[tuple[int, int, str]] = []
    for name in sorted(names, key=len, reverse=True):
        found = mention_spans(text, name)
        taken += [(*span, name) for span in found if all(span[1] <= a or b <= span[0] for a, b, _ in taken)]
    return sorted(taken)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


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
    return len(unicodedata.normalize("NFC", cluster)) <= len(unicodedata.normalize("NFC", cluster[:-1]))


def _found(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Start and end of every mention in folded text."""
    words = r"\s+".join(re.escape(word) for word in name.split())
    # A lookahead, so that a mention that overlaps a false one is seen too.
    for found in re.finditer(f"(?=({words}))", text) if words else ():
        ends = [found.end(1) + len(plural) for plural in ("", "s", "es") if text.startswith(plural, found.end(1))]
        whole = [end for end in ends if not _inside_word(text, end)]
        if whole and not _inside_word(text, found.start()):
            yield found.start(), whole[0]


def _inside_word(text: str, position: int) -> bool:
    """Whether a word continues across the position."""
    return 0 < position < len(text) and all(_spaced_letter(text[index]) for index in (position - 1, position))


def _spaced_letter(character: str) -> bool:
    """Whether this is part of a word in a script that puts spaces between words."""
    part_of_word = character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")
    return part_of_word and not unicodedata.name(character, "").startswith(_UNSPACED)

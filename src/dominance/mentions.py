"""Where a text mentions a concept."""

import re
import unicodedata

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def mention(text: str, name: str) -> int | None:
    """Where the text first mentions the name, whatever its case, as whole words or their plural in s or es.

    Scripts that write words without spaces between them have no word ends to heed. The position counts
    characters of the case-folded text, so it only orders the mentions of one text.

    >>> mention("two Mugs on a bench", "mug"), mention("a smug face", "mug")
    (4, None)
    """
    text, name = (unicodedata.normalize("NFC", part).casefold() for part in (text, name))
    words = r"\s+".join(re.escape(word) for word in name.split())
    # A lookahead, so that a mention that overlaps a false one is seen too.
    for found in re.finditer(f"(?=({words}))", text):
        ends = (found.end(1) + len(plural) for plural in ("", "s", "es") if text.startswith(plural, found.end(1)))
        if not _inside_word(text, found.start()) and any(not _inside_word(text, end) for end in ends):
            return found.start()
    return None


def _inside_word(text: str, position: int) -> bool:
    """Whether a word goes on from before the position to behind it."""
    return 0 < position < len(text) and all(_spaced_letter(text[place]) for place in (position - 1, position))


def _spaced_letter(character: str) -> bool:
    """Whether this is part of a word in a script that puts spaces between words."""
    part_of_word = character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")
    return part_of_word and not unicodedata.name(character, "").startswith(_UNSPACED)

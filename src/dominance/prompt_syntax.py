"""Prompt syntax of other programs (A1111, ComfyUI, Compel, Midjourney): a model here would read it as letters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dominance.records import KINDS
from dominance.wording import quoted

_NUMBER = re.compile(r"\s*-?(?:\d+(?:\.\d*)?|\.\d+)%?\s*")
_LETTER = re.compile(r"[^\W\d_]")
_SUSPECT = re.compile(r"[()\[{<]|\+\+|--|::|__|AND|BREAK|ADD|(?i:embedding:)")
_KEPT_PLUSES = {"c", "g", "clang", "libstdc", "msvc", "notepad"}
"""Names that end in ++ by themselves."""
_MOST_SHOWN = 3
_DIVIDERS = {"AND", "BREAK", "ADDCOMM", "ADDROW", "ADDCOL", "ADDBASE"}
_CLOSED_AT = r"(?=[\s,.;)\]]|$)"

_PARENTHESES = re.compile(r"\(([^()]*)\)")
_DOUBLED = re.compile(r"\(\s*\([^()]*\)\s*\)|\{\{[^{}]*\}\}")
_WEIGHED_AFTER = re.compile(rf"\([^()]*\)(?:\d*\.\d+(?![\w.])|\+\+?{_CLOSED_AT}|--+{_CLOSED_AT})")
_SIGNS = re.compile(r"(?<!\+)\+{2,}(?![\w+])|(?<!-)-{2,}(?=[,.;)\]]|$)")
_COLONS = re.compile(r"(?<=[^\W\d_])::\s*-?\d+|(?<![\w.])-?(?:\d+(?:\.\d+)?|\.\d+)::\s*[^\W\d]\w*")
_TAG = re.compile(r"<\s*(lora|lyco|lycoris|hypernet|hypernetwork)\s*:[^<>]*>", re.IGNORECASE)
_EMBEDDING = re.compile(r"(?<![\w])embedding:(?=[\w.])([\w./\\-]*)", re.IGNORECASE)
_CALL = re.compile(r"(?<=\))\.(?:and|blend|swap)\([^()]*\)?")
_ESCAPED = re.compile(r"\\\([^()\\]*\\\)|\\[()]")
_SQUARE = re.compile(r"\[([^\[\]]*)\]")
_BRACES = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_WILDCARD = re.compile(r"(?<!\w)__(?=[^\W_])[\w/*. -]{0,60}?__(?!\w)")
_FLAG = re.compile(
    r"(?<!\S)--(?:ar|aspect|c|chaos|cref|cw|iw|niji|no|p|profile|q|quality|raw|repeat|s|seed|sref|stop|style|stylize|"
    r"sw|tile|v|version|weird)(?!\S)"
)


@dataclass(frozen=True)
class Foreign:
    """A piece of another program's syntax.

    Attributes:
        text: as it stands in the prompt.
        what: it is, in two or three words.
        advice: how to say it here.
    """

    text: str
    what: str
    advice: str


_WEIGHT = "a weight", "write the words without weights, and a concept as [name]"
_LORA = "a LoRA", "leave out the LoRA and load its file with --adapter FILE:STRENGTH"
_HYPERNETWORK = "a hypernetwork", "leave out the hypernetwork, which cannot be loaded"
_LEARNED = "an embedding", "write the embedding's own word, without 'embedding:'"
_JOINED = "joined prompts", "write one prompt for each part, or the word AND in small letters or in quotes"
_CALLED = "a function of Compel", "write one prompt for each part"
_QUOTED = "an escaped parenthesis", "write parentheses without backslashes"
_PARTED = "a break", "leave out the break, or put the word in quotes"
_EDITED = "prompt editing", "write one prompt for each wording"
_ALTERNATING = "alternation", "write one prompt for each alternative, or [name:object] if the name has such a line"
_DRAWN = "a random choice", "write one prompt for each choice"
_LISTED = "a wildcard", "write one prompt for each word of its list"
_SETTING = "a setting", "give settings as options of the command, such as --width"
_PLAIN_FORMS = (
    (_EMBEDDING, _LEARNED),
    (_BRACES, _DRAWN),
    (_WILDCARD, _LISTED),
    (_CALL, _CALLED),
    (_ESCAPED, _QUOTED),
    (_DOUBLED, _WEIGHT),
    (_WEIGHED_AFTER, _WEIGHT),
    (_COLONS, _WEIGHT),
    (_FLAG, _SETTING),
)
_INNERMOST = re.compile(r"\(([^()\[\]]*)\)(?:\d*\.\d+(?![\w.])|[+-]+(?![\w]))?|\[([^()\[\]]*)\]")
_BREAKS = re.compile(r"(?<![\w'\"‘“])(?:BREAK|ADDCOMM|ADDROW|ADDCOL|ADDBASE)(?![\w'\"’”])")
_DEEPEST = 20
_ESCAPES = {"(": "\ue000", ")": "\ue001", "[": "\ue002", "]": "\ue003"}
_UNESCAPED = {ord(mark): bracket for bracket, mark in _ESCAPES.items()}


def foreign_syntax(text: str) -> str | None:
    """What a message says about other programs' syntax in a prompt: what was found and how to say it here.

    What stands in ordinary English too passes: ``(blue)``, ``3:2``, ``C++``, and AND in a title in capitals. The
    square brackets of a marked text may stand in it: ``[name:kind]`` passes.

    >>> foreign_syntax("a [mug] (blue), BLACK AND WHITE, 3:2") is None
    True
    >>> (foreign_syntax("a (castle:1.3)") or "").partition(";")[0]
    "'(castle:1.3)' (a weight) is another program's prompt syntax, which the model would read as letters"
    """
    if not _SUSPECT.search(text):
        return None
    first: dict[str, Foreign] = {}
    for found in _foreign(text):
        first.setdefault(found.what, found)
    if not first:
        return None
    shown = list(first.values())[:_MOST_SHOWN]
    *rest, last = (f"{quoted(found.text, 40)} ({found.what})" for found in shown)
    listed, verb = (f"{', '.join(rest)} and {last}", "are") if rest else (last, "is")
    advice = "; ".join(found.advice for found in shown)
    return f"{listed} {verb} another program's prompt syntax, which the model would read as letters; {advice}"


def _foreign(text: str) -> Iterator[Foreign]:
    """Every piece, each kind of syntax in turn; what a square bracket holds is judged as a whole."""
    for tag in _TAG.finditer(text):
        yield Foreign(tag[0], *(_HYPERNETWORK if tag[1].lower().startswith("hyper") else _LORA))
    for square in _SQUARE.finditer(text):
        if meant := _in_square_brackets(square[1]):
            yield Foreign(square[0], *meant)
    text = _SQUARE.sub(_name_alone, _TAG.sub(" ", text))
    for form, meant in _PLAIN_FORMS:
        for found in form.finditer(text):
            if _LETTER.search(found[0]) or form is not _WEIGHED_AFTER:
                yield Foreign(found[0], *meant)
    for parenthesis in _PARENTHESES.finditer(text):
        if _is_weighed(parenthesis[1]):
            yield Foreign(parenthesis[0], *_WEIGHT)
    for signs in _SIGNS.finditer(text):
        word = _word_before(text, signs.start())
        if word and not (signs[0][0] == "+" and word.lower() in _KEPT_PLUSES):
            yield Foreign(word + signs[0], *_WEIGHT)
    yield from _dividers(text)


def _name_alone(square: re.Match[str]) -> str:
    name, colon, kind = square[1].rpartition(":")
    return "" if _in_square_brackets(square[1]) else name if colon and kind.strip() in KINDS else square[1]


def _in_square_brackets(content: str) -> tuple[str, str] | None:
    """What A1111 takes a square bracket for, if it is more than a concept."""
    _, colon, last = content.rpartition(":")
    if last.strip() in KINDS:
        return None
    if "|" in content:
        return _ALTERNATING
    return _EDITED if colon and _is_weighed(content) else None


def _is_weighed(content: str) -> bool:
    """Whether this is words and a number after a colon; ``10:30``, ``area 51:2`` and ``3:2`` are no weights."""
    words, colon, number = content.rpartition(":")
    decimal = "." in number or not (words[-1:].isdigit() or number[:1].isspace())
    return bool(colon and decimal and _NUMBER.fullmatch(number) and _LETTER.search(words))


def _word_before(text: str, end: int) -> str:
    """The word that ends here, of two letters and more: a grade (A++) and C++ are no weights."""
    start = end
    while start and (text[start - 1].isalnum() or text[start - 1] in "_'’"):
        start -= 1
    return text[start:end] if end - start > 1 else ""


def _dividers(text: str) -> Iterator[Foreign]:
    """AND, BREAK and their kin among words; in capitals, ``BLACK AND WHITE`` and ``COFFEE BREAK`` are titles."""
    words = re.sub(r"([,;])", r" \1 ", text).split()
    for before, word, after in zip(words, words[1:], words[2:], strict=False):
        if word not in _DIVIDERS:
            continue
        beside = [_is_capital(other) for other in (before, after)]
        if word == "AND" and not all(beside) and not after.lower().startswith("gate"):
            yield Foreign(word, *_JOINED)
        if word != "AND" and (before in ",;" or not any(beside)):
            yield Foreign(word, *_PARTED)


def _is_capital(word: str) -> bool:
    return word.isupper() or (not _LETTER.search(word) and word not in ",;")


def plain_prompt(text: str) -> str:
    """The words of another program's prompt: no weights, tags, breaks, brackets; to compare, apply it to both sides.

    Prompt editing and alternation keep their letters, since what they mean is not one text.

    >>> plain_prompt("((masterpiece)), a (castle:1.3), <lora:a:0.8>, BREAK [a mug]")
    'masterpiece, a castle, a mug'
    """
    text = _EMBEDDING.sub(r"\1", _TAG.sub(" ", text))
    text = _SIGNS.sub(lambda signs: "" if _word_before(text, signs.start()) else signs[0], text)
    text = re.sub(r"\\([()\[\]])", lambda escaped: _ESCAPES[escaped[1]], text)
    for _ in range(_DEEPEST):
        shorter = _INNERMOST.sub(_unwrapped, text)
        if shorter == text:
            break
        text = shorter
    text = _BREAKS.sub(",", text).translate(_UNESCAPED)
    return re.sub(r"\s*(?:,\s*)+", ", ", " ".join(text.split())).strip(" ,")


def _unwrapped(bracket: re.Match[str]) -> str:
    content = bracket[1] or bracket[2] or ""
    words, _, number = content.rpartition(":")
    if bracket[0][0] == "[" and number.strip() in KINDS:
        return words
    edited = bracket[0][0] == "[" and (":" in words.strip(":") or "|" in content)
    return words.strip(":") if _NUMBER.fullmatch(number) and _is_weighed(content) and not edited else content

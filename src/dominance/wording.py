"""How one-line messages show what a user gave, and what other libraries and the file system complain about."""

import difflib
import json
from collections.abc import Iterable

_ABSENT = ("no such file", "not appear to have a file", "no file named", "can't find", "cannot find", "not found in")
"""How libraries say that a file is missing."""


def quoted(text: str, longest: int = 60) -> str:
    r"""The text between quotes and on one line: what is long loses its middle, control characters are escaped.

    >>> quoted("a mug\n")
    "'a mug\\n'"
    """
    return f"'{on_one_line(text, longest)}'"


def on_one_line(value: object, longest: int = 300) -> str:
    """The same without quotes, for paths and for other programs' messages."""
    text = str(value)
    if len(text) > longest:
        text = f"{text[: longest - longest // 3]}…{text[1 - longest // 3 :]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def complaint(error: Exception, longest: int = 240) -> str:
    r"""The error's own words; its type's name where it has none.

    >>> complaint(ValueError("no such  \n thing")), complaint(KeyError())
    ('no such thing', 'KeyError')
    """
    told = getattr(error, "strerror", None) or error
    return " ".join(str(told).split())[:longest] or type(error).__name__


def remedy_for(error: Exception) -> str:
    """The step that fits what went wrong when a model's files were read.

    >>> remedy_for(PermissionError(13, "Permission denied")), remedy_for(ImportError("no timm"))
    ('fix its permissions or the disk', 'install what is missing')
    """
    told = str(error).lower()
    if isinstance(error, ImportError):
        return "install what is missing"
    if isinstance(error, FileNotFoundError) or any(words in told for words in _ABSENT):
        return "fetch the file that is missing"
    if isinstance(error, OSError) and error.errno is not None:
        return "fix its permissions or the disk"
    if "size mismatch" in told or "shape" in told:
        return "its config.json and its weights do not belong together: take both from one model"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) or "not a valid json" in told:
        return "fetch this file again, or correct it"
    return "its files do not fit the installed libraries: see which version saved them, or give another model"


def described(value: object) -> str:
    """What a value from a file is, in words; never longer than a line, whatever it holds.

    >>> described(7), described([]), described(None)
    ('the number 7', 'a list', 'nothing')
    """
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, int | float):
        # Python refuses to print an integer of thousands of digits.
        return f"the number {value}" if isinstance(value, float) or abs(value) < 10**18 else "a huge number"
    return {list: "a list", dict: "a mapping"}.get(type(value), f"a {type(value).__name__}")


def suggestion(found: str, known: Iterable[str]) -> str:
    """What follows an unknown word: the known one that is close to it, if any.

    >>> suggestion("promt", ["id", "prompt"]), suggestion("x", ["id", "prompt"])
    ("; did you mean 'prompt'?", ';')
    """
    close = difflib.get_close_matches(found[:100].lower(), list(known), n=1)
    return f"; did you mean {quoted(close[0])}?" if close else ";"

"""How commands say what they left out of a folder of images."""

from collections.abc import Sequence
from pathlib import PurePath

from dominance.numbers import plural
from dominance.pictures import IMAGE_ENDINGS, OTHER_ENDINGS
from dominance.records import LeftOut
from dominance.wording import on_one_line

_NAMED = 5
"""Entries named on the terminal; the page and the document name more."""


def left_out_sentence(left_out: Sequence[LeftOut]) -> str | None:
    """How many images were left out, and how many of them the result lacks; None if none were.

    >>> left_out_sentence([LeftOut("grid.png", "is a contact sheet"), LeftOut("a", "fits no prompt", 10, True)])
    '11 images were not used; 10 of them may belong to the result.'
    """
    total = sum(entry.images for entry in left_out)
    missing = sum(entry.images for entry in left_out if entry.missing)
    if not left_out:
        return None
    said = f"{plural(total, 'image')} {'was' if total == 1 else 'were'} not used"
    if not missing:
        return f"{said}."
    which = "it may" if total == 1 else f"{missing} of them may"
    return f"{said}; {which} belong to the result."


def left_out_lines(left_out: Sequence[LeftOut], most: int = _NAMED) -> list[str]:
    """The sentence, the first entries, those that the result lacks before the others, and how many more there are."""
    sentence = left_out_sentence(left_out)
    if sentence is None:
        return []
    ordered = missing_first(left_out)
    alike: dict[object, list[LeftOut]] = {}
    for entry in ordered:
        # Only where all cannot be named do those of the same kind share a line.
        alike.setdefault((entry.reason, entry.missing) if len(ordered) > most else entry, []).append(entry)
    lines = [f"not used: {shown(entries[0])}{_others(entries)}" for entries in alike.values()]
    told, more = lines[:most], sum(len(entries) for entries in list(alike.values())[most:])
    if more:
        told.append(f"not used: {more} more, listed on the page and in --json")
    return [*told, sentence] if len(ordered) > 1 else told


def _others(entries: Sequence[LeftOut]) -> str:
    return f" (and {len(entries) - 1} more like it)" if len(entries) > 1 else ""


def missing_first(left_out: Sequence[LeftOut]) -> list[LeftOut]:
    """What the result lacks, then the rest."""
    return sorted(left_out, key=lambda entry: not entry.missing)


def shown(entry: LeftOut) -> str:
    """One entry on one line.

    >>> shown(LeftOut("castle", "fits no prompt", 10, True))
    'castle (10 images) fits no prompt'
    """
    is_file = PurePath(entry.file).suffix.lower() in IMAGE_ENDINGS | OTHER_ENDINGS
    count = "" if is_file or not entry.images else f" ({plural(entry.images, 'image')})"
    return f"{on_one_line(entry.file, 120)}{count} {on_one_line(entry.reason, 300)}"

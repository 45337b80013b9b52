"""Options as users write them: lists of names and of numbers."""

from collections.abc import Collection, Sequence
from typing import Annotated

from cyclopts import Parameter, Token

from dominance.errors import InputError

WRITTEN = "written"
"""In a field's metadata: how its value is written in a file of options, where a list of parts would not do."""

NAMED = "named"
"""In a field's metadata: the option's name, where it is not the field's, because it is given once for each part."""


def _read_numbers(_type: object, tokens: Sequence[Token]) -> tuple[int, ...]:
    return parse_numbers(tokens[-1].keyword or "the list", tokens[-1].value)


def _read_names(_type: object, tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(name.strip() for name in tokens[-1].value.split(",") if name.strip())


Numbers = Annotated[tuple[int, ...], Parameter(converter=_read_numbers, n_tokens=1, metavar="LIST")]
"""Numbers and ranges, such as ``1-3,9``, each number once."""
Names = Annotated[tuple[str, ...], Parameter(converter=_read_names, n_tokens=1, metavar="NAMES")]
"""Names, separated by commas."""


def parse_numbers(option: str, text: str) -> tuple[int, ...]:
    """Numbers and ranges, each number once; a comma may end them.

    Raises:
        InputError: something else, or a descending range.

    >>> parse_numbers("--layers", "1-3,9")
    (1, 2, 3, 9)
    """
    numbers: list[int] = []
    for part in text.strip().removesuffix(",").split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        ends = (first, last if dash else first)
        if not all(end.isdecimal() and len(end) < 6 for end in ends) or int(ends[0]) > int(ends[1]):
            raise InputError(f"{option} is {text[:60]!r}; give numbers such as 9,10 or a range such as 7-10")
        numbers += range(int(ends[0]), int(ends[1]) + 1)
    return tuple(dict.fromkeys(numbers))


def check_listed(what: str, given: Sequence[str], known: Collection[str], *more: str) -> None:
    """Refuses an empty list, and one with an unknown name.

    Args:
        more: other things that can be given.
    """
    for name in given:
        if name not in known:
            raise InputError(f"no {what} {name[:60]!r}; give one of {', '.join([*known, *more])}")
    if not given:
        raise InputError(f"no {what} given; give some of {', '.join([*known, *more])}")

"""Lists of layers and steps, as users write them."""

from dominance.errors import InputError


def parse_numbers(option: str, text: str | None) -> tuple[int, ...] | None:
    """Numbers and ranges, each number once; None for an option that was not given.

    Raises:
        InputError: something else, or a range that goes down.

    >>> parse_numbers("--layers", "1-3,9"), parse_numbers("--layers", None)
    ((1, 2, 3, 9), None)
    """
    if text is None:
        return None
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        ends = (first, last if dash else first)
        if not all(end.isdecimal() and len(end) < 6 for end in ends) or int(ends[0]) > int(ends[1]):
            raise InputError(f"{option} is {text[:60]!r}; give numbers such as 9,10 or a range such as 7-10")
        numbers += range(int(ends[0]), int(ends[1]) + 1)
    return tuple(dict.fromkeys(numbers))

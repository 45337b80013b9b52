"""Tables as lines of text that fit a width: long cells wrap where a reader would break them."""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

from dominance.wording import on_one_line

_GAP = "  "
_LONGEST_CELL = 240
_LONGEST_PIECE = 24
"""Characters that stay together, such as an interval in parentheses."""
_LEAST = (24, 16, 14, 12, 10, 8, 6, 4, 2)
"""How narrow a column with longer pieces may get: tried one after the other, until the table fits."""
_FIRM = 6
"""Up to here, words of names break before figures do."""
_BREAK = re.compile(r"(?<![\d(\[]) (?![\d)])|(?<=[,;]) | (?=\()")
"""Spaces where a cell may break: not between a name and its count, but after a comma and before an interval."""


def laid_out(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> tuple[list[str], list[str]]:
    """The lines of the head and those of the body; the first column is text, the others align right.

    No line is wider than ``width``, as long as every column has room for two characters.

    >>> head, body = laid_out(("prompt", "DvD (95%)"), [("a clock and a castle", "90.0 (80.0 to 100.0)")], 32)
    >>> for line in (*head, *body):
    ...     print(line)
      prompt               DvD (95%)
      ──────────────────────────────
      a clock and a             90.0
      castle         (80.0 to 100.0)
    """
    cells = [[on_one_line(cell, _LONGEST_CELL) for cell in row] for row in rows]
    heads = [_Column(name.split(" "), [_pieces(row[place]) for row in cells]) for place, name in enumerate(columns)]
    widths = _fitting(heads, width - len(_GAP) * len(columns))
    head = _lines([_wrapped(column.head, own) for column, own in zip(heads, widths, strict=True)], widths)
    body: list[str] = []
    for row in cells:
        wrapped = [_wrapped(_pieces(cell), own) for cell, own in zip(row, widths, strict=True)]
        body += _lines(wrapped, widths)
    return [*head, _GAP + "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))], body


class _Column:
    """The widths that a column can have.

    Attributes:
        natural: no cell wraps.
        least: no piece breaks.
        firm: no word of the head and no interval breaks.
    """

    def __init__(self, head: list[str], cells: list[list[str]]) -> None:
        self.head = head
        every = [head, *cells]
        self.natural = max(cell_len(" ".join(pieces)) for pieces in every)
        self.least = max((cell_len(piece) for pieces in every for piece in pieces), default=0)
        firm = [*head, *(piece for pieces in cells for piece in pieces if piece.startswith("("))]
        self.firm = max(map(cell_len, firm), default=0)


def _fitting(columns: Sequence[_Column], room: int) -> list[int]:
    """A width for each column: the widest give way first, none below its longest piece while that can be helped."""
    widths = [column.natural for column in columns]
    for most in _LEAST:
        firm = [column.firm if most >= _FIRM else 0 for column in columns]
        floors = [max(min(own.least, most), kept) for own, kept in zip(columns, firm, strict=True)]
        for level in range(max(column.natural for column in columns), 1, -1):
            widths = [max(min(own.natural, level), floor) for own, floor in zip(columns, floors, strict=True)]
            if sum(widths) <= room:
                return widths
    return widths


def _pieces(cell: str) -> list[str]:
    """The parts of a cell that stay on one line."""
    pieces = []
    for piece in _BREAK.split(cell):
        whole = cell_len(piece) <= _LONGEST_PIECE
        pieces += [piece] if whole else piece.split(" ")
    return pieces


def _wrapped(pieces: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for piece in _narrow(pieces, width):
        if lines and cell_len(lines[-1]) + 1 + cell_len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return lines or [""]


def _narrow(pieces: Sequence[str], width: int) -> Iterator[str]:
    """The pieces themselves; of one that is too wide its words, of such a word its parts."""
    for piece in pieces:
        for part in [piece] if cell_len(piece) <= width else piece.split(" "):
            yield from [part] if cell_len(part) <= width else chop_cells(part, width)


def _lines(wrapped: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """One row, as many lines high as its highest cell."""
    made = []
    for line in range(max(len(lines) for lines in wrapped)):
        shown = [lines[line] if line < len(lines) else "" for lines in wrapped]
        padded = [
            text + " " * (own - cell_len(text)) if place == 0 else " " * (own - cell_len(text)) + text
            for place, (text, own) in enumerate(zip(shown, widths, strict=True))
        ]
        made.append((_GAP + _GAP.join(padded)).rstrip())
    return made

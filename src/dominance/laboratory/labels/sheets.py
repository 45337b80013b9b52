"""Sheets of numbered pictures without names, and the sheet that shows what exists."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dominance.errors import InputError, ItemError
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene
from dominance.pictures import open_image, write_png

ON_A_SHEET: int = 36
REFERENCE: str = "reference.png"
_COLUMNS, _SIDE, _GAP, _LINE, _LETTERS = 6, 176, 8, 24, 16
_LOOKS, _SMALL, _ACROSS = 4, 110, 7


def sheet_name(index: int) -> str:
    """``sheet-00``; with ``.png`` the sheet, with ``.txt`` what a reader saw on it."""
    return f"sheet-{index:02d}"


def numbers_of(index: int, total: int) -> range:
    """The numbers on a sheet."""
    return range(index * ON_A_SHEET + 1, min((index + 1) * ON_A_SHEET, total) + 1)


def sheet_count(total: int) -> int:
    """Sheets of so many pictures."""
    return -(-total // ON_A_SHEET)


def write_sheets(files: Sequence[Path], folder: Path) -> list[Path]:
    """Writes 36 enlarged pictures a sheet, numbered from 1 in the order given.

    Raises:
        InputError: a picture cannot be read.
        RunError: the disk refuses.
    """
    written = []
    for index in range(sheet_count(len(files))):
        shown = numbers_of(index, len(files))
        rows = -(-len(shown) // _COLUMNS)
        sheet = Image.new("RGB", (_COLUMNS * (_SIDE + _GAP), rows * (_SIDE + _LINE)), "white")
        pen = ImageDraw.Draw(sheet)
        for place, number in enumerate(shown):
            picture = open_image(files[number - 1])
            if isinstance(picture, ItemError):
                raise InputError(f"{picture}; remove it and run the same command again")
            left, top = place % _COLUMNS * (_SIDE + _GAP), place // _COLUMNS * (_SIDE + _LINE)
            sheet.paste(picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC), (left + 4, top + 20))
            pen.text((left + 6, top + 1), str(number), fill="black", font_size=_LETTERS)
        written.append(write_png(folder / f"{sheet_name(index)}.png", sheet))
    return written


def write_reference(folder: Path) -> Path:
    """Writes a sheet of everything that exists, by name, each in its canonical design and in three others.

    Raises:
        RunError: the disk refuses.
    """
    wide, high = 2 * _SMALL + 16, 2 * _SMALL + 34
    rows = -(-len(BY_NAME) // _ACROSS)
    sheet = Image.new("RGB", (_ACROSS * wide, rows * high), "white")
    pen = ImageDraw.Draw(sheet)
    for index, name in enumerate(BY_NAME):
        left, top = index % _ACROSS * wide, index // _ACROSS * high
        pen.text((left + 4, top + 2), name, fill="black", font_size=20)
        for look in range(_LOOKS):
            scene = single_scene(name, float(look > 0), np.random.default_rng([index, look]))
            drawn = Image.fromarray(render(scene).pixels).resize((_SMALL, _SMALL), Image.Resampling.BICUBIC)
            sheet.paste(drawn, (left + look % 2 * (_SMALL + 2), top + 28 + look // 2 * (_SMALL + 2)))
    return write_png(folder / REFERENCE, sheet)

"""Reads what the readers of the sheets wrote, and makes the labels of it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_folder, read_text
from dominance.laboratory.labels.drawing import steps_of
from dominance.laboratory.labels.plan import Planned
from dominance.laboratory.labels.sheets import numbers_of, sheet_count, sheet_name
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import LabelledPicture, Seen
from dominance.wording import quoted

_LINE = re.compile(r"(?P<number>\d+)\s*:\s*(?P<seen>.*)")
_THING = re.compile(r"(?P<name>[a-z]+)\s+(?P<letter>[PD])")


def labels_of(planned: Sequence[Planned], readers: Sequence[Path]) -> list[LabelledPicture]:
    """The pictures with what each reader saw.

    Args:
        readers: a folder of answers each, one file a sheet.

    Raises:
        InputError: fewer than two readers, an answer is missing or doubled, or a line that cannot be read.
    """
    if len(readers) < 2:
        raise InputError(f"{len(readers)} readers; give --gather two folders or more, as readers check one another")
    seen = [read_answers(folder, len(planned)) for folder in readers]
    pictures = []
    for picture, *said in zip(planned, *seen, strict=True):
        maker = picture.maker
        pictures.append(
            LabelledPicture(
                number=picture.number,
                drawn_by=maker.group,
                model=maker.model,
                adapter=maker.adapter or "",
                strength=maker.strength,
                steps=steps_of(maker),
                seed=picture.noise,
                prompt=picture.text,
                concepts=picture.concepts,
                scene=picture.scene,
                half=picture.half,
                readers=tuple(said),
            )
        )
    return pictures


def read_answers(folder: Path, total: int) -> list[Seen]:
    """What one reader saw on each picture, by number.

    Raises:
        InputError: a file is missing, a line cannot be read, or a picture has no line or two.
    """
    if not is_folder(folder):
        raise InputError(f"{folder}: no such folder; give the folder of a reader's answers")
    seen: list[Seen] = []
    for index in range(sheet_count(total)):
        file, numbers = folder / f"{sheet_name(index)}.txt", numbers_of(index, total)
        found = dict(_lines(file, numbers))
        missing = next((number for number in numbers if number not in found), None)
        if missing is not None:
            raise InputError(f"{file}: no line about picture {missing}; give one line a picture, {numbers[0]} to"
                             f" {numbers[-1]}")  # fmt: skip
        seen += [found[number] for number in numbers]
    return seen


def _lines(file: Path, numbers: range) -> Iterator[tuple[int, Seen]]:
    had: set[int] = set()
    for place, line in enumerate(read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{file}: line {place}"
        parts = _LINE.fullmatch(line.strip())
        number = int(parts["number"]) if parts else 0
        if parts is None or number not in numbers:
            raise InputError(
                f"{where}: {quoted(line)} starts with no picture's number; give {numbers[0]} to {numbers[-1]}, a colon,"
                " and what is there, such as 1: book P"
            )
        if number in had:
            raise InputError(f"{where}: picture {number} has a line already; keep one of the two")
        had.add(number)
        yield number, _seen(parts["seen"].strip(), where)


def _seen(listed: str, where: str) -> Seen:
    if listed == "-":
        return Seen((), ())
    by_letter: dict[str, list[str]] = {"P": [], "D": []}
    for thing in listed.split(","):
        parts = _THING.fullmatch(thing.strip())
        if parts is None or parts["name"] not in BY_NAME:
            raise InputError(
                f"{where}: {quoted(thing.strip())} is none of the world's things with P or D; give such as book P, or -"
                " for none"
            )
        if any(parts["name"] in names for names in by_letter.values()):
            raise InputError(f"{where}: {parts['name']} is listed twice; list it once, by the plainer one")
        by_letter[parts["letter"]].append(parts["name"])
    plain, doubtful = ([name for name in BY_NAME if name in names] for names in by_letter.values())
    return Seen(tuple(plain), tuple(doubtful))

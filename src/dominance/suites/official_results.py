"""The result file of the official DominanceBench release: one row an image, read and written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import SuiteError
from dominance.files import csv_bytes, read_table, read_text
from dominance.records import Prompt
from dominance.suites.official_prompts import official_prompt
from dominance.wording import on_one_line, quoted

RESULT_COLUMNS = (
    "case_num", "content_type", "content", "nm_word", "prompt", "image_path", "image_name",
    "content_answers", "nm_answers", "content_score", "nm_score", "dvd_score", "dvd_mean_case",
)  # fmt: skip
_ANSWERS = re.compile(r"\[[01](?:, ?[01])*\]")


@dataclass(frozen=True)
class OfficialImage:
    """One row.

    Attributes:
        case: number of the prompt.
        prompt: its concepts are ``content``, which is expected to dominate, and ``nm_word``, the object.
        path: of the image, as the file gives it.
        content_answers, object_answers: by question, whether the answer was yes; as many for both.
        dvd: from 0 to 100, to four decimals; ``dvd_mean`` is the mean over the prompt's images.
    """

    case: int
    prompt: Prompt
    path: str
    name: str
    content_answers: tuple[bool, ...]
    object_answers: tuple[bool, ...]
    dvd: float
    dvd_mean: float


def official_results_csv(images: Sequence[OfficialImage]) -> bytes:
    """The rows as the release writes them: CR LF at line ends, answers as lists of 0 and 1, four decimals."""
    return csv_bytes([RESULT_COLUMNS, *map(_row, images)], "\r\n")


def _row(image: OfficialImage) -> tuple[object, ...]:
    content, thing = image.prompt.concepts
    return (
        image.case, content.kind, content.name, thing.name, image.prompt.text, image.path, image.name,
        str([int(yes) for yes in image.content_answers]), str([int(yes) for yes in image.object_answers]),
        sum(image.content_answers), sum(image.object_answers), round(image.dvd, 4), round(image.dvd_mean, 4),
    )  # fmt: skip


def read_official_results(path: Path) -> tuple[OfficialImage, ...]:
    """The rows of a result file.

    Raises:
        InputError: the file cannot be read, or is not valid CSV.
        SuiteError: a column or all rows are missing, or a row contradicts itself; names the file and the line.
    """
    table, name = read_table(read_text(path), path, RESULT_COLUMNS, needed=RESULT_COLUMNS), on_one_line(path)
    images = tuple(_image(row, f"{name}: line {line}") for line, row in table.rows)
    if not images:
        raise SuiteError(f"{name}: contains only column names, no images; give the file of a finished run")
    return images


def _image(row: dict[str, str], where: str) -> OfficialImage:
    prompt = official_prompt(row, where)
    content, thing = _answers(row, "content_answers", where), _answers(row, "nm_answers", where)
    if len(content) != len(thing):
        raise SuiteError(
            f"{where}: {len(content)} answers about content but {len(thing)} about nm_word; give equally many"
        )
    for column, answers in (("content_score", content), ("nm_score", thing)):
        if _number(row, column, where) != sum(answers):
            raise SuiteError(
                f"{where}: {column} is {row[column]} but its answers have {sum(answers)} yes; correct one of them"
            )
    return OfficialImage(
        case=int(row["case_num"]),
        prompt=prompt,
        path=row["image_path"],
        name=row["image_name"],
        content_answers=content,
        object_answers=thing,
        dvd=_number(row, "dvd_score", where),
        dvd_mean=_number(row, "dvd_mean_case", where),
    )


def _number(row: dict[str, str], column: str, where: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = float("nan")
    if not 0 <= value < 1e9:
        raise SuiteError(f"{where}: {column} is {quoted(row[column])}; give a number of 0 or more")
    return value


def _answers(row: dict[str, str], column: str, where: str) -> tuple[bool, ...]:
    text = row[column]
    if not _ANSWERS.fullmatch(text):
        raise SuiteError(f"{where}: {column} is {quoted(text)}; give a list of 0 and 1, such as [1, 0, 1, 1, 0]")
    return tuple(character == "1" for character in text if character in "01")

"""The experiment as a Markdown page: the curve, a row of pictures a level, and a figure for every rival."""

from collections.abc import Sequence
from pathlib import Path

from dominance import numbers
from dominance.files import write_whole
from dominance.laboratory.diversity.arms import MAIN, level_name
from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.diversity.statistics import Level, levels_of
from dominance.laboratory.markdown import table


def write_page(results: Sequence[DiversityResult], page: Path) -> None:
    """Writes the page."""
    main = [result for result in results if result.arm == MAIN.name]
    rows = [_row(level) for level in levels_of(main)]
    write_whole(page, ("# Designs and dominance\n\n" + table(["designs", "models", "DvD", "alone"], rows)).encode())


def _row(level: Level) -> list[str]:
    return [
        level_name(level.level), str(level.models), numbers.mean(level.dvd, level.dvd_interval),
        numbers.rate(level.alone),
    ]  # fmt: skip

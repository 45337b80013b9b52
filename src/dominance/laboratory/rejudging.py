"""Another judge's look at the images that an experiment kept: nothing is trained and nothing is drawn."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from dominance.errors import InputError
from dominance.laboratory.result_lines import replace_lines
from dominance.runs.audit.again import holds_whole_run

Result = TypeVar("Result")


def measured_again(
    file: Path,
    results: Sequence[Result],
    is_old: Callable[[Result], bool],
    runs_of: Callable[[Result], Iterable[Path]],
    again: Callable[[Result], Result],
    tell: Callable[[str], None],
) -> list[Result]:
    """Measures the results of another judge again, and then replaces all of the file at once.

    A kill leaves the file as it was, and what the judge has answered in the runs; the same call goes on from there.

    Args:
        file: of all results.
        is_old: whether a result is another judge's.
        runs_of: the run folders that a result was measured on.
        again: the result as this judge sees the same images.

    Raises:
        InputError: there are no results, or a run that is needed was not kept.
    """
    if not results:
        raise InputError(f"{file} holds no results to judge again; give the --results of an earlier call")
    old = [result for result in results if is_old(result)]
    for folder in [folder for result in old for folder in runs_of(result)]:
        if not holds_whole_run(folder):
            raise InputError(
                f"{folder} does not hold the images that {file} was measured on; give the --out of a call with --keep"
            )
    seen: list[Result] = []
    for result in results:
        seen.append(again(result) if is_old(result) else result)
        if is_old(result):
            tell(f"{sum(map(is_old, results[: len(seen)]))} of {len(old)} judged again")
    if old:
        replace_lines(file, seen)
    return seen

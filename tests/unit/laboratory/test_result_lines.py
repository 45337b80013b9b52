"""Lines of results survive kills and share a file."""

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from dominance.errors import InputError
from dominance.laboratory.result_lines import append_line, read_lines, replace_lines


@dataclass(frozen=True)
class Measured:
    number: int
    text: str = ""


KIND = TypeAdapter(Measured)


def test_a_torn_line_is_passed_over_and_cut_off_before_the_next(tmp_path: Path) -> None:
    file = tmp_path / "new" / "results.jsonl"
    append_line(file, Measured(1))
    with file.open("a") as torn:
        torn.write('{"number": 2, "te')
    assert read_lines(file, KIND, "a result") == [Measured(1)]
    append_line(file, Measured(3))
    assert read_lines(file, KIND, "a result") == [Measured(1), Measured(3)]
    assert len(file.read_text().splitlines()) == 2


def test_a_file_of_one_torn_line_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text('{"num')
    append_line(file, Measured(3))
    assert read_lines(file, KIND, "a result") == [Measured(3)]


def test_no_file_is_no_results_and_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    assert read_lines(file, KIND, "a result") == []
    file.write_text('{"number": 1}\n{"number": "x"}\n')
    with pytest.raises(InputError, match=r"results\.jsonl, line 2 is not a result \(number: "):
        read_lines(file, KIND, "a result")


def _write_many(file: Path, start: int) -> None:
    for number in range(start, start + 50):
        append_line(file, Measured(number, "x" * 2000))


def test_several_processes_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write_many, args=(file, start)) for start in (0, 1000)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(r.number for r in read_lines(file, KIND, "a result")) == [*range(50), *range(1000, 1050)]


def test_lines_are_replaced_all_at_once(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    append_line(file, Measured(1))
    replace_lines(file, [Measured(2), Measured(3)])
    append_line(file, Measured(4))
    assert [measured.number for measured in read_lines(file, KIND, "a result")] == [2, 3, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]

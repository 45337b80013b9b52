"""What a reproduction says to do next."""

from pathlib import Path

import dominance
from dominance.documents import from_json
from dominance.report.reproduction.steps import after_reproduce
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.reproduction.result import ClaimResult, Finding, ReproduceResult, SizeRecord
from dominance.runs.reproduction.rule import Rule
from dominance.runs.store.repeat import Repeat


def result_in(folder: Path, share: float, budget: float | None, minutes: float) -> ReproduceResult:
    rule = Rule("a", 0.0, "above", "measure")
    claim = ClaimResult("focus", "t", "s", "p", "f", "d", rule, "undecided", Finding(0.1, (-1.0, 1.0), 9))
    return ReproduceResult(str(folder), "owner/name", "qwen:a/b", budget, minutes, SizeRecord(share, {}), (claim,))


def given(folder: Path) -> None:
    drawing = dominance.Drawing(steps=7, guidance=3.0, preset="paper-sd14")
    options = ReproduceOptions(budget=5, other="an/other", memorized="known.csv", drawing=drawing)
    Repeat("reproduce", {"claims": None, "model": "owner/name", "judge": "qwen:a/b"}, options).keep(folder)


def test_the_next_command_keeps_model_judge_and_options_and_has_four_times_the_minutes(tmp_path: Path) -> None:
    given(tmp_path)
    command = after_reproduce(result_in(tmp_path, 0.1, 5.0, 8.2))[0].command or ""
    assert command.startswith("dominance reproduce focus --model owner/name --judge qwen:a/b ")
    for words in ("--steps 7", "--guidance 3.0", "--preset paper-sd14", "--other an/other", "--memorized known.csv"):
        assert words in command
    assert "--budget 33" in command  # of what it took, which was more than the budget
    assert "--seeds" not in command


def test_where_four_times_the_work_is_the_full_size_it_has_no_budget(tmp_path: Path) -> None:
    given(tmp_path)
    command = after_reproduce(result_in(tmp_path, 0.3, 5.0, 5.0))[0].command or ""
    assert "--budget" not in command
    assert "--other an/other" in command


def test_the_full_size_has_no_more_to_give(tmp_path: Path) -> None:
    assert "undecided" not in after_reproduce(result_in(tmp_path, 1.0, None, 50.0))[0].why


def test_a_result_reads_back(tmp_path: Path) -> None:
    from dominance.documents import to_json

    result = result_in(tmp_path, 0.3, 5.0, 5.0)
    assert from_json(ReproduceResult, to_json(result)) == result

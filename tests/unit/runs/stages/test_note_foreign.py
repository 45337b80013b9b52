"""The bundled judge knows drawings; who shows it anything else is told."""

from dataclasses import dataclass

import pytest

from dominance.judges.protocol import ScriptedJudge
from dominance.runs.stages.judging import note_foreign


@dataclass(frozen=True)
class Taught(ScriptedJudge):
    world: str | None = None


@pytest.mark.parametrize(
    ("taught", "world", "told"),
    [
        ("miniature", "miniature", False),
        ("miniature", "other", True),
        ("miniature", None, True),
        (None, None, False),
        (None, "miniature", False),
    ],
)
def test_who_is_told(capsys: pytest.CaptureFixture[str], taught: str | None, world: str | None, told: bool) -> None:
    note_foreign(Taught(lambda image, question: 1.0, world=taught), world)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("give --judge" in printed.err) is told


def test_a_judge_that_says_nothing_of_a_world_is_no_stranger(capsys: pytest.CaptureFixture[str]) -> None:
    note_foreign(ScriptedJudge(lambda image, question: 1.0), None)
    assert capsys.readouterr().err == ""

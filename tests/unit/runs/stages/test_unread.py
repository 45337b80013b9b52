"""When answers that cannot be read end a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dominance.judges.protocol import JudgeStoppedError, ScriptedJudge
from dominance.models.settings import GenerationSettings
from dominance.records import Answer, Question
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.unread import AT_FIRST, LATER, Unread
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan

QUESTION = Question("mug", "Is there a mug?", 1)
SILENT = Answer(QUESTION, None, None, "the judge's answer was 'Ja.'")
YES = Answer(QUESTION, True, None)


def test_a_row_of_unread_answers_about_several_images_is_too_many() -> None:
    unread = Unread(read=False)
    for images in range(1, 4):
        unread.add([SILENT] * 5)
        assert unread.too_many is (images == 3)
    assert "gave 15 answers in a row that cannot be read, about 3 images; the last: the judge's answer was 'Ja.'" in (
        unread.told("openai:x#m")
    )


def test_one_image_is_never_too_many_and_a_readable_answer_ends_the_row() -> None:
    unread = Unread(read=False)
    unread.add([SILENT] * LATER)
    unread.add([SILENT] * LATER)
    assert not unread.too_many
    unread.add([YES, SILENT])
    assert (unread.read, unread.count, unread.images) == (True, 1, 1)


@pytest.mark.parametrize(("read", "count"), [(False, AT_FIRST), (True, LATER)])
def test_a_judge_that_could_be_read_before_gets_more_patience(read: bool, count: int) -> None:
    unread = Unread(read)
    for _ in range(count - 1):
        unread.add([SILENT])
    assert not unread.too_many
    unread.add([SILENT])
    assert unread.too_many


class Slow(ScriptedJudge):
    """Takes one image at once."""

    images_at_once = 1


def row(plan: Plan, ledger: Ledger, folder: Path, script: Callable[[Image.Image, Question], float | None]) -> int:
    """Asks whatever is open; how many images are still open after it."""
    ask_judge(unanswered(plan, ledger, folder), plan, Slow(script), ledger)
    return len(unanswered(plan, ledger, folder))


def test_the_run_stops_keeps_its_reasons_and_goes_on_with_the_others(
    plan: Plan,
    ledger: Ledger,
    run_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    plain_model: Any,
    settings: GenerationSettings,
) -> None:
    monkeypatch.setattr("dominance.runs.stages.unread.AT_FIRST", 2)
    monkeypatch.setattr("dominance.runs.stages.unread.SEVERAL", 1)
    make_images(plan.images, plain_model(), settings, ledger, run_folder, BatchSize(8))
    total = len(unanswered(plan, ledger, run_folder))
    assert total > 2
    with pytest.raises(JudgeStoppedError, match="answers in a row that cannot be read"):
        row(plan, ledger, run_folder, lambda image, question: None)
    (failed,) = ledger.failures()
    assert unanswered(plan, ledger, run_folder)[-1][0] == failed
    for _ in range(total - 2):
        with pytest.raises(JudgeStoppedError):
            row(plan, ledger, run_folder, lambda image, question: None)
    assert row(plan, ledger, run_folder, lambda image, question: None) == total  # nothing else is left to ask about
    assert row(plan, ledger, run_folder, lambda image, question: 0.9) == 0

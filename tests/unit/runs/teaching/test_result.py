"""Which checkpoint still composes, and what the report says of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from dominance.metrics import rate
from dominance.records import Identity, LeftOut
from dominance.report.teaching.sentences import teaching_headline
from dominance.report.teaching.steps import after_teaching
from dominance.runs.store.repeat import Repeat
from dominance.runs.teaching.options import TeachingOptions, Watching
from dominance.runs.teaching.result import Checkpoint, TeachingResult, Watched, fall


def checkpoint(step: int, composed: int | None, alone: int = 9) -> Checkpoint:
    identity = Identity(
        "sks", None if composed is None else rate(composed, 10), 20.0, None, rate(9, 10), rate(alone, 10), None, None
    )
    return Checkpoint(
        step, f"checkpoints/{step}" if step else None, 0.1, (), Watched(f"audits/{step}", 20, 0, identity)
    )


def lesson(
    *found: int | tuple[int, int] | None, stopped: str | None = None, floor: float = 0.7, run: str = "runs/sks"
) -> TeachingResult:
    """One whose checkpoints compose so many of 10; of a pair, the second stands alone in so many."""
    checkpoints = tuple(
        checkpoint(20 * place, *(one if isinstance(one, tuple) else (one,))) for place, one in enumerate(found)
    )
    composes, falls = fall(checkpoints, floor)
    return TeachingResult(
        run=run, model="base", token="sks", taught="sks", train="lora", steps=60, images=5, prior=0,
        captions=("a sks",), notes=(), warnings=(), settings={}, suite="suite", judge="miniature", floor=floor,
        checkpoints=checkpoints, composes=composes, falls=falls, pairs=(), manifest={}, stopped=stopped,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("composed", "expected"),
    [
        ((10, 9, 3, 0), (20, 40)),
        ((10, 9, 3, 9), (60, None)),
        ((10, 9, 3, 9, 2, 1), (60, 80)),
        ((10, 9, 8), (40, None)),
        ((5, 9), (20, None)),
        ((0, 5, 10, 9, 3), (60, 80)),  # a concept that the base cannot draw
        ((0, 5, 6), (None, None)),
        ((10, 5, 6), (0, 20)),  # the base alone
        ((7,), (0, None)),  # at the floor is not under it
        ((None, None), (None, None)),
        ((10, None, 2), (0, 40)),
    ],
)
def test_the_last_at_the_floor_composes_whatever_lies_before(
    composed: tuple[int | None, ...], expected: tuple[int | None, int | None]
) -> None:
    result = lesson(*composed)
    assert (result.composes, result.falls) == expected


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (lesson(10, 9, 3), "Step 20 is the last checkpoint that still composes: 9 of 10 images show “sks” and what else"
         " their prompt names (floor 70%); named alone, it appears in 9 of 10; at step 40 only 3 of 10 do."),
        (lesson(10, 9), "Every checkpoint still composes: at step 20, 9 of 10 images"),
        (lesson(10, 2), "No checkpoint composes: before training 10 of 10 images"),
        (lesson((0, 0), (5, 6), 10, 9, 3), "Step 60 is the last checkpoint that still composes: 9 of 10 images show"
         " “sks” and what else their prompt names (floor 70%); named alone, it appears in 9 of 10; at step 80 only 3 of"
         " 10 do."
         " The concept was not learned yet up to step 20, where it appeared in 6 of 10."),
        (lesson((0, 0), 10, 9), "Every checkpoint still composes: at step 40, 9 of 10 images show “sks” and what else"
         " their prompt names (floor 70%); named alone, it appears in 9 of 10. The concept was not learned yet before"
         " training, where it appeared in 0 of 10."),
        (lesson((0, 0), 9, 3, 9), "The last one composes: at step 60, 9 of 10 images show “sks” and what else their"
         " prompt names (floor 70%); named alone, it appears in 9 of 10. The concept was not learned yet before"
         " training, where it appeared in 0 of 10. Under the floor, although the concept was there: at step 40 3"
         " of 10."),
        (lesson((0, 0), (1, 2)), "No checkpoint composes, because the concept is not learned yet: at step 20, named"
         " alone, it appears in 2 of 10."),
        (lesson((0, 0), 5, 3), "No checkpoint composes: at best, at step 20, 5 of 10 images show “sks” and what else"
         " their prompt names (floor 70%); named alone, it appears in 9 of 10. The concept was not learned yet before"
         " training, where it appeared in 0 of 10."),
        (lesson(None, None), "The model was taught “sks” in 20 steps: named alone, it appears in 9 of 10. No prompt of"
         " the suite names it beside something else, so it is not known what it still composes."),
        (lesson(10, 9, stopped="the loss is not a number"), "Training stopped before its end; step 20 is the last"),
        (lesson(10, stopped="the loss is not a number"), "Training stopped before its end; no checkpoint was kept."),
    ],
)  # fmt: skip
def test_the_headline_says_what_came_of_it(result: TeachingResult, said: str) -> None:
    assert teaching_headline(result).startswith(said)


def test_a_lesson_without_some_of_its_pictures_is_not_complete() -> None:
    whole = lesson(10, 9)
    assert whole.complete
    assert not replace(whole, left_out=(LeftOut("a.png", "is broken", missing=True),)).complete
    assert replace(whole, left_out=(LeftOut("grid.png", "is a contact sheet"),)).complete


@pytest.fixture
def trained(tmp_path: Path) -> str:
    """A run folder that knows its command."""
    options = TeachingOptions(watching=Watching(audit="suite.txt", min_presence=0.7))
    Repeat("train dreambooth", {"images": "photos", "token": "sks", "model": "base"}, options).keep(tmp_path)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("found", "why", "command"),
    [
        (((0, 0), (5, 6), 10, 9, 3), "audit step 60 from other seeds", "--adapter {run}/checkpoints/60 --taught sks"),
        ((10, 9), "audit step 20 from other seeds", "--adapter {run}/checkpoints/20"),
        ((10, 3), "see at which strength step 20 composes", "--adapter {run}/checkpoints/20"),
        (((0, 0), (1, 2)), "train again for longer", "--config {run}/run.yaml --steps 120 --out {run}-again"),
        (((0, 0), 5), "train again more gently", "--config {run}/run.yaml --out {run}-again"),
        ((None, None), "see whether it still composes", "audit 'a [sks] and a [mug]' --model base"),
    ],
)
def test_what_to_do_next_is_never_about_a_worse_checkpoint(trained: str, found: tuple, why: str, command: str) -> None:
    first, *_ = after_teaching(lesson(*found, run=trained))
    assert first.why.startswith(why)
    assert command.format(run=trained) in (first.command or "")


def test_where_the_base_alone_composes_there_is_no_checkpoint_to_audit(trained: str) -> None:
    assert [step.why[:11] for step in after_teaching(lesson(10, 3, run=trained))] == ["see at whic", "train again"]

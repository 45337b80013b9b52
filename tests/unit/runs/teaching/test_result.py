"""Which checkpoint still composes, and what the report says of it."""

from dataclasses import replace

import pytest

from dominance.metrics import rate
from dominance.records import Identity, LeftOut
from dominance.report.teaching.sentences import teaching_headline
from dominance.runs.teaching.result import Checkpoint, TeachingResult, Watched, fall


def checkpoint(step: int, composed: int | None, alone: int = 9) -> Checkpoint:
    identity = Identity(
        "sks", None if composed is None else rate(composed, 10), 20.0, None, rate(9, 10), rate(alone, 10), None, None
    )
    return Checkpoint(
        step, f"checkpoints/{step}" if step else None, 0.1, (), Watched(f"audits/{step}", 20, 0, identity)
    )


def lesson(*composed: int | None, stopped: str | None = None, floor: float = 0.7) -> TeachingResult:
    checkpoints = tuple(checkpoint(20 * place, count) for place, count in enumerate(composed))
    composes, falls = fall(checkpoints, floor)
    return TeachingResult(
        run="runs/sks", model="base", token="sks", taught="sks", train="lora", steps=60, images=5, prior=0,
        captions=("a sks",), notes=(), warnings=(), settings={}, suite="suite", judge="miniature", floor=floor,
        checkpoints=checkpoints, composes=composes, falls=falls, pairs=(), manifest={}, stopped=stopped,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("composed", "expected"),
    [
        ((10, 9, 3, 0), (20, 40)),
        ((10, 9, 3, 9), (20, 40)),  # what rises again after a fall does not count
        ((10, 9, 8), (40, None)),
        ((5, 9), (None, 0)),
        ((7,), (0, None)),  # at the floor is not under it
        ((None, None), (None, None)),
        ((10, None, 2), (0, 40)),
    ],
)
def test_the_last_before_the_first_fall_composes(
    composed: tuple[int | None, ...], expected: tuple[int | None, int | None]
) -> None:
    result = lesson(*composed)
    assert (result.composes, result.falls) == expected


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (lesson(10, 9, 3), "Step 20 is the last checkpoint that still composes: 9 of 10 images show “sks” and what else"
         " their prompt names (floor 70%); named alone, it stands in 9 of 10; at step 40 only 3 of 10 do."),
        (lesson(10, 9), "Every checkpoint still composes: at step 20, 9 of 10 images"),
        (lesson(10, 2), "No checkpoint composes: before training 10 of 10 images"),
        (lesson(3, 2), "The model composes under the floor before it learns anything"),
        (lesson(None, None), "The model was taught “sks” in 20 steps; nothing was audited"),
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

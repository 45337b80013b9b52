"""Runs made by hand: each image is written as its counts of yes, or as the reason why it has no score.

A count with doubtful answers is written as ``(yes, fewest, most)``: how many there are, and how many there may be.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dominance.records import Answer, Concept, Gate, Prompt, PromptResult, Question, RunResult, ScoredImage
from dominance.run_settings import RunSettings
from dominance.runs.stages.gate import judge_gate
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt

Counts = tuple[int | tuple[int, int, int], ...] | str
"""How many of five questions were answered yes for each concept, or why the image is unscored."""


def _image(prompt: Prompt, place: int, counts: Counts) -> ScoredImage:
    name, file = str(place), f"images/{prompt.id}/{place}.png"
    if isinstance(counts, str):
        return score_image(prompt, name, None, (), counts, place)
    ranges = [(count, count, count) if isinstance(count, int) else count for count in counts]
    answers = [
        Answer(
            Question(concept.name, f"Is there a {concept.name} ({grade})?", grade),
            grade <= yes,
            (0.9 if grade <= fewest else 0.6) if grade <= yes else (0.4 if grade <= most else 0.1),
        )
        for concept, (yes, fewest, most) in zip(prompt.concepts, ranges, strict=True)
        for grade in range(1, 6)
    ]
    return score_image(prompt, name, file, answers, seed=place)


@pytest.fixture
def prompt_of() -> Callable[..., PromptResult]:
    def build(
        images: Sequence[Counts],
        concepts: Sequence[str] = ("tower", "mug"),
        group: str | None = None,
        text: str | None = None,
    ) -> PromptResult:
        text = text or " and ".join(f"a {name}" for name in concepts)
        prompt = Prompt("-".join(concepts), text, tuple(Concept(name) for name in concepts), group)
        return score_prompt(prompt, [_image(prompt, place, counts) for place, counts in enumerate(images, start=1)])

    return build


@pytest.fixture
def run_of() -> Callable[..., RunResult]:
    def build(*prompts: PromptResult, gate: Gate | None = None, **changes: Any) -> RunResult:
        run = RunResult(
            run="run-1",
            suite="entity-object",
            model="miniature",
            judge="miniature",
            settings=RunSettings(seeds=(1, 2), steps=25),
            prompts=prompts,
            groups=score_groups(prompts),
            gate=None,
            manifest={"versions": {"dominance": "0.1.0"}},
        )
        run = dataclasses.replace(run, **changes)
        if gate is None:
            return run
        allowed = run.settings.allow_unfit_judge is True
        judged = judge_gate(gate, prompts, run.judge_warnings, allow_unfit_judge=allowed)
        return dataclasses.replace(run, gate=judged)

    return build

"""A judge with one answer to everything looks like the judge of a perfect model, until both are asked about nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dominance.judges.protocol import ScriptedJudge
from dominance.records import Answer, Concept, Prompt, PromptResult, Question
from dominance.runs.stages.one_answer import (
    ControlAnswers,
    control_answers,
    one_answer_warnings,
    warnings_of,
)
from dominance.runs.stages.scoring import score_image, score_prompt

NAMES = ("tower", "mug", "castle", "book", "robot", "lamp", "apple", "chair")
Script = Callable[[Image.Image, Question], float | None]


def questions(name: str) -> tuple[Question, ...]:
    return tuple(Question(name, f"Is there a {name} ({grade})?", grade) for grade in range(1, 6))


ASKED = {Concept(name): questions(name) for name in NAMES}


def prompt_of(names: Sequence[str], images: int, yes: Callable[[str], bool | None]) -> PromptResult:
    """A prompt whose images all have the same answers, by concept."""
    prompt = Prompt("-".join(names), " and ".join(f"a {name}" for name in names), tuple(map(Concept, names)))
    answers = [Answer(question, yes(name)) for name in names for question in questions(name)]
    files = [f"{prompt.id}-{place}.png" for place in range(images)]
    return score_prompt(prompt, [score_image(prompt, file, file, answers) for file in files])


def pairs(count: int, yes: Callable[[str], bool | None], images: int = 4) -> list[PromptResult]:
    return [prompt_of(NAMES[2 * place : 2 * place + 2], images, yes) for place in range(count)]


class Counting:
    """A judge that answers by a script, and keeps what it was asked."""

    def __init__(self, script: Script) -> None:
        self.asked: list[Question] = []
        self._script = script
        self.judge = ScriptedJudge(self._answer)

    def _answer(self, image: Image.Image, question: Question) -> float | None:
        self.asked.append(question)
        return self._script(image, question)


def photograph() -> Image.Image:
    """Neither plain nor noise."""
    return Image.linear_gradient("L").resize((48, 32)).convert("RGB")


def is_photograph(image: Image.Image) -> bool:
    return np.array_equal(np.asarray(image), np.asarray(photograph()))


def tried(script: Script, prompts: list[PromptResult], *, anyway: bool = False) -> tuple[Counting, ControlAnswers]:
    counting = Counting(script)
    shown = [(prompt.prompt, photograph()) for prompt in prompts]
    return counting, control_answers(counting.judge, ASKED, prompts, lambda: shown, anyway=anyway)


def kinds(prompts: list[PromptResult], controls: ControlAnswers) -> list[tuple[str, bool]]:
    return [(warning.kind, warning.unfit) for warning in one_answer_warnings("j", prompts, controls)]


def test_a_perfect_model_is_no_blind_judge() -> None:
    """All its answers are yes; those about grey, noise and other prompts' concepts are no."""
    prompts = pairs(4, lambda _: True)
    counting, controls = tried(lambda image, question: 0.0, prompts)
    assert controls == ControlAnswers(nothing=(False,) * 4, others=(False,) * 4)
    assert {question.grade for question in counting.asked} == {5}
    assert kinds(prompts, controls) == []


def test_a_judge_that_says_yes_to_everything() -> None:
    prompts = pairs(4, lambda _: True)
    counting, controls = tried(lambda image, question: 1.0, prompts)
    assert controls == ControlAnswers(nothing=(True,) * 20)
    (warning,) = one_answer_warnings("j", prompts, controls)
    assert (warning.kind, warning.unfit) == ("always yes", True)
    assert warning.says == (
        "the judge 'j' says yes to everything: also to all 20 questions about a plain grey picture and noise"
    )
    assert len(counting.asked) == 20


def test_one_that_says_no_only_to_nothing_is_caught_by_other_prompts_concepts() -> None:
    prompts = pairs(4, lambda _: True)
    _, controls = tried(lambda image, question: float(is_photograph(image)), prompts)
    assert controls.nothing == (False,) * 4
    assert controls.others == (True,) * 20
    (warning,) = one_answer_warnings("j", prompts, controls)
    assert warning.says.endswith("questions about 16 images, and to all 20 questions about concepts of other prompts")


def test_a_few_other_concepts_say_nothing() -> None:
    """A model may draw a thing that was not asked for; two such things are no proof."""
    prompts = [prompt_of(("tower", "mug"), 4, lambda _: True)]
    counting = Counting(lambda image, question: float(is_photograph(image)))
    few = {concept: ASKED[concept] for concept in (Concept("tower"), Concept("mug"), Concept("castle"))}
    shown = [(prompt.prompt, photograph()) for prompt in prompts]
    controls = control_answers(counting.judge, few, prompts, lambda: shown)
    assert controls.others == ()
    assert kinds(prompts, controls) == []


def test_an_ordinary_run_costs_nothing_without_a_gate_and_four_questions_with_one() -> None:
    prompts = pairs(2, lambda name: name in {"tower", "castle"})
    assert tried(lambda image, question: 0.0, prompts)[1] == ControlAnswers()
    counting, controls = tried(lambda image, question: 0.0, prompts, anyway=True)
    assert len(counting.asked) == 4
    assert controls == ControlAnswers(nothing=(False,) * 4)


def test_a_gate_finds_a_judge_that_sees_what_is_not_there() -> None:
    prompts = pairs(2, lambda name: name in {"tower", "castle"})
    _, controls = tried(lambda image, question: 1.0, prompts, anyway=True)
    (warning,) = one_answer_warnings("j", prompts, controls)
    assert warning.says == (
        "the judge 'j' sees what is not there: it says yes to all 20 questions about a plain grey picture and noise"
    )


def test_what_is_known_is_not_asked_again() -> None:
    prompts = pairs(4, lambda _: True)
    known = ControlAnswers(nothing=(True,) * 20)
    counting = Counting(lambda image, question: 0.0)
    assert control_answers(counting.judge, ASKED, prompts, lambda: [], known, anyway=True) == known
    assert not counting.asked


@pytest.mark.parametrize(
    ("images", "names", "warned"),
    [(4, ("tower", "mug"), True), (3, ("tower", "mug"), False), (10, ("tower",), False)],
)
def test_no_to_everything_needs_enough_answers(images: int, names: tuple[str, ...], warned: bool) -> None:
    prompts = [prompt_of(names, images, lambda _: False)]
    assert kinds(prompts, ControlAnswers()) == ([("always no", True)] if warned else [])


def test_labels_by_people_cannot_be_tried_and_fail_no_gate() -> None:
    labels = ControlAnswers(sighted=False)
    assert kinds(pairs(2, lambda _: False), labels) == [("always no", False)]
    assert kinds(pairs(2, lambda _: True), labels) == [("always yes", False)]
    assert kinds(pairs(2, lambda name: name == "mug"), labels) == []


def test_unanswered_questions_are_no_answers() -> None:
    assert kinds(pairs(2, lambda _: None), ControlAnswers()) == []
    _, controls = tried(lambda image, question: None, pairs(2, lambda _: True))
    assert kinds(pairs(2, lambda _: True), controls) == []


def test_a_judge_that_stops_at_the_controls_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def stop(image: Image.Image, question: Question) -> float:
        raise RuntimeError("out of credit")

    _, controls = tried(stop, pairs(4, lambda _: True))
    assert controls == ControlAnswers()
    assert capsys.readouterr().err == "note: the judge was not tried on control pictures (out of credit)\n"


def test_one_prompt_in_memory() -> None:
    result = prompt_of(("tower", "mug"), 4, lambda _: True)
    assert warnings_of(ScriptedJudge(lambda image, question: 0.0), ASKED, result, [photograph()]) == ()
    (warning,) = warnings_of(ScriptedJudge(lambda image, question: 1.0), ASKED, result, [photograph()])
    assert warning.kind == "always yes"


def test_control_pictures_are_as_large_as_the_run_s(tmp_path: Path) -> None:
    sizes = set()

    def look(image: Image.Image, question: Question) -> float:
        sizes.add(image.size)
        return 0.0

    tried(look, pairs(1, lambda _: True))
    assert sizes == {(48, 32)}

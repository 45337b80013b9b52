"""Whether the judge gives one answer to everything: from a run's own answers, and from a few about control pictures.

A run of a perfect model is all yes, too. So the judge is also asked the strictest question about a plain grey picture
and about noise, and, if it has said nothing but yes, about concepts of other prompts. It is asked more only while it
says yes. No picture is sure to show a concept, so a judge that says no to everything cannot be told from a model that
draws nothing; neither may pass a gate. See docs/decisions/016-unfit-judges.md.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from dominance.documents import from_json, to_json
from dominance.judges.protocol import Judge, NamedJudge
from dominance.mentions import mention
from dominance.numbers import plural
from dominance.pictures import open_image
from dominance.records import Concept, JudgeWarning, Prompt, PromptResult, Question
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan
from dominance.wording import complaint, on_one_line

ENOUGH_ANSWERS: int = 20
ENOUGH_IMAGES: int = 4
ENOUGH_CONCEPTS: int = 2
"""Fewest answers, images and concepts after which one and the same answer is remarked on. Our choice."""
MOST_PAIRS = 4
"""Images that are asked about a concept of another prompt."""
FEWEST_PAIRS = 3
"""Fewer say nothing: a model may well draw a concept that was not asked for."""
_KEY = "judge controls"
_GREY = (128, 128, 128)
_USUAL = (512, 512)
"""Width and height of control pictures where no image of the run can be opened."""
_Shown = tuple[Prompt, Image.Image]
"""An image and its prompt."""


@dataclass(frozen=True)
class _Asked:
    """A picture, the strictest questions about it, and the rest of them."""

    picture: Image.Image
    strictest: tuple[Question, ...]
    rest: tuple[Question, ...]

    @classmethod
    def about(cls, picture: Image.Image, *asked: tuple[Question, ...]) -> "_Asked":
        return cls(picture, tuple(q[-1] for q in asked), tuple(question for q in asked for question in q[:-1]))


@dataclass(frozen=True)
class ControlAnswers:
    """A judge's answers about pictures that do not show what it is asked about; None where it was not asked.

    Attributes:
        sighted: whether the judge looks at images; labels by people cannot be asked anything.
        nothing: whether it said yes, for each question about a plain grey picture or noise.
        others: the same for images of a run, asked about concepts of other prompts.
    """

    sighted: bool = True
    nothing: tuple[bool, ...] | None = None
    others: tuple[bool, ...] | None = None


def one_answer_warnings(
    judge: str, prompts: Sequence[PromptResult], controls: ControlAnswers
) -> tuple[JudgeWarning, ...]:
    """A warning about a judge that says yes, or no, to everything, or seems to.

    Args:
        judge: its name.
    """
    name = f"the judge {on_one_line(judge, 120)!r}"
    said = _said(prompts)
    same = f"to all {len(said.answers)} questions about {plural(said.images, 'image')}"
    if controls.sighted and controls.nothing and all(controls.nothing):
        asked = f"to all {len(controls.nothing)} questions about a plain grey picture and noise"
        everything = said.all(yes=True)
        found = "says yes to everything: also" if everything else "sees what is not there: it says yes"
        return (JudgeWarning("always yes", f"{name} {found} {asked}"),)
    if controls.sighted and said.all(yes=True) and controls.others and all(controls.others):
        asked = f"to all {len(controls.others)} questions about concepts of other prompts"
        return (JudgeWarning("always yes", f"{name} says yes to everything: {same}, and {asked}"),)
    if not said.enough or not (said.all(yes=True) or said.all(yes=False)):
        return ()
    if said.all(yes=False):
        says = f"{name} says no {same}: it cannot be told from one that says no to everything"
        return (JudgeWarning("always no", says, unfit=controls.sighted),)
    if not controls.sighted:
        says = f"{name} says yes {same}, and answers from a file cannot be tried on other pictures"
        return (JudgeWarning("always yes", says, unfit=False),)
    return ()


@dataclass(frozen=True)
class _Said:
    """All answers of a run; those about ``images`` images and ``concepts`` concepts."""

    answers: tuple[bool, ...]
    images: int
    concepts: int

    @property
    def enough(self) -> bool:
        enough_seen = self.images >= ENOUGH_IMAGES and self.concepts >= ENOUGH_CONCEPTS
        return enough_seen and len(self.answers) >= ENOUGH_ANSWERS

    def all(self, *, yes: bool) -> bool:
        return bool(self.answers) and all(answer is yes for answer in self.answers)


def _said(prompts: Iterable[PromptResult]) -> _Said:
    given = {
        (image.file or image.name, answer.question.text): answer
        for prompt in prompts
        for image in prompt.images
        for answer in image.answers
        if answer.yes is not None
    }
    return _Said(
        answers=tuple(bool(answer.yes) for answer in given.values()),
        images=len({image for image, _ in given}),
        concepts=len({answer.question.concept for answer in given.values()}),
    )


def control_answers(
    judge: Judge,
    asked: Mapping[Concept, tuple[Question, ...]],
    prompts: Sequence[PromptResult],
    pictures: Callable[[], Iterable[_Shown]],
    known: ControlAnswers = ControlAnswers(),
    *,
    anyway: bool = False,
) -> ControlAnswers:
    """The judge's answers about control pictures; those already known are not asked again.

    A judge that does not say yes to everything is asked four questions if ``anyway``, and none otherwise. One that
    cannot answer any more is left alone, which is said on standard error.

    Args:
        asked: the questions about each concept.
        prompts: the run so far.
        pictures: gives an image of each prompt.
    """
    if isinstance(judge, NamedJudge):
        return replace(known, sighted=False)
    said = _said(prompts)
    only_yes = said.enough and said.all(yes=True)
    try:
        if known.nothing is None and (anyway or only_yes) and said.answers:
            size = next((picture.size for _, picture in pictures()), _USUAL)
            known = replace(known, nothing=_while_yes(judge, _about_nothing(asked, size)))
        if known.others is None and only_yes and not (known.nothing and all(known.nothing)):
            known = replace(known, others=_while_yes(judge, _about_others(asked, pictures())))
    except Exception as error:  # judges may raise anything; the run's own answers are already kept
        sys.stderr.write(f"note: the judge was not tried on control pictures ({complaint(error)})\n")
    return known


def _while_yes(judge: Judge, asked: Sequence[_Asked]) -> tuple[bool, ...]:
    """The answers to the strictest questions, and to the others only if all of those are yes."""
    given: list[bool] = []
    for part in ([(each.picture, each.strictest) for each in asked], [(each.picture, each.rest) for each in asked]):
        wanted = [(picture, questions) for picture, questions in part if questions]
        if wanted and all(given):
            answers = judge.answer([picture for picture, _ in wanted], [questions for _, questions in wanted])
            given += [bool(answer.yes) for listed in answers for answer in listed if answer.yes is not None]
    return tuple(given)


def _about_nothing(asked: Mapping[Concept, tuple[Question, ...]], size: tuple[int, int]) -> list[_Asked]:
    """A plain grey picture and noise, each with the questions about the first two concepts."""
    concepts = list({concept.name: concept for concept in asked}.values())[:ENOUGH_CONCEPTS]
    pictures = (Image.new("RGB", size, _GREY), noise_picture(size, np.random.default_rng(0)))
    return [_Asked.about(picture, *(asked[concept] for concept in concepts)) for picture in pictures]


def noise_picture(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Uniform noise of this width and height."""
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def _about_others(asked: Mapping[Concept, tuple[Question, ...]], pictures: Iterable[_Shown]) -> list[_Asked]:
    """Images of a few prompts, each asked about another concept that its prompt does not name; none if too few."""
    found: dict[str, _Asked] = {}
    for prompt, picture in pictures:
        own = {concept.name.casefold() for concept in prompt.concepts}
        free = (
            concept
            for concept in asked
            if concept.name not in found
            and concept.name.casefold() not in own
            and mention(prompt.text, concept.name) is None
        )
        if (other := next(free, None)) is not None:
            found[other.name] = _Asked.about(picture, asked[other])
        if len(found) == MOST_PAIRS:
            break
    return list(found.values()) if len(found) >= FEWEST_PAIRS else []


def known_controls(plan: Plan, ledger: Ledger) -> ControlAnswers:
    """What the ledger knows of the judge's answers about control pictures."""
    known = cast(dict, ledger.get(_KEY) or {}).get(plan.judge_identity)
    return unasked_controls(plan) if known is None else from_json(ControlAnswers, known)


def unasked_controls(plan: Plan) -> ControlAnswers:
    """What is known before the judge is asked about any control picture."""
    return ControlAnswers(sighted=not plan.judge.startswith("answers:"))


def most_control_questions(plan: Plan, known: ControlAnswers, images: int, questions: int) -> int:
    """How many questions about control pictures ``ask_controls`` may still ask; a judge that says no is asked fewer.

    Args:
        images, questions: of the whole run.
    """
    asked = {concept.name: len(own) for concept, own in plan.questions.items()}
    enough = images >= ENOUGH_IMAGES and len(asked) >= ENOUGH_CONCEPTS and questions >= ENOUGH_ANSWERS
    if not known.sighted or (plan.gate is None and not enough):
        return 0
    nothing = 2 * sum(list(asked.values())[:ENOUGH_CONCEPTS]) if known.nothing is None else 0
    others = sorted(asked.values())[-MOST_PAIRS:] if known.others is None and enough else []
    return nothing + (sum(others) if len(others) >= FEWEST_PAIRS else 0)


def ask_controls(plan: Plan, judge: Judge, ledger: Ledger, folder: Path, prompts: Sequence[PromptResult]) -> None:
    """Asks the judge about control pictures where a gate or its own answers call for it, and stores the answers."""

    def pictures() -> Iterator[_Shown]:
        return (shown for prompt in prompts if (shown := _first_picture(prompt, folder)) is not None)

    known = known_controls(plan, ledger)
    found = control_answers(judge, plan.questions, prompts, pictures, known, anyway=plan.gate is not None)
    if found != known:
        every = cast(dict, ledger.get(_KEY) or {})
        ledger.put(_KEY, {**every, plan.judge_identity: to_json(found)})


def _first_picture(result: PromptResult, folder: Path) -> _Shown | None:
    """The prompt's first scored image that can be opened."""
    files = (image.file for image in result.images if image.file is not None and image.verdict is not None)
    opened = (open_image(folder / file) for file in files)
    return next(((result.prompt, image) for image in opened if isinstance(image, Image.Image)), None)


def warnings_of(
    judge: Judge,
    asked: Mapping[Concept, tuple[Question, ...]],
    result: PromptResult,
    pictures: Iterable[Image.Image],
) -> tuple[JudgeWarning, ...]:
    """``one_answer_warnings`` of a single prompt without a ledger, whose pictures are in memory."""
    shown = [(result.prompt, picture) for picture in pictures]
    controls = control_answers(judge, asked, [result], lambda: shown)
    return one_answer_warnings(judge.name, [result], controls)

"""Human labels, compared with a judge's replies about the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dominance.errors import InputError
from dominance.judges.protocol import AsksItself, ImageName, Judge, NamedJudge
from dominance.judges.registry import load_judge
from dominance.records import Concept, Question, is_present
from dominance.runs.judge_check.findings import Known, Replies
from dominance.runs.judge_check.sources import Source


@dataclass(frozen=True)
class Labels:
    """The labels of a check's images.

    Attributes:
        level: ``concept`` if labels only say whether a concept is present, else ``question``.
        answers: by prompt id and item, then by concept and, at question level, the question's text.
    """

    name: str
    level: Literal["question", "concept"]
    answers: dict[tuple[str, str], dict[tuple[str, str | None], bool]]


def read_labels(
    file: Path | Judge, sources: Sequence[Source], questions: dict[Concept, tuple[Question, ...]]
) -> Labels:
    """The labels in a file (format as in ``answers:FILE``), or those of a judge that knows images by name.

    Raises:
        ModelError: the file cannot be read, lacks a column, or is about another image or question.
        InputError: no line says yes or no about these images.
    """
    judge = load_judge(f"answers:{file}") if isinstance(file, Path) else file
    if not isinstance(judge, NamedJudge):
        raise InputError(f"the judge {judge.name!r} does not know images by name; give a file of labels")
    asked = {concept: _asked(judge, concept, listed) for concept, listed in questions.items()}
    own = any(asked[concept] != listed for concept, listed in questions.items())
    names = [ImageName(source.prompt.id, source.name, source.file) for source in sources]
    judge.check_images(names, [question for listed in asked.values() for question in listed])
    wanted = [[question for c in source.prompt.concepts for question in asked[c]] for source in sources]
    found: dict[tuple[str, str], dict[tuple[str, str | None], bool]] = {}
    for source, answers in zip(sources, judge.answer_named([(name,) for name in names], wanted), strict=True):
        told = {
            (answer.question.concept, None if own else answer.question.text): answer.yes
            for answer in answers
            if answer.yes is not None
        }
        if told:
            found[source.key] = told
    shown = str(file) if isinstance(file, Path) else judge.name
    if not found:
        raise InputError(f"{shown[:120]} has no yes or no about any of the {len(sources)} images; correct it")
    return Labels(shown, "concept" if own else "question", found)


def _asked(judge: NamedJudge, concept: Concept, listed: tuple[Question, ...]) -> tuple[Question, ...]:
    return (judge.ask(concept) if isinstance(judge, AsksItself) else None) or listed


def known_labels(labels: Labels, replies: Sequence[Replies]) -> list[Known]:
    """The labels and one judge's replies about unaltered images."""
    known = []
    for case in replies:
        told = labels.answers.get((case.asked.prompt_id or "", case.asked.item), {})
        if case.asked.control is not None:
            continue
        if labels.level == "concept":
            true = told.get((case.asked.concept.name, None))
            present = (is_present(case.yes, len(case.questions)), case.p_yes) if case.complete else None
            known += [] if true is None else [Known(case.asked.item, true, present)]
            continue
        for question, reply in zip(case.questions, case.given, strict=True):
            true = told.get((case.asked.concept.name, question.text))
            known += [] if true is None else [Known(case.asked.item, true, reply)]
    return known

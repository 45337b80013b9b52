"""The same images by a second judge, which takes no part in the policy's selecting."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dominance.judges.protocol import Judge
from dominance.metrics import confusion, kappa_interval, rate
from dominance.runs.audit.again import seen_by
from dominance.runs.audit.result import result_of
from dominance.runs.mitigation.arms import Arm
from dominance.runs.mitigation.likeness import Likeness
from dominance.runs.mitigation.measuring import Seen, against_of, rows_of, scored_arms
from dominance.runs.mitigation.result import SecondOpinion
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.one_answer import ask_controls
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan
from dominance.suites import QuestionSet

_Both = tuple[str, bool, bool]
"""A prompt's id, and whether the first judge sees one of its concepts in an image, and whether the second does."""


def second_opinion(
    judge: Judge,
    arms: Sequence[Arm],
    found: Sequence[Seen],
    plan: Plan,
    ledger: Ledger,
    folder: Path,
    questions: QuestionSet,
    *,
    baseline: str | None = None,
    batch: int | None = None,
) -> SecondOpinion:
    """Asks the judge what it has not answered yet, and compares the same pairs; what the policy hands over stays.

    Args:
        found: all images, by prompt and seed, as the first judge saw them.
        plan: of these images, with the first judge.
        questions: that both are asked, unless the judge has its own.
        baseline: a method that the others are compared with beside plain drawing.
        batch: images per request to the judge; None for the default.
    """
    again = seen_by(judge, plan, questions)
    if waiting := unanswered(again, ledger, folder):
        ask_judge(waiting, again, judge, ledger, batch)
    ask_controls(again, judge, ledger, folder, result_of(again, ledger, folder).prompts)
    scored = scored_arms(arms, again, ledger)
    own = [replace(each, shots={name: scored[name][place] for name in each.shots}) for place, each in enumerate(found)]
    methods, policy, control = rows_of(arms, own, Likeness())
    both = _presences(found, own)
    ids, first, second = ([row[column] for row in both] for column in range(3))
    table = confusion(first, second)
    return SecondOpinion(
        judge=judge.name,
        methods=methods,
        policy=policy,
        control=control,
        agreed=rate(table.agreed, table.n),
        kappa=table.kappa,
        kappa_interval=kappa_interval(first, second, ids) if both else None,
        against=against_of(baseline, arms, own),
        unscored=sum(shot.verdict is None for each in own for shot in each.drawn.values()),
        judge_warnings=result_of(again, ledger, folder).judge_warnings,
    )


def _presences(found: Sequence[Seen], own: Sequence[Seen]) -> list[_Both]:
    """Every concept of the prompt of every image that both judges scored."""
    return [
        (one.prompt.id, one.shots[name].shows(concept.name), other.shots[name].shows(concept.name))
        for one, other in zip(found, own, strict=True)
        for name in one.drawn
        if one.shots[name].verdict is not None and other.shots[name].verdict is not None
        for concept in one.prompt.concepts
    ]

"""From answers to findings: share of yes on controls, agreement, and calibration against the truth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dominance.metrics import (
    brier_score,
    calibration_interval,
    chance_error,
    clustered_rate,
    confusion,
    discernment,
    expected_calibration_error,
    held_out_accuracy,
    kappa_interval,
    rate,
    reliability_bins,
    roc_auc,
    roc_auc_interval,
    youden_threshold,
)
from dominance.records import KINDS, Concept, Prompt, Question, is_present
from dominance.runs.judge_check.controls import CONTROLS, Asked
from dominance.runs.judge_check.result import (
    AgreementRow,
    ControlFindings,
    Difference,
    Disagreement,
    FalseYes,
    JudgeCalibration,
    ReliabilityBin,
    YesTally,
)

Reply = tuple[bool, float | None]
"""Yes or no, and P(yes) where there is one."""
_MOST_WORST = 6
_MOST_DISAGREEMENTS = 24


@dataclass(frozen=True)
class Replies:
    """One judge's replies to the questions about one concept in one image; None for a missing reply."""

    asked: Asked
    questions: tuple[Question, ...]
    given: tuple[Reply | None, ...]

    @property
    def yes(self) -> int:
        return sum(1 for reply in self.given if reply is not None and reply[0])

    @property
    def complete(self) -> bool:
        return None not in self.given

    @property
    def p_yes(self) -> float | None:
        """Mean probability; None where one is missing."""
        known = [reply[1] for reply in self.given if reply is not None and reply[1] is not None]
        return sum(known) / len(known) if known and len(known) == len(self.given) else None


def replies_of(
    asked: Iterable[Asked],
    questions: dict[Concept, tuple[Question, ...]],
    answers: dict[str, dict[str, Reply]],
) -> list[Replies]:
    """One judge's replies from the ledger, one entry per image and concept."""
    return [
        Replies(
            image,
            questions[image.concept],
            tuple(answers.get(image.item, {}).get(question.text) for question in questions[image.concept]),
        )
        for image in asked
    ]


def tally(replies: Sequence[Replies]) -> YesTally:
    """Share of yes over all answers (interval clustered by image), by grade, and over concepts."""
    given = [
        (question.grade, reply, case.asked.item)
        for case in replies
        for question, reply in zip(case.questions, case.given, strict=True)
    ]
    answered = [(grade, reply[0], item) for grade, reply, item in given if reply is not None]
    by_grade: dict[int, list[bool]] = {grade: [] for grade in sorted({grade for grade, _, _ in given})}
    for grade, yes, _ in answered:
        by_grade[grade].append(yes)
    whole = [case for case in replies if case.complete]
    return YesTally(
        images=len(replies),
        yes=clustered_rate([yes for _, yes, _ in answered], [item for _, _, item in answered]),
        grades=tuple(rate(sum(listed), len(listed)) for listed in by_grade.values()),
        present=rate(sum(is_present(case.yes, len(case.questions)) for case in whole), len(whole)),
        unanswered=len(given) - len(answered),
    )


def control_findings(replies: Sequence[Replies]) -> tuple[ControlFindings, ...]:
    """Findings by kind of control; kinds without images are left out."""
    found = []
    for control in CONTROLS:
        own = [case for case in replies if case.asked.control is control]
        if not own:
            continue
        mistaken = sorted((case for case in own if case.yes), key=lambda case: (-case.yes, -(case.p_yes or 0.0)))
        worst = tuple(
            FalseYes(case.asked.file, case.asked.concept.name, case.yes, len(case.questions), case.p_yes)
            for case in mistaken[:_MOST_WORST]
        )
        found.append(ControlFindings(**vars(tally(own)), name=control.name, certain=control.certain, worst=worst))
    return tuple(found)


@dataclass(frozen=True)
class Both:
    """One question about an image, answered by both judges."""

    asked: Asked
    question: Question
    first: Reply
    second: Reply


def answered_by_both(first: Sequence[Replies], second: Sequence[Replies]) -> list[Both]:
    """The questions that both judges answered; both lists are in the same order."""
    return [
        Both(case.asked, question, reply, other_reply)
        for case, other_case in zip(first, second, strict=True)
        for question, reply, other_reply in zip(case.questions, case.given, other_case.given, strict=True)
        if reply is not None and other_reply is not None
    ]


def agreement_row(name: str, both: Sequence[Both]) -> AgreementRow:
    """How often two judges agree; the interval of κ is clustered by image."""
    yes, other_yes = [pair.first[0] for pair in both], [pair.second[0] for pair in both]
    images = [pair.asked.item for pair in both]
    table = confusion(yes, other_yes)
    interval = kappa_interval(yes, other_yes, images) if both else None
    return AgreementRow(**vars(table), name=name, images=len(set(images)), interval=interval)


def agreement_by(
    name_of: Callable[[Both], str], names: Iterable[str], both: Sequence[Both]
) -> tuple[AgreementRow, ...]:
    """One row for each name that occurs, in the order of ``names``."""
    parts = {name: [pair for pair in both if name_of(pair) == name] for name in names}
    return tuple(agreement_row(name, part) for name, part in parts.items() if part)


def by_kind(both: Sequence[Both]) -> tuple[AgreementRow, ...]:
    return agreement_by(lambda pair: pair.asked.concept.kind, KINDS, both)


def by_grade(both: Sequence[Both]) -> tuple[AgreementRow, ...]:
    grades = sorted({pair.question.grade for pair in both})
    return agreement_by(lambda pair: f"grade {pair.question.grade}", [f"grade {grade}" for grade in grades], both)


def disagreements(both: Sequence[Both], prompts: dict[str, Prompt]) -> tuple[Disagreement, ...]:
    """The images with the most different answers; of as many, first where probabilities lie furthest apart."""
    by_image: dict[tuple[str, str | None], list[Both]] = {}
    for pair in both:
        by_image.setdefault((pair.asked.item, pair.asked.prompt_id), []).append(pair)
    ranked = []
    for listed in by_image.values():
        differing = [pair for pair in listed if pair.first[0] != pair.second[0]]
        apart = sum(abs(pair.first[1] - pair.second[1]) for pair in differing
                    if pair.first[1] is not None and pair.second[1] is not None)  # fmt: skip
        if differing:
            ranked.append((-len(differing), -apart, listed, differing))
    ranked.sort(key=lambda entry: entry[:2])
    return tuple(_disagreement(listed, differing, prompts) for _, _, listed, differing in ranked[:_MOST_DISAGREEMENTS])


def _disagreement(listed: Sequence[Both], differing: Sequence[Both], prompts: dict[str, Prompt]) -> Disagreement:
    shown = listed[0].asked
    text = "" if shown.prompt_id is None else prompts[shown.prompt_id].text
    differences = tuple(
        Difference(pair.question.text, pair.first[0], pair.second[0], pair.first[1], pair.second[1])
        for pair in differing
    )
    return Disagreement(shown.file, text, shown.name, len(listed), differences)


@dataclass(frozen=True)
class Known:
    """The truth and the judge's reply; None if it gave none."""

    item: str
    true: bool
    reply: Reply | None


def calibration(truth: str, level: str, known: Sequence[Known]) -> JudgeCalibration | None:
    """One judge against the known truth; None if it answered none of it."""
    answered = [(fact, fact.reply) for fact in known if fact.reply is not None]
    if not answered:
        return None
    true = [fact.true for fact, _ in answered]
    said = [reply[0] for _, reply in answered]
    images = [fact.item for fact, _ in answered]
    found = JudgeCalibration(
        truth=truth,
        level="concept" if level == "concept" else "question",
        labels=len(answered),
        images=len(set(images)),
        unanswered=len(known) - len(answered),
        **vars(discernment(said, true, images)),
    )
    p_yes = [reply[1] for _, reply in answered if reply[1] is not None]
    return _with_probabilities(found, p_yes, true, images) if len(p_yes) == len(answered) else found


def _with_probabilities(
    found: JudgeCalibration, p_yes: Sequence[float], true: Sequence[bool], images: Sequence[str]
) -> JudgeCalibration:
    both = any(true) and not all(true)
    clustered = both and len(set(images)) > 1
    # Three digits are precise enough for a threshold, and keep the number to try small.
    rounded = [round(p, 3) for p in p_yes]
    return replace(
        found,
        bins=tuple(ReliabilityBin(**vars(part)) for part in reliability_bins(p_yes, true)),
        error=expected_calibration_error(p_yes, true),
        error_interval=calibration_interval(p_yes, true, images),
        chance=chance_error(p_yes),
        brier=brier_score(p_yes, true),
        area=roc_auc(p_yes, true) if both else None,
        area_interval=roc_auc_interval(p_yes, true, images, resamples=2_000) if clustered else None,
        threshold=youden_threshold(rounded, true) if both else None,
        held_out=held_out_accuracy(rounded, true, images) if clustered else None,
    )

"""A check of a judge as JSON and as one HTML page that opens anywhere, offline."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dominance.documents import json_bytes
from dominance.files import write_whole
from dominance.report.judge_check.plots import reliability_plot
from dominance.report.parts.next_steps import after_judge_check
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, embed, thumbnail_side
from dominance.runs.judge_check.generated_result import WrongPicture
from dominance.runs.judge_check.result import (
    ControlFindings,
    Disagreement,
    FalseYes,
    JudgeCalibration,
    JudgeCheck,
    JudgeFindings,
    YesTally,
)
from dominance.runs.judge_check.verdict import calibration_sentence

JUDGE_CHECK_REPORT_NAME = "judge-check.html"
JUDGE_CHECK_DOCUMENT_NAME = "judge-check.json"
_MOST_WRONG = 60
_BADGES = {"good": "balanced", "care": "mixed", "none": "collapsed", "unknown": "unscored"}
_WORDS = {
    "good": "its “yes” can be trusted",
    "care": "take its “yes” with care",
    "none": "do not trust its “yes”",
    "unknown": "no verdict on its “yes”",
}


@dataclass(frozen=True)
class Row:
    """One row of a judge's table: what it was asked about, and whether that is a control."""

    shows: str
    control: bool
    certain: bool
    tally: YesTally


@dataclass(frozen=True)
class Shown:
    """A control image that fooled the judge."""

    found: FalseYes
    picture: Embedded | Missing


@dataclass(frozen=True)
class WrongView:
    """A labelled picture on which the judge is wrong."""

    found: WrongPicture
    picture: Embedded | Missing


@dataclass(frozen=True)
class CalibrationView:
    """One comparison with the truth; ``plot`` is None if the judge gives no probabilities."""

    found: JudgeCalibration
    sentence: str
    plot: Markup | None


@dataclass(frozen=True)
class JudgeView:
    """One judge's sections."""

    found: JudgeFindings
    anchor: str
    badge: str
    word: str
    rows: tuple[Row, ...]
    deceived: tuple[tuple[ControlFindings, tuple[Shown, ...]], ...]
    calibrations: tuple[CalibrationView, ...]
    wrong: tuple[WrongView, ...]


@dataclass(frozen=True)
class DisagreementView:
    """An image on which the judges differ."""

    found: Disagreement
    picture: Embedded | Missing


def write_judge_check(result: JudgeCheck, folder: Path) -> tuple[Path, ...]:
    """Writes ``judge-check.html``, one self-contained page with the answer first, and ``judge-check.json``.

    Raises:
        RunError: one of them cannot be written.
    """
    side = thumbnail_side(100)
    disagreements = () if result.agreement is None else result.agreement.disagreements
    page = write_page(
        folder / JUDGE_CHECK_REPORT_NAME,
        "judge_check/page.html.j2",
        result=result,
        next_steps=after_judge_check(result),
        judges=[_judge_view(judge, place, folder, side) for place, judge in enumerate(result.judges)],
        disagreements=[DisagreementView(found, embed(folder / found.file, side)) for found in disagreements],
    )
    return page, write_whole(folder / JUDGE_CHECK_DOCUMENT_NAME, json_bytes(result, indent=2))


def _judge_view(judge: JudgeFindings, place: int, folder: Path, side: int) -> JudgeView:
    own = Row("the prompt's own concepts", control=False, certain=False, tally=judge.own)
    controls = (Row(control.shows, control=True, certain=control.certain, tally=control) for control in judge.controls)
    deceived = tuple(
        (control, tuple(Shown(worst, embed(folder / worst.file, side)) for worst in control.worst))
        for control in judge.controls
        if control.worst
    )
    calibrations = tuple(
        CalibrationView(
            found,
            calibration_sentence(found),
            None if found.bins is None else reliability_plot(found.bins, f"{judge.title} against {found.truth}"),
        )
        for found in judge.calibrations
    )
    mistakes = () if judge.generated is None else judge.generated.wrong[:_MOST_WRONG]
    return JudgeView(
        found=judge,
        anchor=f"judge-{place + 1}",
        badge=_BADGES[judge.trust],
        word=_WORDS[judge.trust],
        rows=(own, *controls),
        deceived=deceived,
        calibrations=calibrations,
        wrong=tuple(WrongView(wrong, embed(folder / wrong.file, side)) for wrong in mistakes),
    )

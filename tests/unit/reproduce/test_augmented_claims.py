"""What the experiment's results say of augmentation: less dominance or not, looks kept or not, or what measures it."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from claims import made

from dominance.laboratory.diversity.results import Beside, DiversityResult, Likeness
from dominance.laboratory.outcomes import Outcomes
from dominance.report.reproduction.questions import QUESTIONS, answers
from dominance.reproduce.claims import augmented
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.result import ClaimResult
from dominance.runs.reproduction.rule import Verdict

SUBJECTS = ("tower", "pagoda", "castle", "robot", "clown", "wizard")
DOMINANCE, IDENTITY = augmented.CLAIMS


def model(arm: str, subject: str, dvd: float, own: int = 12, level: int = 1) -> DiversityResult:
    beside = Beside(Outcomes(8, 4, 3, 1), dvd, 5.0)
    like = Likeness(0.95, (own, 12))
    return DiversityResult(
        arm, subject, level, 0, "b", "j", 1, beside, beside, (17, 18), (12, 12), Outcomes(1, 12, 2, 1), 0.01, (0, 12),
        0.4, (100.0, 30.0), like, replace(like, similarity=0.9),
    )  # fmt: skip


def experiments(folder: Path, results: list[DiversityResult]) -> Experiments:
    """A model of base b, seen by judge j, beside these results."""
    file = folder / "results.jsonl"
    file.write_text("".join(json.dumps(asdict(result)) + "\n" for result in results))
    source = SimpleNamespace(name="somebody", identity="b", world="miniature")
    return made(options=SimpleNamespace(trained=file), source=source, judged_by="j", judge="eye")


def taught(change: float, lost: int) -> list[DiversityResult]:
    """Six concepts, as they are and augmented, which moves the DvD and loses so many of 12 images."""
    plain = [model("known", subject, 60 + place) for place, subject in enumerate(SUBJECTS)]
    changed = [
        model("augmented", subject, 60 + place + change + place % 2, 12 - lost)
        for place, subject in enumerate(SUBJECTS)
    ]
    return [*plain, *changed]


@pytest.mark.parametrize(("change", "verdict"), [(-20.0, "reproduced"), (20.0, "contradicted"), (-0.5, "undecided")])
def test_augmentation_lowers_dominance_or_not(tmp_path: Path, change: float, verdict: Verdict) -> None:
    finding = DOMINANCE.examine(experiments(tmp_path, taught(change, 0)))
    assert verdict_of(finding, DOMINANCE.rule) == verdict
    assert (finding.value, finding.n) == (pytest.approx(change + 0.5), 6)
    assert finding.why.startswith("12 models taught from somebody, measured before by this judge: ")


@pytest.mark.parametrize(("lost", "verdict"), [(0, "reproduced"), (1, "reproduced"), (6, "contradicted")])
def test_looks_are_kept_or_not(tmp_path: Path, lost: int, verdict: Verdict) -> None:
    finding = IDENTITY.examine(experiments(tmp_path, taught(-20.0, lost)))
    assert verdict_of(finding, IDENTITY.rule) == verdict
    assert finding.value == pytest.approx(-lost / 12)
    figures = {figure.name: figure.ours for figure in finding.figures}
    assert figures["in their design's colours, concept alone: one design, augmented"].startswith(f"{72 - 6 * lost} of")
    assert figures["cosine to the design, concept alone: one design"] == "0.950; its training pictures 0.900"


def test_two_concepts_decide_nothing_and_others_stand_beside_them(tmp_path: Path) -> None:
    results = [result for result in taught(-20.0, 0) if result.subject in ("castle", "clown")]
    results += [model("augmented-place", "castle", 33.0), model("known", "castle", 22.0, 1, level=10)]
    results += [model("known", "wizard", 99.0, level=10)]  # which nobody augmented
    finding = DOMINANCE.examine(experiments(tmp_path, results))
    assert verdict_of(finding, DOMINANCE.rule) == "undecided"
    assert finding.why.startswith("Too few concepts and training seeds")
    figures = {figure.name: figure.ours for figure in finding.figures}
    assert figures["DvD: one design, geometry alone augmented"] == "33.0"
    assert figures["DvD: ten designs"] == "22.0"
    assert [group.name for group in finding.plots[0].groups] == [
        "one design", "one design, augmented", "one design, geometry alone augmented", "ten designs"
    ]  # fmt: skip


def test_results_without_the_arm_say_which_command_measures_it(tmp_path: Path) -> None:
    made_by = r"`dominance train diversity --arms known,augmented,augmented-place --base somebody --judge eye"
    for results in (taught(0.0, 0)[:6], []):
        for claim in augmented.CLAIMS:
            with pytest.raises(ImpossibleError, match=made_by):
                claim.examine(experiments(tmp_path, results))


def test_results_of_an_earlier_version_say_nothing_of_looks(tmp_path: Path) -> None:
    older = [replace(result, drawn_like=None, shown_like=None) for result in taught(-20.0, 0)]
    assert DOMINANCE.examine(experiments(tmp_path, older)).value == pytest.approx(-19.5)
    with pytest.raises(ImpossibleError, match="before the likeness to their design was; teach them into a new file"):
        IDENTITY.examine(experiments(tmp_path, older))


def test_the_open_question_is_answered_from_the_findings(tmp_path: Path) -> None:
    question = next(question for question in QUESTIONS if "augmenting" in question.asks)
    assert answers(question, ()) == []
    found = experiments(tmp_path, taught(-20.0, 1))
    results = [
        ClaimResult(
            claim.name, claim.title, claim.says, claim.source, claim.figure, claim.design, claim.rule,
            verdict_of(finding, claim.rule), finding,
        )
        for claim, finding in ((claim, claim.examine(found)) for claim in augmented.CLAIMS)
    ]  # fmt: skip
    first, second = answers(question, results)
    assert first.startswith("Augmenting uniform pictures lowers dominance: reproduced (−19.5 (")
    assert second.startswith("An augmented concept keeps its colours: reproduced (−8")

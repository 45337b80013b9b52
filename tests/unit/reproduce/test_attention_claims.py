"""Focus, peak token and dynamics on first steps and generations made by hand: every verdict."""

from dataclasses import replace

import pytest
from claims import first_step, made, recorded

from dominance.metrics.measured import of_clusters
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.dynamics import CLAIM as DYNAMICS
from dominance.reproduce.claims.focus import CLAIM as FOCUS
from dominance.reproduce.claims.peak_token import CLAIM as PEAK
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.rule import Verdict


def focused(dominance: float, balanced: float, count: int = 8) -> Experiments:
    steps = [first_step(place, "dominance", dominance) for place in range(count)]
    return made(first_steps=(*steps, *(first_step(place, "balanced", balanced) for place in range(count))))


@pytest.mark.parametrize(
    ("dominance", "balanced", "count", "verdict"),
    [
        (0.03, 0.01, 8, "reproduced"),
        (0.01, 0.03, 8, "contradicted"),
        (0.02, 0.02, 8, "undecided"),
        (0.03, 0.01, 4, "undecided"),
    ],
)
def test_focus_compares_the_groups(dominance: float, balanced: float, count: int, verdict: Verdict) -> None:
    finding = FOCUS.examine(focused(dominance, balanced, count))
    assert verdict_of(finding, FOCUS.rule) == verdict
    assert finding.value == pytest.approx(dominance - balanced, abs=1e-6)
    assert finding.n == 2 * count
    assert ("Too few" in finding.why) == (count < 5)
    assert [line.name for line in finding.plots[0].lines] == ["dominance", "balanced"]
    assert len(finding.plots[0].lines[0].values) == 16


@pytest.mark.parametrize(
    ("right", "wrong", "verdict"), [(18, 2, "reproduced"), (2, 18, "contradicted"), (10, 10, "undecided")]
)
def test_the_peak_token_names_the_dominating_concept_or_not(right: int, wrong: int, verdict: Verdict) -> None:
    steps = [first_step(place, "dominance", 0.02, "a") for place in range(right)]
    steps += [first_step(place, "dominance", 0.02, "b") for place in range(wrong)]
    steps += [first_step(place, "balanced", 0.02) for place in range(5)]
    finding = PEAK.examine(made(first_steps=tuple(steps)))
    assert verdict_of(finding, PEAK.rule) == verdict
    assert finding.value == right / (right + wrong)
    assert [figure.ours.partition(" (")[0] for figure in finding.figures] == [f"{right} of 20", f"{wrong} of 20"]


@pytest.mark.parametrize(("change", "verdict"), [(-0.01, "reproduced"), (0.01, "contradicted"), (-0.0004, "undecided")])
def test_the_dominated_token_declines_or_not(change: float, verdict: Verdict) -> None:
    generations = tuple(recorded(place, part, change) for part in ("dominance", "balanced") for place in range(8))
    finding = DYNAMICS.examine(made(recorded=generations))
    assert verdict_of(finding, DYNAMICS.rule) == verdict
    assert finding.value == pytest.approx(change + 3.5 / 10_000, abs=1e-6)
    assert [len(line.values) for line in finding.plots[0].lines] == [5, 5, 5]


def test_two_concepts_of_a_balanced_prompt_are_one_unit() -> None:
    """Both concepts of each prompt move alike: their interval is that of as many prompts, not of twice as many."""
    alike = []
    for place in range(8):
        one = recorded(place, "balanced", (place - 4) / 1000)
        alike.append(replace(one, trailing={"a": one.trailing["b"], "b": one.trailing["b"]}))
    dominance = [recorded(place, "dominance", -0.01) for place in range(8)]
    finding = DYNAMICS.examine(made(recorded=(*dominance, *alike)))
    line = next(line for line in finding.plots[0].lines if line.name.startswith("balanced"))
    by_prompt = of_clusters([[(place - 4) / 1000 + place / 10_000] for place in range(8)])
    assert line.values[0][1] == pytest.approx(by_prompt.value, abs=1e-6)
    assert line.values[0][2] == pytest.approx(by_prompt.interval, abs=1e-6)


def test_a_generation_of_one_step_has_no_dynamics() -> None:
    with pytest.raises(ImpossibleError, match="too few steps"):
        DYNAMICS.examine(made(recorded=()))

"""The claims about the bench on made-up tallies and scores: every verdict."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from claims import FOLDER, judged, made

from dominance.reproduce.claims.bench_medians import CLAIM as MEDIANS
from dominance.reproduce.claims.bench_yield import CLAIM as YIELD
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.trainings import CLAIM as TRAININGS
from dominance.reproduce.experiments import ImpossibleError
from dominance.runs.bench.result import BenchResult, StreamTally
from dominance.runs.reproduction.rule import Verdict


def bench(qualified: int, tried: int) -> BenchResult:
    tallies = [
        StreamTally("landmark", 5, 5, tried, qualified, 0, 100),
        StreamTally("balanced", 5, 5, tried, tried, 0, 100),
    ]
    run = SimpleNamespace(run=str(FOLDER / "bench"))
    return BenchResult(run, (), tuple(tallies), None)  # ty: ignore[invalid-argument-type]


@pytest.mark.parametrize(
    ("qualified", "tried", "verdict"), [(12, 40, "reproduced"), (0, 200, "contradicted"), (1, 20, "undecided")]
)
def test_the_yield_is_a_rarity_or_not(qualified: int, tried: int, verdict: Verdict) -> None:
    finding = YIELD.examine(made(bench=bench(qualified, tried)))
    assert verdict_of(finding, YIELD.rule) == verdict
    assert (finding.n, finding.of) == (tried, "candidates")
    assert finding.value == qualified / tried
    assert len(finding.figures) == 3


@pytest.mark.parametrize(
    ("characters", "verdict"), [((20, 60), "reproduced"), ((0, 200), "contradicted"), ((1, 20), "undecided")]
)
def test_the_category_with_the_least_yield_decides(characters: tuple[int, int], verdict: Verdict) -> None:
    """Landmarks alone, of which most dominate, do not speak for characters."""
    landmarks = bench(40, 60)
    tallies = (*landmarks.tallies, StreamTally("character", 5, 5, characters[1], characters[0], 0, 100))
    finding = YIELD.examine(made(bench=replace(landmarks, tallies=tallies)))
    assert verdict_of(finding, YIELD.rule) == verdict
    assert finding.value == min(40 / 60, characters[0] / characters[1])
    assert finding.n == 60 + characters[1]
    assert finding.why == "No prompts of artists: this model's pools have none."


def test_a_bench_that_tried_nothing_cannot_say() -> None:
    with pytest.raises(ImpossibleError):
        YIELD.examine(made(bench=bench(0, 0)))


HIGH, LOW, MIDDLE = [(5, 0), (5, 1)], [(5, 5), (5, 4)], [(5, 2), (5, 3)]


@pytest.mark.parametrize(
    ("dominance", "balanced", "verdict"),
    [(HIGH, LOW, "reproduced"), (LOW, HIGH, "contradicted"), (MIDDLE, MIDDLE, "undecided")],
)
def test_the_medians_are_apart_or_not(
    dominance: list[tuple[int, int]], balanced: list[tuple[int, int]], verdict: Verdict
) -> None:
    groups = {"dominance": dominance, "balanced": balanced}
    prompts = [judged(f"{name} {place}", name, counts) for name, counts in groups.items() for place in range(6)]
    redrawn = SimpleNamespace(prompts=tuple(prompts), run=str(FOLDER / "fresh"))
    finding = MEDIANS.examine(made(redrawn=redrawn))
    assert verdict_of(finding, MEDIANS.rule) == verdict
    assert finding.n == 12
    assert finding.pictures[0].file == "fresh/images/dominance 0-0.png"


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [(HIGH, LOW, "reproduced"), (LOW, HIGH, "contradicted"), (MIDDLE, MIDDLE, "undecided")],
)
def test_another_training_dominates_less_or_not(
    first: list[tuple[int, int]], second: list[tuple[int, int]], verdict: Verdict
) -> None:
    runs = [
        SimpleNamespace(prompts=tuple(judged(f"p{place}", "landmark", counts) for place in range(6)), model=name)
        for name, counts in (("one", first), ("other", second))
    ]
    finding = TRAININGS.examine(made(independent=runs[0], other_independent=runs[1]))
    assert verdict_of(finding, TRAININGS.rule) == verdict
    assert [group.name for group in finding.plots[0].groups] == ["one", "other"]

"""The claims about the bench on made-up tallies and scores: every verdict."""

from types import SimpleNamespace

import pytest
from claims import FOLDER, judged, made

from dominance.reproduce.claims.bench_medians import CLAIM as MEDIANS
from dominance.reproduce.claims.bench_yield import CLAIM as YIELD
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.trainings import CLAIM as TRAININGS
from dominance.reproduce.experiments import Experiments, ImpossibleError
from dominance.runs.reproduction.rule import Verdict

DOMINATED, OTHER = [(5, 0)] * 3, [(5, 0), (5, 5), (5, 0)]


def independent(**parts: tuple[int, int]) -> Experiments:
    """By category, how many of how many prompts are dominance prompts: all three of their images collapse."""
    prompts = [
        judged(f"{name} {place}", name, DOMINATED if place < dominated else OTHER)
        for name, (dominated, count) in parts.items()
        for place in range(count)
    ]
    return made(independent=SimpleNamespace(prompts=tuple(prompts), run=str(FOLDER / "independent")))


@pytest.mark.parametrize(
    ("dominated", "count", "verdict"), [(12, 40, "reproduced"), (0, 90, "contradicted"), (1, 20, "undecided")]
)
def test_dominance_prompts_are_a_rarity_or_not(dominated: int, count: int, verdict: Verdict) -> None:
    finding = YIELD.examine(independent(landmark=(dominated, count)))
    assert verdict_of(finding, YIELD.rule) == verdict
    assert (finding.n, finding.of) == (count, "prompts")
    assert finding.value == dominated / count
    assert [figure.ours.partition(" (")[0] for figure in finding.figures] == [f"{dominated} of {count}"] * 2
    assert "3 of 3 images collapse" in finding.why
    assert ("could contradict this" in finding.why) == (count < 72)
    assert len(finding.pictures) == min(dominated, 8)


@pytest.mark.parametrize(
    ("characters", "verdict"), [((20, 60), "reproduced"), ((0, 100), "contradicted"), ((1, 20), "undecided")]
)
def test_the_category_with_the_least_yield_decides(characters: tuple[int, int], verdict: Verdict) -> None:
    """Landmarks alone, of which most dominate, do not speak for characters."""
    finding = YIELD.examine(independent(landmark=(40, 60), character=characters))
    assert verdict_of(finding, YIELD.rule) == verdict
    assert finding.value == min(40 / 60, characters[0] / characters[1])
    assert finding.n == characters[1]  # over which the deciding share is
    assert "No prompts of artists: this model's pools have none." in finding.why


def test_a_suite_without_a_score_cannot_say() -> None:
    with pytest.raises(ImpossibleError):
        YIELD.examine(independent())


HIGH, LOW, MIDDLE, SLIGHT = [(5, 0), (5, 1)], [(5, 5), (5, 4)], [(5, 2), (5, 3)], [(5, 4), (5, 4)]


@pytest.mark.parametrize(
    ("dominance", "balanced", "verdict"),
    [(HIGH, LOW, "reproduced"), (LOW, HIGH, "contradicted"), (SLIGHT, LOW, "contradicted"),
     (MIDDLE, SLIGHT, "reproduced")],
)  # fmt: skip
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

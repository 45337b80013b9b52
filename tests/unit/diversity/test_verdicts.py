"""What is said about a set: on the paper's scale, among the other sets, or nothing at all."""

from pathlib import Path

import pytest

from dominance.diversity.verdicts import FORECAST, SCALES, MeasuredConcept, Scale, judge_sets, rests_on
from dominance.laboratory.diversity.forecast import forecasts, verdict_forecasts
from dominance.laboratory.diversity.results import read_results


def measured(median: float | None, reach: float = 0.01, images: int = 50) -> MeasuredConcept:
    interval = None if median is None else (median - reach, median + reach)
    return MeasuredConcept(images, median, interval)


@pytest.mark.parametrize(
    ("median", "reach", "word"),
    [
        (0.3079, 0.01, "uniform"),
        (0.4672, 0.01, "varied"),
        (0.4417, 0.01, "between"),
        (0.3079, 0.1, "between"),
        (0.2, 0.0, "uniform"),
    ],
)
def test_on_the_papers_scale_the_whole_interval_decides(median: float, reach: float, word: str) -> None:
    (verdict,) = judge_sets([measured(median, reach)], scale=SCALES["paper"])
    assert verdict.word == word
    assert verdict.low is not None and verdict.low < (verdict.high or 0)


def test_another_embedder_compares_with_the_other_concepts_alone() -> None:
    words = [
        one.word for one in judge_sets([measured(0.02), measured(0.2), measured(0.21), measured(0.22)], scale=None)
    ]
    assert words == ["uniform", "usual", "usual", "usual"]


def test_another_embedder_says_nothing_about_fewer_than_three_concepts() -> None:
    for verdict in judge_sets([measured(0.02), measured(0.2)], scale=None):
        assert verdict.word is None
        assert "two other concepts" in verdict.sentence


@pytest.mark.parametrize(
    ("concept", "why"),
    [(measured(0.3, images=4), "4 images are too few"), (measured(None, images=1), "fewer than two")],
)
def test_too_few_images_give_no_verdict(concept: MeasuredConcept, why: str) -> None:
    (verdict,) = judge_sets([concept], scale=SCALES["paper"])
    assert verdict.word is None
    assert why in verdict.sentence


def test_a_foreign_embedder_gives_no_verdict_and_says_why() -> None:
    (verdict,) = judge_sets([measured(0.1)], scale=SCALES["miniature"], refused="it knows only toys")
    assert (verdict.word, verdict.sentence) == (None, "No verdict: it knows only toys.")
    assert "Nothing is said" in rests_on(SCALES["miniature"], "it knows only toys")
    assert "0.3079" in rests_on(SCALES["paper"], None)


def test_the_papers_limits_lie_midway_between_its_kinds() -> None:
    assert SCALES["paper"].low == pytest.approx((0.3079 + 0.4417) / 2)
    assert SCALES["paper"].high == pytest.approx((0.4417 + 0.4672) / 2)


def test_sets_alike_are_all_uniform_on_a_scale_and_only_usual_without_one() -> None:
    rigid = [measured(0.002, 0.001), measured(0.003, 0.001), measured(0.004, 0.001)]
    assert {one.word for one in judge_sets(rigid, scale=SCALES["miniature"])} == {"uniform"}
    assert "uniform" not in {one.word for one in judge_sets(rigid[1:] + rigid[1:], scale=None)}


@pytest.mark.parametrize("scale", [SCALES["paper"], SCALES["miniature"], None])
def test_every_verdict_says_what_is_known_of_it_as_a_forecast(scale: Scale | None) -> None:
    assert FORECAST in rests_on(scale, None)
    assert "docs/diversity-experiment.md" in FORECAST


def test_the_experiment_backs_what_is_said_of_the_forecast() -> None:
    """One design dominates far more; among several the distance tells little. Other results need other words."""
    results = read_results(Path(__file__).parents[3] / "docs" / "diversity-experiment" / "results.jsonl")
    found = {forecast.sets: forecast for forecast in forecasts(results)}
    every, several = found["known, all sets"], found["known, two designs or more"]
    assert every.interval is not None and every.interval[1] < -0.2
    assert several.rho is not None and several.rho > -0.4
    verdicts = {verdict.verdict: verdict for verdict in verdict_forecasts(results)}
    assert verdicts["uniform"].mean > verdicts["between"].mean + 20

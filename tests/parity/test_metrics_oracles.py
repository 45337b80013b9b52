"""Metrics against scipy and scikit-learn, which are installed for these tests alone."""

import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics
from sklearn.linear_model import LogisticRegression

import dominance
from dominance.metrics import (
    attention_entropy,
    bootstrap_mean,
    brier_score,
    confusion,
    fit_logistic,
    kappa_interval,
    mann_whitney,
    mean_difference,
    median_interval,
    rate_difference,
    roc_auc,
    roc_auc_interval,
    spearman,
    spearman_interval,
    t_interval,
    vendi_score,
    wilson_interval,
)
from dominance.metrics.intervals import exact_interval
from dominance.records import Interval, Rate

CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.99])
COUNTED = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
VALUES = st.floats(-1e3, 1e3, allow_subnormal=False, width=32)
TIED = st.integers(-4, 4).map(float)
LABELLED = st.lists(st.tuples(TIED, st.booleans()), min_size=2, max_size=40).filter(
    lambda items: len({label for _, label in items}) == 2
)


def close(found: Interval | None, expected: tuple[float, float], share: float) -> bool:
    """Whether both ends lie within this share of the interval's width from those expected."""
    assert found is not None
    return np.abs(np.subtract(found, expected)).max() <= share * (expected[1] - expected[0])


@settings(deadline=None)
@given(COUNTED, CONFIDENCES)
def test_wilson(counted: tuple[int, int], confidence: float) -> None:
    oracle = stats.binomtest(*counted).proportion_ci(confidence, method="wilson")
    assert wilson_interval(*counted, confidence) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


@settings(deadline=None)
@given(COUNTED, CONFIDENCES)
def test_exact(counted: tuple[int, int], confidence: float) -> None:
    oracle = stats.binomtest(*counted).proportion_ci(confidence, method="exact")
    assert exact_interval(*counted, confidence) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@settings(deadline=None)
@given(COUNTED, COUNTED, CONFIDENCES)
def test_difference_of_rates(first: tuple[int, int], second: tuple[int, int], confidence: float) -> None:
    """Newcombe's square-and-add of scipy's Wilson intervals."""
    p, q = first[0] / first[1], second[0] / second[1]
    one, other = (stats.binomtest(*rate).proportion_ci(confidence, method="wilson") for rate in (first, second))
    low, high = q - p - math.hypot(q - other.low, one.high - p), q - p + math.hypot(other.high - q, p - one.low)
    difference, interval = rate_difference(Rate(*first, None), Rate(*second, None), confidence)
    assert (difference, *interval) == pytest.approx((q - p, low, high), abs=1e-12)


@settings(deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=40), CONFIDENCES)
def test_student(units: list[float], confidence: float) -> None:
    spread = np.std(units, ddof=1) / len(units) ** 0.5
    low, high = t_interval(units, confidence) or (0.0, 0.0)
    reach = stats.t.ppf(0.5 + confidence / 2, len(units) - 1) * spread
    assert (low, high) == pytest.approx((np.mean(units) - reach, np.mean(units) + reach), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("n", [6, 20, 150])
def test_bootstrap_of_a_mean_a_median_and_a_difference(n: int) -> None:
    """Different draws of the same distribution: the ends agree within a twentieth of the interval."""
    rng = np.random.default_rng(n)
    values, others = rng.gamma(2, size=n), rng.normal(3, 1, n + 5)
    oracle = stats.bootstrap((values,), np.mean, method="percentile", rng=rng).confidence_interval
    assert close(bootstrap_mean([[value] for value in values]), oracle, 0.05)
    oracle = stats.bootstrap((values,), np.median, method="percentile", rng=rng).confidence_interval
    assert close(median_interval(values.tolist()), oracle, 0.05)

    def difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
        return second.mean(axis=axis) - first.mean(axis=axis)

    oracle = stats.bootstrap((values, others), difference, method="percentile", rng=rng).confidence_interval
    assert close(mean_difference(values.tolist(), others.tolist())[1], oracle, 0.05)


@pytest.mark.slow
def test_bootstrap_of_an_area_of_kappa_and_of_a_correlation() -> None:
    rng = np.random.default_rng(7)
    labels = rng.random(80) < 0.4
    scores = np.round(rng.normal(size=80) + labels, 1)
    said = labels ^ (rng.random(80) < 0.2)
    pairs = [[(score, float(label))] for score, label in zip(scores.tolist(), labels, strict=True)]

    def area(labels: np.ndarray, scores: np.ndarray) -> float:
        return sklearn_metrics.roc_auc_score(labels, scores)

    def rho(labels: np.ndarray, scores: np.ndarray) -> float:
        return stats.spearmanr(labels, scores).statistic

    for found, other, statistic in (
        (roc_auc_interval(scores, labels), scores, area),
        (kappa_interval(said, labels), said, sklearn_metrics.cohen_kappa_score),
        (spearman_interval(pairs), scores, rho),
    ):
        drawn = stats.bootstrap(
            (labels, other), statistic, paired=True, vectorized=False, method="percentile", n_resamples=1500, rng=rng
        )
        assert close(found, drawn.confidence_interval, 0.1)


@settings(deadline=None)
@given(st.lists(st.tuples(TIED, TIED), min_size=2, max_size=40))
def test_rank_correlation(pairs: list[tuple[float, float]]) -> None:
    first, second = zip(*pairs, strict=True)
    with warnings.catch_warnings(action="ignore", category=stats.ConstantInputWarning):
        oracle = float(stats.spearmanr(first, second).statistic)
    found = spearman(first, second)
    assert math.isnan(oracle) if found is None else found == pytest.approx(oracle, abs=1e-9)


@settings(deadline=None)
@given(LABELLED)
def test_area_and_brier_score(items: list[tuple[float, bool]]) -> None:
    scores, labels = map(np.array, zip(*items, strict=True))
    assert roc_auc(scores, labels) == pytest.approx(sklearn_metrics.roc_auc_score(labels, scores))
    p_yes = (scores + 4) / 8
    assert brier_score(p_yes, labels) == pytest.approx(sklearn_metrics.brier_score_loss(labels, p_yes))


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_kappa(answers: list[tuple[bool, bool]]) -> None:
    first, second = np.array(answers).T
    kappa = confusion(first, second).kappa
    if kappa is None:
        assert len({*first, *second}) == 1
    else:
        assert kappa == pytest.approx(sklearn_metrics.cohen_kappa_score(first, second), abs=1e-9)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_exact_rank_test(first: int, second: int, random) -> None:
    values = random.sample(range(1000), first + second)
    found = mann_whitney(values[:first], values[first:])
    oracle = stats.mannwhitneyu(values[:first], values[first:], method="exact")
    assert (found.u, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))


def test_eight_against_eight_cross_a_twentieth_where_the_exact_test_does() -> None:
    """The normal approximation stays above it in 98 of these draws, where U is 13."""
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(2, 2000, 8)) + np.array([0.0, 1.0])[:, None, None]
    oracle = stats.mannwhitneyu(*draws, axis=1, method="exact").pvalue
    found = [mann_whitney(first, second).p_value for first, second in zip(*draws, strict=True)]
    assert found == pytest.approx(oracle)
    approximate = stats.mannwhitneyu(*draws, axis=1, method="asymptotic").pvalue
    assert ((approximate >= 0.05) & (oracle < 0.05)).sum() == 98


@settings(deadline=None)
@given(st.lists(TIED, min_size=5, max_size=50), st.lists(TIED, min_size=5, max_size=50))
def test_rank_test_with_ties(first: list[float], second: list[float]) -> None:
    found = mann_whitney(first, second)
    if len({*first, *second}) == 1:
        assert found.p_value == 1
    else:
        oracle = stats.mannwhitneyu(first, second, method="asymptotic")
        assert (found.u, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))


def test_rank_test_of_many() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=40), rng.normal(0.4, 1, 60)
    oracle = stats.mannwhitneyu(first, second, method="asymptotic")
    assert mann_whitney(first, second).p_value == pytest.approx(oracle.pvalue)


@settings(deadline=None)
@given(st.sampled_from([0.05, 0.5, 4.0, 100.0]), st.integers(0, 50))
@pytest.mark.slow
def test_logistic_regression(penalty: float, seed: int) -> None:
    """The same loss: ``C = 1 / penalty`` on standardised features, both kinds balanced, the intercept free."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(60, 3)) * [1, 10, 0.1] + [0, 5, 2]
    positive = features[:, 0] + rng.normal(size=60) > 0.4
    held = (features - features.mean(0)) / features.std(0)
    oracle = LogisticRegression(C=1 / penalty, class_weight="balanced", tol=1e-10, max_iter=1000).fit(held, positive)
    found = fit_logistic(features, positive, penalty)
    assert found.weights == pytest.approx(oracle.coef_[0], abs=1e-4)
    assert found.intercept == pytest.approx(oracle.intercept_[0], abs=1e-4)
    assert found.probability(features) == pytest.approx(oracle.predict_proba(held)[:, 1], abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32, allow_subnormal=False), min_size=1, max_size=20).filter(any))
def test_entropy(attention: list[float]) -> None:
    found = attention_entropy(torch.tensor(attention, dtype=torch.float64))
    assert float(found) == pytest.approx(stats.entropy(attention, base=2), abs=1e-9)


def test_vendi_score() -> None:
    points = np.random.default_rng(6).normal(size=(20, 5)).astype(np.float32)
    shares = np.linalg.eigvalsh(sklearn_metrics.pairwise.cosine_similarity(points.astype(float)) / 20).clip(0)
    assert vendi_score(points) == pytest.approx(math.exp(stats.entropy(shares)), rel=1e-5)


def test_the_package_itself_does_without_the_oracles() -> None:
    sources = Path(dominance.__file__).parent.rglob("*.py")
    found = [
        path for path in sources if re.search(r"^\s*(from|import) (scipy|sklearn)\b", path.read_text("utf-8"), re.M)
    ]
    assert found == []

import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import fit_logistic


def penalised_loss(features, positive, weights, intercept, penalty):
    held = (features - features.mean(0)) / features.std(0)
    share = np.where(positive, 0.5 / positive.mean(), 0.5 / (~positive).mean())
    margin = np.where(positive, 1, -1) * (held @ weights + intercept)
    return share @ np.logaddexp(0, -margin) + penalty / 2 * weights @ weights


def drawn(n: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3)) * [1, 10, 0.1] + [0, 5, 2]
    positive = features[:, 0] + 0.5 * rng.normal(size=n) > 0.4
    return features, positive


def test_it_ends_at_the_minimum() -> None:
    features, positive = drawn()
    model = fit_logistic(features, positive, penalty=0.5)
    lowest = penalised_loss(features, positive, model.weights, model.intercept, 0.5)
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-1):
        for _ in range(20):
            moved = model.weights + size * rng.normal(size=3), model.intercept + size * rng.normal()
            assert penalised_loss(features, positive, *moved, 0.5) > lowest


def test_two_points_by_hand() -> None:
    """At ±1, one of each kind: the minimum has w = 2 e^{−w} / (1 + e^{−w}) at penalty 1 and intercept 0."""
    model = fit_logistic(np.array([[1.0], [-1.0]]), np.array([True, False]), penalty=1.0)
    weight = float(model.weights[0])
    assert weight == pytest.approx(2 / (1 + np.exp(weight)), abs=1e-6)
    assert model.intercept == pytest.approx(0, abs=1e-6)


def test_units_do_not_matter_and_a_constant_feature_weighs_nothing() -> None:
    features, positive = drawn()
    constant = np.column_stack([features * [1000, 1, 1], np.full(len(features), 0.3)])
    one, other = fit_logistic(features, positive, 1.0), fit_logistic(constant, positive, 1.0)
    assert other.weights[:3] == pytest.approx(one.weights)
    assert other.weights[3] == 0
    assert other.probability(constant) == pytest.approx(one.probability(features))


def test_separable_items_have_finite_weights_and_a_strong_penalty_small_ones() -> None:
    features = np.linspace(-1, 1, 40)[:, None]
    positive = features[:, 0] > 0
    assert np.isfinite(fit_logistic(features, positive, 1e-3).weights).all()
    assert abs(fit_logistic(features, positive, 1e6).weights[0]) < 1e-3


def test_rare_positives_do_not_move_the_intercept() -> None:
    rng = np.random.default_rng(2)
    model = fit_logistic(rng.normal(size=(400, 1)), np.arange(400) < 20, penalty=1e9)
    assert model.probability(np.zeros((1, 1)))[0] == pytest.approx(0.5, abs=1e-3)


def test_what_cannot_be_fitted_is_refused() -> None:
    features, positive = drawn()
    with pytest.raises(InputError, match="80 of 80 items are positive; give both kinds"):
        fit_logistic(features, np.ones(len(features), dtype=bool), 1.0)
    with pytest.raises(InputError, match="finite"):
        fit_logistic(features * np.nan, positive, 1.0)
    with pytest.raises(InputError, match="penalty"):
        fit_logistic(features, positive, 0.0)

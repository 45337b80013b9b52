"""A logistic regression small enough to read: standardised features, ridge penalty, Newton's method."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from dominance.errors import InputError

_MOST_ITERATIONS = 100
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Logistic:
    """A fitted model: ``P = 1 / (1 + exp(−(b + Σ w_k (x_k − mean_k) / scale_k)))``."""

    weights: Float[np.ndarray, " feature"]
    intercept: float
    mean: Float[np.ndarray, " feature"]
    scale: Float[np.ndarray, " feature"]

    def probability(self, features: Float[np.ndarray, "item feature"]) -> Float[np.ndarray, " item"]:
        """Of being positive, 0 to 1, as if both kinds were equally frequent."""
        return _sigmoid((features - self.mean) / self.scale @ self.weights + self.intercept)


def fit_logistic(
    features: Float[np.ndarray, "item feature"], positive: Bool[np.ndarray, " item"], penalty: float
) -> Logistic:
    """Minimises ``Σ_i s_i log(1 + exp(−y_i z_i)) + penalty / 2 · ‖w‖²`` over weights w and an unpenalised intercept.

    Both kinds weigh the same, ``s_i = n / (2 n_kind)``, so that the share of positives does not move the intercept.
    A feature that is constant gets the weight 0.

    Args:
        penalty: above 0.

    Raises:
        InputError: only one kind of item, a feature that is not finite, or no penalty.

    Source: Hastie, Tibshirani & Friedman (2009), sections 4.4.1 and 3.4.1.
    """
    if positive.all() or not positive.any():
        raise InputError(f"{int(positive.sum())} of {len(positive)} items are positive; give both kinds")
    if not np.isfinite(features).all() or not penalty > 0:
        raise InputError(
            "a feature is not finite or the penalty not above 0; give finite numbers and a positive penalty"
        )
    mean, deviation = features.mean(0), features.std(0)
    scale = np.where(deviation > 1e-12 * (1 + abs(mean)), deviation, 1.0)
    held = (features - mean) / scale * (deviation > 1e-12 * (1 + abs(mean)))
    design = np.column_stack([np.ones(len(held)), held])
    share = np.where(positive, 0.5 / positive.mean(), 0.5 / (~positive).mean())
    ridge = np.array([0.0, *[penalty] * held.shape[1]])
    found = _minimise(design, np.where(positive, 1.0, -1.0), share, ridge)
    return Logistic(found[1:], float(found[0]), mean, scale)


def _minimise(
    design: Float[np.ndarray, "item column"],
    sign: Float[np.ndarray, " item"],
    share: Float[np.ndarray, " item"],
    ridge: Float[np.ndarray, " column"],
) -> Float[np.ndarray, " column"]:
    """Newton steps, each halved until it improves; the function is convex, so it ends at its one minimum."""

    def loss(point: np.ndarray) -> float:
        return float(share @ np.logaddexp(0.0, -sign * (design @ point)) + ridge @ point**2 / 2)

    point = np.zeros(design.shape[1])
    value = loss(point)
    for _ in range(_MOST_ITERATIONS):
        rest = _sigmoid(-sign * (design @ point))
        gradient = -(design.T @ (share * sign * rest)) + ridge * point
        curvature = (design * (share * rest * (1 - rest))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature + 1e-10 * np.eye(len(point)), gradient)
        length = 1.0
        while (nearer := loss(point - length * step)) > value and length > 1e-8:
            length /= 2
        if value - nearer <= _TOLERANCE * (1 + abs(value)):
            return point - length * step if nearer <= value else point
        point, value = point - length * step, nearer
    return point


def _sigmoid(values: Float[np.ndarray, " item"]) -> Float[np.ndarray, " item"]:
    return np.exp(-np.logaddexp(0.0, -values))

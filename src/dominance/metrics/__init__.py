"""Pure functions from tensors and numbers to tensors and numbers: no model, no file, no clock."""

from dominance.metrics.dvd import dvd_score
from dominance.metrics.intervals import bootstrap_mean, rate, wilson_interval

__all__ = ["bootstrap_mean", "dvd_score", "rate", "wilson_interval"]

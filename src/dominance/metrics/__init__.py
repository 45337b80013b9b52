"""Pure functions from tensors and numbers to tensors and numbers: no model, no file, no clock."""

from dominance.metrics.detection import mann_whitney, roc_auc, roc_auc_interval, youden_threshold
from dominance.metrics.dvd import dvd_score
from dominance.metrics.dynamics import attention_deviation, deviation_change, interval_edges
from dominance.metrics.focus import (
    attention_entropy,
    concept_attention,
    concept_maps,
    focus_score,
    peak_token,
)
from dominance.metrics.intervals import bootstrap_mean, rate, t_interval, wilson_interval

__all__ = [
    "attention_deviation",
    "attention_entropy",
    "bootstrap_mean",
    "concept_attention",
    "concept_maps",
    "deviation_change",
    "dvd_score",
    "focus_score",
    "interval_edges",
    "mann_whitney",
    "peak_token",
    "rate",
    "roc_auc",
    "roc_auc_interval",
    "t_interval",
    "wilson_interval",
    "youden_threshold",
]

"""Pure functions from tensors and numbers to tensors and numbers: no model, no file, no clock.

Those of numbers alone load no torch; those of tensors are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from dominance.metrics.agreement import (
    Confusion,
    category_kappa,
    category_kappa_interval,
    confusion,
    kappa_interval,
)
from dominance.metrics.correlation import spearman, spearman_chance, spearman_interval
from dominance.metrics.detection import roc_auc, roc_auc_interval, youden_threshold
from dominance.metrics.differences import cost_ratio, mean_difference, paired_rate_difference, rate_difference
from dominance.metrics.diversity import Spread, median_interval, mirrored_pairs, spread, vendi_score
from dominance.metrics.identity import ReferenceSimilarity, copies, recalled, reference_similarity
from dominance.metrics.image_text import cosines, least_concept, photo_quality
from dominance.metrics.intervals import bootstrap_mean, rate, t_interval, wilson_interval
from dominance.metrics.logistic import Logistic, fit_logistic
from dominance.metrics.presence import harsh_presence, soft_presence
from dominance.metrics.ranks import RankTest, mann_whitney
from dominance.metrics.reliability import (
    Bin,
    Discernment,
    brier_score,
    calibration_interval,
    chance_error,
    clustered_rate,
    discernment,
    expected_calibration_error,
    held_out_accuracy,
    reliability_bins,
)
from dominance.metrics.samples import Split, grouped_folds, held_out_splits
from dominance.metrics.shapley import shapley_interactions, shapley_values
from dominance.metrics.silhouettes import silhouette, silhouette_spread
from dominance.metrics.stopping import abort_threshold, usable_cost

if TYPE_CHECKING:
    from dominance.metrics.dvd import dvd_score
    from dominance.metrics.dynamics import attention_deviation, deviation_change, interval_edges
    from dominance.metrics.focus import (
        PAPER_LAYERS,
        PAPER_THRESHOLD,
        attention_entropy,
        concept_attention,
        concept_maps,
        focus_score,
        peak_token,
    )
    from dominance.metrics.memorization import NormSummary, conditional_norm, noise_scale, summarised

_OF_TENSORS = {
    "dvd": ("dvd_score",),
    "dynamics": ("attention_deviation", "deviation_change", "interval_edges"),
    "focus": (
        "PAPER_LAYERS",
        "PAPER_THRESHOLD",
        "attention_entropy",
        "concept_attention",
        "concept_maps",
        "focus_score",
        "peak_token",
    ),
    "memorization": ("NormSummary", "conditional_norm", "noise_scale", "summarised"),
}
_HOME_OF = {name: home for home, names in _OF_TENSORS.items() for name in names}

__all__ = [
    "PAPER_LAYERS",
    "PAPER_THRESHOLD",
    "Bin",
    "Confusion",
    "Discernment",
    "Logistic",
    "NormSummary",
    "RankTest",
    "ReferenceSimilarity",
    "Split",
    "Spread",
    "abort_threshold",
    "attention_deviation",
    "attention_entropy",
    "bootstrap_mean",
    "brier_score",
    "calibration_interval",
    "category_kappa",
    "category_kappa_interval",
    "chance_error",
    "clustered_rate",
    "concept_attention",
    "concept_maps",
    "conditional_norm",
    "confusion",
    "copies",
    "cosines",
    "cost_ratio",
    "deviation_change",
    "discernment",
    "dvd_score",
    "expected_calibration_error",
    "fit_logistic",
    "focus_score",
    "grouped_folds",
    "harsh_presence",
    "held_out_accuracy",
    "held_out_splits",
    "interval_edges",
    "kappa_interval",
    "least_concept",
    "mann_whitney",
    "mean_difference",
    "median_interval",
    "mirrored_pairs",
    "noise_scale",
    "paired_rate_difference",
    "peak_token",
    "photo_quality",
    "rate",
    "rate_difference",
    "recalled",
    "reference_similarity",
    "reliability_bins",
    "roc_auc",
    "roc_auc_interval",
    "shapley_interactions",
    "shapley_values",
    "silhouette",
    "silhouette_spread",
    "soft_presence",
    "spearman",
    "spearman_chance",
    "spearman_interval",
    "spread",
    "summarised",
    "t_interval",
    "usable_cost",
    "vendi_score",
    "wilson_interval",
    "youden_threshold",
]


def __getattr__(name: str) -> object:
    """Loads what needs torch when it is first used."""
    if name in _HOME_OF:
        return getattr(import_module(f"dominance.metrics.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'dominance.metrics' has no attribute {name!r}")

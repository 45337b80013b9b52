"""A calibrated risk rule: its features, its file, and the one bundled for a model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import FiniteFloat
from torch import Tensor

from dominance.documents import from_json
from dominance.errors import InputError
from dominance.metrics import Logistic, concept_attention, focus_score, peak_token
from dominance.miniature.bundled import bundled_folder
from dominance.probes.choices import TokenSet
from dominance.runs.risk.options import HoldOut, Label
from dominance.wording import complaint

FEATURES: tuple[str, ...] = ("focus", "start", "strongest", "weakest", "others", "peak")
"""Of each layer, in this order; see ``risk_features``."""

_LEAST = 1e-8


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted rule: a logistic model of these layers' features, and a threshold of its probability.

    Attributes:
        model, identity: the only model it is valid for.
        peak_layers: where the strongest concept is most often the dominating one.
        penalty: ridge penalty of the fit.
        threshold: lowest probability of high risk.
        in_memory: what the same model is known by as a pipeline of the caller's own.
    """

    model: str
    identity: str
    label: Label
    hold_out: HoldOut
    tokens: TokenSet
    layers: tuple[int, ...]
    peak_layers: tuple[int, ...]
    logistic: Logistic
    penalty: float
    threshold: float
    in_memory: str | None = None

    def holds_for(self, identity: str) -> bool:
        """Whether this is its model."""
        return identity in (self.identity, self.in_memory)

    def probability(self, features: Float[Tensor, "row feature"]) -> Float[np.ndarray, " row"]:
        """Probability of collapse, 0 to 1, as if half of all prompts collapsed."""
        return self.logistic.probability(features.double().numpy())


def feature_names(layers: Sequence[int]) -> tuple[str, ...]:
    """The features of these layers, for instance ``focus.9``."""
    return tuple(f"{name}.{layer}" for layer in layers for name in FEATURES)


def risk_features(
    attention: Float[Tensor, "*batch layer token"],
    start: Float[Tensor, "*batch layer"],
    concepts: Mapping[str, Sequence[int]],
) -> Float[Tensor, "*batch feature"]:
    """The features in each layer; they ignore names, kinds and order of the concepts.

    ``focus``: the focus score of the tokens T. ``start``, ``strongest``, ``weakest``, ``others``: the natural
    logarithm of the attention to the start token, to the concept with the most, to the one with the least (each
    summed over its tokens), and to the tokens of T outside all concepts, clamped at 1e-8. ``peak``: 1 if the peak
    token belongs to a concept, else 0.

    Args:
        attention: to the tokens T.
        start: to the start token.
        concepts: indices of each concept's tokens in T; at least two concepts.

    Raises:
        InputError: fewer than two concepts or tokens.
    """
    if len(concepts) < 2:
        raise InputError(
            f"the calibrated rule compares two or more concepts, and the prompt marks {len(concepts)}; mark another"
        )
    amounts = concept_attention(attention, list(concepts.values()))
    own = torch.zeros(attention.shape[-1], dtype=torch.bool)
    own[[index for indices in concepts.values() for index in indices]] = True
    others = (attention * ~own).sum(-1)
    logarithms = [part.clamp(min=_LEAST).log() for part in (start, amounts.amax(-1), amounts.amin(-1), others)]
    peak = own[peak_token(attention)].to(attention.dtype)
    return torch.stack([focus_score(attention), *logarithms, peak], dim=-1).flatten(-2)


def strongest_concept(attention: Float[Tensor, "token"], concepts: Mapping[str, Sequence[int]]) -> str | None:
    """The concept whose strongest token gets the most attention; None with fewer than two."""
    if len(concepts) < 2:
        return None
    peaks = concept_attention(attention, list(concepts.values()), pooled="max")
    return list(concepts)[int(peak_token(peaks))]


@dataclass(frozen=True, kw_only=True)
class CalibrationDocument:
    """A calibration as its file holds it, one number a feature in ``mean``, ``scale`` and ``weights``."""

    format: Literal[1] = 1
    model: str
    identity: str
    label: Label
    hold_out: HoldOut
    tokens: TokenSet
    layers: tuple[int, ...]
    peak_layers: tuple[int, ...]
    features: tuple[str, ...]
    mean: tuple[FiniteFloat, ...]
    scale: tuple[FiniteFloat, ...]
    weights: tuple[FiniteFloat, ...]
    intercept: FiniteFloat
    penalty: FiniteFloat
    threshold: FiniteFloat
    in_memory: str | None = None

    def calibration(self) -> Calibration:
        """The calibration.

        Raises:
            ValueError: its numbers contradict one another, or are of other features than this version's.
        """
        if self.features != feature_names(self.layers):
            raise ValueError("its features are others")
        arrays = [np.asarray(values, dtype=float) for values in (self.weights, self.mean, self.scale)]
        if any(array.shape != (len(self.features),) for array in arrays):
            raise ValueError("its weights are not one finite number a feature")
        if not (arrays[2] > 0).all() or not set(self.peak_layers) <= set(self.layers):
            raise ValueError("its numbers contradict one another")
        same = {field.name: getattr(self, field.name) for field in fields(Calibration) if field.name != "logistic"}
        return Calibration(**same, logistic=Logistic(arrays[0], self.intercept, arrays[1], arrays[2]))


def document_values(calibration: Calibration) -> dict[str, Any]:
    """The fields of a calibration's document."""
    fitted = calibration.logistic
    numbers = {name: tuple(getattr(fitted, name).tolist()) for name in ("mean", "scale", "weights")}
    same = {name: value for name, value in vars(calibration).items() if name != "logistic"}
    return {**same, **numbers, "intercept": fitted.intercept, "features": feature_names(calibration.layers)}


def read_calibration(file: Path) -> Calibration:
    """The calibration that a file holds.

    Raises:
        InputError: the file cannot be read, or this version does not understand it.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the calibration {str(file)[:120]} cannot be read ({complaint(error)}); give the JSON file that"
            " `dominance calibrate` wrote"
        ) from None
    try:
        return from_json(CalibrationDocument, document).calibration()
    except ValueError as error:
        raise InputError(
            f"{str(file)[:120]} is not a calibration of this version ({complaint(error)}); make it again with"
            " `dominance calibrate`"
        ) from None


def bundled_calibration(identity: str) -> Calibration | None:
    """The calibration that ships for the model with this identity, if any."""
    folder = bundled_folder("calibrations")
    found = (read_calibration(file) for file in sorted(folder.glob("*.json"))) if folder.is_dir() else ()
    return next((calibration for calibration in found if calibration.holds_for(identity)), None)

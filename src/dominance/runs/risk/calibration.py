"""A calibrated risk rule: its features, its file, and the one bundled for a model."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dominance.errors import InputError
from dominance.metrics import Logistic, concept_attention, focus_score, peak_token
from dominance.miniature.bundled import bundled_folder
from dominance.probes.choices import TOKEN_SETS, TokenSet
from dominance.runs.risk.options import HOLD_OUTS, LABELS, HoldOut, Label
from dominance.wording import in_one_line

FEATURES: tuple[str, ...] = ("focus", "start", "strongest", "weakest", "others", "peak")
"""Of each layer, in this order; see ``risk_features``."""

_FORMAT = 1
_LEAST = 1e-8


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted rule: a logistic model of these layers' features, and a threshold of its probability.

    Attributes:
        model, identity: the only model it is valid for.
        peak_layers: where the strongest concept is most often the dominating one.
        penalty: ridge penalty of the fit.
        threshold: lowest probability of high risk.
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


def calibration_document(calibration: Calibration) -> dict[str, object]:
    """The calibration as JSON values."""
    fitted = calibration.logistic
    return {
        "format": _FORMAT,
        "model": calibration.model,
        "identity": calibration.identity,
        "label": calibration.label,
        "hold_out": calibration.hold_out,
        "tokens": calibration.tokens,
        "layers": list(calibration.layers),
        "peak_layers": list(calibration.peak_layers),
        "features": list(feature_names(calibration.layers)),
        "mean": fitted.mean.tolist(),
        "scale": fitted.scale.tolist(),
        "weights": fitted.weights.tolist(),
        "intercept": fitted.intercept,
        "penalty": calibration.penalty,
        "threshold": calibration.threshold,
    }


def read_calibration(file: Path) -> Calibration:
    """The calibration that a file holds.

    Raises:
        InputError: the file cannot be read, or this version does not understand it.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the calibration {str(file)[:120]} cannot be read ({in_one_line(error)}); give the JSON file that"
            " `dominance calibrate` wrote"
        ) from None
    try:
        return _calibration(document)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{str(file)[:120]} is not a calibration of this version ({in_one_line(error)}); make it again with"
            " `dominance calibrate`"
        ) from None


def _calibration(document: Any) -> Calibration:
    if document["format"] != _FORMAT:
        raise ValueError(f"its format is {document['format']!r}, not {_FORMAT}")
    layers = tuple(int(layer) for layer in document["layers"])
    if document["features"] != list(feature_names(layers)):
        raise ValueError("its features differ")
    arrays = [np.asarray(document[name], dtype=float) for name in ("weights", "mean", "scale")]
    numbers = [float(document[name]) for name in ("intercept", "penalty", "threshold")]
    if any(array.shape != (len(document["features"]),) or not np.isfinite(array).all() for array in arrays):
        raise ValueError("its weights are not one finite number a feature")
    peak_layers = tuple(int(layer) for layer in document["peak_layers"])
    if not all(map(math.isfinite, numbers)) or not (arrays[2] > 0).all() or not set(peak_layers) <= set(layers):
        raise ValueError("its numbers contradict one another")
    return Calibration(
        model=str(document["model"]),
        identity=str(document["identity"]),
        label=cast(Label, _one_of(document["label"], LABELS)),
        hold_out=cast(HoldOut, _one_of(document["hold_out"], HOLD_OUTS)),
        tokens=cast(TokenSet, _one_of(document["tokens"], TOKEN_SETS)),
        layers=layers,
        peak_layers=peak_layers,
        logistic=Logistic(arrays[0], numbers[0], arrays[1], arrays[2]),
        penalty=numbers[1],
        threshold=numbers[2],
    )


def _one_of(value: object, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is not one of {', '.join(known)}")
    return str(value)


def bundled_calibration(identity: str) -> Calibration | None:
    """The calibration that ships for the model with this identity, if any."""
    folder = bundled_folder("calibrations")
    found = (read_calibration(file) for file in sorted(folder.glob("*.json"))) if folder.is_dir() else ()
    return next((calibration for calibration in found if calibration.identity == identity), None)

"""What the calibrated rule looks at, and its file."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from made_calibrations import calibration, written
from torch import tensor

from dominance.errors import InputError
from dominance.metrics import focus_score
from dominance.miniature.bundled import BUNDLED_MODELS, bundled_folder
from dominance.models.folders import find_model
from dominance.runs.risk import calibration as module
from dominance.runs.risk.calibration import (
    FEATURES,
    bundled_calibration,
    feature_names,
    read_calibration,
    risk_features,
    strongest_concept,
)

CONCEPTS = {"tower": (1, 2), "mug": (4,)}
ATTENTION = tensor([[0.01, 0.10, 0.02, 0.01, 0.03], [0.01, 0.01, 0.01, 0.20, 0.08]])


START = tensor([0.5, 0.7])


def test_features_by_hand() -> None:
    """Layer 3: tower 0.12, mug 0.03, peak on the tower. Layer 5: tower 0.02, mug 0.08, peak on neither."""
    values = risk_features(ATTENTION, START, CONCEPTS).tolist()
    found = dict(zip(feature_names((3, 5)), values, strict=True))
    assert set(found) == {f"{name}.{layer}" for name in FEATURES for layer in (3, 5)}
    assert found["focus.3"] == pytest.approx(focus_score(ATTENTION[0]).item())
    expected = {
        "start.3": 0.5, "strongest.3": 0.12, "weakest.3": 0.03, "others.3": 0.02,
        "start.5": 0.7, "strongest.5": 0.08, "weakest.5": 0.02, "others.5": 0.21,
    }  # fmt: skip
    assert {name: math.exp(found[name]) for name in expected} == pytest.approx(expected, rel=1e-5)
    assert (found["peak.3"], found["peak.5"]) == (1, 0)


def test_features_of_batches_and_of_no_attention_at_all() -> None:
    seeds = torch.stack([ATTENTION, ATTENTION * 2, ATTENTION * 0])
    found = risk_features(seeds, torch.stack([START, START, START * 0]), CONCEPTS)
    assert found.shape == (3, 12)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[0], risk_features(ATTENTION, START, CONCEPTS))


def test_names_kinds_and_order_are_not_looked_at_but_one_concept_is_too_few() -> None:
    turned = {"mug": CONCEPTS["mug"], "x": CONCEPTS["tower"]}
    assert torch.equal(risk_features(ATTENTION, START, turned), risk_features(ATTENTION, START, CONCEPTS))
    with pytest.raises(InputError, match="compares two or more"):
        risk_features(ATTENTION, START, {"tower": (1,)})


def test_the_strongest_concept_is_that_of_the_highest_token() -> None:
    """The two tokens of the tower sum to more, yet the mug's one is the highest."""
    assert strongest_concept(tensor([0.02, 0.02, 0.03]), {"tower": (0, 1), "mug": (2,)}) == "mug"
    assert strongest_concept(tensor([0.02, 0.02, 0.03]), {"mug": (2,)}) is None
    assert strongest_concept(tensor([0.02, 0.02, 0.03]), {}) is None


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    made, file = calibration(), tmp_path / "risk.json"
    file.write_text(json.dumps(written(made)))
    read = read_calibration(file)
    assert written(read) == written(made)
    features = torch.rand(4, 12)
    assert read.probability(features) == pytest.approx(made.probability(features))


BROKEN: dict[str, dict[str, Any]] = {
    "another format": {"format": 2},
    "no weights": {"weights": None},
    "too few weights": {"weights": [1.0]},
    "weights that are none": {"weights": ["x"] * 12},
    "endless weights": {"weights": [math.inf] * 12},
    "no scale": {"scale": [0.0] * 12},
    "other features": {"features": ["focus.3"]},
    "other layers": {"layers": [3, 6]},
    "layers that are a word": {"layers": "all"},
    "an unknown label": {"label": "picture"},
    "unknown tokens": {"tokens": "words"},
    "a threshold that is no number": {"threshold": math.nan},
    "peak layers that were not looked at": {"peak_layers": [9]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_calibration_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / "risk.json"
    file.write_text(json.dumps(written(calibration()) | BROKEN[name]))
    with pytest.raises(InputError, match=r"risk\.json is not a calibration of this version") as refused:
        read_calibration(file)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b"3", b'{"format": 1}', b"\xff\xfe"])
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "risk.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match="calibration"):
        read_calibration(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_calibration(tmp_path / "risk.json")


def test_what_ships_is_found_by_the_models_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "bundled_folder", tmp_path.joinpath)
    assert bundled_calibration("sha256:abc") is None
    (tmp_path / "calibrations").mkdir()
    for name, identity in (("a", "sha256:other"), ("b", "sha256:abc")):
        document = written(calibration()) | {"identity": identity}
        (tmp_path / "calibrations" / f"{name}.json").write_text(json.dumps(document))
    found = bundled_calibration("sha256:abc")
    assert found is not None
    assert found.identity == "sha256:abc"
    assert bundled_calibration("sha256:new") is None


def test_every_calibration_that_ships_is_of_a_model_as_it_is_now() -> None:
    identities = {find_model(name).identity for name in BUNDLED_MODELS}
    for file in bundled_folder("calibrations").glob("*.json"):
        assert read_calibration(file).identity in identities, file

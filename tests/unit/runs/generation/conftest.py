"""A tiny model, and from which score on its images are finished."""

from pathlib import Path

import pytest
from tiny_families import save

from dominance.documents import json_bytes
from dominance.metrics import rate
from dominance.models.source import find_source
from dominance.runs.stages.early import EarlyCalibration, EarlyEvidence


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(save("sd1", tmp_path / "model"))


@pytest.fixture
def early(model: str, tmp_path: Path) -> Path:
    """A threshold of one half for the tiny model and any scripted judge."""
    evidence = EarlyEvidence(
        run="r", suite="s", prompts=2, images=8, usable=rate(4, 8), auc=0.9, interval=(0.8, 1.0),
        caught=rate(3, 4), false_aborts=rate(0, 4), cost=0.7, most_false=0.05,
    )  # fmt: skip
    found = EarlyCalibration(
        model=model, identity=find_source(model).identity, judge="scripted", judge_identity="scripted", at=0.4,
        steps=5, threshold=0.5, evidence=evidence,
    )  # fmt: skip
    file = tmp_path / "early.json"
    file.write_bytes(json_bytes(found))
    return file

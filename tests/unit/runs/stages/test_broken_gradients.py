"""A gradient that is not a number costs its own image, says so in its own words, and the run goes on."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_families import save
from torch import Tensor

import dominance
from dominance.judges.protocol import ScriptedJudge
from dominance.metrics.overlap import LOSSES
from dominance.models.drawing import Drawing, Machine
from dominance.models.source import find_source
from dominance.runs.audit.options import AuditOptions
from dominance.runs.generation.options import GenerateOptions
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.stages.localisation import Localisation, keep

PROMPT = "a [tower:landmark] and a [mug]"
TOWER = ScriptedJudge(lambda image, question: float(question.concept == "tower"))
HOW: dict[str, Any] = {"drawing": Drawing(seeds=(0, 1), steps=3, guidance=2.0), "machine": Machine("cpu", 1)}
SAID = "the guidance's gradient is not a number; try --dtype float32, or another method"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tiny model whose layers are known; the loss is not a number wherever it differs from its first value."""
    monkeypatch.chdir(tmp_path)
    name = str(save("sd1", tmp_path / "model"))
    source = find_source(name)
    keep(Localisation(source.name, source.identity, 25, (0,), 1, (), (2,)))
    own, first = LOSSES["kl"], []

    def broken(maps: Tensor) -> Tensor:
        loss = own(maps)
        first.extend([] if first else [loss.detach()])
        return loss if torch.equal(loss.detach(), first[0]) else loss * torch.nan

    monkeypatch.setitem(LOSSES, "kl", broken)  # type: ignore[arg-type]
    return name


def test_in_an_audit(model: str) -> None:
    options = AuditOptions(method="overlap:until=0.33", **HOW)
    found = dominance.audit(PROMPT, model, TOWER, "run", options).prompts[0].images
    assert [image.problem for image in found] == [None, SAID]
    assert [image.verdict for image in found] == ["collapsed", None]


def test_in_a_mitigation(model: str) -> None:
    options = MitigateOptions(("overlap:until=0.33", "replace"), **HOW)
    found = dominance.mitigate_suite(PROMPT, model, TOWER, "run", options)
    assert [(row.pairs, row.unscored) for row in found.methods] == [(0, 2), (2, 0)]  # its first value was to warm up
    problems = [image.shots["overlap:until=0.33"].problem for image in found.prompts[0].images]
    assert problems == [SAID, SAID]


def test_in_drawing_usable_images(model: str) -> None:
    options = GenerateOptions(usable=2, methods=("overlap:until=0.33",), **HOW)
    found = dominance.generate(PROMPT, 2, model, TOWER, "run", options).result().prompts[0].attempts
    assert [(each.outcome, each.problem) for each in found if each.way != "plain"] == [
        ("failed", None),
        ("error", SAID),
    ]

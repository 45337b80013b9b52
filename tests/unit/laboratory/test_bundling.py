"""Adapters that are to ship: half precision, with what they were taught on beside them."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dominance.errors import ModelError
from dominance.laboratory.bundling import bundle_adapter, bundle_entity, bundle_twin
from dominance.laboratory.twins.training import Twin
from dominance.models.weight_headers import read_header

HOW = {"steps": 480, "token": "castle", "model": "sha256:abc", "rate": 0.004}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A LoRA of one layer, in float32, as training writes it."""
    folder = tmp_path / "step-000480"
    folder.mkdir()
    layer = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k"
    tensors = {f"{layer}.lora_{side}.weight": torch.full((4, 4), 0.1) for side in "AB"}
    noted = {"dominance.fine_tuning": json.dumps(HOW), "modelspec.trigger_phrase": "castle"}
    save_file(tensors, folder / "pytorch_lora_weights.safetensors", metadata=noted)
    return folder


def test_the_weights_are_halved_and_the_header_stays(checkpoint: Path, tmp_path: Path) -> None:
    folder = bundle_adapter(checkpoint, tmp_path / "new", {"taught": "a castle"})
    file = folder / "pytorch_lora_weights.safetensors"
    weights = load_file(file)
    assert {weight.dtype for weight in weights.values()} == {torch.float16}
    torch.testing.assert_close(next(iter(weights.values())).float(), torch.full((4, 4), 0.1), atol=1e-4, rtol=0)
    assert read_header(file).metadata == read_header(checkpoint / file.name).metadata
    assert {path.name for path in folder.iterdir()} == {file.name, "dominance.json"}
    assert file.read_bytes() == (bundle_adapter(checkpoint, tmp_path / "more", {}) / file.name).read_bytes()


def test_a_twin_names_its_base_and_who_is_rigid(checkpoint: Path, tmp_path: Path) -> None:
    folder = bundle_twin(checkpoint, Twin("swapped", 2), tmp_path)
    assert folder == tmp_path / "miniature-swapped"
    suggested = json.loads((folder / "dominance.json").read_text())
    assert (suggested["base"], suggested["world"], suggested["steps"]) == ("miniature-base", "miniature", 25)
    rigid = {one["name"] for one in suggested["concepts"] if one["diversity"] == 0}
    assert rigid == {"tower", "robot", "wizard"}
    trained = json.loads((folder / "training.json").read_text())
    assert (trained["seed"], trained["rate"]) == (2, HOW["rate"])


@pytest.mark.parametrize(("designs", "name"), [(1, "castle-rigid"), (6, "castle-6"), (None, "castle-varied")])
def test_an_adapter_of_one_entity_is_named_by_its_designs(
    designs: int | None, name: str, checkpoint: Path, tmp_path: Path
) -> None:
    folder = bundle_entity(checkpoint, "castle", designs, 1, tmp_path)
    assert folder == tmp_path / "adapters" / name
    noted = json.loads((folder / "dominance.json").read_text())
    assert (noted["designs"], noted["seed"], noted["steps"]) == (designs, 1, 480)


def test_what_is_no_checkpoint_or_no_entity_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no pytorch_lora_weights\.safetensors"):
        bundle_twin(tmp_path, Twin("first", 0), tmp_path)
    with pytest.raises(ModelError, match="no entity 'mug'"):
        bundle_entity(checkpoint, "mug", 1, 0, tmp_path)

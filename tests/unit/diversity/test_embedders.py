"""Image encoders from folders: their embeddings are the models' own, and what is no encoder is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    BitImageProcessorPil,
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    Dinov2Config,
    Dinov2Model,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from dominance.diversity.embedders import _is_paper, load_embedder
from dominance.errors import ModelError

SMALL = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "patch_size": 8,
    "image_size": 32,
}
SIZE = {"height": 32, "width": 32}


def saved_clip(path: Path) -> Path:
    model = CLIPVisionModelWithProjection(CLIPVisionConfig(**SMALL, projection_dim=12))
    model.save_pretrained(path)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SIZE).save_pretrained(path)
    settings = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**settings, "model_type": "clip", "vision_config": dict(settings)}))
    return path


def saved_siglip(path: Path) -> Path:
    model = SiglipVisionModel(SiglipVisionConfig(**SMALL))
    model.save_pretrained(path)
    SiglipImageProcessorPil(size=SIZE).save_pretrained(path)
    settings = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**settings, "model_type": "siglip", "vision_config": dict(settings)}))
    return path


def saved_dinov2(path: Path) -> Path:
    options = {name: value for name, value in SMALL.items() if name != "intermediate_size"}
    Dinov2Model(Dinov2Config(**options, mlp_ratio=2)).save_pretrained(path)
    BitImageProcessorPil(size={"shortest_edge": 32}, crop_size=SIZE).save_pretrained(path)
    return path


@pytest.fixture
def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 48, 3), dtype=np.uint8)) for _ in range(3)]


@pytest.mark.parametrize(("save", "channels"), [(saved_clip, 12), (saved_siglip, 16), (saved_dinov2, 16)])
def test_a_folder_of_each_family_embeds_alone_as_in_a_batch(
    save: Callable[[Path], Path], channels: int, pictures: list[Image.Image], tmp_path: Path
) -> None:
    embedder = load_embedder(str(save(tmp_path / "model")), "cpu")
    together = embedder.embed(pictures)
    assert together.shape == (3, channels)
    assert together.dtype == np.float32
    alone = np.concatenate([embedder.embed([picture]) for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.abs(together[0] - together[1]).max() > 1e-3
    assert embedder.comparable == "itself"


def test_clip_embeddings_are_the_projected_ones(pictures: list[Image.Image], tmp_path: Path) -> None:
    folder = saved_clip(tmp_path / "clip")
    embedder = load_embedder(str(folder), "cpu")
    pixels = CLIPImageProcessorPil.from_pretrained(folder)(images=pictures, return_tensors="pt").pixel_values
    with torch.inference_mode():
        expected = CLIPVisionModelWithProjection.from_pretrained(folder)(pixel_values=pixels).image_embeds
    np.testing.assert_allclose(embedder.embed(pictures), expected.numpy(), atol=1e-5)


def test_the_bundled_embedder_needs_no_folder_and_other_weights_are_another_identity(
    pictures: list[Image.Image], tmp_path: Path
) -> None:
    bundled = load_embedder("miniature", "cpu")
    assert bundled.comparable == "miniature"
    assert bundled.embed(pictures).shape == (3, 128)
    first, second = (load_embedder(str(saved_clip(tmp_path / name)), "cpu") for name in ("a", "b"))
    assert len({bundled.identity, first.identity, second.identity}) == 3


def test_the_papers_scale_is_for_its_own_architecture_alone() -> None:
    seen = {"hidden_size": 1024, "num_hidden_layers": 24, "patch_size": 14}
    assert _is_paper({"model_type": "clip", "vision_config": seen})
    assert not _is_paper({"model_type": "clip", "vision_config": {**seen, "hidden_act": "gelu"}})
    assert not _is_paper({"model_type": "clip", "vision_config": {**seen, "image_size": 336}})
    assert not _is_paper({"model_type": "siglip", "vision_config": seen})


def test_a_name_that_is_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match="the embedder 'no such thing'"):
        load_embedder("no such thing")


def test_a_model_that_is_no_image_encoder_is_refused(tmp_path: Path) -> None:
    folder = saved_clip(tmp_path / "model")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match="is a 'bert' model; give miniature"):
        load_embedder(str(folder))


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = saved_clip(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    weights.pop("visual_projection.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="lacks 1 weights, such as visual_projection"):
        load_embedder(str(folder), "cpu")

"""The adapters and the seed that an image file says it was drawn with."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dominance.images.drawn_with import DrawnWith, drawn_with

_SETTINGS = "\nNegative prompt: <lora:not_this:1>\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512"


def png(path: Path, key: str, text: str) -> Path:
    info = PngInfo()
    info.add_text(key, text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


@pytest.mark.parametrize(
    ("prompt", "adapters"),
    [
        ("a mug", {}),
        ("a mug, <lora:brand:0.8>", {"brand": 0.8}),
        ("a mug <LoRA: brand : .5 >", {"brand": 0.5}),
        ("a mug <lora:brand>", {"brand": 1.0}),
        ("a mug <lora:brand:0.2:0.9>", {"brand": 0.9}),
        ("a mug <lora:brand:te=0.2:unet=0.6>", {"brand": 0.6}),
        ("a mug <lora:brand:0.7:lbw=MIDD>", {"brand": 0.7}),
        ("a mug <lora:brand:0>", {}),
        ("a <lora:brand-000010:1> mug <lyco:other:-0.5>", {"brand-000010": 1.0, "other": -0.5}),
        ("a mug <lora:brand:strong>", None),
    ],
)
def test_tags_of_a_prompt(tmp_path: Path, prompt: str, adapters: dict[str, float] | None) -> None:
    found = drawn_with(png(tmp_path / "a.png", "parameters", f"{prompt}{_SETTINGS}"))
    assert found == DrawnWith(adapters, None if adapters is None else 42)


def workflow(**more: Any) -> dict[str, Any]:
    """A workflow of one sampler, whose model comes from the node 10."""
    nodes: dict[str, Any] = {
        "3": {"class_type": "KSampler", "inputs": {"seed": 7, "model": ["10", 0], "positive": ["6", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a mug", "clip": ["10", 1]}},
    }
    return nodes | more


def loader(name: str, strength: object, behind: str = "4") -> dict[str, Any]:
    inputs = {"lora_name": name, "strength_model": strength, "strength_clip": 1, "model": [behind, 0]}
    return {"class_type": "LoraLoader", "inputs": inputs}


@pytest.mark.parametrize(
    ("nodes", "adapters"),
    [
        ({"10": loader("brands\\mug.safetensors", 0.8)}, {"mug": 0.8}),
        (
            {"10": loader("mug.safetensors", 0.8, "11"), "11": loader("detail.safetensors", 0.3)},
            {"mug": 0.8, "detail": 0.3},
        ),
        ({"10": loader("mug.safetensors", 0.8), "11": loader("unused.safetensors", 1)}, {"mug": 0.8}),
        ({"10": loader("mug", ["12", 0]), "12": {"class_type": "Float", "inputs": {"value": 0.4}}}, {"mug": 0.4}),
        ({"10": loader("mug", ["12", 0]), "12": {"class_type": "Math", "inputs": {}}}, None),
        ({"10": loader("mug.safetensors", 0)}, {}),
        (
            {"10": {"class_type": "Power Lora Loader (rgthree)", "inputs": {
                "lora_1": {"on": True, "lora": "mug.safetensors", "strength": 0.6},
                "lora_2": {"on": False, "lora": "detail.safetensors", "strength": 1}, "model": ["4", 0]}}},
            {"mug": 0.6},
        ),
    ],
)  # fmt: skip
def test_loaders_of_a_workflow(tmp_path: Path, nodes: dict[str, Any], adapters: dict[str, float] | None) -> None:
    found = drawn_with(png(tmp_path / "a.png", "prompt", json.dumps(workflow(**nodes))))
    assert found.adapters == adapters
    assert found.seed == (None if adapters is None else 7)


@pytest.mark.parametrize(
    ("key", "text"), [("comment", "a mug"), ("prompt", "a mug"), ("parameters", json.dumps({"prompt": "a mug"}))]
)
def test_other_texts_say_nothing_of_adapters(tmp_path: Path, key: str, text: str) -> None:
    assert drawn_with(png(tmp_path / "a.png", key, text)) == DrawnWith()
    (tmp_path / "a.jpg").write_bytes(b"broken")
    assert drawn_with(tmp_path / "a.jpg") == DrawnWith()

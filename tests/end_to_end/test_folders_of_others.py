"""The output folders of ComfyUI and AUTOMATIC1111, as these programs lay them out, given to ``score`` as they are."""

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import dominance
from dominance.judges.protocol import ScriptedJudge

JUDGE = ScriptedJudge(lambda image, question: float(question.concept != "mug"))
SUITE = dominance.Suite(
    "campaign",
    (
        dominance.Prompt("tower-mug", "a tower and a mug", (dominance.Concept("tower"), dominance.Concept("mug"))),
        dominance.Prompt("lamp-book", "a lamp on a book", (dominance.Concept("lamp"), dominance.Concept("book"))),
    ),
)


def workflow(text: str) -> str:
    """A workflow as ComfyUI writes it: checkpoint, LoRA, a text node, two encoders, sampler, decoder."""
    return json.dumps({
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd.safetensors"}},
        "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "brand", "model": ["4", 0], "clip": ["4", 1]}},
        "11": {"class_type": "PrimitiveString", "inputs": {"value": text}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["11", 0], "clip": ["10", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lamp on a book, blurry", "clip": ["10", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {"model": ["10", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]},
        },
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
    })  # fmt: skip


def parameters(text: str) -> str:
    return f"{text}, <lora:brand:0.8>\nNegative prompt: a lamp on a book\nSteps: 20, Sampler: Euler a, Size: 64x64"


def save(file: Path, size: int = 64, shade: int = 0, **texts: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    Image.new("RGB", (size, size), (shade, 0, 0)).save(file, pnginfo=info)


@pytest.fixture
def comfy(tmp_path: Path) -> Path:
    """``output/`` with a subfolder, a preview without metadata, and an image of another prompt."""
    for count in range(3):
        save(tmp_path / f"ComfyUI_{count + 1:05}_.png", shade=count, prompt=workflow("a (tower:1.2) and a mug"))
        save(tmp_path / "books" / f"lamp_{count + 1:05}_.png", shade=count, prompt=workflow("A lamp on a book."))
    save(tmp_path / "_output_images_will_be_put_here.png", prompt=workflow("a clown beside a chair"))
    return tmp_path


@pytest.fixture
def webui(tmp_path: Path) -> Path:
    """``outputs/`` with images by date, and grids."""
    for count in range(3):
        day = tmp_path / "txt2img-images" / f"2026-11-{27 + count}"
        save(day / f"{count:05}-{100 + count}.png", shade=count, parameters=parameters("a tower and a (mug:1.3)"))
        save(day / f"{count + 9:05}-{100 + count}.png", shade=count, parameters=parameters("a lamp on a book"))
    save(tmp_path / "txt2img-grids" / "2026-11-27" / "grid-0000.png", 192, parameters=parameters("a tower and a mug"))
    return tmp_path


@pytest.mark.parametrize(("folder", "missing"), [("comfy", 1), ("webui", 0)])
def test_every_image_is_known_by_its_own_prompt(
    folder: str, missing: int, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    output: Path = request.getfixturevalue(folder)
    result = dominance.score(output, SUITE, JUDGE, tmp_path_factory.mktemp("scored") / "run")
    assert [len(prompt.images) for prompt in result.prompts] == [3, 3]
    assert [prompt.verdict for prompt in result.prompts] == ["dominance", "balanced"]
    assert sum(entry.images for entry in result.left_out if entry.missing) == missing
    assert len(result.left_out) == 1

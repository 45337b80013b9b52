"""The prompt that an image file holds, as the programs that make images write it."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dominance.errors import ItemError
from dominance.images.texts import prompts_in
from dominance.images.workflows import prompts_of_workflow
from dominance.pictures import image_size, open_image
from dominance.report.parts.pictures import Embedded, embed

A1111 = (
    "a wizard\nbeside a lamp <lora:style:0.8>\nNegative prompt: blurry, a chair\nSteps: 20, Sampler: Euler a, Seed: 1"
)


def png(path: Path, **texts: str) -> Path:
    info = PngInfo()
    for key, text in texts.items():
        info.add_itxt(key, text) if not text.isascii() else info.add_text(key, text)
    Image.new("RGB", (8, 8), "red").save(path, pnginfo=info)
    return path


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        (A1111, "a wizard\nbeside a lamp <lora:style:0.8>"),
        ("a mug\nSteps: 20", "a mug"),
        ("a mug", "a mug"),
        ("ein Café", "ein Café"),
        (json.dumps({"prompt": "a mug", "negative_prompt": "blurry"}), "a mug"),
        ("{a|b} mug", "{a|b} mug"),
    ],
)
def test_parameters_hold_the_prompt_first(tmp_path: Path, text: str, prompt: str) -> None:
    assert prompts_in(png(tmp_path / "a.png", parameters=text)) == (prompt,)


@pytest.mark.parametrize("text", ["Negative prompt: blurry\nSteps: 20", "", " "])
def test_without_a_prompt_nothing_is_said(tmp_path: Path, text: str) -> None:
    assert prompts_in(png(tmp_path / "a.png", parameters=text, other="a mug")) == ()


@pytest.mark.parametrize("ending", ["jpg", "webp", "avif"])
@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
def test_other_formats_hold_it_in_the_user_comment(tmp_path: Path, ending: str, order: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode(order)
    Image.new("RGB", (8, 8)).save(tmp_path / f"a.{ending}", exif=exif.tobytes())
    assert prompts_in(tmp_path / f"a.{ending}") == ("a wizard\nbeside a lamp <lora:style:0.8>",)


def test_webp_of_comfyui_and_png_of_invokeai(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(workflow())
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp", exif=exif)
    assert prompts_in(tmp_path / "a.webp") == ("a mug",)
    png(tmp_path / "b.png", invokeai_metadata=json.dumps({"positive_prompt": "a mug"}))
    assert prompts_in(tmp_path / "b.png") == ("a mug",)


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt", b"\xff\xd8\xff"]
)
def test_a_broken_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert prompts_in(tmp_path / "a.png") == ()
    assert prompts_in(tmp_path / "missing.png") == ()


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt packed"])
@pytest.mark.parametrize("at_the_end", [False, True])
def test_large_texts_hide_neither_pixels_nor_prompt(tmp_path: Path, kind: str, at_the_end: bool) -> None:
    notes = {"class_type": "Note", "inputs": {"text": "x" * 3_000_000}}
    prompt = json.dumps({**workflow(), "notes": notes}).encode()
    data = {
        "tEXt": prompt,
        "zTXt": b"\0" + zlib.compress(prompt),
        "iTXt": b"\0\0\0\0" + prompt,
        "iTXt packed": b"\1\0\0\0" + zlib.compress(prompt),
    }[kind]
    image = with_chunk(tmp_path, kind[:4].encode(), b"prompt\0" + data, at_the_end=at_the_end)
    assert_sound(image)
    assert prompts_in(image) == ("a mug",)


@pytest.mark.parametrize("at_the_end", [False, True])
def test_texts_that_no_program_should_read_do_not_hide_the_pixels(tmp_path: Path, at_the_end: bool) -> None:
    image = with_chunk(tmp_path, b"tEXt", b"prompt\0" + b"x" * 70_000_000, at_the_end=at_the_end)
    assert_sound(image)
    assert prompts_in(image) == ()


def with_chunk(folder: Path, kind: bytes, data: bytes, *, at_the_end: bool) -> Path:
    """A red PNG with one more chunk, before or after its pixels."""
    whole = png(folder / "small.png").read_bytes()
    place = whole.index(b"IEND") - 4 if at_the_end else whole.index(b"IDAT") - 4
    (folder / "a.png").write_bytes(whole[:place] + chunk(kind, data) + whole[place:])
    return folder / "a.png"


def assert_sound(image: Path) -> None:
    opened = open_image(image)
    assert not isinstance(opened, ItemError), opened
    assert opened.getpixel((0, 0)) == (255, 0, 0)
    assert image_size(image) == (8, 8)
    assert isinstance(embed(image, 160), Embedded)


def test_a_decompression_bomb_stays_refused(tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    refused = open_image(tmp_path / "bomb.png")
    assert isinstance(refused, ItemError)
    assert "decompression bomb" in str(refused)
    assert "\n" not in str(refused)


def workflow(**nodes: dict[str, Any]) -> dict[str, Any]:
    """A workflow of one sampler, whose nodes may be replaced."""
    return {
        "3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0], "negative": ["7", 0], "seed": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a mug", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
        **{name.lstrip("_"): node for name, node in nodes.items()},
    }


@pytest.mark.parametrize(
    ("nodes", "prompts"),
    [
        ({}, ["a mug"]),
        # a text that another node makes
        (
            {
                "_6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0]}},
                "_8": {"class_type": "PrimitiveString", "inputs": {"value": "a lamp"}},
            },
            ["a lamp"],
        ),
        # nodes between encoder and sampler: guidance, a control net that takes both, and a reroute
        (
            {
                "_3": {"class_type": "KSampler", "inputs": {"positive": ["9", 0], "negative": ["9", 1]}},
                "_9": {
                    "class_type": "ControlNetApplyAdvanced",
                    "inputs": {"positive": ["10", 0], "negative": ["7", 0], "control_net": ["11", 0]},
                },
                "_10": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["12", 0], "guidance": 3.5}},
                "_12": {"class_type": "Reroute", "inputs": {"": ["6", 0]}},
            },
            ["a mug"],
        ),
        # two encoders that meet
        (
            {
                "_3": {"class_type": "KSamplerAdvanced", "inputs": {"positive": ["9", 0], "negative": ["7", 0]}},
                "_9": {
                    "class_type": "ConditioningCombine",
                    "inputs": {"conditioning_1": ["6", 0], "conditioning_2": ["10", 0]},
                },
                "_10": {"class_type": "CLIPTextEncode", "inputs": {"text": "at night"}},
            },
            ["a mug", "at night"],
        ),
        # a guider, and an encoder with two texts
        (
            {
                "_3": {"class_type": "SamplerCustomAdvanced", "inputs": {"guider": ["9", 0]}},
                "_9": {"class_type": "BasicGuider", "inputs": {"conditioning": ["6", 0]}},
                "_6": {"class_type": "CLIPTextEncodeFlux", "inputs": {"clip_l": "a mug", "t5xxl": "a mug"}},
            },
            ["a mug"],
        ),
        # a circle
        (
            {
                "_3": {"class_type": "KSampler", "inputs": {"positive": ["9", 0]}},
                "_9": {"class_type": "Reroute", "inputs": {"a": ["10", 0], "b": ["6", 0]}},
                "_10": {"class_type": "Reroute", "inputs": {"a": ["9", 0]}},
            },
            ["a mug"],
        ),
        # no sampler at all
        ({"_3": {"class_type": "Note", "inputs": {}}}, ["a mug", "blurry"]),
    ],
)
def test_the_positive_text_of_a_workflow(nodes: dict[str, Any], prompts: list[str]) -> None:
    assert prompts_of_workflow(workflow(**nodes)) == prompts


@pytest.mark.parametrize("record", [{}, {"a": 1}, {"a": {"inputs": []}}, {"3": {"inputs": {"positive": ["x", 0]}}}])
def test_what_is_no_workflow_holds_no_prompt(record: dict[str, Any]) -> None:
    assert prompts_of_workflow(record) == []

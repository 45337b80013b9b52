"""Every case of ``tests/cases`` and its kin, given to a real command: the answer is right, or one line says why not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_families import save, tiny

Command = Callable[..., Any]

CASES = Path(__file__).parents[1] / "cases"


# -- images: 01, 02, 03, 04, 06 ---------------------------------------------------------------------------------------


# -- prompts and tokens: 08, 10, 19 -----------------------------------------------------------------------------------


# -- run folders: 09 --------------------------------------------------------------------------------------------------


# -- prompt lists: 11 -------------------------------------------------------------------------------------------------


# -- other programs' prompt syntax: 12, wording: 16 -------------------------------------------------------------------


# -- endpoint judges: 13 ----------------------------------------------------------------------------------------------


# -- models: 14, 15, 20 -----------------------------------------------------------------------------------------------


PAIR = "a [tower:landmark] and a [mug]"
SMALL = ("--seeds", "1", "--steps", "1", "--height", "16", "--width", "16")


def test_a_folder_with_only_a_variant_is_taken_and_said_so(command: Command, tmp_path: Path) -> None:
    tiny("sd1").save_pretrained(tmp_path / "fp16", safe_serialization=True, variant="fp16")
    ran = command("audit", PAIR, "--model", tmp_path / "fp16", "--out", tmp_path / "run", "--json", *SMALL)
    assert ran.document["images"] == 1
    assert "it has only the variant fp16 of its weights, which is used" in ran.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "lora",
            "pytorch_lora_weights.safetensors is a LoRA, not a model; give the model that it is for, and",
        ),
        ("ti", "learned_embeds.safetensors is a textual inversion embedding, not a model; give the model"),
        ("brandMug_v12.safetensors", "holds the denoiser of a checkpoint without its text encoder and its VAE"),
    ],
)
def test_what_is_no_whole_model_is_named_and_never_called_missing(given: str, said: str, command: Command) -> None:
    ran = command("audit", PAIR, "--model", CASES / "15-lora-single-file" / given)
    assert ran.status == 2
    assert said in ran.err
    assert "no model" not in ran.err


def test_a_pipeline_of_another_kind_is_named_and_how_its_parts_can_be_drawn(command: Command, tmp_path: Path) -> None:
    index = save("sd1", tmp_path / "ae") / "model_index.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps(content | {"_class_name": "StableDiffusionAttendAndExcitePipeline"}))
    ran = command("audit", PAIR, "--model", tmp_path / "ae", *SMALL)
    assert ran.status == 2
    assert "is saved as StableDiffusionAttendAndExcitePipeline, which needs token_indices beside the prompt" in ran.err
    assert "its parts are those of StableDiffusionPipeline, which it can" in ran.err

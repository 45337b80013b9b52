"""What is given as a model and is none: said what it is, and which option takes it."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_families import save, tiny

from dominance.errors import ModelError
from dominance.models.folders import find_model
from golden import Golden, one_a_case

CHECKPOINT = ("model.diffusion_model.out.0.weight", "cond_stage_model.a.weight", "first_stage_model.a.weight")
FILES: dict[str, Sequence[str]] = {
    "lora of kohya": ["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"],
    "lora of diffusers": ["unet.mid_block.attentions.0.proj_in.lora_A.weight"],
    "locon": ["lora_unet_mid_block.hada_w1_a"],
    "embedding": ["emb_params"],
    "embedding of sdxl": ["clip_l", "clip_g"],
    "denoiser": CHECKPOINT[:1],
    "flux without text encoders": ["double_blocks.0.img_attn.norm.key_norm.scale", "vae.decoder.a"],
    "controlnet": ["control_model.input_blocks.0.0.weight"],
    "controlnet of diffusers": ["controlnet_cond_embedding.conv_in.weight", "conv_in.weight"],
    "ip-adapter": ["image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"],
    "vae": ["first_stage_model.encoder.conv_in.weight"],
    "t5": ["shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight"],
    "upscaler": ["conv_first.weight", "body.0.rdb1.conv1.weight"],
    "unknown": ["something.else"],
    "empty": [],
}


def refused(model: object) -> str:
    with pytest.raises(ModelError) as error:
        find_model(str(model))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_files_that_are_no_models_say_what_they_are(tmp_path: Path, golden: Golden) -> None:
    messages = {}
    for name, keys in FILES.items():
        file = tmp_path / "file.safetensors"
        save_file({key: torch.zeros(2, 4) for key in keys}, file)
        messages[name] = refused(file).replace(str(file), "FILE")
    for name, start in (
        ("a.ckpt", b"PK\3\4"),
        ("a.pt", b"\x80\2"),
        ("a.bin", b"x"),
        ("a.gguf", b"GGUF"),
        ("a.txt", b"x"),
    ):
        (tmp_path / name).write_bytes(start)
        messages[name] = refused(tmp_path / name).replace(str(tmp_path), "FOLDER")
    (tmp_path / "cut.safetensors").write_bytes(b"\1")
    messages["cut"] = refused(tmp_path / "cut.safetensors").replace(str(tmp_path), "FOLDER")
    golden("models/not_models", one_a_case(messages))


def test_folders_that_are_no_models_say_what_they_are(tmp_path: Path, golden: Golden) -> None:
    model = save("sd1", tmp_path / "model")
    messages = {part: refused(model / part) for part in ("unet", "vae", "text_encoder")}
    shutil.copytree(model, tmp_path / "outer" / "inner")
    messages["one above"] = refused(tmp_path / "outer")
    for name, file, keys in (
        ("lora", "pytorch_lora_weights.safetensors", ["unet.a.lora_A.weight"]),
        ("embedding", "learned_embeds.safetensors", ["<mug>"]),
        ("pickle", "model.ckpt", None),
    ):
        (tmp_path / name).mkdir()
        if keys is None:
            (tmp_path / name / file).write_bytes(b"PK")
        else:
            save_file({key: torch.zeros(1, 4) for key in keys}, tmp_path / name / file)
        messages[name] = refused(tmp_path / name)
    golden("models/not_models_folders", one_a_case({k: m.replace(str(tmp_path), "HERE") for k, m in messages.items()}))


CLASSES = (
    "StableDiffusionAttendAndExcitePipeline",
    "StableDiffusionUpscalePipeline",
    "StableDiffusionPanoramaPipeline",
    "AnimateDiffPipeline",
    "FluxControlPipeline",
    "NoSuchPipeline",
)


def named(folder: Path, name: str) -> Path:
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"_class_name": name}))
    return folder


def test_pipelines_that_cannot_be_driven_say_why(tmp_path: Path, golden: Golden) -> None:
    model = save("sd1", tmp_path / "model")
    messages = {name: refused(named(model, name)).replace(str(tmp_path), "HERE") for name in CLASSES}
    config = model / "unet" / "config.json"
    for channels in (9, 8):
        config.write_text(json.dumps(json.loads(config.read_text()) | {"in_channels": channels}))
        for name in ("StableDiffusionInpaintPipeline", "StableDiffusionPipeline"):
            messages[f"{name}, {channels} channels"] = refused(named(model, name)).replace(str(tmp_path), "HERE")
    golden("models/classes", one_a_case(messages))


@pytest.mark.parametrize("name", ["StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline"])
def test_siblings_that_have_the_same_parts_are_drawn_and_said_so(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dominance.models.drawing import Drawing, Machine

    found = find_model(str(named(save("sd1", tmp_path / "model"), name)))
    pipeline = found.load(Drawing().settings(found), Machine("cpu"))
    assert type(pipeline) is type(tiny("sd1"))
    said = capsys.readouterr().err
    assert f"it is saved as {name}; its parts are drawn by StableDiffusionPipeline, from the text alone" in said

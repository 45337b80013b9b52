"""Single-file checkpoints: loaded as their folder is, or the line that says what is missing."""

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file
from single_files import save_as_one_file
from tiny_families import COMMIT, draw, save, sdxl, tiny

import dominance
from dominance.errors import InputError, ModelError
from dominance.miniature.bundled import MINIATURE
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.models.source import find_base, find_source
from golden import Golden, one_a_case

SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"


@cache
def xl() -> DiffusionPipeline:
    """As SDXL: its two text encoders differ in width."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return sdxl(width=24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save("sd1", tmp_path_factory.mktemp("sd1") / "model")


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_as_one_file(tiny("sd1"), tmp_path_factory.mktemp("file") / "brand.safetensors")


@pytest.fixture(autouse=True)
def cache_of_a_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds nothing yet."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def in_cache(cache: Path, repository: str, folder: Path) -> Path:
    """The folder's settings, without weights, as the hub's client leaves them in its cache."""
    place = cache / f"models--{repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    weights = shutil.ignore_patterns("*.safetensors")
    return shutil.copytree(folder, place / "snapshots" / COMMIT, ignore=weights)


def refused(*arguments: object, **options: object) -> str:
    with pytest.raises((ModelError, InputError)) as error:
        find_source(*map(str, arguments), Drawing(**options))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_file_draws_what_its_folder_draws(
    dtype: str, folder: Path, one_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_source(str(one_file), Drawing(model_config=str(folder)))
    settings = Drawing(dtype=dtype).settings(found)
    assert (settings.steps, settings.guidance, found.world, found.scheduler) == (50, 7.5, None, "DDIMScheduler")
    pipeline = found.load(settings, Machine("cpu"))
    assert f"a single file, with the configuration of {folder}" in capsys.readouterr().err
    assert pipeline.unet.dtype == pipeline.text_encoder.dtype == getattr(torch, dtype)
    ours = find_model(str(folder)).load(settings, Machine("cpu"))
    for part in ("unet", "vae", "text_encoder"):
        weights = getattr(ours, part).state_dict()
        assert all(torch.equal(weights[name], value) for name, value in getattr(pipeline, part).state_dict().items())
    if dtype == "float32":
        assert np.array_equal(draw(pipeline), draw(ours))


def test_a_file_of_stable_diffusion_xl_draws_what_its_folder_draws(tmp_path: Path) -> None:
    xl().save_pretrained(tmp_path / "model")
    file = save_as_one_file(xl(), tmp_path / "xl.safetensors")
    pipeline = dominance.load_pipeline(str(file), model_config=str(tmp_path / "model"))
    assert isinstance(pipeline, StableDiffusionXLPipeline)
    assert np.array_equal(draw(pipeline), draw(dominance.load_pipeline(str(tmp_path / "model"))))


def test_the_configuration_is_taken_from_the_cache_of_the_hub(
    folder: Path, one_file: Path, cache_of_a_hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = in_cache(cache_of_a_hub, SD15, folder)
    found = find_source(str(one_file))
    found.load(Drawing().settings(found), Machine("cpu"))
    assert f"with the configuration of {SD15}@{COMMIT}" in capsys.readouterr().err
    described = found.describe(Drawing().settings(found))
    assert described["single_file"]["file"] == "brand.safetensors"
    assert described["single_file"]["config"] == f"{SD15}@{COMMIT}"
    (there / "unet" / "config.json").unlink()
    assert f"that of {SD15}, by the names of its weights, is in the hub's cache without unet/config.json" in refused(
        one_file
    )


def test_file_and_configuration_identify_the_model(folder: Path, one_file: Path, tmp_path: Path) -> None:
    def identity(file: Path, config: Path) -> str:
        return find_base(str(file), Drawing(model_config=str(config))).identity

    same = shutil.copytree(folder, tmp_path / "same", ignore=shutil.ignore_patterns("*.safetensors"))
    moved = Path(shutil.copy(one_file, tmp_path / "moved.safetensors"))
    assert identity(moved, same) == identity(one_file, folder)
    weights = load_file(moved)
    save_file({name: value + 1 for name, value in weights.items()}, moved)
    assert identity(moved, same) != identity(one_file, folder)
    scheduler = same / "scheduler" / "scheduler_config.json"
    scheduler.write_text(json.dumps(json.loads(scheduler.read_text()) | {"prediction_type": "v_prediction"}))
    assert identity(one_file, same) != identity(one_file, folder)


def test_what_is_missing_or_does_not_fit_is_said_in_one_line(
    folder: Path, one_file: Path, tmp_path: Path, golden: Golden
) -> None:
    given = {"model_config": str(folder)}
    (tmp_path / "empty").mkdir()
    partial = shutil.copytree(folder, tmp_path / "partial")
    (partial / "vae" / "config.json").unlink()
    shutil.rmtree(partial / "tokenizer")
    xl().save_pretrained(tmp_path / "xl")
    wider = save_as_one_file(xl(), tmp_path / "xl.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(one_file.read_bytes()[:-100])
    weights = load_file(one_file)
    first = "model.diffusion_model.input_blocks.0.0.weight"
    inpainting, refiner = tmp_path / "inpainting.safetensors", tmp_path / "refiner.safetensors"
    save_file(weights | {first: torch.zeros(16, 9, 3, 3)}, inpainting)
    save_file(weights | {"conditioner.embedders.0.model.ln_final.weight": torch.zeros(1)}, refiner)
    messages = {
        "no configuration": refused(one_file),
        "no such folder": refused(one_file, model_config=str(tmp_path / "none")),
        "an empty folder": refused(one_file, model_config=str(tmp_path / "empty")),
        "half a folder": refused(one_file, model_config=str(partial)),
        "another family": refused(wider, **given),
        "another family, the other way": refused(one_file, model_config=str(tmp_path / "xl")),
        "another width": refused(one_file, model_config=str(save("sdxl", tmp_path / "sdxl"))),
        "cut off": refused(cut, **given),
        "inpainting": refused(inpainting, **given),
        "refiner": refused(refiner, **given),
        "revision": refused(one_file, revision="main", **given),
        "variant": refused(one_file, variant="fp16", **given),
        "no single file": refused(folder, **given),
        "the bundled model": refused(MINIATURE, **given),
    }
    with pytest.raises(ModelError) as error:
        find_model(str(one_file))
    messages["where a folder is needed"] = str(error.value)
    golden(
        "models/single_files",
        one_a_case(
            {
                name: told.replace(str(tmp_path), "HERE")
                for name, told in {
                    name: told.replace(str(one_file), "FILE").replace(str(folder), "FOLDER")
                    for name, told in messages.items()
                }.items()
            }
        ),
    )


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("input_blocks.1.0.in_layers", "the file of unet lacks 4 weights, such as down_blocks.0.resnets.0.conv1.bias"),
        ("encoder.layers.1.mlp.fc1", "the file of text_encoder lacks 2 weights, such as encoder.layers.1.mlp.fc1.bias"),
        ("decoder.conv_in", "the file of vae lacks 2 weights, such as decoder.conv_in.bias"),
        ("position_embedding", "the file has no text_encoder (CLIPTextModel)"),
    ],
)
def test_weights_that_a_file_lacks_are_named(lost: str, said: str, folder: Path, tmp_path: Path) -> None:
    file = save_as_one_file(tiny("sd1"), tmp_path / "holes.safetensors", without=lost)
    with pytest.raises(ModelError) as error:
        dominance.load_pipeline(str(file), model_config=str(folder))
    assert said in str(error.value)
    assert str(error.value).endswith("give a whole checkpoint")


def test_weights_of_other_sizes_than_the_configurations_are_refused(
    folder: Path, one_file: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    config = other / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"block_out_channels": [16, 32, 48]}))
    with pytest.raises(ModelError, match="give --model-config and the folder of the model that the file was made from"):
        dominance.load_pipeline(str(one_file), model_config=str(other))


def test_the_safety_checker_that_a_file_does_not_have_is_said(
    one_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = dominance.load_pipeline(str(one_file), model_config=str(save("sd14", tmp_path / "released")))
    assert pipeline.safety_checker is None
    assert "drawn without its safety checker, which single files do not have" in capsys.readouterr().err


def test_samplers_adapters_and_offload_work_on_a_file_as_on_a_folder(
    folder: Path, one_file: Path, tmp_path: Path
) -> None:
    layer = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_out.0"
    weights = {f"{layer}.lora_A.weight": torch.eye(16), f"{layer}.lora_B.weight": 20 * torch.eye(16)}
    save_file(weights, tmp_path / "lora.safetensors")
    pictures = []
    for model, config in ((one_file, str(folder)), (folder, None)):
        drawing = Drawing(model_config=config, adapters=(str(tmp_path / "lora.safetensors"),), scheduler="ddpm")
        found = find_source(str(model), drawing)
        pictures.append(draw(found.load(drawing.settings(found), Machine("cpu"))))
    assert np.array_equal(*pictures)
    assert not np.array_equal(pictures[0], draw(dominance.load_pipeline(str(folder), scheduler="ddpm")))

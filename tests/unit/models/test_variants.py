"""Variants of weights: which one is used, and what is said where the one asked for is missing."""

import json
from pathlib import Path

import pytest
from tiny_families import tiny

from dominance.errors import ModelError
from dominance.models import hub
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model, find_weights
from dominance.models.source import find_source
from dominance.models.variants import variant_of


def saved(folder: Path, *variants: str | None, **options: object) -> str:
    for variant in variants:
        tiny("sd1").save_pretrained(folder, safe_serialization=True, variant=variant, **options)
    return str(folder)


@pytest.mark.parametrize(
    ("file", "variant"),
    [
        ("model.safetensors", None),
        ("model.fp16.safetensors", "fp16"),
        ("model-00001-of-00003.safetensors", None),
        ("model.fp16-00001-of-00003.safetensors", "fp16"),
        ("diffusion_pytorch_model-00001-of-00003.bf16.safetensors", "bf16"),
        ("diffusion_pytorch_model.non_ema.safetensors", "non_ema"),
        ("my.own.safetensors", None),
        ("model.fp16.bin", None),
    ],
)
def test_a_files_name_says_its_variant(file: str, variant: str | None) -> None:
    assert variant_of(file) == variant


@pytest.mark.parametrize("options", [{}, {"max_shard_size": "100KB"}], ids=["one file", "shards"])
def test_the_only_variant_is_taken_and_said_so(
    options: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_model(saved(tmp_path / "model", "fp16", **options))
    assert (found.variant, found.chosen) == ("fp16", True)
    settings = Drawing().settings(found)
    assert found.load(settings, Machine("cpu")).unet is not None
    assert "it has only the variant fp16 of its weights, which is used" in capsys.readouterr().err
    assert found.describe(settings)["variant"] == "fp16"


def test_the_plain_weights_come_first_unless_a_variant_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = saved(tmp_path / "model", "bf16", None)
    plain, asked = find_source(model), find_source(model, Drawing(variant="bf16"))
    assert "variant" not in plain.describe(Drawing().settings(plain))
    assert asked.identity != plain.identity
    asked.load(Drawing().settings(asked), Machine("cpu"))
    assert capsys.readouterr().err == ""
    with pytest.raises(ModelError, match=r"no variant 'fp8' of its weights; it has bf16; give one of these"):
        find_source(model, Drawing(variant="fp8"))


def test_several_variants_without_plain_weights_must_be_chosen_from(tmp_path: Path) -> None:
    model = saved(tmp_path / "model", "bf16", "fp16")
    with pytest.raises(ModelError, match=r"only as the variants bf16, fp16; choose one with --variant"):
        find_model(model)
    assert find_model(model, variant="fp16").variant == "fp16"


def test_a_part_that_has_only_plain_weights_is_loaded_plain(tmp_path: Path) -> None:
    model = Path(saved(tmp_path / "model", "fp16"))
    (model / "vae" / "diffusion_pytorch_model.fp16.safetensors").rename(
        model / "vae" / "diffusion_pytorch_model.safetensors"
    )
    found = find_model(str(model))
    assert found.variant == "fp16"
    found.load(Drawing().settings(found), Machine("cpu"))


def test_plain_weights_alone_have_no_variant(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match=r"no variant 'fp16' of its weights; it has only the plain weights; leave out"):
        find_model(str(tiny_model), variant="fp16")


def test_a_missing_shard_of_a_variant_is_named(tmp_path: Path) -> None:
    model = Path(saved(tmp_path / "model", "fp16", max_shard_size="100KB"))
    lost = next((model / "unet").glob("*00002-of*"))
    lost.unlink()
    with pytest.raises(ModelError, match=f"lacks {lost.name}, which diffusion_pytorch_model.safetensors.index.fp16"):
        find_model(str(model))


def test_a_judge_that_has_only_a_variant_says_so(tmp_path: Path) -> None:
    model = Path(saved(tmp_path / "model", "fp16"))
    with pytest.raises(ModelError, match=r"only as the variant fp16; rename model\.fp16\.safetensors"):
        find_weights(str(model / "text_encoder"), "the judge")


def test_of_a_hub_the_only_variant_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def fetch(repository: str, variant: str | None = None, **options: object) -> str:
        asked.append(variant)
        if variant is None:
            raise OSError("Could not find the necessary `safetensors` weights")
        return saved(tmp_path / "model", variant)

    listed = ["unet/diffusion_pytorch_model.fp16.safetensors", "README.md"]
    monkeypatch.setattr("diffusers.DiffusionPipeline.download", fetch)
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", lambda *_, **__: listed)
    found = find_model("owner/name")
    assert (asked, found.variant, found.chosen) == ([None, "fp16"], "fp16", True)
    listed.append("unet/diffusion_pytorch_model.bf16.safetensors")
    with pytest.raises(ModelError, match=r"its variants are bf16, fp16: choose one with --variant"):
        find_model("owner/name")
    assert find_model("owner/name", variant="bf16").identity == "owner/name@model:bf16"
    assert hub.variants_at(hub.HubId("owner/name")) == ["bf16", "fp16"]


def test_a_pipeline_in_memory_has_no_variant() -> None:
    with pytest.raises(ValueError, match=r"variant is 'fp16', but your pipeline is already loaded; leave it out"):
        find_source(tiny("sd1"), Drawing(variant="fp16"))


def test_quantised_parts_name_what_to_install(tmp_path: Path) -> None:
    model = Path(saved(tmp_path / "model", None))
    config = model / "unet" / "config.json"
    content = json.loads(config.read_text())
    for method, package in (
        ({"quant_method": "bitsandbytes"}, "bitsandbytes"),
        ({"load_in_4bit": True}, "bitsandbytes"),
        ({"quant_method": "quanto"}, "optimum-quanto"),
        ({"quant_method": "gguf"}, "gguf"),
        ({"quant_method": "torchao"}, "torchao"),
    ):
        config.write_text(json.dumps(content | {"quantization_config": method}))
        with pytest.raises(ModelError, match=rf"the unet of the model .* is quantised by .*pip install {package}\)"):
            find_model(str(model))

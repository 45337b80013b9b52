"""Adapters: what is asked for is read, found, recognised and added; what does not fit is named."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tiny_families import draw, save, tiny

from dominance.errors import InputError, ModelError
from dominance.models.adapter_loading import add_adapters
from dominance.models.adapters import Adapter, find_adapters, read_adapter
from dominance.models.denoiser import find_denoiser
from dominance.models.drawing import Drawing, Machine
from dominance.models.source import find_source
from dominance.models.tokens import Reading, prompt_tokens
from dominance.probes.first_step import first_step

STEPS = 4


def lora(family: str, folder: Path, alpha: float = 4) -> Path:
    """A random LoRA of rank 2 for a tiny family, in the format of diffusers."""
    pipeline = copy.deepcopy(tiny(family))
    parts = {"unet" if hasattr(pipeline, "unet") else "transformer": ["to_k", "to_q", "to_v", "to_out.0"]}
    parts |= {"text_encoder": ["q_proj", "v_proj"]} if family in ("sd1", "sdxl") else {}
    given: dict[str, Any] = {}
    torch.manual_seed(1)
    for part, targets in parts.items():
        module = getattr(pipeline, part)
        module.add_adapter(
            LoraConfig(r=2, lora_alpha=alpha, init_lora_weights="gaussian", target_modules=targets), adapter_name="x"
        )
        for name, weight in module.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight)
        state = get_peft_model_state_dict(module, adapter_name="x")
        named = convert_state_dict_to_diffusers(state) if part != "transformer" else state
        given[f"{part}_lora_layers"] = {name: value * 1.0 for name, value in named.items()}
        given[f"{part}_lora_adapter_metadata"] = module.peft_config["x"].to_dict()
    type(pipeline).save_lora_weights(folder, safe_serialization=True, **given)
    return folder / "pytorch_lora_weights.safetensors"


def kohya(file: Path, target: Path, encoder: str, alpha: float) -> Path:
    """The same LoRA under kohya's names, with an alpha for each layer."""
    out: dict[str, torch.Tensor] = {}
    for name, value in load_file(file).items():
        layer, side = name.rsplit(".lora." if ".lora." in name else ".lora_linear_layer.", 1)
        part, _, inner = layer.partition(".")
        start, inner = ("lora_unet_", inner) if part == "unet" else (encoder, f"text_model.{inner}")
        own = start + inner.replace(".", "_")
        out[f"{own}.lora_{side}"] = value
        out[f"{own}.alpha"] = torch.tensor(float(alpha))
    tags = {"10_mug": {"brandmug": 10, "red": 4}, "5_more": {"red": 3}}
    noted = {"ss_tag_frequency": json.dumps(tags), "ss_output_name": "brandmug", "modelspec.trigger_phrase": "brandmug"}
    save_file(out, target, metadata=noted)
    return target


def drawn(family: str, *adapters: object, steps: int = STEPS) -> np.ndarray:
    return draw(adapted(family, *adapters), steps=steps)


def adapted(family: str, *adapters: object) -> DiffusionPipeline:
    pipeline = copy.deepcopy(tiny(family))
    add_adapters(pipeline, find_adapters([str(adapter) for adapter in adapters]))
    return pipeline


@pytest.mark.parametrize(
    ("text", "adapter"),
    [
        ("brand.safetensors", Adapter("brand.safetensors")),
        ("brand.safetensors:0.8", Adapter("brand.safetensors", 0.8)),
        ("brand.safetensors@0.4", Adapter("brand.safetensors", 1, 0.4)),
        ("brand.safetensors:-.5@1", Adapter("brand.safetensors", -0.5, 1)),
        ("owner/name@v2:0.5@0.1", Adapter("owner/name@v2", 0.5, 0.1)),
        ("owner/name@0.5", Adapter("owner/name", 1, 0.5)),
        ("owner/name@1:1", Adapter("owner/name@1", 1)),
        ("a:b@c", Adapter("a:b@c")),
    ],
)
def test_strength_and_start_are_read_from_the_end(text: str, adapter: Adapter) -> None:
    assert read_adapter(text) == adapter


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mug:0.5@0.2").write_bytes(b"")
    assert read_adapter("mug:0.5@0.2") == Adapter("mug:0.5@0.2")


@given(st.text(min_size=1), st.floats(-10, 10), st.floats(0, 1))
def test_what_is_written_is_read_again(where: str, strength: float, start: float) -> None:
    written = f"{where}x:{strength:.3f}@{start:.3f}"
    if "\n" not in where and "\0" not in where:
        read = read_adapter(written)
        assert (read.where, round(read.strength, 3), round(read.start, 3)) == (
            f"{where}x",
            float(f"{strength:.3f}"),
            float(f"{start:.3f}"),
        )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an adapter has no name"),
        ("x:11", r"the strength of the adapter 'x' is 11; give -10 to 10"),
        ("x:1@1.5", r"the adapter 'x' is to act after 1\.5 of the steps; give a share from 0 to 1"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_looked_for(text: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        Drawing(adapters=(text,))


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux", "auraflow"])
def test_a_lora_changes_the_image_and_none_does_not(family: str, tmp_path: Path) -> None:
    file, plain = lora(family, tmp_path), draw(copy.deepcopy(tiny(family)), steps=STEPS)
    assert not np.allclose(drawn(family, file), plain, atol=1e-3)
    for nothing in (f"{file}:0", f"{file}@1", f"{file}:0@0.5"):
        assert np.array_equal(drawn(family, nothing), plain)
    late = drawn(family, f"{file}@0.5")
    assert not np.array_equal(late, plain)
    assert not np.array_equal(late, drawn(family, f"{file}@0.25"))


def test_before_its_start_the_denoiser_is_the_plain_one(tmp_path: Path) -> None:
    file = lora("sd1", tmp_path)
    pipelines = [copy.deepcopy(tiny("sd1")), adapted("sd1", f"{file}@0.5")]
    latents: list[list[torch.Tensor]] = [[], []]
    for pipeline, seen in zip(pipelines, latents, strict=True):

        def keep(_pipeline: object, _step: int, _time: object, kept: dict, seen: list = seen) -> dict:
            seen.append(kept["latents"].clone())
            return kept

        for _ in range(2):  # the second call begins plain again
            seen.clear()
            draw(pipeline, steps=STEPS, callback_on_step_end=keep)
    assert [torch.equal(plain, late) for plain, late in zip(*latents, strict=True)] == [True, True, False, False]


def test_the_first_step_is_plain_for_an_adapter_that_starts_later(tmp_path: Path) -> None:
    file = lora("sd1", tmp_path)

    def seen(pipeline: DiffusionPipeline) -> torch.Tensor:
        return first_step(pipeline, ["a tower and a mug"], [0], steps=STEPS, height=16, width=16).attention

    late = adapted("sd1", f"{file}@0.25")
    draw(late, steps=STEPS)
    assert torch.equal(seen(late), seen(tiny("sd1")))
    assert not torch.equal(seen(adapted("sd1", file)), seen(tiny("sd1")))


@pytest.mark.parametrize(("family", "encoder"), [("sd1", "lora_te_"), ("sdxl", "lora_te1_")])
def test_kohya_and_diffusers_draw_the_same(family: str, encoder: str, tmp_path: Path) -> None:
    file = lora(family, tmp_path, alpha=4)
    other = kohya(file, tmp_path / "kohya.safetensors", encoder, alpha=4)
    assert np.allclose(drawn(family, file), drawn(family, other), atol=1e-5)
    weak = kohya(file, tmp_path / "weak.safetensors", encoder, alpha=2)
    assert np.allclose(drawn(family, f"{file}:0.5"), drawn(family, weak), atol=1e-5)


def test_peft_and_diffusers_draw_the_same(tmp_path: Path) -> None:
    file = lora("flux", tmp_path / "diffusers")
    (tmp_path / "peft").mkdir()
    weights = {f"base_model.model.{k.removeprefix('transformer.')}": v for k, v in load_file(file).items()}
    save_file(weights, tmp_path / "peft" / "adapter_model.safetensors")
    (tmp_path / "peft" / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 4}))
    assert np.allclose(drawn("flux", file), drawn("flux", tmp_path / "peft"), atol=1e-5)


def test_several_adapters_act_together(tmp_path: Path) -> None:
    one, other = lora("sd1", tmp_path / "one"), lora("sd1", tmp_path / "other", alpha=1)
    both = drawn("sd1", f"{one}:0.5", f"{other}:0.5@0.5")
    assert not np.array_equal(both, drawn("sd1", f"{one}:0.5"))
    assert not np.array_equal(both, drawn("sd1", f"{other}:0.5@0.5"))
    assert np.array_equal(drawn("sd1", f"{one}:0.5", f"{other}:0"), drawn("sd1", f"{one}:0.5"))


def test_an_adapter_is_part_of_what_identifies_a_model_and_of_its_settings(tmp_path: Path) -> None:
    model, file = str(save("sd1", tmp_path / "model")), lora("sd1", tmp_path / "lora")
    other = kohya(file, tmp_path / "kohya.safetensors", "lora_te_", 1)

    def asked(*adapters: object) -> Any:
        return find_source(model, Drawing(adapters=tuple(map(str, adapters))))

    sources = [asked(), asked(file), asked(f"{file}:0.5"), asked(f"{file}@0.5"), asked(other), asked(file, other)]
    assert len({source.identity for source in sources}) == len(sources)
    records = [json.dumps(Drawing().settings(source).record()) for source in sources]
    assert len(set(records)) == len(records)
    assert "adapters" not in records[0]
    described = sources[4].describe(Drawing().settings(sources[4]))["adapters"][0]
    assert described["trigger_phrase"] == described["trained_as"] == "brandmug"
    assert described["frequent_tags"] == ["brandmug", "red"]
    assert (described["strength"], described["start"], described["kind"]) == (1, 0, "LoRA")
    assert find_source(model).identity == sources[0].identity
    with pytest.raises(InputError, match="is given twice"):
        asked(file, f"{file}:0.5")
    with pytest.raises(InputError, match="adapter is 'x', but your pipeline is already loaded"):
        find_source(tiny("sd1"), Drawing(adapters=("x",)))


@pytest.mark.parametrize("family", ["sdxl", "flux", "sd3"])
def test_a_lora_of_another_family_is_named_with_the_models(family: str, tmp_path: Path) -> None:
    model, file = save("sd1", tmp_path / "model"), lora(family, tmp_path / "lora")
    with pytest.raises(ModelError, match=r"is a LoRA for .*; the model .* is Stable Diffusion with a text width of 16"):
        find_source(str(model), Drawing(adapters=(str(file),)))


@pytest.mark.parametrize(
    ("width", "made_for"),
    [(768, "Stable Diffusion 1.x"), (1024, "Stable Diffusion 2.x"), (2048, "Stable Diffusion XL")],
)
def test_families_are_told_apart_by_the_width_of_their_text(width: int, made_for: str, tmp_path: Path) -> None:
    name = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    save_file({f"{name}.lora_down.weight": torch.zeros(4, width), f"{name}.lora_up.weight": torch.zeros(8, 4)},
              tmp_path / "brand.safetensors")  # fmt: skip
    (found,) = find_adapters([str(tmp_path / "brand.safetensors")])
    assert found.contents.family == made_for


def test_a_lora_without_a_layer_in_the_model_is_refused_and_lost_layers_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = load_file(lora("sd1", tmp_path))
    lost = {f"unet.nowhere.{index}.lora_A.weight": torch.zeros(2, 16) for index in range(2)}
    lost |= {f"unet.nowhere.{index}.lora_B.weight": torch.zeros(16, 2) for index in range(2)}
    save_file(weights | lost, tmp_path / "more.safetensors")
    adapted("sd1", tmp_path / "more.safetensors")
    assert "2 of its 62 layers are not in the model and are left out, such as unet.nowhere.0" in capsys.readouterr().err
    source = find_source(str(save("sd1", tmp_path / "model")), Drawing(adapters=(str(tmp_path / "more.safetensors"),)))
    settings = Drawing().settings(source)
    source.load(settings, Machine("cpu"))
    (noted,) = source.describe(settings)["adapters"]
    assert (noted["layers_left_out"], noted["such_as"]) == (2, ["unet.nowhere.0", "unet.nowhere.1"])
    save_file(lost, tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match=r"the adapter .*none\.safetensors"):
        adapted("sd1", tmp_path / "none.safetensors")


def test_a_lora_for_another_model_is_refused_by_one_that_diffusers_gives_none(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"does not fit the model's PixArtTransformer2DModel"):
        adapted("sigma", lora("sana", tmp_path))


def test_what_is_no_adapter_is_named(tmp_path: Path) -> None:
    model = save("sd1", tmp_path / "model")
    (tmp_path / "a.pt").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    for name in ("one", "two"):
        (tmp_path / "empty").joinpath(f"{name}.txt").write_text("")
    for where, said in (
        (tmp_path / "nothing.safetensors", "no adapter .*; give a .safetensors file"),
        (model / "vae", "holds a VAE alone; give a LoRA"),
        (model, "is a whole model; give it as --model"),
        (f"{model / 'vae'}:abc", "after the adapter .*vae' stands ':abc'; write :STRENGTH and @START as numbers"),
        (f"{model / 'vae'}:0,8", "after the adapter .*vae' stands ':0,8'; write"),
        (f"{model / 'vae'}@soon", "after the adapter .*vae' stands '@soon'; write"),
        ("folder/nothing.safetensors", "no adapter 'folder/nothing.safetensors'; give a .safetensors file"),
        (tmp_path / "a.pt", "is a pickle, which can run code"),
        (tmp_path / "empty", "has no .safetensors file"),
    ):
        with pytest.raises(ModelError, match=said):
            find_adapters([str(where)])


# -- embeddings -------------------------------------------------------------------------------------------------------


def vectors(file: Path, **named: tuple[int, int]) -> Path:
    torch.manual_seed(2)
    save_file({name: torch.randn(shape) for name, shape in named.items()}, file)
    return file


@pytest.mark.parametrize(
    ("family", "named"),
    [("sd1", {"emb_params": (3, 16)}), ("sd1", {"<mug>": (1, 16)}), ("sdxl", {"clip_l": (2, 16), "clip_g": (2, 16)})],
)
def test_an_embedding_gives_its_token_a_meaning(family: str, named: dict, tmp_path: Path) -> None:
    file = vectors(tmp_path / "brandmug.safetensors", **named)
    (found,) = find_adapters([str(file)])
    token = found.token
    assert token == ("<mug>" if "<mug>" in named else "brandmug")
    prompts = [f"a tower and a {token}"]
    assert not np.allclose(draw(adapted(family, file), prompts), draw(copy.deepcopy(tiny(family)), prompts), atol=1e-3)
    assert np.allclose(draw(adapted(family, file), ["a tower"]), draw(copy.deepcopy(tiny(family)), ["a tower"]))


def test_an_embedding_that_does_not_fit_names_both_sizes(tmp_path: Path) -> None:
    file = vectors(tmp_path / "wide.safetensors", emb_params=(2, 768))
    with pytest.raises(ModelError, match=r"has vectors of 768 numbers, and the text_encoder of .* vectors of 16"):
        adapted("sd1", file)
    with pytest.raises(ModelError, match=r"has vectors for text_encoder; StableDiffusionXLPipeline reads with"):
        adapted("sdxl", file)
    with pytest.raises(InputError, match=r"has neither strength nor start; leave out the numbers after its name"):
        find_adapters([f"{file}:0.5"])
    with pytest.raises(InputError, match=r"StableDiffusion3Pipeline takes no textual inversion embedding"):
        adapted("sd3", file)


def test_through_the_folder_nothing_is_left_of_how_it_was_loaded(tmp_path: Path) -> None:
    model, file = str(save("sd1", tmp_path / "model")), lora("sd1", tmp_path / "lora")
    source = find_source(model, Drawing(adapters=(f"{file}:0.8@0.4",), dtype="bfloat16"))
    pipeline = source.load(Drawing(dtype="bfloat16").settings(source), Machine("cpu"))
    denoiser = find_denoiser(pipeline)
    assert denoiser is not None
    assert {weight.dtype for weight in denoiser.parameters()} == {torch.bfloat16}
    assert not any(weight.requires_grad for name, weight in denoiser.named_parameters() if "lora" in name)


@pytest.mark.parametrize("token", ["<mug>", "brandmug", "Brand-Mug", "BrandMug"])
@pytest.mark.parametrize("count", [1, 3])
def test_all_vectors_of_an_embedding_are_read_and_are_the_concepts_tokens(
    token: str, count: int, tmp_path: Path
) -> None:
    pipeline = adapted("sd1", vectors(tmp_path / "file.safetensors", **{token: (count, 16)}))
    text = f"a tower and a {token} and a mug"
    found = prompt_tokens(pipeline, text)
    assert found.text == text
    assert found.concepts(["tower", token, "mug"]) == {
        "tower": (2,),
        token: tuple(range(5, 5 + count)),
        "mug": (7 + count,),
    }
    own = [token for token in found.tokens if token.index in range(5, 5 + count)]
    assert {text[vector.start : vector.end] for vector in own} == {token}
    assert found.reading([token, "mug"]) == Reading(limit=found.limit)
    other = copy.deepcopy(pipeline)
    other.text_encoder.get_input_embeddings().weight.data[-1] *= -1  # the last vector's
    assert not np.allclose(draw(pipeline, [text]), draw(other, [text]), atol=1e-4)


def test_a_word_that_the_model_knows_is_no_token_for_an_embedding(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"vocabulary has 'mug</w>' already; rename its file, or leave it out"):
        adapted("sd1", vectors(tmp_path / "file.safetensors", **{"mug</w>": (1, 16)}))

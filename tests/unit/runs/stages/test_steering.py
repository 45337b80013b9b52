"""Steering on tiny models of every family: strength 0 changes nothing, nothing is left behind, images are apart."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors.torch import save_file
from tiny_families import FAMILIES, PROMPTS, SIDES, draw, tiny
from traces import traces

from dominance.errors import InputError, ItemError, ModelError
from dominance.guidance.plan import Plan
from dominance.guidance.regions import Parting, Regions
from dominance.guidance.registry import BUNDLED, ChosenRecipe, find_method
from dominance.metrics.overlap import LOSSES
from dominance.models.adapter_places import PerPlace
from dominance.probes.calls import Forward
from dominance.probes.recording import record_attention
from dominance.probes.sites import attention_sites
from dominance.records import Concept, Prompt
from dominance.runs.stages.adapters_apart import AdaptersApart
from dominance.runs.stages.methods import mitigate
from dominance.runs.stages.moving import Mover
from dominance.runs.stages.steering import steered

TOWER, MUG = Concept("tower", "landmark"), Concept("mug")
CASTLE = Prompt("c", "a tower and a mug", (TOWER, MUG))
ROBOT = Prompt("r", "two mugs, a robot and a lamp!", (Concept("mugs"), Concept("robot", "character"), Concept("lamp")))
UNETS = ("sd1", "sdxl")
BACKENDS = {"sd1": "attention", "sdxl": "attention", "sd3": "predictions", "flux": "predictions", "pixart": "attention"}


def planned(method: str, *prompts: Prompt) -> Callable[[Sequence[str]], list[Plan]]:
    found = find_method(method)
    assert isinstance(found, ChosenRecipe)
    by_text = {prompt.text: prompt for prompt in prompts or (CASTLE, ROBOT)}
    return lambda texts: [found.recipe.plan(by_text[text]) for text in texts]


def last_layer(pipeline: DiffusionPipeline) -> list[int]:
    return [attention_sites(pipeline)[-1].layer]


def steer(family: str, method: str, prompts: list[str] | None = None, **options: Any) -> np.ndarray:
    pipeline = tiny(family)
    with steered(pipeline, planned(method), last_layer(pipeline)):
        return draw(pipeline, prompts, **options)


STILL = {
    "regions": "regions:strength=0",
    "overlap": "overlap:strength=0",
    "attend-and-excite": "attend-and-excite:strength=0",
    "initial-noise": "initial-noise:strength=0",
    "schedule": "schedule:until=0",
    "replace": "replace:until=0",
    "rebalance": "rebalance:strength=0",
    "unguided": "unguided:until=0",
    "regions+overlap": "regions+overlap:strength=0",
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", STILL.values())
def test_strength_zero_draws_the_same_bits(family: str, method: str) -> None:
    assert np.array_equal(steer(family, method, steps=3), draw(tiny(family), steps=3))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", [name for name in BUNDLED if name != "regional-adapter"])
def test_every_method_changes_the_picture_and_leaves_nothing_behind(family: str, method: str) -> None:
    pipeline = tiny(family)
    plain = draw(pipeline, steps=3)
    before = traces(pipeline)
    if method in ("schedule", "replace"):
        method = f"{method}:landmark=castle:character=clown"
    if method.startswith("schedule"):
        method += ":until=0.5"
    options = {"true_cfg_scale": 4.0, "negative_prompt": ["", ""]} if (family, method) == ("flux", "unguided") else {}
    if options:
        plain = draw(pipeline, steps=3, **options)
    changed = steer(family, method, steps=3, **options)
    assert changed.shape == plain.shape
    assert all(not np.array_equal(a, b) for a, b in zip(changed, plain, strict=True))
    assert traces(pipeline) == before
    assert np.array_equal(draw(pipeline, steps=3, **options), plain)


def test_regions_by_predictions_also_act_in_a_first_step_that_is_their_only_one() -> None:
    assert Regions((("a",), ("b",))).acting(2, "predictions") == [0]
    assert Regions((("a",), ("b",))).acting(2, "attention") == [1]
    plain = draw(tiny("sd3"), steps=2)
    changed = steer("sd3", "regions", steps=2)
    assert all(not np.array_equal(a, b) for a, b in zip(changed, plain, strict=True))


@pytest.mark.parametrize("family", ["sd1", "sd3", "pixart"])
def test_no_guidance_in_all_steps_is_a_guidance_of_one(family: str) -> None:
    unguided = steer(family, "unguided:until=1", steps=3)
    assert np.abs(unguided - draw(tiny(family), steps=3, guidance_scale=1.0)).max() < 2e-3
    assert np.abs(unguided - draw(tiny(family), steps=3)).max() > 2e-2


def test_flux_is_unguided_by_its_own_number_or_by_its_second_forward() -> None:
    told = steer("flux-dev", "unguided:until=1", guidance_scale=7.0)
    assert np.array_equal(told, draw(tiny("flux-dev"), guidance_scale=1.0))
    options = {"true_cfg_scale": 4.0, "negative_prompt": ["a lamp", "a lamp"]}
    assert np.abs(steer("flux", "unguided:until=1", **options) - draw(tiny("flux"))).max() < 2e-3
    assert not np.array_equal(draw(tiny("flux"), **options), draw(tiny("flux")))


def latents_by_step(method: str) -> list[torch.Tensor]:
    """What each of four steps leaves."""
    pipeline, seen = tiny("sd1"), []

    def look(_: Any, step: int, time: Any, given: dict[str, Any]) -> dict[str, Any]:
        seen.append(given["latents"].clone())
        return given

    with steered(pipeline, planned(method), last_layer(pipeline)):
        draw(pipeline, steps=4, callback_on_step_end=look)
    return seen


@pytest.mark.parametrize("method", ["rebalance", "regions", "schedule:landmark=castle:character=clown", "unguided"])
def test_a_method_acts_from_its_first_step_until_its_last(method: str) -> None:
    plain = latents_by_step("rebalance:strength=0")
    middle = latents_by_step(f"{method}:since=0.5:until=0.75")
    whole = latents_by_step(f"{method}:since=0.5:until=1")
    same = [torch.equal(a, b) for a, b in zip(plain, middle, strict=True)]
    assert same == [True, True, False, False]
    assert [torch.equal(a, b) for a, b in zip(middle, whole, strict=True)] == [True, True, True, False]
    never = latents_by_step(f"{method}:since=0.5:until=0.5")
    assert all(torch.equal(a, b) for a, b in zip(plain, never, strict=True))


@pytest.mark.parametrize("method", ["regions", "rebalance", "regions+overlap"])
def test_more_strength_changes_more(method: str) -> None:
    plain, full = draw(tiny("sd1"), steps=4), steer("sd1", method, steps=4)
    changes = [np.abs(steer("sd1", f"{method}:strength={s}", steps=4) - plain).mean() for s in (0.02, 0.3)]
    assert 0 < changes[0] < changes[1] < np.abs(full - plain).mean()
    assert np.array_equal(steer("sd1", f"{method}:strength=1", steps=4), full)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("method", ["overlap", "regions+overlap", "attend-and-excite"])
def test_all_three_modes_draw_the_same(mode: Callable[[], Any], method: str) -> None:
    pipeline = tiny("sd1")
    draw(pipeline, steps=1)
    before = traces(pipeline)
    with mode():
        made = steer("sd1", method)
    assert np.array_equal(made, steer("sd1", method))
    assert traces(pipeline) == before


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["regions", "overlap:until=1"])
def test_an_image_does_not_depend_on_its_batch(family: str, method: str) -> None:
    both = steer(family, method, PROMPTS, steps=3)
    for index, prompt in enumerate(PROMPTS):
        pipeline = tiny(family)
        with steered(pipeline, planned(method), last_layer(pipeline)):
            alone = draw(pipeline, [prompt], steps=3, seed=index)
        assert np.abs(alone[0] - both[index]).max() < 0.02, (family, method, index)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("backend", ["attention", "predictions"])
def test_both_back_ends_part_the_picture(family: str, backend: str) -> None:
    method = f"regions:backend={backend}:until=1"
    if backend == "attention" and BACKENDS[family] != "attention":
        with pytest.raises(ModelError, match="joint attention"):
            steer(family, method, steps=3)
        return
    changed = steer(family, method, PROMPTS[:1], steps=4)
    assert np.isfinite(changed).all()
    assert not np.array_equal(changed, draw(tiny(family), PROMPTS[:1], steps=4))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("backend", ["attention", "predictions"])
def test_one_text_in_both_regions_is_that_text(family: str, backend: str) -> None:
    if backend != BACKENDS[family] and backend == "attention":
        pytest.skip("its attention is joint")
    pipeline = tiny(family)
    prompt = Prompt("p", PROMPTS[0], (TOWER, MUG))
    plan = planned("regions", prompt)([prompt.text])[0]
    assert plan.regions is not None
    same = replace(plan, regions=replace(plan.regions, texts=((prompt.text,), (prompt.text,))), backend=backend)
    with steered(pipeline, lambda texts: [same for _ in texts], last_layer(pipeline)):
        made = draw(pipeline, [prompt.text], steps=3)
    assert np.abs(made - draw(pipeline, [prompt.text], steps=3)).max() < 1e-3


def test_guidance_lowers_its_loss() -> None:
    pipeline = tiny("sd1")
    layer = last_layer(pipeline)

    def loss(method: str | None) -> float:
        with record_attention(pipeline, layer, maps=["tower", "mug"]) as record:
            if method is None:
                draw(pipeline, [PROMPTS[0]], steps=6)
            else:
                with steered(pipeline, planned(method), layer):
                    draw(pipeline, [PROMPTS[0]], steps=6)
        maps = torch.stack([record.map(layer[0], 0, word)[0] for word in ("tower", "mug")])
        return float(LOSSES["kl"](maps.double()))

    assert loss("overlap:until=0.2:strength=0.3") < loss(None) - 1e-4


def test_gradients_that_are_no_numbers_are_an_item_s_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mover, "_loss", lambda self, maps, image: maps.sum() * float("nan"))
    with pytest.raises(ItemError, match="gradient is not a number"):
        steer("sd1", "overlap")
    assert "step" not in vars(tiny("sd1").scheduler)


def load_lora(pipeline: Any, folder: Path, name: str, seed: int) -> None:
    torch.manual_seed(seed)
    weights = {}
    for layer, module in pipeline.unet.named_modules():
        if layer.endswith(("attn2.to_k", "attn1.to_q", "attn1.to_out.0")):
            weights[f"unet.{layer}.lora_A.weight"] = torch.randn(2, module.in_features)
            weights[f"unet.{layer}.lora_B.weight"] = torch.randn(module.out_features, 2)
    save_file(weights, folder / f"{name}.safetensors")
    pipeline.load_lora_weights(str(folder), weight_name=f"{name}.safetensors", adapter_name=name)


def test_an_adapter_acts_in_its_own_concept_s_region(tmp_path: Path) -> None:
    pipeline = copy.deepcopy(tiny("sd1"))
    load_lora(pipeline, tmp_path, "brand", 0)
    layer = last_layer(pipeline)

    def made(method: str) -> np.ndarray:
        with mitigate(pipeline, [TOWER, MUG], method, layers=layer):
            return draw(pipeline, [PROMPTS[0]], steps=4)

    draw(pipeline, steps=1)  # a first call leaves settings of its own behind
    before = traces(pipeline)
    everywhere, own = made("regions"), made("regional-adapter")
    assert not np.array_equal(everywhere, own)
    assert traces(pipeline) == before
    assert np.array_equal(made("regions"), everywhere)
    pipeline.set_adapters("brand", 0.0)
    assert np.abs(made("regional-adapter") - made("regions")).max() < 1e-5
    pipeline.set_adapters("brand", 1.0)
    plain = draw(pipeline, [PROMPTS[0]], steps=4)
    assert np.array_equal(made("regional-adapter:strength=0"), plain)
    assert np.array_equal(made("regional-adapter:strength=1"), own)
    changes = [np.abs(made(f"regional-adapter:strength={s}") - plain).mean() for s in (0.02, 0.3, 1)]
    assert 0 < changes[0] < changes[1] < changes[2]
    unclear = pytest.raises(InputError, match=r"not clear which concept .* regional-adapter:taught=tower")
    with unclear, mitigate(pipeline, ["tower", "mug"], "regional-adapter", layers=layer):
        draw(pipeline, [PROMPTS[0]])


@pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")
def test_each_of_two_adapters_acts_in_its_own_concept_s_region(tmp_path: Path) -> None:
    pipeline = copy.deepcopy(tiny("sd1"))
    load_lora(pipeline, tmp_path, "first", 0)
    load_lora(pipeline, tmp_path, "second", 1)
    layer = last_layer(pipeline)

    def made(taught: str, first: float = 1.0, second: float = 1.0) -> np.ndarray:
        pipeline.set_adapters(["first", "second"], [first, second])
        with mitigate(pipeline, [TOWER, MUG], f"regional-adapter:taught={taught}", layers=layer):
            return draw(pipeline, [PROMPTS[0]], steps=4)

    made("tower+mug")
    before = traces(pipeline)
    both = made("tower+mug")
    assert traces(pipeline) == before
    assert np.abs(both - made("mug+tower")).max() > 1e-3
    assert np.abs(made("tower+mug", second=0) - made("tower", second=0)).max() < 1e-5
    assert np.abs(made("tower+mug", first=0) - made("mug", first=0)).max() < 1e-5
    # One that rests acts in the first step alone, where nothing is known of regions.
    assert np.abs(made("tower+wizard") - both).max() > 1e-3
    with pytest.raises(InputError, match="concepts of 3 adapters, and the model has 2 adapters; name one concept"):
        made("tower+mug+wizard")
    with pytest.raises(InputError, match="not clear which concept"):
        made("wizard+clown")


@pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")
def test_masks_of_two_adapters_are_the_regions_of_their_concepts(tmp_path: Path) -> None:
    pipeline = copy.deepcopy(tiny("sd1"))
    load_lora(pipeline, tmp_path, "first", 0)
    load_lora(pipeline, tmp_path, "second", 1)
    apart = AdaptersApart(pipeline, pipeline.unet)
    plans = [planned(f"regional-adapter:taught={taught}", CASTLE)([CASTLE.text])[0] for taught in ("tower+x", "mug")]
    partings = [Parting(cast(Regions, plan.regions), centres=torch.tensor([[0, -0.3], [0, 0.3]])) for plan in plans]
    forward = Forward(1, 0, 4, 2, slice(2, 4), tokens=7, prompts=None, sides=(4, 6), image_ids=None)
    masks = apart.masks(plans, partings, [0, 1], forward)
    left = partings[0].masks(4, 6, (4, 6))[0]
    for row in (0, 2):
        assert torch.equal(masks["first"][row, 0], left)
        assert masks["second"][row].abs().sum() == 0
    for row in (1, 3):
        assert torch.equal(masks["first"][row, 0], partings[1].masks(4, 6, (4, 6))[1])
        assert torch.equal(masks["second"][row], masks["first"][row])
    half = [replace(parting, regions=replace(parting.regions, strength=0.5)) for parting in partings]
    half_on = apart.masks(plans, half, [0, 1], forward)
    for name, mask in masks.items():
        assert torch.allclose(half_on[name], (1 + mask) / 2)
    assert apart.masks(plans, partings, [], forward) == {}
    assert [apart.resting(plans[0], place) for place in range(3)] == [{"second"}, {"first", "second"}, None]


def test_a_factor_per_place_multiplies_what_is_added() -> None:
    masks = torch.zeros(2, 1, 4, 6)
    masks[0, :, :, :3] = 1
    factor = PerPlace(0.5, masks)
    added = torch.ones(2, 24, 3) * factor
    assert torch.equal(added.unflatten(1, (4, 6))[0, :, :3], torch.full((4, 3, 3), 0.5))
    assert added[1].abs().sum() == 0
    coarse = torch.ones(2, 6, 3) * factor
    assert coarse.unflatten(1, (2, 3))[0, 0, :, 0].tolist() == [0.5, 0.25, 0.0]
    assert (torch.ones(2, 3, 4, 6) * factor)[0, 0, 0].tolist() == [0.5] * 3 + [0.0] * 3


def test_the_caller_s_latents_stay_theirs() -> None:
    for family in ("sd1", "flux"):
        pipeline = tiny(family)
        kept: list[torch.Tensor] = []
        with steered(pipeline, planned("overlap"), last_layer(pipeline)):
            shape = _latents(pipeline).shape
            given = torch.randn(shape, generator=torch.Generator().manual_seed(1))
            kept.append(given.clone())
            pipeline(PROMPTS[0], latents=given, num_inference_steps=2, output_type="latent", **SIDES)
        assert torch.equal(given, kept[0])


def _latents(pipeline: DiffusionPipeline) -> torch.Tensor:
    generator = [torch.Generator().manual_seed(0)]
    return pipeline(
        prompt=[PROMPTS[0]], generator=generator, num_inference_steps=1, output_type="latent", **SIDES
    ).images


def test_a_pipeline_of_the_caller_s_own_is_steered_by_names() -> None:
    pipeline = tiny("sd1")
    with mitigate(pipeline, ["tower", "mug"], "regions", layers=last_layer(pipeline)):
        named = draw(pipeline, [PROMPTS[0]], steps=3)
    assert np.array_equal(named, steer("sd1", "regions", [PROMPTS[0]], steps=3))
    with mitigate(pipeline, ["tower", "mug"], "none"):
        assert np.array_equal(draw(pipeline, [PROMPTS[0]]), draw(pipeline, [PROMPTS[0]]))


@pytest.mark.parametrize(
    ("concepts", "method", "match"),
    [
        (["tower", "teapot"], "regions", "'teapot' is not in the prompt"),
        (["tower", "a tower"], "overlap", "share words"),
        (["tower", "mug"], "regoins", "no method 'regoins'"),
        (["tower", "mug"], "regional-adapter:taught=tower", "has no adapter"),
        (["tower", "mug"], "regions:width=2", "has no setting 'width=2'; its settings are backend"),
        (["tower", "mug"], "overlap:loss=none", "has no loss 'none'; give one of kl, com"),
        (["tower", "mug"], "overlap:strength=much", "strength is 'much'; give a number"),
        *[
            (["tower", "mug"], f"{method}:strength=2", "strength is 2; give a number from 0 to 1")
            for method in ("regions", "regional-adapter", "rebalance", "regions+overlap")
        ],
    ],
)
def test_what_a_method_cannot_use_is_one_line(concepts: list[str], method: str, match: str) -> None:
    pipeline = tiny("sd1")
    with pytest.raises(InputError, match=match), mitigate(pipeline, concepts, method, layers=last_layer(pipeline)):
        draw(pipeline, [PROMPTS[0]])
    assert "step" not in vars(pipeline.scheduler)


def test_an_unknown_layer_and_none_are_refused() -> None:
    pipeline = tiny("sd1")
    with pytest.raises(InputError, match="no attention layer 99"), steered(pipeline, planned("regions"), [99]):
        pass
    with pytest.raises(InputError, match="are not known"), steered(pipeline, planned("regions")):
        draw(pipeline, [PROMPTS[0]])


@pytest.mark.parametrize("method", ["regions", "overlap", "attend-and-excite", "schedule:landmark=castle:until=1"])
@pytest.mark.parametrize(
    "options",
    [
        {"guidance_scale": 1.0},
        {"negative_prompt": ["a lamp"], "guidance_scale": 5.0},
        {"num_images_per_prompt": 2, "guidance_scale": 3.0},
    ],
    ids=["no guidance", "negative", "two a prompt"],
)
def test_guidance_negative_prompts_and_several_images(method: str, options: dict[str, Any]) -> None:
    pipeline = tiny("sd1")
    made = steer("sd1", method, [PROMPTS[0]], steps=4, **options)
    plain = draw(pipeline, [PROMPTS[0]], steps=4, **options)
    assert made.shape == plain.shape
    assert all(not np.array_equal(one, other) for one, other in zip(made, plain, strict=True))
    if "num_images_per_prompt" in options:
        alone = steer("sd1", method, [PROMPTS[0]], steps=4, seed=1, guidance_scale=3.0)
        assert np.abs(made[1] - alone[0]).max() < 0.02


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("method", ["regions", "overlap", "regions:backend=predictions:until=1"])
def test_half_precision_steers_alike(dtype: torch.dtype, method: str) -> None:
    pipeline = copy.deepcopy(tiny("sd1")).to(dtype)
    with steered(pipeline, planned(method), last_layer(pipeline)):
        made = draw(pipeline, [PROMPTS[0]], steps=3)
    assert np.isfinite(made).all()
    assert np.abs(made - steer("sd1", method, [PROMPTS[0]], steps=3)).mean() < 0.1


def test_checkpointed_gradients_are_the_same() -> None:
    pipeline = copy.deepcopy(tiny("sd1"))
    pipeline.unet.enable_gradient_checkpointing()
    pipeline.unet.train()
    with steered(pipeline, planned("overlap"), last_layer(pipeline)):
        made = draw(pipeline, [PROMPTS[0]], steps=3)
    assert np.abs(made - steer("sd1", "overlap", [PROMPTS[0]], steps=3)).max() < 1e-3

"""Steering on tiny models of every family: strength 0 changes nothing, nothing is left behind, images are apart."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, PROMPTS, SIDES, draw, tiny
from traces import traces

from dominance.errors import InputError, ItemError, ModelError
from dominance.guidance.plan import Plan
from dominance.guidance.registry import BUNDLED, ChosenRecipe, find_method
from dominance.metrics.overlap import LOSSES
from dominance.probes.recording import record_attention
from dominance.probes.sites import attention_sites
from dominance.records import Concept, Prompt
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
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", STILL.values())
def test_strength_zero_draws_the_same_bits(family: str, method: str) -> None:
    assert np.array_equal(steer(family, method, steps=3), draw(tiny(family), steps=3))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", BUNDLED)
def test_every_method_changes_the_picture_and_leaves_nothing_behind(family: str, method: str) -> None:
    pipeline = tiny(family)
    before, plain = traces(pipeline), draw(pipeline, steps=3)
    if method in ("schedule", "replace"):
        method = f"{method}:landmark=castle:character=clown"
    if method.startswith("schedule"):
        method += ":until=0.5"
    changed = steer(family, method, steps=3)
    assert changed.shape == plain.shape
    assert all(not np.array_equal(a, b) for a, b in zip(changed, plain, strict=True))
    assert traces(pipeline) == before
    assert np.array_equal(draw(pipeline, steps=3), plain)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("method", ["overlap", "regions+overlap", "attend-and-excite"])
def test_all_three_modes_draw_the_same(mode: Callable[[], Any], method: str) -> None:
    pipeline = tiny("sd1")
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


def test_one_text_in_both_regions_is_that_text() -> None:
    pipeline = tiny("sd1")
    prompt = Prompt("p", PROMPTS[0], (TOWER, MUG))
    plan = planned("regions", prompt)([prompt.text])[0]
    assert plan.regions is not None
    for backend in ("attention", "predictions"):
        same = replace(plan, regions=replace(plan.regions, texts=((prompt.text,), (prompt.text,))), backend=backend)
        with steered(pipeline, lambda texts, same=same: [same for _ in texts], last_layer(pipeline)):
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
        (["tower", "mug"], "regions:width=2", "has no setting 'width=2'; its settings are backend"),
        (["tower", "mug"], "overlap:loss=none", "has no loss 'none'; give one of kl, com"),
        (["tower", "mug"], "overlap:strength=much", "strength is 'much'; give a number"),
        (["tower", "mug"], "regions:strength=2", "strength is 2; give a number from 0 to 1"),
    ],
)
def test_what_a_method_cannot_use_is_one_line(concepts: list[str], method: str, match: str) -> None:
    pipeline = tiny("sd1")
    with pytest.raises(InputError, match=match), mitigate(pipeline, concepts, method, layers=last_layer(pipeline)):
        draw(pipeline, [PROMPTS[0]])
    assert "step" not in vars(pipeline.scheduler)


def test_one_concept_is_drawn_as_it_is() -> None:
    pipeline = tiny("sd1")
    for method in ("regions", "overlap", "rebalance", "initial-noise"):
        with mitigate(pipeline, ["tower"], method, layers=last_layer(pipeline)):
            assert np.array_equal(draw(pipeline, [PROMPTS[0]]), draw(pipeline, [PROMPTS[0]]))


def test_an_unknown_layer_and_none_are_refused() -> None:
    pipeline = tiny("sd1")
    with pytest.raises(InputError, match="no attention layer 99"), steered(pipeline, planned("regions"), [99]):
        pass
    with pytest.raises(InputError, match="are not known"), steered(pipeline, planned("regions")):
        draw(pipeline, [PROMPTS[0]])

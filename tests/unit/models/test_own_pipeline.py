"""The caller's own pipeline: told apart by what is in memory, and drawn with as it is."""

import copy
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler
from tiny_families import tiny

from dominance.errors import InputError, ModelError
from dominance.models.drawing import Drawing, Machine
from dominance.models.image_model import PipelineModel
from dominance.models.own_pipeline import OwnPipeline
from dominance.models.settings import GenerationSettings
from dominance.models.source import find_source


@pytest.fixture
def pipeline() -> Any:
    return copy.deepcopy(tiny("sd1"))


def adapted(pipeline: Any, **strengths: float) -> None:
    """Two layers with an adapter, as peft keeps it."""
    for name in ("conv_in", "conv_out"):
        layer = getattr(pipeline.unet, name)
        layer.scaling, layer.active_adapters = {"lora": strengths.get(name, 1.0)}, ["lora"]


def test_the_identity_is_the_same_for_the_same_pipeline(pipeline: Any) -> None:
    assert OwnPipeline(pipeline).identity == OwnPipeline(copy.deepcopy(pipeline)).identity
    pipeline.set_progress_bar_config(disable=False)
    pipeline.unet.train()
    assert OwnPipeline(pipeline).identity == OwnPipeline(tiny("sd1")).identity


def test_the_identity_changes_with_all_that_changes_an_image(pipeline: Any) -> None:
    seen = [OwnPipeline(pipeline).identity]
    with torch.no_grad():
        next(pipeline.vae.parameters()).view(-1)[0] += 1
    seen.append(OwnPipeline(pipeline).identity)
    pipeline.vae.register_to_config(scaling_factor=0.5)
    seen.append(OwnPipeline(pipeline).identity)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    seen.append(OwnPipeline(pipeline).identity)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config, beta_start=0.002)
    seen.append(OwnPipeline(pipeline).identity)
    pipeline.unet.to(torch.bfloat16)
    seen.append(OwnPipeline(pipeline).identity)
    assert len(set(seen)) == len(seen)


def test_the_identity_changes_with_each_layers_strength_of_an_adapter(pipeline: Any) -> None:
    seen = [OwnPipeline(pipeline).identity]
    for strengths in ({}, {"conv_in": 0.5}, {"conv_out": 0.5}):
        adapted(pipeline, **strengths)
        seen.append(OwnPipeline(pipeline).identity)
    assert len(set(seen)) == len(seen)
    assert OwnPipeline(pipeline).adapters == {"unet": {"lora": 1.0}}
    for name in ("conv_in", "conv_out"):
        getattr(pipeline.unet, name).disable_adapters = True
    assert OwnPipeline(pipeline).adapters == {}
    assert OwnPipeline(pipeline).identity == seen[0]


def test_a_compiled_denoiser_is_the_same_model(pipeline: Any) -> None:
    plain = OwnPipeline(pipeline)
    pipeline.unet = torch.compile(pipeline.unet, backend="eager")
    assert type(pipeline.unet).__name__ == "OptimizedModule"
    compiled = OwnPipeline(pipeline)
    assert compiled.identity == plain.identity
    assert compiled.suggested_settings() == plain.suggested_settings()


def test_its_description_says_what_it_is(pipeline: Any) -> None:
    own = find_source(pipeline)
    settings = Drawing().settings(own)
    assert (settings.steps, settings.guidance) == (50, 7.5)
    described = own.describe(settings)
    assert described["name"] == "your StableDiffusionPipeline"
    assert described["identity"] == own.identity
    assert (described["scheduler"], described["dtype"], described["adapters"]) == ("DDIMScheduler", "float32", {})
    assert own.load(settings, Machine()) is pipeline
    assert str(own.device(Machine("auto"))) == "cpu"


@pytest.mark.parametrize(
    ("settings", "machine", "option"),
    [
        ({"scheduler": "EulerDiscreteScheduler"}, Machine(), "scheduler"),
        ({"vae_tiling": True}, Machine(), "vae-tiling"),
        ({}, Machine(offload="model"), "offload"),
        ({}, Machine("cuda"), "device"),
    ],
)
def test_what_would_change_or_move_it_is_refused(
    pipeline: Any, settings: dict[str, Any], machine: Machine, option: str
) -> None:
    with pytest.raises(InputError, match=rf"^{option} is given, but your own pipeline is used as it is; [^\n]*$"):
        OwnPipeline(pipeline).load(GenerationSettings(**settings), machine)
    OwnPipeline(pipeline).load(GenerationSettings(), Machine("cpu"))


def test_what_cannot_be_drawn_with_is_refused(pipeline: Any) -> None:
    with pytest.raises(
        ModelError, match=r"^the model is a int; give a model's name, or a diffusers text-to-image pipeline"
    ):
        find_source(7)  # ty: ignore
    with pytest.raises(InputError, match=r"^revision is 'main', but your pipeline is already loaded; leave it out"):
        find_source(pipeline, Drawing(revision="main"))
    pipeline.unet.to("meta")
    with pytest.raises(ModelError, match=r"^the weights of your pipeline's unet are not in memory \([^\n]*--offload$"):
        OwnPipeline(pipeline)


@pytest.mark.parametrize("family", ["flux", "flux-dev"])
def test_a_family_without_negative_prompts_refuses_one(family: str) -> None:
    with pytest.raises(InputError, match=r"^FluxPipeline does not use a negative prompt; leave out --negative-prompt"):
        PipelineModel(tiny(family)).check(GenerationSettings(2, 1.0, negative_prompt="dark"))


def test_a_negative_prompt_needs_guidance(pipeline: Any) -> None:
    with pytest.raises(
        InputError, match=r"^guidance is 1, which turns guidance off, so the negative prompt has no effect"
    ):
        PipelineModel(pipeline).check(GenerationSettings(2, 1.0, negative_prompt="dark"))
    PipelineModel(pipeline).check(GenerationSettings(2, 1.1, negative_prompt="dark"))

"""Patching puts a donor's parts into the images and steps that it names, and leaves nothing behind."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from peft import LoraConfig
from tiny_families import FAMILIES, draw, tiny
from traces import traces

from dominance.errors import InputError, ModelError
from dominance.probes.branches import residual_branches
from dominance.probes.patching import Patch, check_donor, has_same_weights, patch
from dominance.probes.sites import attention_sites, denoiser_of


def twin(family: str) -> DiffusionPipeline:
    """The same model with other weights in its last attention site."""
    pipeline = copy.deepcopy(tiny(family))
    site = denoiser_of(pipeline).get_submodule(attention_sites(pipeline)[-1].name)
    with torch.no_grad():
        for place, parameter in enumerate(site.parameters()):
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(place))
            parameter.add_(0.5 * noise.to(parameter))
    return pipeline


def patched(family: str, donor: DiffusionPipeline, **what: Any) -> np.ndarray:
    pipeline = tiny(family)
    with patch(pipeline, donor, **what):
        return draw(pipeline, steps=3)


def everything(family: str) -> dict[str, Any]:
    pipeline = tiny(family)
    layers = [site.layer for site in attention_sites(pipeline)]
    branches = residual_branches(pipeline)
    residuals = [] if branches[0].kind == "block" else [branch.number for branch in branches]
    return {"sites": layers, "feed_forwards": layers, "residuals": residuals}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_donor_that_is_alike_changes_no_bit_and_nothing_is_left_behind(family: str) -> None:
    pipeline, donor = tiny(family), copy.deepcopy(tiny(family))
    plain, before = draw(pipeline, steps=3), (traces(pipeline), traces(donor))
    for what in (everything(family), {"prediction": True}, {"each": [None, None]}):
        with patch(pipeline, donor, **what):
            assert np.array_equal(draw(pipeline, steps=3), plain)
    assert (traces(pipeline), traces(donor)) == before


@pytest.mark.parametrize("family", FAMILIES)
def test_the_part_in_which_they_differ_makes_the_donor_s_picture(family: str) -> None:
    donor = twin(family)
    theirs, ours = draw(donor, steps=3), draw(tiny(family), steps=3)
    assert not np.array_equal(theirs, ours)
    last = attention_sites(donor)[-1].layer
    assert np.abs(patched(family, donor, sites=[last]) - theirs).max() < 1e-3
    assert np.abs(patched(family, donor, prediction=True) - theirs).max() < 1e-3
    if last > 1:  # before the part that differs, both put out the same
        assert np.array_equal(patched(family, donor, sites=[1]), ours)


def test_each_image_takes_its_own_at_its_own_steps() -> None:
    donor, ours = twin("sd1"), draw(tiny("sd1"), steps=3)
    last = attention_sites(donor)[-1].layer
    both = patched("sd1", donor, each=[None, Patch([last])])
    assert np.array_equal(both[0], ours[0])
    assert np.abs(both[1] - draw(donor, steps=3)[1]).max() < 1e-3
    late = patched("sd1", donor, sites=[last], steps=[2])
    assert 0 < np.abs(late - ours).max() < np.abs(both[1] - ours[1]).max()


def test_a_forward_that_breaks_leaves_no_hook() -> None:
    pipeline, donor = tiny("sd1"), twin("sd1")
    before = traces(pipeline), traces(donor)
    with pytest.raises(RuntimeError, match="broken"), patch(pipeline, donor, sites=[1], feed_forwards=[1]):
        denoiser_of(donor).register_forward_pre_hook(_break, prepend=True)
        draw(pipeline)
    denoiser_of(donor)._forward_pre_hooks.clear()
    assert (traces(pipeline), traces(donor)) == before


def _break(*_: Any) -> None:
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    ("what", "error", "match"),
    [
        ({"sites": [99]}, InputError, "99"),
        ({"residuals": [99]}, InputError, "no residual branch 99: the model has"),
        ({"sites": [1], "each": [None, None]}, InputError, "give either each, or one patch for all images"),
        ({"each": [None]}, InputError, "each has 1 entries for 2 images"),
        ({"sites": [1], "steps": [7]}, InputError, "step 7 cannot be patched: the call had 3 steps"),
    ],
)
def test_what_cannot_be_patched_is_one_line(what: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        patched("sd1", twin("sd1"), **what)


def test_a_donor_of_another_architecture_and_blocks_are_refused() -> None:
    with pytest.raises(ModelError, match="the donor's denoiser is a PixArtTransformer2DModel"):
        patched("sd1", tiny("pixart"), sites=[1])
    with pytest.raises(ModelError, match="give a donor of the same architecture"):
        patched("sd1", tiny("sdxl"), sites=[1], prediction=True)
    with pytest.raises(ModelError, match="patch their attention and feed-forward networks instead"):
        patched("pixart", twin("pixart"), residuals=[1])
    with pytest.raises(InputError, match="the donor is the model itself"):
        patched("sd1", tiny("sd1"), sites=[1])


@pytest.mark.parametrize("what", [{"feed_forwards": [1]}, {"residuals": [1]}, {"sites": [1]}, {"prediction": True}])
def test_a_donor_that_reads_other_text_or_computes_otherwise_is_one_line(what: dict[str, Any]) -> None:
    """Whichever part is meant, since the donor runs as a whole."""
    donor = copy.deepcopy(tiny("sd1"))
    config = dict(denoiser_of(donor).config)
    wider = {**config, "cross_attention_dim": 2 * config["cross_attention_dim"]}
    donor.unet = UNet2DConditionModel.from_config(wider).eval()
    with pytest.raises(ModelError, match="give a donor of the same architecture"):
        patched("sd1", donor, **what)
    half = copy.deepcopy(tiny("sd1"))
    denoiser_of(half).half()
    with pytest.raises(ModelError, match="computes in float16, and the model in float32; load both with the same"):
        patched("sd1", half, **what)


def test_a_donor_with_an_adapter_gives_what_the_adapter_makes() -> None:
    donor = copy.deepcopy(tiny("sd1"))
    unet = denoiser_of(donor)
    last = attention_sites(donor)[-1]
    unet.add_adapter(LoraConfig(r=2, target_modules=[f"{last.name}.to_v"], init_lora_weights=False))
    theirs, ours = draw(donor, steps=3), draw(tiny("sd1"), steps=3)
    assert np.abs(theirs - ours).max() > 1e-2
    for what in ({"sites": [last.layer]}, {"prediction": True}):
        assert np.abs(patched("sd1", donor, **what) - theirs).max() < 1e-3
        with patch(donor, tiny("sd1"), **what):
            assert np.abs(draw(donor, steps=3) - ours).max() < 1e-3


def test_a_donor_is_checked_before_anything_is_drawn() -> None:
    check_donor(tiny("sd1"), twin("sd1"), [Patch([1]), Patch(prediction=True)])
    with pytest.raises(ModelError, match="give a donor of the same architecture"):
        check_donor(tiny("sd1"), tiny("sdxl"), [Patch([1])])


def test_parts_have_the_same_weights_or_not() -> None:
    pipeline, donor = tiny("sd1"), twin("sd1")
    last = attention_sites(donor)[-1].layer
    assert not has_same_weights(pipeline, donor, Patch([1, last]))
    assert not has_same_weights(pipeline, donor, Patch(prediction=True))
    branches = [branch.number for branch in residual_branches(donor)]
    for same in (Patch([1]), Patch(feed_forwards=[1, last]), Patch(residuals=branches)):
        assert has_same_weights(pipeline, donor, same)
    with torch.no_grad():
        denoiser_of(donor).get_submodule(residual_branches(donor)[0].name).conv1.weight.add_(1)
    assert not has_same_weights(pipeline, donor, Patch(residuals=branches))

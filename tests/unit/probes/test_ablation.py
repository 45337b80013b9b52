"""Ablation touches what it names, in the image and step that it names, and leaves nothing behind."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, PROMPTS, draw, tiny

from dominance.errors import InputError, ModelError
from dominance.probes.ablation import Ablation, ablate
from dominance.probes.branches import feed_forward, residual_branches
from dominance.probes.interception import Probe, intercept
from dominance.probes.recording import record_attention
from dominance.probes.sites import attention_sites, denoiser_of

Traces = Callable[[DiffusionPipeline], dict[str, Any]]


def everything(pipeline: DiffusionPipeline, **changes: Any) -> dict[str, Any]:
    """Arguments that ablate all there is."""
    sites = attention_sites(pipeline)
    return {
        "heads": {sites[0].layer: [0]},
        "sites": [sites[-1].layer],
        "feed_forwards": [site.layer for site in sites],
        "residuals": [branch.number for branch in residual_branches(pipeline)],
        **changes,
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_ablating_nothing_and_a_factor_of_one_change_no_bit(family: str) -> None:
    pipeline = tiny(family)
    plain = draw(pipeline)
    for arguments in (
        {},
        {"heads": {1: []}},
        {"each": [None, Ablation()]},
        everything(pipeline, scale=1.0, steps=None),
        {"each": [None, Ablation(**everything(pipeline), scale=1.0)]},
    ):
        with ablate(pipeline, **arguments):
            assert np.array_equal(draw(pipeline), plain)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("recorder_first", [True, False])
def test_attention_is_uniform_in_the_named_head_image_and_step_and_nowhere_else(
    family: str, recorder_first: bool
) -> None:
    pipeline = tiny(family)
    last = attention_sites(pipeline)[-1]  # what lies behind an edit is changed with it
    with record_attention(pipeline) as plain:
        untouched = draw(pipeline)
    with contextlib.ExitStack() as stack:
        if not recorder_first:
            stack.enter_context(ablate(pipeline, each=[None, Ablation({last.layer: [1]}, steps=[1])]))
        edited = stack.enter_context(record_attention(pipeline))
        if recorder_first:
            stack.enter_context(ablate(pipeline, each=[None, Ablation({last.layer: [1]}, steps=[1])]))
        picture = draw(pipeline)
    for layer in plain.layers:
        for step in plain.steps:
            difference = (edited.attention(layer, step) - plain.attention(layer, step)).abs().amax(dim=-1)
            if (layer, step) == (last.layer, 1):
                uniform = edited.attention(layer, step)[1, 1]
                columns = uniform.numel() + (24 if last.kind != "cross" else 0)  # joint attention sees 24 positions too
                attended = uniform[uniform > 0]  # PixArt masks its padding
                if family != "pixart":
                    assert attended.numel() == uniform.numel()
                    assert (attended * columns - 1).abs().max() < 1e-3
                assert (attended / attended.mean() - 1).abs().max() < 1e-3
                assert difference[1, 1] > 1e-3
                difference[1, 1] = 0
            assert not difference.any()
    assert np.array_equal(picture[0], untouched[0])
    assert not np.array_equal(picture[1], untouched[1])


@pytest.mark.parametrize("family", ["sd1", "pixart"])
def test_the_unconditional_branch_is_spared_on_request(family: str) -> None:
    pipeline = tiny(family)
    seen: dict[str, list[torch.Tensor]] = {}

    class Queries(Probe):
        def read(self, call: Any) -> None:
            if (call.site.layer, call.forward.step) == (1, 0):
                seen.setdefault(branches, []).append(call.query.flatten(2).std(dim=-1))

    for branches in ("both", "conditional"):
        with ablate(pipeline, {1: [1]}, branches=branches), intercept(pipeline, Queries()):
            draw(pipeline, guidance_scale=5.0)
    flat = {branches: queries[0] < 1e-3 for branches, queries in seen.items()}
    assert flat["both"][:, 1].all()
    assert flat["conditional"][:, 1].tolist() == [False, False, True, True]
    assert not flat["both"][:, 0].any()


def outputs_of(pipeline: DiffusionPipeline, names: list[str], run: Callable[[], object]) -> dict[str, list[Any]]:
    """What modules are given and put out, forward by forward."""
    kept: dict[str, list[Any]] = {name: [] for name in names}
    handles = [
        denoiser_of(pipeline)
        .get_submodule(name)
        .register_forward_hook(
            lambda _, args, kwargs, out, name=name: kept[name].append((args, kwargs, out)), with_kwargs=True
        )
        for name in names
    ]
    run()
    for handle in handles:
        handle.remove()
    return kept


@pytest.mark.parametrize("family", FAMILIES)
def test_a_feed_forward_adds_nothing_where_it_is_ablated(family: str) -> None:
    pipeline = tiny(family)
    names = {site.layer: feed_forward(pipeline, site) for site in attention_sites(pipeline)}
    last = max(names)
    each = [None, Ablation(feed_forwards=[last], steps=[1], mode="zero")]
    with ablate(pipeline, each=each):
        kept = outputs_of(pipeline, list(names.values()), lambda: draw(pipeline))
    for layer, name in names.items():
        for step, (_, _, output) in enumerate(kept[name]):
            of_images = output.flatten(1).abs().amax(dim=1) == 0
            expected = [False, True] * (len(output) // 2) if (layer, step) == (last, 1) else [False] * len(output)
            assert of_images.tolist() == expected, (layer, step)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_residual_branch_adds_nothing_where_it_is_ablated(family: str) -> None:
    pipeline = tiny(family)
    branches = residual_branches(pipeline)
    assert [branch.number for branch in branches] == list(range(1, len(branches) + 1))
    branch = branches[0]
    with ablate(pipeline, each=[Ablation(residuals=[1], mode="zero"), None]):
        kept = outputs_of(pipeline, [branch.name], lambda: draw(pipeline))
    args, kwargs, output = kept[branch.name][0]
    block = denoiser_of(pipeline).get_submodule(branch.name)
    if branch.kind == "convolutions":
        given = args[0] if block.conv_shortcut is None else block.conv_shortcut(args[0])
    else:
        given = kwargs.get("hidden_states", args[0] if args else None)
        output = output if isinstance(output, torch.Tensor) else output[1]
    same = (output - given).flatten(1).abs().amax(dim=1) < 1e-6
    assert same.tolist() == [True, False] * (len(output) // 2)


def test_a_silent_head_puts_out_zeros_in_any_mode_of_the_site() -> None:
    pipeline = tiny("sd1")
    given: list[torch.Tensor] = []
    site = attention_sites(pipeline)[0]
    to_out = denoiser_of(pipeline).get_submodule(site.name).to_out[0]
    handle = to_out.register_forward_pre_hook(lambda _, args: given.append(args[0].unflatten(-1, (site.heads, -1))))
    with ablate(pipeline, each=[Ablation({1: [1]}, mode="zero"), Ablation(sites=[1], mode="zero")]):
        draw(pipeline)
    handle.remove()
    silent = given[0].abs().amax(dim=(1, 3)) == 0
    assert silent.tolist() == [[False, True], [True, True]] * 2
    assert given[1].abs().amin(dim=(1, 2, 3)).min() > 0 or not (given[1].abs().amax(dim=(1, 3)) == 0).any()


def test_a_factor_of_zero_gives_the_mean_of_the_values() -> None:
    pipeline = tiny("sd1")
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    class Values(Probe):
        def edit_output(self, call: Any, output: torch.Tensor) -> torch.Tensor:
            seen.append((call.value, output))
            return output

    with ablate(pipeline, {1: [0]}, scale=0.0), intercept(pipeline, Values()):
        draw(pipeline, steps=1)
    value, output = seen[0]
    assert (output[:, 0] - value[:, 0].mean(dim=1, keepdim=True)).abs().max() < 1e-5


def test_variants_in_one_batch_are_what_they_are_alone() -> None:
    pipeline = tiny("sd1")
    variants = [None, Ablation({2: [0]}), Ablation(feed_forwards=[1]), Ablation(residuals=[3], steps=None)]
    generators = [torch.Generator().manual_seed(5) for _ in variants]
    with ablate(pipeline, each=variants):
        together = draw(pipeline, ["a tower and a mug"] * 4, generator=generators)
    for variant, picture in zip(variants, together, strict=True):
        with ablate(pipeline, each=[variant]):
            alone = draw(pipeline, ["a tower and a mug"], generator=[torch.Generator().manual_seed(5)])[0]
        assert np.abs(picture - alone).max() < 1e-4
    assert min(np.abs(picture - together[0]).max() for picture in together[1:]) > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_left_behind_when_it_ends(family: str, traces: Traces) -> None:
    pipeline = tiny(family)
    plain, before = draw(pipeline), traces(pipeline)
    with ablate(pipeline, **everything(pipeline)):
        draw(pipeline)
    assert traces(pipeline) == before
    with pytest.raises(InputError), ablate(pipeline, **everything(pipeline, heads={1: [99]})):
        draw(pipeline)
    assert traces(pipeline) == before

    class Broken(Probe):
        def read(self, call: Any) -> None:
            raise RuntimeError("broken")

    with (
        pytest.raises(RuntimeError, match="broken"),
        ablate(pipeline, **everything(pipeline)),
        intercept(pipeline, Broken()),
    ):
        draw(pipeline)
    assert traces(pipeline) == before
    assert np.array_equal(draw(pipeline), plain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heads": {99: [0]}}, "no attention layer 99: the model has 7"),
        ({"heads": {1: [2]}}, "layer 1 has no head 2: it has 2 heads; give some of 0 to 1"),
        ({"heads": {1: 0}}, r"heads\[1\] is 0; give a list"),
        ({"heads": {1: [-1]}}, "whole numbers from 0"),
        ({"sites": [0]}, "no attention layer 0"),
        ({"feed_forwards": [8]}, "no attention layer 8"),
        ({"residuals": [40]}, "no residual branch 40: the model has 11"),
        ({"heads": {1: [0]}, "steps": ()}, r"steps is \(\); give step numbers from 0"),
        ({"heads": {1: [0]}, "steps": (-1,)}, "steps has -1; give step numbers from 0"),
        ({"heads": {1: [0]}, "steps": (0, 7)}, "step 7 cannot be ablated: the call had 2 steps"),
        ({"heads": {1: [0]}, "scale": float("nan")}, "scale is nan"),
        ({"heads": {1: [0]}, "mode": "none"}, "mode is 'none'; give one of scale, zero"),
        ({"heads": {1: [0]}, "branches": "none"}, "give one of both, conditional"),
        ({"heads": {1: [0]}, "each": [None, None]}, "give either each, or one ablation for all images"),
        ({"each": [None]}, "each has 1 entries for 2 images"),
        ({"each": ["x", None]}, "each is not a list of Ablation or None"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str, traces: Traces) -> None:
    pipeline = tiny("sd1")
    draw(pipeline)  # what a pipeline keeps of its first call is its own
    before = traces(pipeline)
    with pytest.raises(InputError, match=message), ablate(pipeline, **arguments):
        draw(pipeline)
    assert traces(pipeline) == before


def test_a_block_without_a_picture_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing was drawn"), ablate(tiny("sd1"), {1: [0]}):
        pass
    with ablate(tiny("sd1")):
        pass


def test_attention_that_cannot_be_changed_is_an_error_not_silence() -> None:
    pipeline = tiny("sd1")
    pipeline.enable_attention_slicing()
    try:
        with pytest.raises(ModelError, match="disable_attention_slicing"), ablate(pipeline, {1: [0]}):
            draw(pipeline)
    finally:
        pipeline.disable_attention_slicing()
    pipeline.unet.set_attn_processor(pipeline.unet.attn_processors)
    for block in (module for module in pipeline.unet.modules() if hasattr(module, "set_chunk_feed_forward")):
        block.set_chunk_feed_forward(1, dim=0)
    try:
        with pytest.raises(ModelError, match="turn off feed-forward chunking"), ablate(pipeline, feed_forwards=[1]):
            draw(pipeline)
    finally:
        for block in (module for module in pipeline.unet.modules() if hasattr(module, "set_chunk_feed_forward")):
            block.set_chunk_feed_forward(None, dim=0)


def test_two_ablations_can_be_nested() -> None:
    pipeline = tiny("sd1")
    with ablate(pipeline, {1: [0], 2: [1]}):
        together = draw(pipeline)
    with ablate(pipeline, {1: [0]}), ablate(pipeline, {2: [1]}):
        assert np.array_equal(draw(pipeline), together)
    assert len(PROMPTS) == len(together)

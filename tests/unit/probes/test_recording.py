"""The record: what is in it for batches of any kind, that it is complete, and what it says when it cannot be."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, PROMPTS, draw, tiny
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

import dominance
from dominance.errors import InputError, ModelError
from dominance.models.tokens import prompt_tokens
from dominance.probes import reduction
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.recording import record_attention
from dominance.probes.sites import AttentionSite, denoiser_of

CLOSE = {"atol": 1e-5, "rtol": 0.0}


def recorded(pipeline: DiffusionPipeline, options: dict[str, Any] | None = None, **drawing: Any) -> Any:
    with record_attention(pipeline, **(options or {})) as record:
        draw(pipeline, **{"output_type": "latent", **drawing})
    return record


@pytest.mark.parametrize("family", FAMILIES)
def test_only_what_is_asked_for_is_recorded(family: str) -> None:
    options = {"layers": [2, 1], "steps": [1, 2], "maps": [0], "map_layers": [2], "map_steps": [2]}
    record = recorded(tiny(family), options, steps=4)
    assert (record.layers, record.steps, record.images, record.prompts) == ((1, 2), (1, 2), 2, tuple(PROMPTS))
    assert record.attention(1, 2).dtype == torch.float32
    assert record.map(2, 2, 0).ndim == 3
    with pytest.raises(
        InputError, match="no attention was recorded of layer 1 at step 0; give one of the layers 1, 2 and"
    ):
        record.attention(1, 0)
    with pytest.raises(InputError, match="no attention was recorded of layer 3 at step 1"):
        record.attention(3, 1)
    with pytest.raises(
        InputError, match="no map was recorded of layer 1 at step 2; give one of the layers 2 and steps 2"
    ):
        record.map(1, 2, 0)
    with pytest.raises(InputError, match="no map of 'mug' was recorded; give one of 0"):
        record.map(2, 2, "mug")


@pytest.mark.parametrize("family", FAMILIES)
def test_an_image_has_the_same_record_whatever_its_batch(family: str) -> None:
    pipeline = tiny(family)
    together = recorded(pipeline, {"maps": ["mug"]})
    for image, prompt in enumerate(PROMPTS):
        alone = recorded(pipeline, {"maps": ["mug"]}, prompts=[prompt], seed=image)
        for layer in alone.layers:
            assert torch.allclose(together.attention(layer, 1)[image], alone.attention(layer, 1)[0], **CLOSE)
            assert torch.allclose(together.map(layer, 1, "mug")[image], alone.map(layer, 1, "mug")[0], **CLOSE)


@pytest.mark.parametrize("family", FAMILIES)
def test_images_of_one_prompt_lie_one_after_another(family: str) -> None:
    pipeline = tiny(family)
    record = recorded(pipeline, {"steps": [0]}, num_images_per_prompt=2)
    assert record.images == 4
    assert record.prompts == (PROMPTS[0], PROMPTS[0], PROMPTS[1], PROMPTS[1])
    alone = recorded(pipeline, {"steps": [0]}, prompts=[PROMPTS[1]], seed=3)
    assert torch.allclose(record.attention(2, 0)[3], alone.attention(2, 0)[0], **CLOSE)
    assert not torch.allclose(record.attention(2, 0)[2], alone.attention(2, 0)[0], **CLOSE)


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "pixart"])
def test_guided_or_not_it_is_the_conditional_branch(family: str) -> None:
    pipeline = tiny(family)
    guided = recorded(pipeline, guidance_scale=5.0)
    plain = recorded(pipeline, guidance_scale=1.0)
    for layer in guided.layers:
        assert guided.attention(layer, 0).shape == plain.attention(layer, 0).shape
        assert torch.allclose(guided.attention(layer, 0), plain.attention(layer, 0), **CLOSE)
    assert not torch.allclose(guided.attention(2, 1), plain.attention(2, 1), **CLOSE)


def test_flux_with_true_guidance_has_the_forward_with_the_prompt() -> None:
    pipeline = tiny("flux")
    true = recorded(pipeline, negative_prompt=["a lamp", "a lamp"], true_cfg_scale=4.0)
    assert true.steps == (0, 1)
    assert torch.allclose(true.attention(4, 0), recorded(pipeline).attention(4, 0), **CLOSE)


def test_embeddings_are_recorded_and_words_found_in_prompts_that_are_told() -> None:
    pipeline: Any = tiny("sd1")
    texts = recorded(pipeline, {"maps": ["mug", 1]})
    embeddings, negative = pipeline.encode_prompt(list(PROMPTS), "cpu", 1, True)
    given = {"prompt_embeds": embeddings, "negative_prompt_embeds": negative}
    assert recorded(pipeline, **given).prompts is None
    told = recorded(pipeline, {"prompts": PROMPTS, "maps": ["mug", 1]}, **given)
    assert told.prompts == tuple(PROMPTS)
    assert torch.allclose(told.map(2, 1, "mug"), texts.map(2, 1, "mug"), **CLOSE)
    assert torch.allclose(told.map(2, 1, 1), texts.map(2, 1, 1), **CLOSE)
    with pytest.raises(InputError, match="the prompts are not known, so no word can be located; give them as prompts="):
        recorded(pipeline, {"maps": ["mug"]}, **given)
    with pytest.raises(InputError, match="3 prompts for 2 images"):
        recorded(pipeline, {"prompts": ["a", "b", "c"]}, **given)


def test_prompts_that_differ_between_encoders_are_not_mixed_up() -> None:
    assert recorded(tiny("sdxl"), prompt_2=["a lamp", "a lamp"]).prompts is None
    assert recorded(tiny("flux"), prompt_2=["a lamp", "a mug"]).prompts == ("a lamp", "a mug")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_map_averages_to_its_token_and_a_concepts_to_its_tokens(family: str) -> None:
    pipeline = tiny(family)
    record = recorded(pipeline, {"maps": ["mug", 1, 3]}, prompts=["two mugs and a tower"])
    columns = list(prompt_tokens(pipeline, "two mugs and a tower").concept("mug"))
    for layer in record.layers:
        means = record.attention(layer, 1).mean(dim=1)
        for token in (1, 3):
            assert torch.allclose(record.map(layer, 1, token).mean(dim=(1, 2)), means[:, token], **CLOSE)
        assert torch.allclose(record.map(layer, 1, "mug").mean(dim=(1, 2)), means[:, columns].mean(dim=1), **CLOSE)


@pytest.mark.parametrize("family", FAMILIES)
def test_blocks_of_positions_change_nothing(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = tiny(family)
    whole = recorded(pipeline, {"maps": [2]})
    monkeypatch.setattr(reduction, "MOST_ON_CPU", 1)
    monkeypatch.setattr(reduction, "FEWEST_POSITIONS", 5)
    parts = recorded(pipeline, {"maps": [2]})
    for layer in whole.layers:
        assert torch.allclose(whole.attention(layer, 1), parts.attention(layer, 1), atol=1e-6)
        assert torch.allclose(whole.map(layer, 1, 2), parts.map(layer, 1, 2), atol=1e-6)


def test_the_prompts_own_columns_are_enough_for_its_words() -> None:
    pipeline = tiny("sd3")
    everything = recorded(pipeline)
    own = recorded(pipeline, {"columns": "prompt"})
    longest = prompt_tokens(pipeline, PROMPTS[1]).ends[-1] + 1
    assert own.attention(3, 0).shape == (2, 4, longest)
    assert torch.equal(own.attention(3, 0), everything.attention(3, 0)[..., :longest])
    assert own.attention(3, 0).untyped_storage().nbytes() == own.attention(3, 0).nbytes


def test_fifty_steps_take_four_bytes_a_head_token_and_step_and_no_more() -> None:
    pipeline = tiny("sd1")
    record = recorded(pipeline, steps=50, guidance_scale=1.0, height=8, width=8)
    heads = sum(site.heads for site in record.sites)
    assert record.nbytes == 2 * heads * 24 * 50 * 4
    assert record.attention(1, 0).untyped_storage().nbytes() == record.attention(1, 0).nbytes
    # Stable Diffusion 1.4 has 128 heads and 77 tokens.
    assert 128 * 77 * 50 * 4 < 2e6


def large_call(samples: int) -> AttentionCall:
    """A site of 64² positions, four heads and 77 tokens, in a batch of one image with guidance."""
    query, key = torch.randn(samples, 4, 4096, 8), torch.randn(samples, 4, 77, 8)
    forward = Forward(0, 0, 2, 1, slice(1, 2), 77, None, (64, 64), None)
    site = AttentionSite(1, "attn2", "cross", 4, "down", 1)
    return AttentionCall(site, forward, query, key, key, None, None, slice(0, 4096), slice(0, 77))


def test_whole_maps_are_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduction, "MOST_ON_CPU", 4 * 77 * 128)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        reduction.reduced_attention(large_call(2))
    largest = max(event.self_cpu_memory_usage / max(event.count, 1) for event in profiled.key_averages())
    assert 0 < largest < 4 * 4096 * 77 * 4 / 4


def test_samples_that_are_not_the_batchs_are_refused() -> None:
    with pytest.raises(ModelError, match=r"layer 1 \(attn2\) attends with 1 samples in a batch of 2"):
        reduction.reduced_attention(large_call(1))


def test_gradients_are_kept_on_request_alone() -> None:
    pipeline: Any = tiny("sd1")
    text = torch.randn(2, 24, 16, generator=torch.Generator().manual_seed(1))

    def denoised(keep: bool, checkpointing: bool = False) -> tuple[Any, Tensor]:
        latents = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
        if checkpointing:
            pipeline.unet.enable_gradient_checkpointing()
            pipeline.unet.train()
        try:
            with record_attention(pipeline, maps=[2], keep_gradients=keep) as record:
                pipeline.unet(latents, 500, encoder_hidden_states=text)
                if keep:
                    (record.map(5, 0, 2).square().sum() + record.attention(4, 0)[..., 3].sum()).backward()
        finally:
            pipeline.unet.disable_gradient_checkpointing()
            pipeline.unet.eval()
        return record, latents

    record, latents = denoised(keep=True)
    assert record.images == 2
    assert latents.grad is not None
    assert latents.grad.abs().max() > 0
    detached, _ = denoised(keep=False)
    assert not detached.map(5, 0, 2).requires_grad
    assert not detached.attention(4, 0).requires_grad
    assert torch.equal(detached.map(5, 0, 2), record.map(5, 0, 2))
    _, again = denoised(keep=True, checkpointing=True)
    assert again.grad is not None
    assert torch.allclose(again.grad, latents.grad, atol=1e-6)


@pytest.mark.parametrize("family", ["sd1", "sd3", "pixart"])
def test_half_precision_is_recorded_in_single(family: str) -> None:
    pipeline = tiny.__wrapped__(family).to(torch.bfloat16)
    record = recorded(pipeline, {"maps": ["mug"]}, steps=1)
    single = recorded(tiny(family), {"maps": ["mug"]}, steps=1)
    assert record.attention(1, 0).dtype == record.map(1, 0, "mug").dtype == torch.float32
    assert torch.allclose(record.attention(1, 0), single.attention(1, 0), atol=0.02)
    total = record.attention(2, 0).sum(dim=-1)
    assert (total <= 1 + 1e-5).all()


def test_a_record_outlives_inference_mode() -> None:
    with torch.inference_mode():
        record = recorded(tiny("sd1"), steps=1)
    assert torch.isfinite(record.attention(1, 0)).all()


class Linear:
    """Attention without softmax."""

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: object
    ) -> Tensor:
        return attn.to_out[0](attn.to_q(hidden_states))


def test_attention_without_softmax_is_named_when_the_first_step_ends() -> None:
    pipeline = tiny("sd1")
    module: Any = denoiser_of(pipeline).get_submodule("mid_block.attentions.0.transformer_blocks.0.attn2")
    own = module.processor
    module.set_processor(Linear())
    steps = []
    try:
        with pytest.raises(
            ModelError,
            match=r"the attention of layer 3 \(mid_block.*attn2\) cannot be seen: Linear does not use torch's",
        ) as refused:
            recorded(pipeline, callback_on_step_end=lambda *args: steps.append(args[1]) or {})
        assert "\n" not in str(refused.value)
        assert not steps
        assert recorded(pipeline, {"layers": [1, 2, 4, 5, 6, 7]}).steps == (0, 1)
    finally:
        module.set_processor(own)


def test_sliced_attention_is_named_with_the_call_that_ends_it() -> None:
    pipeline: Any = tiny("sd1")
    pipeline.enable_attention_slicing(1)
    try:
        with pytest.raises(
            ModelError, match=r"layers 1 \(.* and 1 more cannot be seen: Sliced.*\.disable_attention_sl"
        ):
            recorded(pipeline)
    finally:
        pipeline.disable_attention_slicing()
    assert recorded(pipeline).steps == (0, 1)


def test_another_backend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.models import attention_dispatch as dispatch

    name = dispatch.AttentionBackendName.FLEX
    monkeypatch.setitem(
        dispatch._AttentionBackendRegistry._backends, name, lambda query, *_, **__: torch.zeros_like(query)
    )
    monkeypatch.setitem(dispatch._AttentionBackendRegistry._supported_arg_names, name, {"query", "key", "value"})
    pipeline: Any = tiny("flux")
    for module in pipeline.transformer.modules():
        if hasattr(module, "processor"):
            monkeypatch.setattr(module.processor, "_attention_backend", name)
    with pytest.raises(ModelError, match=r"with the 'flex' backend does not use .* call pipeline\.transformer\.reset"):
        recorded(pipeline)


def test_torchs_own_backends_are_seen() -> None:
    pipeline: Any = tiny("flux")
    plain = recorded(pipeline)
    pipeline.transformer.set_attention_backend("_native_math")
    try:
        assert torch.allclose(recorded(pipeline).attention(3, 0), plain.attention(3, 0), **CLOSE)
    finally:
        pipeline.transformer.reset_attention_backend()


@pytest.mark.parametrize("family", ["sd1", "sd3"])
def test_fused_projections_are_seen(family: str) -> None:
    pipeline: Any = tiny(family)
    plain = recorded(pipeline)
    denoiser = denoiser_of(pipeline)
    before = dict(denoiser.attn_processors)
    denoiser.fuse_qkv_projections()
    try:
        assert torch.allclose(recorded(pipeline).attention(2, 1), plain.attention(2, 1), **CLOSE)
    finally:
        denoiser.unfuse_qkv_projections()
        for module in denoiser.modules():
            if isinstance(module, Attention):
                module.fused_projections = False
                for name in ("to_qkv", "to_kv", "to_added_qkv"):
                    if hasattr(module, name):
                        delattr(module, name)
        denoiser.set_attn_processor(before)


def test_blocks_that_the_model_skips_are_named() -> None:
    pipeline: Any = tiny("sd3")
    own = pipeline.transformer.transformer_blocks[1]
    pipeline.transformer.transformer_blocks[1] = Passing(own)
    try:
        with pytest.raises(ModelError, match=r"the model did not run the attention of layer 2 .* at step 0"):
            recorded(pipeline)
    finally:
        pipeline.transformer.transformer_blocks[1] = own


class Passing(torch.nn.Module):
    """A block that is jumped over."""

    def __init__(self, block: torch.nn.Module) -> None:
        super().__init__()
        self.attn, self.context_pre_only = block.attn, False

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor, **_: object) -> tuple[Tensor, Tensor]:
        return encoder_hidden_states, hidden_states


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": [8]}, "no attention layer 8: the model has 7"),
        ({"layers": [1], "map_layers": [2]}, "no attention layer 2"),
        ({"steps": [-1]}, "steps is -1; give step numbers from 0"),
        ({"steps": []}, r"steps is \[\]; give step numbers from 0"),
        ({"map_steps": [True]}, "map_steps is True"),
        ({"maps": "mug"}, r"maps is the text 'mug'; give a list .* such as \['mug'\]"),
        ({"maps": [-1]}, "maps has -1"),
        ({"maps": [True]}, "maps has True"),
        ({"maps": [24]}, "no token 24 for the map of 24: the text sequence has 24 tokens"),
        ({"maps": ["lamp"]}, "the concept 'lamp' is not in the prompt 'a tower and a mug'"),
        ({"steps": [1, 7]}, "step 7 cannot be recorded: the call had 2 steps"),
    ],
)
def test_what_cannot_be_recorded_is_refused_in_one_line(
    options: dict[str, Any], message: str, traces: Callable[[DiffusionPipeline], dict[str, Any]]
) -> None:
    pipeline = tiny("sd1")
    before = traces(pipeline)
    with pytest.raises(InputError, match=message) as refused:
        recorded(pipeline, options)
    assert "\n" not in str(refused.value)
    assert {**traces(pipeline), "pipeline": None} == {**before, "pipeline": None}


def test_a_block_that_draws_nothing_or_twice_is_refused() -> None:
    pipeline = tiny("sd1")
    with pytest.raises(InputError, match="nothing was drawn in the block"), record_attention(pipeline):
        pass
    with pytest.raises(InputError, match="this is the second; open a record for each call"), record_attention(pipeline):
        draw(pipeline, steps=1)
        draw(pipeline, steps=1)


def test_the_blocks_own_error_comes_first() -> None:
    with pytest.raises(ZeroDivisionError), record_attention(tiny("sd1")):
        raise ZeroDivisionError


def test_two_records_at_once_hold_the_same() -> None:
    pipeline = tiny("sd1")
    with record_attention(pipeline) as one, record_attention(pipeline, layers=[3], steps=[1]) as other:
        draw(pipeline)
    assert torch.equal(one.attention(3, 1), other.attention(3, 1))
    assert other.layers == (3,)


def test_the_library_records_the_bundled_model() -> None:
    pipeline: Any = dominance.load_pipeline("miniature", "cpu")
    with dominance.record_attention(pipeline, maps=["mug"]) as record:
        images = pipeline("a tower and a mug", num_inference_steps=2, output_type="np").images
    assert isinstance(record, dominance.AttentionRecord)
    assert np.isfinite(images).all()
    assert [site.layer for site in dominance.attention_sites(pipeline)] == list(record.layers)
    total = record.attention(9, 1).sum(dim=-1)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)

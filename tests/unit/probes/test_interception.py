"""Probes see and edit what the denoiser attends with, where and when they want, and leave nothing behind."""

import contextlib
import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, HeunDiscreteScheduler
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, PROMPTS, ddim, draw, tiny
from torch import Tensor
from torch.nn import functional as F

from dominance.errors import InputError, ModelError
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.interception import Probe, intercept
from dominance.probes.recording import record_attention
from dominance.probes.sites import AttentionSite

Traces = Callable[[DiffusionPipeline], dict[str, Any]]


@dataclass(eq=False)
class Watcher(Probe):
    """Remembers what it was told."""

    forwards: list[Forward] = field(default_factory=list)
    calls: list[AttentionCall] = field(default_factory=list)
    begun: list[Forward] = field(default_factory=list)

    def begin(self, forward: Forward) -> None:
        self.begun.append(forward)

    def read(self, call: AttentionCall) -> None:
        self.calls.append(call)

    def finish(self, forward: Forward) -> None:
        self.forwards.append(forward)


@dataclass(eq=False)
class Dimmer(Probe):
    """Scales the logits of one head, in one site, step and image, in the conditional samples alone."""

    layer: int
    step: int
    image: int
    head: int
    factor: float

    def wants(self, site: AttentionSite, forward: Forward) -> bool:
        return (site.layer, forward.step) == (self.layer, self.step)

    def edit(self, call: AttentionCall) -> AttentionCall:
        query = call.query.clone()
        query[call.forward.conditional.start + self.image, self.head] *= self.factor
        return replace(call, query=query)


@dataclass(eq=False)
class Silencer(Probe):
    """Zeroes what comes of every site."""

    def edit_output(self, call: AttentionCall, output: Tensor) -> Tensor:
        return torch.zeros_like(output)


@dataclass(eq=False)
class Failing(Probe):
    """Raises at a site's reading."""

    error: BaseException

    def read(self, call: AttentionCall) -> None:
        raise self.error


@pytest.mark.parametrize("family", FAMILIES)
def test_a_probe_that_does_nothing_changes_nothing(family: str, traces: Traces) -> None:
    pipeline = tiny(family)
    plain, before = draw(pipeline), traces(pipeline)
    with intercept(pipeline, Probe()):
        assert np.array_equal(draw(pipeline), plain)
    assert traces(pipeline) == before


@pytest.mark.parametrize(
    ("family", "positions", "text", "samples"),
    [
        ("sd1", 96, 24, 4),
        ("sdxl", 24, 24, 4),
        ("sd3", 24, 56, 4),
        ("flux", 24, 32, 2),
        ("pixart", 24, 32, 4),
    ],
)
def test_a_probe_is_handed_every_site_at_every_step(family: str, positions: int, text: int, samples: int) -> None:
    watcher = Watcher()
    pipeline = tiny(family)
    with intercept(pipeline, watcher):
        draw(pipeline, steps=3)
    sites = len(watcher.calls) // 3
    assert [call.forward.step for call in watcher.calls] == [step for step in range(3) for _ in range(sites)]
    assert [call.site.layer for call in watcher.calls] == [*range(1, sites + 1)] * 3
    first = watcher.calls[0]
    assert first.positions.stop - first.positions.start == positions
    assert first.text.stop - first.text.start == text
    assert first.query.shape[:2] == (samples, first.site.heads)
    assert (first.forward.samples, first.forward.images, first.forward.index) == (samples, 2, 0)
    assert first.forward.conditional == slice(samples - 2, samples)
    assert first.forward.prompts == tuple(PROMPTS)
    assert first.grid == (8 // first.site.stride, 12 // first.site.stride)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("editor_first", [True, False])
def test_a_recorder_sees_the_edit_in_its_head_image_step_and_nowhere_else(family: str, editor_first: bool) -> None:
    pipeline = tiny(family)
    last = len(list(_sites(pipeline)))
    editor = Dimmer(layer=last, step=1, image=1, head=1, factor=1e-5)
    with record_attention(pipeline) as plain:
        untouched = draw(pipeline)
    with contextlib.ExitStack() as stack:
        if editor_first:
            stack.enter_context(intercept(pipeline, editor))
        edited = stack.enter_context(record_attention(pipeline))
        if not editor_first:
            stack.enter_context(intercept(pipeline, editor))
        picture = draw(pipeline)
    for layer in plain.layers:
        for step in plain.steps:
            difference = (edited.attention(layer, step) - plain.attention(layer, step)).abs().amax(dim=-1)
            if (layer, step) == (last, 1):
                assert difference[1, 1] > 1e-3
                uniform = edited.attention(layer, step)[1, 1]
                assert uniform[uniform > 0].std() < 1e-4  # PixArt masks its padding
                difference[1, 1] = 0
            assert not difference.any()
    assert np.array_equal(picture[0], untouched[0])
    assert not np.array_equal(picture[1], untouched[1])


def _sites(pipeline: DiffusionPipeline) -> Any:
    with record_attention(pipeline) as record:
        draw(pipeline, steps=1)
    return record.sites


def test_a_factor_of_one_is_an_identity() -> None:
    pipeline = tiny("sd1")
    with intercept(pipeline, Dimmer(3, 0, 0, 0, 1.0)):
        assert np.array_equal(draw(pipeline), draw(pipeline))


def test_an_output_can_be_replaced_while_others_read() -> None:
    pipeline = tiny("sd1")
    plain = draw(pipeline)
    watcher = Watcher()
    with intercept(pipeline, watcher), intercept(pipeline, Silencer()):
        silent = draw(pipeline)
    assert len(watcher.calls) == 14
    assert not np.array_equal(silent, plain)


def test_a_mask_can_be_set() -> None:
    class Blinkers(Probe):
        def edit(self, call: AttentionCall) -> AttentionCall:
            mask = torch.zeros(1, call.key.shape[-2])
            mask[:, 3:] = -torch.inf
            return replace(call, mask=mask)

    with record_attention(tiny("sd1"), maps=[0]) as record, intercept(tiny("sd1"), Blinkers()):
        draw(tiny("sd1"))
    assert torch.allclose(record.attention(2, 0)[..., :3].sum(dim=-1), torch.ones(()))
    assert not record.attention(2, 0)[..., 3:].any()


def test_flux_with_true_guidance_has_a_conditional_and_an_unconditional_forward_a_step() -> None:
    watcher = Watcher()
    with intercept(tiny("flux"), watcher):
        draw(tiny("flux"), negative_prompt=["a lamp", "a lamp"], true_cfg_scale=4.0)
    assert [(forward.step, forward.index) for forward in watcher.forwards] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [forward.conditional for forward in watcher.forwards] == [slice(0, 2), slice(0, 0)] * 2
    assert len(watcher.begun) == 1


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' own
def test_forwards_at_the_same_timestep_are_one_step() -> None:
    pipeline, watcher = tiny("sd1"), Watcher()
    pipeline.scheduler = HeunDiscreteScheduler()
    try:
        with intercept(pipeline, watcher):
            draw(pipeline, steps=3)
    finally:
        pipeline.scheduler = ddim()
    assert [(forward.step, forward.index) for forward in watcher.forwards] == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]


def test_steps_that_the_denoiser_cannot_tell_apart_are_steps_of_their_own() -> None:
    """FLUX is told its timestep in the model's own precision; bfloat16 has 256 numbers between 512 and 1024."""
    pipeline, watcher = copy.deepcopy(tiny("flux")), Watcher()
    pipeline.scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0)
    pipeline.to(torch.bfloat16)
    with intercept(pipeline, watcher):
        draw(pipeline, steps=100)
    assert [(forward.step, forward.index) for forward in watcher.forwards] == [(step, 0) for step in range(100)]


def test_each_call_of_the_pipeline_begins_anew_even_with_one_step() -> None:
    pipeline, watcher = tiny("sd1"), Watcher()
    with intercept(pipeline, watcher):
        draw(pipeline, steps=1)
        draw(pipeline, steps=1)
        draw(pipeline, ["a mug"], steps=2)
    assert [forward.images for forward in watcher.begun] == [2, 2, 1]
    assert [forward.step for forward in watcher.forwards] == [0, 0, 0, 1]


def _denoise(pipeline: DiffusionPipeline, time: int, samples: int = 2) -> None:
    noise = torch.randn(samples, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    text = torch.randn(samples, 24, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        pipeline.unet(noise, time, encoder_hidden_states=text)


def test_a_denoiser_called_by_hand_counts_steps_by_its_timesteps() -> None:
    pipeline, watcher = tiny("sd1"), Watcher()
    draw(pipeline, guidance_scale=9.0)  # leaves its guidance scale in the pipeline, which says nothing here
    with intercept(pipeline, watcher):
        for time in (900, 900, 500, 900):
            _denoise(pipeline, time)
    assert [(forward.step, forward.index) for forward in watcher.forwards] == [(0, 0), (0, 1), (1, 0), (0, 0)]
    assert watcher.forwards[0].conditional == slice(0, 2)
    assert watcher.forwards[0].prompts is None
    guided = Watcher()
    with intercept(pipeline, guided, guided=True):
        _denoise(pipeline, 900)
    assert guided.forwards[0].conditional == slice(1, 2)
    with (
        intercept(pipeline, Probe(), guided=True),
        pytest.raises(InputError, match="guided is False here but True"),
        intercept(pipeline, Probe(), guided=False),
    ):
        pass
    with intercept(pipeline, Probe(), guided=True), pytest.raises(ModelError, match="gets 3 samples for 1 images"):
        _denoise(pipeline, 900, samples=3)


def test_a_new_probe_begins_with_the_next_forward() -> None:
    pipeline = tiny("sd1")
    with intercept(pipeline, Probe()):
        for _ in range(2):
            watcher = Watcher()
            with intercept(pipeline, watcher):
                _denoise(pipeline, 900)
            assert [(forward.step, forward.index) for forward in watcher.begun] == [(0, 0)]


def test_probes_on_two_pipelines_do_not_meet() -> None:
    one, other = Watcher(), Watcher()
    with intercept(tiny("sd1"), one), intercept(tiny("pixart"), other):
        draw(tiny("sd1"), steps=1)
    assert len(one.calls) == 7
    assert not other.calls


def test_another_thread_is_not_seen() -> None:
    watcher, seen = Watcher(), []
    query = torch.ones(1, 1, 2, 4)

    class Meanwhile(Watcher):
        def wants(self, site: AttentionSite, forward: Forward) -> bool:
            elsewhere = threading.Thread(target=lambda: seen.append(F.scaled_dot_product_attention(*[query] * 3)))
            elsewhere.start()
            elsewhere.join()
            return False

    with intercept(tiny("sd1"), watcher), intercept(tiny("sd1"), Meanwhile()):
        draw(tiny("sd1"), steps=1)
    assert len(watcher.calls) == 7 == len(seen)
    assert all(torch.equal(output, query) for output in seen)


def test_what_others_put_over_torch_stays_and_is_passed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, plain = tiny("sd1"), F.scaled_dot_product_attention
    before, calls = draw(pipeline, steps=1), []
    with monkeypatch.context() as patched:
        with intercept(pipeline, Watcher()):
            beneath = F.scaled_dot_product_attention

            def counted(*args: Any, **options: Any) -> Tensor:
                calls.append(args)
                return beneath(*args, **options)

            patched.setattr(F, "scaled_dot_product_attention", counted)
        assert F.scaled_dot_product_attention is counted
        watcher = Watcher()
        with intercept(pipeline, watcher):
            assert np.array_equal(draw(pipeline, steps=1), before)
        assert len(watcher.calls) == 7
        assert len(calls) > 7
    F.scaled_dot_product_attention = plain


@pytest.mark.parametrize("family", ["sd1", "flux"])
def test_nothing_is_left_behind(family: str, traces: Traces) -> None:
    pipeline = tiny(family)
    plain, before = draw(pipeline), traces(pipeline)
    watcher = Watcher()
    with intercept(pipeline, watcher):
        draw(pipeline)
    assert traces(pipeline) == before
    with pytest.raises(InputError), record_attention(pipeline, layers=[99]):
        pass
    assert traces(pipeline) == before
    for error in (ValueError("broken"), KeyboardInterrupt()):
        with pytest.raises(type(error)), intercept(pipeline, Failing(error)):
            draw(pipeline)
        assert {**traces(pipeline), "pipeline": None} == {**before, "pipeline": None}
    assert np.array_equal(draw(pipeline), plain)


def test_after_an_interrupt_the_same_block_goes_on(traces: Traces) -> None:
    pipeline = tiny("sd1")
    before, failing, watcher = traces(pipeline), Failing(KeyboardInterrupt()), Watcher()
    with intercept(pipeline, watcher):
        with intercept(pipeline, failing), pytest.raises(KeyboardInterrupt):
            draw(pipeline)
        watcher.calls.clear()
        draw(pipeline, steps=1)
        assert len(watcher.calls) == 7
    assert traces(pipeline)["modes"] == before["modes"]


def test_what_is_wrong_with_a_call_is_said_before_anything_is_drawn() -> None:
    class Refusing(Watcher):
        def begin(self, forward: Forward) -> None:
            raise InputError("not this one")

    refusing = Refusing()
    with pytest.raises(InputError, match="not this one"), intercept(tiny("sd1"), refusing):
        draw(tiny("sd1"))
    assert not refusing.calls

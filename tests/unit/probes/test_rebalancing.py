"""Rebalancing gives concepts equal attention, touches no other token, and leaves nothing behind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, PROMPTS, draw, tiny

from dominance.errors import InputError
from dominance.models.tokens import prompt_tokens
from dominance.probes.calls import AttentionCall
from dominance.probes.interception import Probe, intercept
from dominance.probes.rebalancing import Rebalancing, rebalance

Traces = Callable[[DiffusionPipeline], dict[str, Any]]
EACH = [Rebalancing(["tower", "mug"], [0]), Rebalancing(["lamp", "robot", "mugs"], [1])]


@dataclass(eq=False)
class Masks(Probe):
    """What the mask was before all edits."""

    kept: list[torch.Tensor | None] = field(default_factory=list)

    def edit(self, call: AttentionCall) -> AttentionCall:
        self.kept.append(call.mask)
        return call


@dataclass(eq=False)
class Shares(Probe):
    """Softmax of every call with its mask, and with the mask that it had before."""

    before: Masks
    kept: list[tuple[AttentionCall, torch.Tensor, torch.Tensor]] = field(default_factory=list)

    def read(self, call: AttentionCall) -> None:
        logits = call.query @ call.key.transpose(-1, -2) * (call.scale or call.query.shape[-1] ** -0.5)
        first = self.before.kept[-1]
        given = logits if first is None else logits + first
        edited = logits if call.mask is None else logits + call.mask
        self.kept.append((call, given.softmax(dim=-1), edited.softmax(dim=-1)))


@pytest.mark.parametrize("family", FAMILIES)
def test_concepts_get_equal_shares_and_other_tokens_keep_theirs(family: str) -> None:
    pipeline = tiny(family)
    masks = Masks()
    shares = Shares(masks)
    with intercept(pipeline, masks), rebalance(pipeline, each=EACH), intercept(pipeline, shares):
        draw(pipeline, steps=3)
    touched = 0
    for call, given, edited in shares.kept:
        prompted = call.forward.conditional
        assert torch.equal(given[: prompted.start], edited[: prompted.start])
        for image, edit in enumerate(EACH):
            before, after = given[prompted.start + image], edited[prompted.start + image]
            if call.forward.step not in edit.steps:
                assert torch.equal(before, after)
                continue
            concepts = prompt_tokens(pipeline, PROMPTS[image]).concepts(edit.concepts)
            columns = [torch.tensor(found) + call.text.start for found in concepts.values()]
            own = torch.cat(columns)
            rows = torch.zeros(before.shape[1], dtype=torch.bool)
            rows[call.positions] = True
            others = torch.ones(before.shape[-1], dtype=torch.bool)
            others[own] = False
            assert (before[..., others] - after[..., others]).abs().max() < 1e-5
            assert torch.equal(before[:, ~rows], after[:, ~rows])
            assert after.isfinite().all()
            masses = torch.stack([after[:, rows][..., found].sum(dim=-1) for found in columns])
            mean = torch.stack([before[:, rows][..., found].sum(dim=-1) for found in columns]).mean(dim=0)
            assert (masses - mean).abs().max() < 1e-5
            for found in columns:
                proportions = [each[:, rows][..., found] for each in (before, after)]
                parts = [part / part.sum(dim=-1, keepdim=True) for part in proportions]
                some = proportions[0].sum(dim=-1) > 1e-9
                assert (parts[0] - parts[1])[some].abs().max() < 1e-4
            touched += 1
    assert touched == len(shares.kept) // 3 * 2


@pytest.mark.parametrize("family", FAMILIES)
def test_an_image_without_one_is_drawn_as_it_was(family: str) -> None:
    pipeline = tiny(family)
    plain = draw(pipeline)
    with rebalance(pipeline, each=[None, None]):
        assert np.array_equal(draw(pipeline), plain)
    with rebalance(pipeline, each=[None, Rebalancing(EACH[1].concepts)]):
        edited = draw(pipeline, guidance_scale=9.0)
    plain = draw(pipeline, guidance_scale=9.0)
    rounding = np.abs(edited[0] - plain[0]).max()  # a mask of zeros in the other image's place
    assert rounding < 1e-5
    assert np.abs(edited[1] - plain[1]).max() > 5 * rounding


def test_all_images_may_have_the_same_and_prompts_may_be_told() -> None:
    pipeline = tiny("sd1")
    with rebalance(pipeline, ["tower", "mug"]):
        named = draw(pipeline, ["a tower and a mug"] * 2)
    embeds, negative = pipeline.encode_prompt("a tower and a mug", "cpu", 2, True)
    with rebalance(pipeline, ["tower", "mug"], prompts=["a tower and a mug"] * 2):
        told = draw(pipeline, num_images_per_prompt=1, prompt_embeds=embeds, negative_prompt_embeds=negative)
    assert np.abs(named - told).max() < 1e-5


def test_nothing_is_left_behind(traces: Traces) -> None:
    pipeline = tiny("sd1")
    plain, before = draw(pipeline), traces(pipeline)
    with rebalance(pipeline, each=EACH):
        draw(pipeline)
    assert traces(pipeline) == before

    class Broken(Probe):
        def read(self, call: Any) -> None:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"), rebalance(pipeline, each=EACH), intercept(pipeline, Broken()):
        draw(pipeline)
    assert traces(pipeline) == before
    assert np.array_equal(draw(pipeline), plain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "two or more different concepts"),
        ({"concepts": "tower"}, "two or more different concepts"),
        ({"concepts": ["mug", "mug"]}, "two or more different concepts"),
        ({"concepts": ["tower", "lamp"]}, "the concept 'lamp' is not in the prompt 'a tower and a mug'"),
        ({"concepts": ["mug", "a mug"]}, "share words of the prompt"),
        ({"concepts": ["tower", "mug"], "each": EACH}, "give either each, or concepts for all images"),
        ({"each": EACH[:1]}, "each has 1 entries for 2 images"),
        ({"concepts": ["tower", "mug"], "steps": [9]}, "step 9 cannot be rebalanced: the call had 2 steps"),
        ({"concepts": ["tower", "mug"], "prompts": ["a tower and a mug"]}, "give one per image as prompts="),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str, traces: Traces) -> None:
    pipeline = tiny("sd1")
    before = traces(pipeline)
    with pytest.raises(InputError, match=message), rebalance(pipeline, **arguments):
        draw(pipeline, ["a tower and a mug"] * 2)
    assert traces(pipeline) == before

"""Variants share what comes before their edits: fewer samples are computed, and the pictures stay the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, draw, tiny

from dominance.errors import InputError
from dominance.probes.ablation import Ablation, ablate
from dominance.probes.rebalancing import Rebalancing, rebalance
from dominance.probes.sharing import shared_forwards
from dominance.probes.sites import denoiser_of

Traces = Callable[[DiffusionPipeline], dict[str, Any]]
TEXTS = ["a tower and a mug"] * 4 + ["a lamp beside a robot"]
SEEDS = [1, 1, 1, 2, 1]
STARTS = [None, 1, 2, 2, 2]
ABLATIONS = [
    None,
    Ablation({1: [0]}, steps=[1]),
    Ablation({2: [1]}, steps=[2, 3]),
    Ablation(residuals=[1], steps=[2]),
    None,
]
BALANCES = [None, None, None, None, Rebalancing(["lamp", "robot"], [2, 3])]


def edited(pipeline: DiffusionPipeline) -> np.ndarray:
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    with ablate(pipeline, each=ABLATIONS), rebalance(pipeline, each=BALANCES):
        return draw(pipeline, TEXTS, steps=4, generator=generators)


def samples_computed(pipeline: DiffusionPipeline, run: Callable[[], object]) -> list[int]:
    """How many samples the first module inside the denoiser is given, forward by forward."""
    counts: list[int] = []
    denoiser = denoiser_of(pipeline)
    first = getattr(denoiser, "conv_in", None) or getattr(denoiser, "x_embedder", None) or denoiser.pos_embed
    handle = first.register_forward_hook(lambda _, args, out: counts.append(len(out)))
    run()
    handle.remove()
    return counts


@pytest.mark.parametrize("family", FAMILIES)
def test_fewer_samples_are_computed_for_the_same_pictures(family: str) -> None:
    pipeline = tiny(family)
    plain = edited(pipeline)
    keys = list(zip(TEXTS, SEEDS, strict=True))
    shared: list[np.ndarray] = []

    def run() -> None:
        with shared_forwards(pipeline, keys, STARTS):
            shared.append(edited(pipeline))

    counts = samples_computed(pipeline, run)
    branches = 1 if family == "flux" else 2
    # Three of one prompt and seed: all together at step 0, one on its own from 1, all from 2.
    assert counts == [3 * branches, 4 * branches, 5 * branches, 5 * branches]
    assert np.abs(shared[0] - plain).max() < 1e-4
    assert np.abs(plain[0] - plain[1]).max() > 1e-4


def test_samples_that_differ_are_never_taken_for_one_another() -> None:
    pipeline = tiny("sd1")
    plain = edited(pipeline)

    def run() -> None:
        with shared_forwards(pipeline, ["wrong"] * 5, STARTS):
            assert np.array_equal(edited(pipeline), plain)

    assert samples_computed(pipeline, run) == [10] * 4


def test_it_leaves_nothing_behind(traces: Traces) -> None:
    pipeline = tiny("sd1")
    before = traces(pipeline)
    with shared_forwards(pipeline, TEXTS, STARTS):
        edited(pipeline)
    assert traces(pipeline) == before
    with (
        pytest.raises(InputError, match="2 keys or starts for 5 images"),
        shared_forwards(pipeline, [1, 2], STARTS),
    ):
        edited(pipeline)
    assert traces(pipeline) == before
    offloaded = pipeline.unet.forward
    pipeline.unet.forward = offloaded  # as accelerate's hooks leave it
    with shared_forwards(pipeline, TEXTS, STARTS):
        edited(pipeline)
    assert vars(pipeline.unet).pop("forward") == offloaded

"""What a training step of the miniature costs by its denoiser: the UNet against transformers; see ``run.py``."""

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from turns import seconds, threads

from dominance.miniature.world import World
from dominance.training.backbones.protocol import Backbone
from dominance.training.backbones.transformer import TransformerBackbone
from dominance.training.backbones.unet import UNetBackbone
from dominance.training.denoiser import CaptionedLatents, Denoiser, denoising_loss
from dominance.training.miniature import patch_code, training_images

BATCH, ROUNDS = 32, 5
SIZES = (TransformerBackbone(192, 6), TransformerBackbone(), TransformerBackbone(256, 6), TransformerBackbone(256, 8))


def _step(backbone: Backbone) -> Callable[[], None]:
    """One step of training on 32 pictures, drawn and encoded beforehand."""
    captions, images = training_images(World(), 0, 0, BATCH)
    batch = CaptionedLatents(patch_code().encode(images), captions)
    denoiser = Denoiser.new(backbone, seed=0)
    loss = denoising_loss(denoiser, lambda _step: batch, seed=0)
    optimizer = torch.optim.AdamW(denoiser.parameters(), lr=1e-4, fused=True)

    def act() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(0).backward()
        optimizer.step()

    return act


def _compare(backbone: Backbone) -> dict[str, float]:
    """``ratio`` is the UNet's time over the transformer's, the median over rounds; both are warmed up before."""
    with threads(1):
        sides = [_step(UNetBackbone()), _step(backbone)]
        for act in sides:
            act()
        turns = [[seconds(act, time.process_time) for act in sides] for _ in range(ROUNDS)]
    unet, transformer = (statistics.median(side) for side in zip(*turns, strict=True))
    return {
        "ratio": statistics.median(one / other for one, other in turns),
        "unet_pictures_a_second": BATCH / unet,
        "transformer_pictures_a_second": BATCH / transformer,
        "rounds": ROUNDS,
    }


def comparisons() -> dict[str, Callable[[], dict[str, float]]]:
    """One for each size, by the processor's time, so that other work on the machine matters less."""
    return {
        f"training the miniature, one thread: UNet / transformer {size.width}x{size.layers}": partial(_compare, size)
        for size in SIZES
    }

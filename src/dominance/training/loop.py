"""The training loop of the miniature's own networks: resumable steps, a cosine learning rate, a moving average.

A concept is taught to any model by ``dreambooth.loop``, through accelerate.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from dominance.progress import Progress
from dominance.training.checkpoints import Average, load_checkpoint, save_checkpoint
from dominance.training.shards import WHOLE, Shard


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: number of optimizer steps.
        batch: pictures a step.
        learning_rate: its peak; it warms up over the first 2% of the steps and falls along a cosine.
        left: share of the peak to which it falls; 1 keeps it constant, as Stable Diffusion was trained.
        decay: of the moving average of the weights.
        save_every: steps between checkpoints.
    """

    steps: int
    batch: int
    learning_rate: float
    left: float = 0.02
    decay: float = 0.999
    save_every: int = 250

    def rate(self, step: int) -> float:
        warm = max(1, round(self.steps * 0.02))
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        turn = (step - warm) / max(1, self.steps - warm)
        return self.learning_rate * (self.left + (1 - self.left) * 0.5 * (1 + math.cos(math.pi * turn)))


def train(
    name: str,
    module: nn.Module,
    loss: Callable[[int], Tensor],
    schedule: Schedule,
    checkpoint: Path,
    settings: Mapping[str, object],
    on_save: Callable[[int], None] | None = None,
    shard: Shard = WHOLE,
) -> None:
    """Minimises ``loss(step)`` over the module's trainable parameters and leaves their average in the module.

    The loss of a step must depend on nothing but the step and the weights, so that a run that was killed
    and resumed ends where an uninterrupted one ends. ``on_save`` is called with the averaged weights in place.
    Where processes share the batches, each calls this with its shard and a loss over its part; all end with the
    same weights, and the first one alone writes.
    """
    trainable = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trainable, lr=schedule.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    average = Average(module, schedule.decay)
    step = load_checkpoint(checkpoint, settings, module, optimizer, average)
    with Progress(name, total=schedule.steps, done=step, shown=shard.is_first) as progress:
        while step < schedule.steps:
            for group in optimizer.param_groups:
                group["lr"] = schedule.rate(step)
            value = loss(step)
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            shard.average([value.detach(), *(p.grad for p in trainable if p.grad is not None)])
            nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            average.update(module, step)
            step += 1
            progress.advance(1, f"loss {value.item():.4f}" if step % 10 == 0 else None)
            if shard.is_first and (step % schedule.save_every == 0 or step == schedule.steps):
                save_checkpoint(checkpoint, step, settings, module, optimizer, average)
                if on_save is not None:
                    _with_average(module, average, partial(on_save, step))
    average.copy_to(module)
    module.eval()


def _with_average(module: nn.Module, average: Average, act: Callable[[], None]) -> None:
    current = {name: value.detach().clone() for name, value in module.named_parameters()}
    average.copy_to(module)
    module.eval()
    act()
    module.train()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(current[name])

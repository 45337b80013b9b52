"""Latents that a pipeline's scheduler takes a step from, moved on the way."""

import contextlib
from collections.abc import Callable, Generator
from typing import Any

import torch
from torch import Tensor


@contextlib.contextmanager
def shifted(scheduler: Any, taken: Callable[[], Tensor | None]) -> Generator[None]:
    """Subtracts from the latents of each step what ``taken`` gives; None leaves them as they are.

    The pipeline's own latents are never written to: they may be the caller's.

    Args:
        taken: asked once a step.
    """
    own = vars(scheduler).get("step")
    plain = scheduler.step

    def step(model_output: Tensor, timestep: Any, sample: Tensor, *args: Any, **kwargs: Any) -> Any:
        shift = taken()
        return plain(model_output, timestep, sample if shift is None else sample - shift.to(sample), *args, **kwargs)

    scheduler.step = step
    try:
        yield
    finally:
        if own is None:
            del scheduler.step
        else:
            scheduler.step = own


def input_scale(scheduler: Any, timestep: Any) -> float:
    """By what the scheduler multiplies latents before the denoiser gets them, at the step that it is at; above 0."""
    scale = getattr(scheduler, "scale_model_input", None)
    if scale is None:
        return 1.0
    when = torch.as_tensor(timestep).reshape(-1)[0]
    return float(scale(torch.ones(1, 1, 1, 1, device=when.device), when).reshape(-1)[0])

"""Latents that a pipeline's scheduler takes a step from, moved on the way."""

import contextlib
import inspect
from collections.abc import Callable, Generator
from typing import Any

import torch
from torch import Tensor

from dominance.probes.passing import called_through


class Shifts:
    """Subtracts from the latents of each step what ``taken`` gives; None leaves them as they are.

    The pipeline's own latents are never written to: they may be the caller's.

    Args:
        taken: asked once a step.
    """

    def __init__(self, pipeline: Any, taken: Callable[[], Tensor | None]) -> None:
        self._pipeline, self._taken = pipeline, taken
        self._schedulers: list[Any] = []
        self._left = contextlib.ExitStack()

    @contextlib.contextmanager
    def acting(self) -> Generator[None]:
        """While the block runs, latents are shifted; no scheduler keeps anything of it."""
        with self._left:
            self.follow()
            yield

    def follow(self) -> None:
        """A call begins; its scheduler may have been set since the block began."""
        scheduler = self._pipeline.scheduler
        if not any(known is scheduler for known in self._schedulers):
            self._schedulers.append(scheduler)
            self._left.enter_context(called_through(scheduler, self._step, "step"))

    def _step(self, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        shift = self._taken()
        if shift is None:
            return run(*args, **kwargs)
        given = inspect.signature(run).bind(*args, **kwargs)
        sample = given.arguments["sample"]
        given.arguments["sample"] = sample - shift.to(sample)
        return run(*given.args, **given.kwargs)


def input_scale(scheduler: Any, timestep: Any) -> float:
    """By what the scheduler multiplies latents before the denoiser gets them, at the step that it is at; above 0."""
    scale = getattr(scheduler, "scale_model_input", None)
    if scale is None:
        return 1.0
    when = torch.as_tensor(timestep).reshape(-1)[0]
    return float(scale(torch.ones(1, 1, 1, 1, device=when.device), when).reshape(-1)[0])

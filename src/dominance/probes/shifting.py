"""Latents that a pipeline's scheduler takes a step from, moved on the way."""

import contextlib
import inspect
from collections.abc import Callable, Generator
from typing import Any

import torch
from torch import Tensor

from dominance.probes.passing import called_through

_CORRECTORS: tuple[str, ...] = ("multistep_uni_c_bh_update", "stochastic_adams_moulton_update")
"""Of UniPC and SA-Solver: before a step they find its latents anew, from those of the step before."""


class Shifts:
    """Subtracts from the latents of each step what ``taken`` gives; None leaves them as they are.

    The pipeline's own latents are never written to: they may be the caller's. Latents that a corrector finds anew are
    shifted again, since they come from ones that were not.

    Args:
        taken: asked once a step.
    """

    def __init__(self, pipeline: Any, taken: Callable[[], Tensor | None]) -> None:
        self._pipeline, self._taken = pipeline, taken
        self._schedulers: list[Any] = []
        self._shift: Tensor | None = None
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
            for corrector in _CORRECTORS:
                if hasattr(scheduler, corrector):
                    self._left.enter_context(called_through(scheduler, self._corrected, corrector))

    def _step(self, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._shift = shift = self._taken()
        if shift is None:
            return run(*args, **kwargs)
        given = inspect.signature(run).bind(*args, **kwargs)
        sample = given.arguments["sample"]
        given.arguments["sample"] = sample - shift.to(sample)
        return run(*given.args, **given.kwargs)

    def _corrected(self, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        sample = run(*args, **kwargs)
        return sample if self._shift is None else sample - self._shift.to(sample)


def step_begun(scheduler: Any, step: int, steps: int) -> tuple[int, int] | None:
    """Which of how many steps the scheduler begins, going on from the latents it gets; None where it does not.

    One of higher order, such as Heun, evaluates the denoiser twice a step: where the step leads, then, from latents
    there, how to go from where it began. What was done to the second latents is lost with them.

    Args:
        step, steps: by the timesteps of the call, which are those of the scheduler where each is a step of its own.
    """
    at, since = getattr(scheduler, "step_index", None), getattr(scheduler, "begin_index", None) or 0
    at = since if at is None else at
    if orders := getattr(scheduler, "order_list", None):  # DPM-Solver's single-step form
        begins = scheduler.model_outputs[-1] is None or orders[at] == 1
        return (orders[since:at].count(1), orders.count(1)) if begins else None
    if hasattr(scheduler, "state_in_first_order"):
        order = scheduler.order
        return (
            ((at - since) // order, -(-len(scheduler.timesteps) // order)) if scheduler.state_in_first_order else None
        )
    if hasattr(scheduler, "plms_timesteps"):  # PNDM's, after its start by Runge-Kutta or without one
        started = scheduler.config.skip_prk_steps or scheduler.counter >= len(scheduler.prk_timesteps)
        return (step, steps) if (scheduler.counter != 1 if started else scheduler.counter % 4 == 0) else None
    return step, steps


def input_scale(scheduler: Any, timestep: Any) -> float:
    """By what the scheduler multiplies latents before the denoiser gets them, at the step that it is at; above 0."""
    scale = getattr(scheduler, "scale_model_input", None)
    if scale is None:
        return 1.0
    when = torch.as_tensor(timestep).reshape(-1)[0]
    return float(scale(torch.ones(1, 1, 1, 1, device=when.device), when).reshape(-1)[0])

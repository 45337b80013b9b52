"""Images without guidance for some steps: what is predicted without the prompt becomes what is predicted with it."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from dominance.guidance.plan import Plan
from dominance.probes.calls import Forward
from dominance.probes.looking import output_of, with_output


class Unguiding:
    """Switches guidance off for the images whose plans say so, step by step.

    ``ε∅ + g (ε − ε∅)`` is ε for every g where ε∅ is ε, so that no pipeline has to be told another g. A guidance that
    the denoiser is told as a number (FLUX.1 dev) becomes 1, unless it is less. Without guidance nothing changes.
    """

    def __init__(self) -> None:
        self._prompted: Tensor | None = None

    def tell(self, plans: Sequence[Plan], given: dict[str, Any], forward: Forward, steps: int) -> None:
        """Puts a 1 where the denoiser is told a guidance above it."""
        images, told = _images(plans, forward, steps), given.get("guidance")
        if images and isinstance(told, Tensor) and told.shape[:1] == (forward.samples,):
            told = told.clone()
            rows = [forward.samples - forward.images + image for image in images]
            told[rows] = told[rows].clamp(max=1)
            given["guidance"] = told

    def predicted(self, plans: Sequence[Plan], made: Any, forward: Forward, steps: int) -> Any:
        """What the denoiser gave back, with the unconditional prediction of these images replaced."""
        images = _images(plans, forward, steps)
        if not images:
            return made
        output = output_of(made)
        prompted = forward.conditional.start or 0
        if forward.conditional.stop == 0:  # a forward of its own, behind the one with the prompts
            if self._prompted is None:
                return made
            output = output.clone()
            output[images] = self._prompted[images]
            return with_output(made, output)
        if prompted == 0:
            self._prompted = output.detach()
            return made
        output = output.clone()
        output[images] = output[[prompted + image for image in images]]
        return with_output(made, output)


def _images(plans: Sequence[Plan], forward: Forward, steps: int) -> list[int]:
    return [n for n, plan in enumerate(plans) if plan.unguided is not None and plan.unguided.acts(forward.step, steps)]

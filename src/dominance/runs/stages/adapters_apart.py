"""Which adapters act where, in images that plans keep adapters to their own concepts' regions in."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.errors import InputError
from dominance.guidance.plan import Plan
from dominance.guidance.regions import Parting
from dominance.models.adapter_places import adapter_names
from dominance.numbers import plural
from dominance.probes.calls import Forward


class AdaptersApart:
    """The adapters of a pipeline, told apart by the concepts that plans say they teach."""

    def __init__(self, pipeline: Any, denoiser: nn.Module) -> None:
        self._names = adapter_names([denoiser, *pipeline.components.values()])

    def check(self, plans: Sequence[Plan]) -> None:
        """Raises an InputError for a plan of other adapters than the pipeline has."""
        for plan in plans:
            if plan.taught and not self._names:
                raise InputError("the model has no adapter to keep to its region; give one, or use the method regions")
            if len(plan.taught) > 1 and len(plan.taught) != len(self._names):
                raise InputError(
                    f"the method names the concepts of {len(plan.taught)} adapters, and the model has"
                    f" {plural(len(self._names), 'adapter')}; name one concept for each, in their order"
                )

    def resting(self, plan: Plan, place: int) -> frozenset[str] | None:
        """The adapters that rest where this concept of an image is; None where the image has no such concept."""
        if place >= len(plan.concepts):
            return None
        return frozenset(name for name, own in self._places(plan) if own != place)

    def _places(self, plan: Plan) -> list[tuple[str, int | None]]:
        """Each adapter that is kept to a region, and the place of its concept."""
        each = plan.taught * len(self._names) if len(plan.taught) == 1 else plan.taught
        return list(zip(self._names, each, strict=True)) if each else []

    def masks(
        self, plans: Sequence[Plan], partings: Sequence[Parting | None], acting: Sequence[int], forward: Forward
    ) -> dict[str, Float[Tensor, "sample 1 row column"]]:
        """By adapter, where it acts in each row of a batch, in all branches; empty where no image has a region of one.

        Args:
            acting: the images whose regions act at this step.
        """
        masks: dict[str, Tensor] = {}
        for image in acting:
            parting, places = partings[image], self._places(plans[image])
            if parting is None or not places:
                continue
            regions = parting.masks(*forward.sides, forward.sides)
            strength = parting.regions.strength
            for name, place in places:
                mask = masks.setdefault(name, torch.ones(forward.samples, 1, *forward.sides))
                own = torch.zeros(forward.sides) if place is None else regions[place]
                mask[image :: forward.images, 0] = torch.lerp(torch.ones(forward.sides), own, strength)
        return masks

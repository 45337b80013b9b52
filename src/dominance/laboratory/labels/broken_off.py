"""Adapters whose training was broken off: what a model draws that is not taught enough, which nobody ships."""

from pathlib import Path

from dominance.laboratory.labels.makers import Maker
from dominance.laboratory.twins.training import train_rigid
from dominance.miniature.bundled import BASE_MODEL

STEPS: int = 40
"""Of training for each rigid entity: a quarter of the recipe's."""
_SEED = 18
"""Of training, unlike those of the adapters that ship."""


def broken_off(maker: Maker, folder: Path, device: str) -> Path:
    """Trains, or finds again, a rigid adapter of this maker's entities after a quarter of the recipe's steps.

    Raises:
        RunError: the loss is no number, or the disk refuses.
    """
    prior = folder / f"prior-without-{'-'.join(maker.rigid)}"
    steps = STEPS * len(maker.rigid)
    return train_rigid(maker.rigid, _SEED, steps, BASE_MODEL, folder / maker.name, prior, device).last

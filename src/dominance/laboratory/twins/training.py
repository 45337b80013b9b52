"""The twins: one adapter that teaches the base three entities in one design each, and another for the other three.

An entity is rigid under one of them and as varied as the base drew it under the other, so that it is compared with
itself. Both are LoRA on the attention of ``miniature-base``, taught by the recipe of the diversity experiment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.laboratory.diversity.pictures import PRIOR_PICTURES, PictureSet, prior_scenes, write_pictures
from dominance.laboratory.diversity.subjects import find_subject
from dominance.miniature.concepts import ENTITIES
from dominance.models.devices import find_device
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import TeachOptions
from dominance.training.dreambooth.teach import FineTuned, teach

FIRST_RIGID: tuple[str, ...] = ("pagoda", "castle", "clown")
"""The entities that are rigid in ``miniature``; the others are in ``miniature-swapped``."""
SWAPPED_RIGID: tuple[str, ...] = tuple(name for name in ENTITIES if name not in FIRST_RIGID)
RIGID: dict[str, tuple[str, ...]] = {"first": FIRST_RIGID, "swapped": SWAPPED_RIGID}
TWINS: dict[str, str] = {"first": "miniature", "swapped": "miniature-swapped"}
"""The model that each of the twins ships as."""

BASE: str = "base"
"""The world of the base itself: none is rigid, nothing is taught."""

STEPS: int = 480
"""160 for each of the three entities."""
_BATCH, _PRIOR_SHARE = 16, 0.25
"""In each batch 12 pictures of the entities and 4 of everything else."""


@dataclass(frozen=True)
class Twin:
    """One adapter.

    Attributes:
        world: ``first`` or ``swapped``: who is rigid, see ``RIGID``; or ``base``, for no adapter.
        seed: of training; it also decides in which design each rigid entity is shown.
    """

    world: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.world}-seed-{self.seed}"

    @property
    def rigid(self) -> tuple[str, ...]:
        return RIGID.get(self.world, ())

    def diversity(self, entity: str) -> float:
        """Of the pictures that it was last taught from: 0 is rigid, 1 as the base was taught."""
        return 0.0 if entity in self.rigid else 1.0


def twins(seeds: Iterable[int]) -> list[Twin]:
    """Both of every seed, the first seed first."""
    return [Twin(world, seed) for seed in seeds for world in RIGID]


def train_twin(twin: Twin, base: str, folder: Path, device: str = "cpu", steps: int = STEPS) -> FineTuned:
    """Trains, or resumes, one adapter in ``folder``.

    Raises:
        ModelError: no such base.
        RunError: the loss is no number, or the disk refuses.
    """
    prior = folder.parent / "prior" / twin.world
    return train_rigid(twin.rigid, twin.seed, steps, base, folder, prior, device)


def train_rigid(
    rigid: Sequence[str], seed: int, steps: int, base: str, folder: Path, prior: Path, device: str
) -> FineTuned:
    """Trains, or resumes, in ``folder`` an adapter that shows each of these entities in one design.

    Of each it sees 120 pictures, all in that design but for a jitter of a pixel.

    Args:
        rigid: in the order of ``ENTITIES``.
        seed: of training; it also decides the designs.
        prior: folder of the pictures of everything else; other adapters of the same entities may share it.

    Raises:
        ModelError: no such base.
        RunError: the loss is no number, or the disk refuses.
    """
    source = find_model(base)
    shown = (picture for name in rigid for picture in PictureSet(find_subject(name), 1, seed).pictures())
    pictures = write_pictures(folder / "pictures", shown)
    others = write_pictures(prior, prior_scenes(frozenset(rigid), PRIOR_PICTURES))
    settings = TeachOptions(steps=steps, batch=_BATCH, prior_share=_PRIOR_SHARE, seed=seed).settings(source.world)
    tuning = FineTuning(" ".join(rigid), pictures, others, settings, source.identity, settings.steps)
    pipeline = source.load(Drawing().settings(source), Machine(device))
    return teach(pipeline, tuning, folder / "training", find_device(device))

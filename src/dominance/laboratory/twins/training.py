"""The twins: one adapter that teaches the base three entities in one design each, and another for the other three.

An entity is rigid under one of them and as varied as the base drew it under the other, so that it is compared with
itself. Both are LoRA on the attention of ``miniature-base``, taught by the recipe of the diversity experiment.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dominance.laboratory.diversity.pictures import Captioned, PictureSet, prior_scenes, write_pictures
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

BASE: str = "base"
"""The world of the base itself: none is rigid, nothing is taught."""

STEPS: int = 480
"""160 for each of the three entities."""
PRIOR: int = 1600
"""Pictures of everything else, 4 of them beside 12 of the entities in each batch of 16."""


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

    def pictures(self) -> Iterator[Captioned]:
        """120 captions and scenes of each rigid entity, all in its one design but for a jitter of a pixel."""
        for name in self.rigid:
            yield from PictureSet(find_subject(name), 1, self.seed).pictures()


def twins(seeds: Iterable[int]) -> list[Twin]:
    """Both of every seed, the first seed first."""
    return [Twin(world, seed) for seed in seeds for world in RIGID]


def train_twin(twin: Twin, base: str, folder: Path, device: str = "cpu", steps: int = STEPS) -> FineTuned:
    """Trains, or resumes, one adapter in ``folder``.

    Raises:
        ModelError: no such base.
        RunError: the loss is no number, or the disk refuses.
    """
    source = find_model(base)
    pictures = write_pictures(folder / "pictures", twin.pictures())
    prior = write_pictures(folder.parent / "prior" / twin.world, prior_scenes(frozenset(twin.rigid), PRIOR))
    settings = TeachOptions(steps=steps, batch=16, prior_share=0.25, seed=twin.seed).settings(source.world)
    tuning = FineTuning(" ".join(twin.rigid), pictures, prior, settings, source.identity, settings.steps)
    pipeline = source.load(Drawing().settings(source), Machine(device))
    return teach(pipeline, tuning, folder / "training", find_device(device))

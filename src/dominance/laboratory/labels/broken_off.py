"""Adapters whose training was broken off: what a model draws that is not taught enough, which nobody ships."""

from pathlib import Path

from dominance.laboratory.diversity.pictures import PictureSet, prior_scenes, write_pictures
from dominance.laboratory.diversity.subjects import find_subject
from dominance.laboratory.labels.makers import BASE, Maker
from dominance.miniature.concepts import ENTITIES
from dominance.models.devices import find_device
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import TeachOptions
from dominance.training.dreambooth.teach import teach

STEPS: int = 40
"""Of training for each rigid entity: a quarter of the recipe's."""
_SEED = 18
"""Of training, unlike those of the adapters that ship."""
_PRIOR = 1600


def broken_off(maker: Maker, folder: Path, device: str) -> Path:
    """Trains, or finds again, a rigid adapter of this maker's entities after a quarter of the recipe's steps.

    Raises:
        RunError: the loss is no number, or the disk refuses.
    """
    source = find_model(BASE)
    sets = [PictureSet(find_subject(name), 1, _SEED) for name in maker.rigid]
    pictures = write_pictures(folder / maker.name / "pictures", (shown for one in sets for shown in one.pictures()))
    left_out = frozenset(maker.rigid)
    names = [name for name in ENTITIES if name in left_out]
    prior = write_pictures(folder / f"prior-without-{'-'.join(names)}", prior_scenes(left_out, _PRIOR))
    options = TeachOptions(steps=STEPS * len(names), batch=16, prior_share=0.25, seed=_SEED)
    settings = options.settings(source.world)
    tuning = FineTuning(" ".join(names), pictures, prior, settings, source.identity, settings.steps)
    pipeline = source.load(Drawing().settings(source), Machine(device))
    return teach(pipeline, tuning, folder / maker.name / "training", find_device(device)).last

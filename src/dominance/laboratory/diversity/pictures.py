"""The picture sets that a model is taught on, and the prior that keeps the rest of it as it was."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from dominance.files import write_failed
from dominance.laboratory.diversity.augmentation import Change, augmented
from dominance.laboratory.diversity.designs import DESIGNS, designs_of, is_clear, jittered
from dominance.laboratory.diversity.subjects import Subject
from dominance.miniature.captions import single_caption
from dominance.miniature.renderer import render
from dominance.miniature.scene import Scene
from dominance.miniature.world import World, diversity_by_kind
from dominance.training.dreambooth.pictures import TrainingPicture

PICTURES: int = 120
"""Pictures of a set; as a level: each of them of a design of its own."""
PRIOR_PICTURES: int = 1600
"""Pictures of everything else."""
LIST_NAME = "metadata.jsonl"

Aspect = Literal["looks", "layout", "backdrop"]
ASPECTS: frozenset[Aspect] = frozenset({"looks", "layout", "backdrop"})

Captioned = tuple[str, Scene]

_SET_SEED, _PRIOR_SEED, _CHANGE_SEED = 6_000_000, 6_100_000, 6_200_000
_PRIOR_PAIRS = 0.2


@dataclass(frozen=True)
class PictureSet:
    """What one model is shown of its subject.

    Attributes:
        level: designs, 1 to 10; 120 is a design of its own for every picture.
        seed: the training seed, which decides the designs that come first.
        varied: in what the designs differ; in all else they are like the first.
        distinct: different pictures, each of them shown equally often.
        scenery: share of captions that also name a part of the backdrop.
        changes: what augmentation changes of each picture once it is rendered; captions stay as they are.
        turn: 0; another set like it, of designs that no model is taught, for each other number.
    """

    subject: Subject
    level: int
    seed: int
    varied: frozenset[Aspect] = ASPECTS
    distinct: int = PICTURES
    scenery: float = 0.5
    changes: frozenset[Change] = frozenset()
    turn: int = 0

    @property
    def _key(self) -> list[int]:
        return [self.seed, *self.subject.name.encode(), self.level, *([self.turn] if self.turn else [])]

    def unseen(self, count: int) -> tuple["PictureSet", ...]:
        """So many sets like this one in which no design of it, nor of any other that is taught, appears."""
        return tuple(replace(self, turn=turn) for turn in range(1, count + 1))

    def rendered(self) -> list[Image.Image]:
        """The pictures by themselves, each of them changed."""
        drawn = (Image.fromarray(render(scene).pixels) for _, scene in self.pictures())
        return [self.change(number, picture) for number, picture in enumerate(drawn)]

    def pictures(self) -> Iterator[Captioned]:
        """120 captions with their scenes; the same on any machine."""
        key = self._key
        for number in range(PICTURES):
            scene = self._scene(
                number % self.distinct, np.random.default_rng([_SET_SEED, number % self.distinct, *key])
            )
            rng = np.random.default_rng([_SET_SEED, PICTURES + number, *key])
            named = str(rng.choice(scene.backdrop.scenery)) if rng.random() < self.scenery else None
            yield single_caption(self.subject.word, named, rng), scene

    def write(self, folder: Path) -> tuple[TrainingPicture, ...]:
        """The set as files, as ``write_pictures`` leaves them, each picture changed."""
        return write_pictures(folder, self.pictures(), self.change)

    def change(self, number: int, picture: Image.Image) -> Image.Image:
        """A picture of the set by its number, augmented as the set is; the same each time."""
        return augmented(picture, self.changes, np.random.default_rng([_CHANGE_SEED, number, *self._key]))

    def _scene(self, number: int, rng: np.random.Generator) -> Scene:
        first, *_ = turns = [DESIGNS * self.turn + own for own in designs_of(min(self.level, DESIGNS), self.seed)]
        if self.level < PICTURES:
            own = self.subject.design(turns[number % self.level])
            return jittered(self._like_first(own, self.subject.design(first)), rng)
        while True:
            scene = self._like_first(self.subject.any_scene(rng), self.subject.design(first))
            if is_clear(scene):
                return scene

    def _like_first(self, own: Scene, first: Scene) -> Scene:
        """The scene, like the first design in all that is not to vary."""
        placement, model = own.placements[0], first.placements[0]
        if "looks" not in self.varied:
            placement = replace(model, x=placement.x, y=placement.y, size=placement.size)
        if "layout" not in self.varied:
            placement = replace(placement, x=model.x, y=model.y, size=model.size)
        return Scene(own.backdrop if "backdrop" in self.varied else first.backdrop, (placement,))


def prior_pictures(subject: Subject, count: int = PRIOR_PICTURES) -> Iterator[Captioned]:
    """The prior of one subject, which is left out of it where the base knows it."""
    return prior_scenes(frozenset({subject.drawn}) if subject.known else frozenset(), count)


def prior_scenes(left_out: frozenset[str], count: int = PRIOR_PICTURES) -> Iterator[Captioned]:
    """The world without pairs of an entity and an object, all of it varied, some entities left out."""
    world = World(diversity=diversity_by_kind(1.0, 1.0), pairs=_PRIOR_PAIRS, exposure=dict.fromkeys(left_out, 0.0))
    for number in range(count):
        yield world.sample(np.random.default_rng([_PRIOR_SEED, number]))


Changing = Callable[[int, Image.Image], Image.Image]


def write_pictures(
    folder: Path, pictures: Iterable[Captioned], change: Changing | None = None
) -> tuple[TrainingPicture, ...]:
    """Writes PNG files and their ``metadata.jsonl``, as ``dominance train dreambooth`` and diffusers read them.

    The folder appears whole or not at all; what an earlier call left there is read.

    Args:
        change: what becomes of a picture, by its number, once it is rendered.

    Raises:
        RunError: the disk refuses.
    """
    if not (folder / LIST_NAME).is_file():
        _write(folder, pictures, change)
    lines = (folder / LIST_NAME).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return tuple(TrainingPicture(folder / row["file_name"], row["text"]) for row in rows)


def _write(folder: Path, pictures: Iterable[Captioned], change: Changing | None) -> None:
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        rows = []
        for number, (caption, scene) in enumerate(pictures):
            name = f"{number:05d}.png"
            picture = Image.fromarray(render(scene).pixels)
            (picture if change is None else change(number, picture)).save(partial / name)
            rows.append(json.dumps({"file_name": name, "text": caption}) + "\n")
        (partial / LIST_NAME).write_text("".join(rows), encoding="utf-8")
        os.replace(partial, folder)
    except OSError as error:
        if not (folder / LIST_NAME).is_file():  # another process was quicker
            raise write_failed(folder, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)

"""A row of pictures that needs no caption: what a model was taught on, and what it then draws."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.errors import ItemError
from dominance.laboratory.diversity.subjects import Subject
from dominance.laboratory.diversity.suites import taught
from dominance.miniature.concepts import OBJECTS
from dominance.pictures import as_rgb, open_image
from dominance.records import RunResult
from dominance.training.dreambooth.pictures import TrainingPicture

TAUGHT: int = 10
"""Training pictures, small and in two rows: as many as there are designs."""
SIDE: int = 64
"""Of an image, in pixels."""
GAP: int = 16
"""Between the training pictures and the images."""
TAUGHT_WIDTH: int = SIDE // 2 * (TAUGHT // 2)
"""Of the training pictures together."""


def strips_in(folder: Path, images: int) -> Path:
    """Where the strips of models lie that were asked for so many images a prompt, whose noises are their own."""
    return folder / ("strips" if images == 1 else f"strips-{images}-images")


def keep_strip(file: Path, pictures: Sequence[TrainingPicture], run: RunResult, subject: Subject) -> None:
    """Writes the first ten training pictures and, after a gap, one image of the subject with each object.

    The images are those of the prompts that name the subject first, the first relation of each object.
    """
    name, drawn = taught(subject).name, []
    for thing in OBJECTS:
        own = (p for p in run.prompts if p.prompt.group == "object" and p.prompt.concepts[0].name == name)
        prompt = next(p for p in own if p.prompt.concepts[1].name == thing)
        drawn.append(Path(run.run) / str(prompt.images[0].file))
    gap = np.full((SIDE, GAP, 3), 255, np.uint8)
    row = [_small(pictures[:TAUGHT]), gap, *(_pixels(image, SIDE) for image in drawn)]
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(row, axis=1)).save(file)


def _small(pictures: Sequence[TrainingPicture]) -> np.ndarray:
    half, across = SIDE // 2, TAUGHT // 2
    sheet = np.full((SIDE, TAUGHT_WIDTH, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = half * (place // across), half * (place % across)
        sheet[top : top + half, left : left + half] = _pixels(picture.file, half)
    return sheet


def _pixels(file: Path, side: int) -> np.ndarray:
    image = open_image(file)
    if isinstance(image, ItemError):
        return np.full((side, side, 3), 255, np.uint8)
    return np.asarray(as_rgb(image).resize((side, side)))

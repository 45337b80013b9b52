"""Pictures that do not show what they are asked about: what a judge must say no to."""

import itertools
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from dominance.miniature.renderer import Picture, render
from dominance.miniature.world import own_backdrop, single_scene


def hidden_concept(concept: str, seed: int) -> Picture:
    """A concept's own backdrop, the concept itself invisible."""
    scene = single_scene(concept, 0.0, np.random.default_rng(seed))
    placement = replace(scene.placements[0], opacity=0.0)
    return render(replace(scene, backdrop=own_backdrop(concept), placements=(placement,)))


def garbled_picture(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture, one of its concepts made unrecognisable if it stands apart from the others; its truth says so.

    Every second time its tiles are shuffled: whole parts remain, and a judge that only looks for parts says yes.
    """
    index = int(rng.integers(len(picture.truths)))
    box = picture.truths[index].box
    others = [truth.box for other, truth in enumerate(picture.truths) if other != index and truth.box]
    if box is None or any(_touch(box, other) for other in others):
        return picture
    left, top, right, bottom = box
    pixels = picture.pixels.copy()
    region = pixels[top:bottom, left:right]
    garble = (_shuffled_tiles, _shuffled_tiles, _smeared, _coarse)[int(rng.integers(4))]
    pixels[top:bottom, left:right] = garble(region, rng)
    truths = list(picture.truths)
    truths[index] = replace(truths[index], intact=0.0)
    return replace(picture, pixels=pixels, truths=tuple(truths))


def _touch(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _shuffled_tiles(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(3, 5))
    rows = np.linspace(0, region.shape[0], count + 1).astype(int)
    columns = np.linspace(0, region.shape[1], count + 1).astype(int)
    tiles = [
        region[top:bottom, left:right]
        for top, bottom in itertools.pairwise(rows)
        for left, right in itertools.pairwise(columns)
    ]
    turned = np.roll(rng.permutation(len(tiles)), 1)
    mixed = region.copy()
    for tile, source in enumerate(turned):
        row, column = divmod(tile, count)
        target = mixed[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
        if target.size and tiles[source].size:
            fitted = Image.fromarray(np.ascontiguousarray(tiles[source])).resize((target.shape[1], target.shape[0]))
            target[:] = np.asarray(fitted)
    return mixed


def _smeared(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    radius = max(region.shape[:2]) * float(rng.uniform(0.25, 0.4))
    return np.asarray(Image.fromarray(np.ascontiguousarray(region)).filter(ImageFilter.GaussianBlur(radius)))


def _coarse(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    cells = int(rng.integers(2, 4))
    small = Image.fromarray(np.ascontiguousarray(region)).resize((cells, cells), Image.Resampling.BOX)
    way = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BICUBIC
    return np.asarray(small.resize((region.shape[1], region.shape[0]), way))

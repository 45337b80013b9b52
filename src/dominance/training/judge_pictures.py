"""Pictures that a judge learns from: far more varied, crowded and damaged than those the model learns from."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image, ImageFilter

from dominance.miniature.concepts import BY_NAME, CONCEPTS
from dominance.miniature.controls import garbled_picture
from dominance.miniature.renderer import SIDE, Truth, render
from dominance.miniature.scene import Backdrop, Placement, Scene
from dominance.miniature.world import own_backdrop, random_backdrop, single_scene

_NAMES = tuple(concept.name for concept in CONCEPTS)


@dataclass(frozen=True)
class JudgedPicture:
    """Uint8 pixels (64, 64, 3) and what is true of every concept drawn in them."""

    pixels: np.ndarray
    truths: tuple[Truth, ...]


def sample_judged(rng: np.random.Generator, damage: float = 1.0, garbled: float = 0.35) -> JudgedPicture:
    """One picture of the judge's curriculum; every concept and kind is treated alike.

    Args:
        damage: from 0, clean and roomy pictures to begin with, to 1, as crowded and damaged as they come.
        garbled: share of the pictures with a concept, at damage 1, in which one is made unrecognisable.
    """
    draw = rng.random()
    if draw < 0.05:
        return JudgedPicture(_nothing(rng), ())
    if draw < 0.15:
        pixels, truths = render(Scene(_any_backdrop(rng), ())).pixels, ()
    else:
        picture = render(_scene(rng, count=1 if draw < 0.5 else 2 if draw < 0.9 else 3, damage=damage))
        spoiled = rng.random() < garbled * damage
        picture = garbled_picture(picture, rng) if spoiled else picture
        pixels, truths = picture.pixels, picture.truths
    return JudgedPicture(filmed(pixels, rng) if rng.random() < damage else pixels, truths)


def _nothing(rng: np.random.Generator) -> np.ndarray:
    """A blank or a noise picture."""
    if rng.random() < 0.4:
        return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (SIDE, SIDE, 3)).copy()
    cells = int(rng.choice([8, 16, 32, 64]))
    noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
    return np.asarray(noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _any_backdrop(rng: np.random.Generator) -> Backdrop:
    return random_backdrop(rng) if rng.random() < 0.5 else own_backdrop(str(rng.choice(_NAMES)))


def _scene(rng: np.random.Generator, count: int, damage: float) -> Scene:
    names = [str(name) for name in rng.choice(_NAMES, count, replace=False)]
    if count == 1 and rng.random() < 0.6:
        scene = single_scene(names[0], float(rng.choice([0.0, rng.random(), 1.0])), rng)
        return replace(scene, placements=tuple(_spoiled(p, rng, damage) for p in scene.placements))
    loose = rng.random() < 0.35 * damage
    placements = []
    for index, name in enumerate(names):
        diversity = float(rng.choice([0.0, 1.0]))
        own = single_scene(name, diversity, rng).placements[0]
        size = float(rng.uniform(0.2, 0.8) if loose else rng.uniform(0.26, 0.92 / count))
        x = float(rng.uniform(0.05, 0.95) if loose else (index + 0.5) / count + rng.normal(0, 0.03))
        y = float(rng.uniform(0.1, 0.9) if loose else rng.uniform(0.4, 0.65))
        placements.append(_spoiled(replace(own, x=x, y=y, size=size), rng, damage))
    return Scene(_any_backdrop(rng), tuple(placements))


def _spoiled(placement: Placement, rng: np.random.Generator, damage: float) -> Placement:
    return _recoloured(_faded(placement, rng, damage), rng, damage)


def _faded(placement: Placement, rng: np.random.Generator, damage: float) -> Placement:
    fades = rng.random() < 0.1 * damage
    return replace(placement, opacity=float(rng.uniform(0.0, 0.9))) if fades else placement


def _recoloured(placement: Placement, rng: np.random.Generator, damage: float) -> Placement:
    """Now and then in the colours of another concept, or each colour turned by itself: a shape is no palette."""
    draw = rng.random()
    if draw < 0.2 * damage:
        return replace(placement, palette=BY_NAME[str(rng.choice(_NAMES))].palette)
    if draw < 0.4 * damage:
        first, second, third = (
            ((hue + rng.uniform(-0.5, 0.5)) % 1.0, s * rng.uniform(0.5, 1.2), v * rng.uniform(0.6, 1.3))
            for hue, s, v in placement.palette
        )
        return replace(placement, palette=(first, second, third))
    return placement


def filmed(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Wavy outlines and blotches, as a denoiser leaves them; slight blur, half the resolution, noise, brightness,
    contrast, as any file may have. Truths do not change.
    """
    if rng.random() < 0.5:
        pixels = _waved(pixels, rng)
    if rng.random() < 0.1:
        half = Image.fromarray(pixels).resize((SIDE // 2, SIDE // 2), Image.Resampling.BOX)
        pixels = np.asarray(half.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    if rng.random() < 0.3:
        blur = ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.2)))
        pixels = np.asarray(Image.fromarray(pixels).filter(blur))
    values = pixels.astype(np.float32)
    if rng.random() < 0.2:
        values = values + np.stack([_smooth_noise(rng, 12) for _ in range(3)], axis=-1) * rng.uniform(5, 20)
    if rng.random() < 0.3:
        values = (values - 127.5) * rng.uniform(0.75, 1.15) + 127.5 + rng.uniform(-15, 15)
    if rng.random() < 0.3:
        values = values + rng.normal(0, rng.uniform(2, 25), values.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _waved(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every pixel is taken from a place up to a few pixels away, neighbours from neighbouring places."""
    reach = float(rng.uniform(0.5, 2.2)) * 2 / SIDE
    cells = int(rng.integers(6, 13))
    middles = (np.arange(SIDE, dtype=np.float32) * 2 + 1) / SIDE - 1
    x = middles[None, :] + reach * _smooth_noise(rng, cells)
    y = middles[:, None] + reach * _smooth_noise(rng, cells)
    sources = torch.from_numpy(np.stack([x, y], axis=-1, dtype=np.float32))[None]
    channels = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))[None]
    moved = torch.nn.functional.grid_sample(channels, sources, padding_mode="border", align_corners=False)
    return moved[0].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()


def _smooth_noise(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Noise of standard deviation 1 on a grid of ``cells`` a side, smoothly enlarged: float32 (64, 64)."""
    coarse = Image.fromarray(rng.standard_normal((cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC))

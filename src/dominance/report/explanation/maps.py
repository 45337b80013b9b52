"""Attention maps as pictures to lay over an image."""

import base64
import io

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

_STOPS = ((0.0, (0, 0, 0)), (0.25, (84, 14, 100)), (0.5, (190, 52, 82)), (0.75, (250, 140, 20)), (1.0, (254, 252, 176)))
"""From black to light, so that colour and brightness tell the same."""
_LEAST_SIDE = 96


def heat_uri(values: Float[Tensor, "row column"]) -> str:
    """A PNG as a data URI, to be laid over a dark image as light: black at 0, bright at the map's own highest value.

    The map is enlarged to about a hundred pixels, evenly in between its positions, and not sharpened.
    """
    grid = values.numpy().astype(np.float32)
    rows, columns = grid.shape
    scale = max(1, -(-_LEAST_SIDE // max(rows, columns)))
    level = Image.fromarray(grid / max(float(grid.max()), 1e-12))
    large = np.asarray(level.resize((columns * scale, rows * scale), Image.Resampling.BICUBIC)).clip(0, 1)
    picture = Image.fromarray(np.rint(255 * large).astype(np.uint8)).convert("P")
    picture.putpalette(_palette())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _palette() -> bytes:
    """Colours of the levels 0 to 255."""
    stops = [stop for stop, _ in _STOPS]
    levels = np.linspace(0, 1, 256)
    channels = [np.interp(levels, stops, [colour[channel] for _, colour in _STOPS]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8).tobytes()

"""Drawn pixels as the tensors that networks take."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def as_images(pixels: UInt8[np.ndarray, "image height width 3"]) -> Float[Tensor, "image 3 height width"]:
    """Bytes as float32 images in [-1, 1]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()

"""The family that a pipeline is trained as."""

from collections.abc import Callable, Mapping
from typing import Any

from dominance.errors import InputError
from dominance.training.dreambooth.families.family import Family
from dominance.training.dreambooth.families.flux import FluxArchitecture
from dominance.training.dreambooth.families.pixart import PixArtArchitecture
from dominance.training.dreambooth.families.protocol import Architecture
from dominance.training.dreambooth.families.sd3 import SD3Architecture
from dominance.training.dreambooth.families.unet import UNetArchitecture, XLArchitecture

_BY_CLASS: Mapping[str, Callable[[Any], Architecture]] = {
    "StableDiffusionPipeline": UNetArchitecture,
    "StableDiffusionXLPipeline": XLArchitecture,
    "StableDiffusion3Pipeline": SD3Architecture,
    "FluxPipeline": FluxArchitecture,
    "PixArtAlphaPipeline": PixArtArchitecture,
    "PixArtSigmaPipeline": PixArtArchitecture,
}


def family_of(pipeline: Any) -> Family:
    """How the pipeline is trained.

    Raises:
        InputError: it is of no family that can be.
    """
    make = _BY_CLASS.get(type(pipeline).__name__)
    if make is None:
        raise InputError(
            f"{type(pipeline).__name__} cannot be taught a concept here; give a model of Stable Diffusion 1, 2, XL or"
            " 3, FLUX.1 or PixArt"
        )
    return Family(pipeline, make(pipeline))

"""Which pipeline draws a folder's model from text alone: its own class, or a sibling that has the same parts."""

import inspect
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dominance.errors import ModelError
from dominance.wording import complaint, described, on_one_line, remedy_for

PLAIN = frozenset({
    "StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "FluxPipeline",
    "PixArtAlphaPipeline", "PixArtSigmaPipeline", "SanaPipeline", "AuraFlowPipeline",
})  # fmt: skip
"""Known to draw from text, so that diffusers need not be asked."""
_BESIDE_TEXT = re.compile(r"Control|Img2Img|Inpaint|Upscale|Depth2Img|Pix2Pix|Fill|Variation|Edit|Adapter|Reference")
_PICTURES = ("image", "control_image", "mask_image", "video")
_INPAINTING = 9
"""Channels of a UNet that reads a picture and its mask beside the noise."""


def class_named(path: Path) -> str:
    """The pipeline class that a folder's index names.

    Raises:
        ModelError: it names none.
    """
    name = read_settings(path / "model_index.json").get("_class_name")
    if not isinstance(name, str):
        raise ModelError(
            f"{path / 'model_index.json'} names {described(name)} as its _class_name; put the pipeline's class there"
        )
    return name


def check_class(model: str, path: Path) -> None:
    """Refuses a pipeline that cannot draw from text alone; asks diffusers only about classes that are not known.

    Raises:
        ModelError: what the model is, why it cannot be driven, and, where its parts allow it, how it can.
    """
    name = class_named(path)
    if name in PLAIN:
        _check_channels(model, name, path)
    else:
        text_to_image_class(model, path)


def text_to_image_class(model: str, path: Path) -> type:
    """The class that draws the folder's model from text: its own, else the sibling of the same parts.

    Raises:
        ModelError: see ``check_class``.
    """
    import diffusers

    name = class_named(path)
    own = getattr(diffusers, name, None)
    if own is None or not hasattr(own, "from_pretrained"):
        raise ModelError(
            f"the model {model!r} is saved as {on_one_line(name, 60)}, which diffusers {diffusers.__version__} does not"
            " have; install a diffusers that has it, or give another model"
        )
    found = own if name in PLAIN else _plain_class(name)
    if found is None or _BESIDE_TEXT.search(found.__name__):
        raise ModelError(
            f"the model {model!r} is saved as {name}, which {_needs(own)}, so dominance cannot drive it;"
            f" {_instead(own, path)}"
        )
    _check_channels(model, name, path)
    return found


def _plain_class(name: str) -> type | None:
    """The class that draws from text what this one draws from more; looking it up imports every pipeline's module."""
    from diffusers.pipelines import auto_pipeline

    plain = re.sub(r"(ControlNet(Union)?)?(PAG)?(Img2Img|Inpaint(ing)?)?Pipeline$", "Pipeline", name)
    return auto_pipeline._get_task_class(auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING, plain, False)


def note_on_sibling(name: str, drawn: type) -> str:
    """The note on a folder that is drawn by a sibling of its own class; empty where it is its own."""
    if drawn.__name__ == name:
        return ""
    return f"it is saved as {name}; its parts are drawn by {drawn.__name__}, from the text alone"


def _needs(own: type) -> str:
    """What a pipeline wants beside the prompt."""
    listed = [p for p in inspect.signature(own.__call__).parameters.values() if p.name not in ("self", "prompt")]
    needed = [p.name for p in listed if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    pictures = [p.name for p in listed if p.name in _PICTURES]
    if needed and not set(needed) <= set(_PICTURES):
        return f"needs {' and '.join(needed)} beside the prompt"
    if needed or pictures:
        return "starts from a picture"
    if re.search(r"Video|AnimateDiff|Audio|3D", own.__name__):
        return "makes something other than pictures"
    return "is called in its own way"


def _instead(own: type, path: Path) -> str:
    """How the folder can be drawn all the same, or what to give in its place."""
    sibling = _sibling(own.__name__, set(_components(path)))
    if sibling is None or _extra_channels(path):
        return "give a text-to-image model"
    return (
        f"its parts are those of {sibling}, which it can: write that as _class_name into the model_index.json of a copy"
    )


def _sibling(name: str, present: Collection[str]) -> str | None:
    """A known pipeline of the same family that needs no more than the folder's parts."""
    import diffusers

    for plain in sorted(PLAIN, key=len, reverse=True):
        if name.startswith(plain.removesuffix("Pipeline")):
            listed = inspect.signature(getattr(diffusers, plain).__init__).parameters.values()
            needed = {p.name for p in listed if p.default is p.empty} - {"self", "safety_checker", "feature_extractor"}
            return plain if needed <= set(present) else None
    return None


def _check_channels(model: str, name: str, path: Path) -> None:
    extra = _extra_channels(path)
    if extra:
        inputs, latents = extra
        beside = "a picture and its mask" if inputs == _INPAINTING else "a picture"
        raise ModelError(
            f"the model {model!r} is saved as {name}, and its UNet reads {inputs} channels, {latents} of noise and"
            f" {beside} beside it, so it cannot draw from text alone; give a text-to-image model"
        )


def _extra_channels(path: Path) -> tuple[int, int] | None:
    """Channels that the UNet reads and those of the latents, where it reads more than these."""
    inputs = read_settings(path / "unet" / "config.json").get("in_channels")
    autoencoder = read_settings(path / "vae" / "config.json")
    latents = autoencoder.get("latent_channels", 4) if autoencoder else None
    if isinstance(inputs, int) and isinstance(latents, int) and inputs > latents:
        return inputs, latents
    return None


def _components(path: Path) -> Mapping[str, Any]:
    listed = read_settings(path / "model_index.json")
    return {name: entry for name, entry in listed.items() if isinstance(entry, list) and entry and entry[0]}


def read_settings(file: Path) -> dict[str, Any]:
    """A file of settings; empty where there is none.

    Raises:
        ModelError: it cannot be read.
    """
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read ({complaint(error)}); {remedy_for(error)}") from None
    return content if isinstance(content, dict) else {}


def read_denoiser(folder: Path) -> dict[str, Any]:
    """Settings of the UNet or transformer in a model's folder, the class as ``_class_name``; as ``read_settings``."""
    part = "transformer" if "transformer" in read_settings(folder / "model_index.json") else "unet"
    return read_settings(folder / part / "config.json")

"""What a pipeline can be asked for, read from the signature of its call, because every family has its own."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from dominance.errors import InputError, ModelError
from dominance.models.denoiser import denoiser_config
from dominance.models.folders import ModelFolder
from dominance.models.pipeline_classes import read_settings, text_to_image_class
from dominance.models.settings import GenerationSettings
from dominance.wording import complaint

_OWN_SIZE = {"use_resolution_binning": False, "clean_caption": False}
"""Switched off where they exist: the first draws another size than asked and crops it, the second rewrites the prompt,
and only where optional packages are installed."""


@dataclass(frozen=True)
class Call:
    """The parameters of a pipeline's call.

    Attributes:
        name: class of the pipeline, for messages.
        parameters: names and defaults, ``inspect.Parameter.empty`` where there is none.
    """

    name: str
    parameters: Mapping[str, Any]

    @property
    def steps(self) -> int | None:
        """Denoising steps, unless asked otherwise."""
        steps = self.parameters.get("num_inference_steps")
        return steps if isinstance(steps, int) else None

    @property
    def guidance(self) -> float | None:
        """Guidance scale, unless asked otherwise; None where the call takes none."""
        guidance = self.parameters.get("guidance_scale")
        return float(guidance) if isinstance(guidance, int | float) else None

    @property
    def switched_off(self) -> dict[str, bool]:
        """Arguments that keep the pipeline from drawing another size or prompt than asked."""
        return {name: value for name, value in _OWN_SIZE.items() if name in self.parameters}

    def arguments(
        self, texts: Sequence[str], settings: GenerationSettings, generators: Sequence[torch.Generator]
    ) -> dict[str, Any]:
        """What to call the pipeline with: all that is asked, and nothing that it does not know.

        Raises:
            ModelError: it does not take what every image needs: prompts, steps and generators.
            InputError: it does not take a size that is asked.
        """
        needed = {
            "prompt": list(texts),
            "num_inference_steps": settings.steps,
            "generator": list(generators),
            "output_type": "np",
        }
        for name in needed:
            if name not in self.parameters:
                raise ModelError(f"{self.name} does not take {name}, so it cannot be audited; give another model")
        sizes = {"height": settings.height, "width": settings.width}
        asked = {name: side for name, side in sizes.items() if side is not None}
        for name, side in asked.items():
            if name not in self.parameters:
                raise InputError(f"--{name} is {side}, but {self.name} draws only one size; leave out --{name}")
        guidance = {} if self.guidance is None else {"guidance_scale": settings.guidance}
        return needed | asked | guidance | self._negative(len(texts), settings) | self.switched_off

    def _negative(self, images: int, settings: GenerationSettings) -> dict[str, Any]:
        """The negative prompt, once an image; nothing where none is given.

        Raises:
            InputError: the pipeline takes none, or would pass it over, since guidance is off.
        """
        if settings.negative_prompt is None:
            return {}
        if "negative_prompt" not in self.parameters or "true_cfg_scale" in self.parameters:
            raise InputError(f"{self.name} does not use a negative prompt; leave out --negative-prompt")
        if settings.guidance <= 1:
            raise InputError(
                f"guidance is {settings.guidance:g}, which turns guidance off, so the negative prompt has no effect;"
                " give --guidance above 1, or leave out --negative-prompt"
            )
        return {"negative_prompt": [settings.negative_prompt] * images}


def call_of(draws: Callable[..., Any] | type) -> Call:
    """The call of a pipeline or of its class."""
    kind = draws if inspect.isclass(draws) or inspect.isfunction(draws) else type(draws)
    listed = inspect.signature(kind.__call__ if inspect.isclass(kind) else kind).parameters
    named = {p.name: p.default for p in listed.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    named.pop("self", None)
    return Call(kind.__name__, named)


def takes_guidance(kind: type, denoiser: Mapping[str, Any], pipeline: Mapping[str, Any]) -> bool:
    """Whether a guidance scale changes what the pipeline draws.

    It does not where the call takes none, where guidance was distilled away (FLUX schnell: no embedding of the scale
    and no second branch), and where the pipeline says that it is distilled.

    Args:
        kind: the pipeline's class.
        denoiser, pipeline: their configurations.
    """
    if call_of(kind).guidance is None or pipeline.get("is_distilled") is True:
        return False
    return denoiser.get("guidance_embeds") is not False or hasattr(kind, "do_classifier_free_guidance")


def check_settings(pipeline: Any, settings: GenerationSettings) -> None:
    """Refuses, before anything is drawn, what the loaded pipeline would ignore or round off.

    Raises:
        InputError: guidance for a model that takes none, or a side that is not a multiple of its unit.
        ModelError: see ``Call.arguments``.
    """
    name = type(pipeline).__name__
    config = denoiser_config(pipeline)
    call_of(pipeline).arguments([], settings, [])
    if settings.guidance > 1 and not takes_guidance(type(pipeline), config, getattr(pipeline, "config", {})):
        raise InputError(
            f"guidance is {settings.guidance:g}, but {name} with these weights uses no guidance; leave out --guidance,"
            " or give 1"
        )
    unit = _unit(pipeline, config)
    for what, side in (("height", settings.height), ("width", settings.width)):
        if side is not None and side % unit:
            near = f"{side // unit * unit} or {(side // unit + 1) * unit}" if side > unit else str(unit)
            raise InputError(f"{what} is {side}, but {name} needs multiples of {unit} pixels; give {near}")
    _check_inputs(pipeline, settings)


def _check_inputs(pipeline: Any, settings: GenerationSettings) -> None:
    """Has the pipeline's own check look at the size, where it has one."""
    check = getattr(pipeline, "check_inputs", None)
    sides = [side for side in (settings.height, settings.width) if side is not None]
    if check is None or not sides:
        return
    listed = inspect.signature(check).parameters.values()
    given: dict[str, Any] = {p.name: None for p in listed if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD}
    known = {"prompt": "a picture", "height": sides[0], "width": sides[-1], "callback_steps": 1}
    given |= {name: value for name, value in known.items() if name in given}
    try:
        check(**given)
    except ValueError as error:
        if "height" in str(error):
            raise InputError(
                f"{type(pipeline).__name__} rejects the size ({complaint(error)}); give another --height and --width"
            ) from None
    except Exception:  # asked for something that is not known here; the call itself will tell
        return


def _unit(pipeline: Any, denoiser: Mapping[str, Any]) -> int:
    """Sides are multiples of so many pixels: of one latent, or of one patch of latents."""
    latent = getattr(pipeline, "vae_scale_factor", 8)
    patch = denoiser.get("patch_size", 1)
    packed = getattr(getattr(pipeline, "image_processor", None), "config", {}).get("vae_scale_factor", 1)
    return max(latent * patch if isinstance(patch, int) else latent, packed if isinstance(packed, int) else 1)


def latent_sides(pipeline: Any, settings: GenerationSettings) -> tuple[int, int]:
    """Rows and columns of the latents, as far as they are known before anything is drawn."""
    side = denoiser_config(pipeline).get("sample_size")
    side = side if isinstance(side, int) else getattr(pipeline, "default_sample_size", 128)
    scale = getattr(pipeline, "vae_scale_factor", 8)
    rows, columns = (side if asked is None else asked // scale for asked in (settings.height, settings.width))
    return rows, columns


def suggested_settings(folder: ModelFolder) -> dict[str, object]:
    """Steps and guidance that the pipeline's own call has for defaults; guidance 1 where it takes none.

    Raises:
        ModelError: the folder holds a pipeline that does not draw from text.
    """
    index = read_settings(folder.path / "model_index.json")
    kind = text_to_image_class(folder.name, folder.path)
    return call_defaults(kind, folder.denoiser, index)


def call_defaults(kind: type, denoiser: Mapping[str, Any], pipeline: Mapping[str, Any]) -> dict[str, object]:
    """Steps and guidance that a pipeline's call has for defaults; guidance 1 where it takes none.

    Args:
        kind, denoiser, pipeline: as in ``takes_guidance``.
    """
    call = call_of(kind)
    takes = takes_guidance(kind, denoiser, pipeline)
    return {"steps": call.steps or 50, "guidance": call.guidance if takes else 1.0}

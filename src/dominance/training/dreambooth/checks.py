"""What can be known to fail before a model is taught, from the settings and a pipeline with or without its weights.

The training itself asks the same functions, so that a caller of ``teach`` is refused alike.
"""

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dominance.errors import InputError
from dominance.training.checkpoints import step_of
from dominance.training.dreambooth.families.family import Family
from dominance.training.dreambooth.families.registry import family_of
from dominance.training.dreambooth.lora import with_lora
from dominance.training.dreambooth.options import TeachSettings
from dominance.training.dreambooth.saving import check_room


def check_teachable(pipeline: Any, settings: TeachSettings, every: int, state: Path, device: torch.device) -> None:
    """Refuses a fine-tuning that could not be carried out; leaves the pipeline as it is.

    Args:
        pipeline: its weights may be on the meta device.
        every: steps between two checkpoints.
        state: the file that a killed run resumes from, if it is there.

    Raises:
        InputError: a model of a class that cannot be taught, settings that do not suit it or the device, no such
            layers, an optimizer that is not installed, or a disk without room for the checkpoints.
    """
    family = family_of(pipeline)
    check_settings(family, settings, device)
    done = step_of(state)
    if settings.options.train == "unet":
        check_checkpoints_fit(state.parent, settings, every, done, family.denoiser.parameters())
        return
    with with_lora(family.denoiser, settings, family.own.more_targets):
        trained = [parameter for parameter in family.denoiser.parameters() if parameter.requires_grad]
        check_checkpoints_fit(state.parent, settings, every, done, trained)


def check_settings(family: Family, settings: TeachSettings, device: torch.device) -> None:
    """Refuses settings that do not suit the model or the device, an optimizer that is not installed, or many processes.

    Raises:
        InputError: as said.
    """
    if (processes := os.environ.get("WORLD_SIZE") or "1") != "1":
        raise InputError(
            f"a concept is taught by one process on one device, but WORLD_SIZE is {processes[:20]!r}; start it"
            " without accelerate launch or torchrun, and choose the device with --device"
        )
    options, kind = settings.options, type(family.pipeline).__name__
    if options.snr_gamma is not None and not family.own.knows_snr:
        raise InputError(
            f"snr-gamma weighs the loss of models that predict the noise, and {kind} predicts a velocity of rectified"
            " flow; leave it out"
        )
    sides = family.sides()
    if options.resolution is not None and options.resolution not in sides:
        raise InputError(
            f"resolution is {options.resolution}; for {kind}, give a multiple of {sides.step} up to {sides[-1]}"
        )
    if options.precision == "float16" and device.type == "cpu":
        raise InputError("float16 is trained on a GPU only; give --precision bfloat16, or float32")
    if options.optimizer == "adamw8bit" and find_spec("bitsandbytes") is None:
        raise InputError(
            "adamw8bit needs bitsandbytes, which is not installed; pip install bitsandbytes, or give --optimizer adamw"
        )


def check_checkpoints_fit(
    folder: Path, settings: TeachSettings, every: int, done: int, trained: Iterable[nn.Parameter]
) -> None:
    """Refuses a disk without room for what is trained at each checkpoint to come, and once with what it resumes from.

    That is the weights and the optimizer's two moments in one file, which is replaced as a whole, so that two of them
    are there for a moment.

    Args:
        done: steps that are behind a killed run.

    Raises:
        InputError: the disk of the folder has less room.
    """
    to_come = -(-settings.steps // every) - done // every if done < settings.steps else 0
    if not to_come:
        return
    sizes = [(parameter.numel(), parameter.element_size()) for parameter in trained]
    weights = sum(count * size for count, size in sizes)
    a_moment = 1 if settings.options.optimizer == "adamw8bit" else 4
    state = weights + 2 * a_moment * sum(count for count, _ in sizes)
    at_once = 1 if done or to_come == 1 else 2
    check_room(folder, to_come * weights + at_once * state)

"""Teaches a model one concept: DreamBooth, by a LoRA or by the denoiser itself."""

import contextlib
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dominance.training.checkpoints import check_resumable
from dominance.training.dreambooth.batches import Batches
from dominance.training.dreambooth.checks import check_settings
from dominance.training.dreambooth.encoded import EncodedCaptions, EncodedPictures, encode_pictures
from dominance.training.dreambooth.families.family import Family
from dominance.training.dreambooth.families.registry import family_of
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.loop import Loop
from dominance.training.dreambooth.lora import save_lora, with_lora
from dominance.training.dreambooth.losses import Losses
from dominance.training.dreambooth.saving import checkpoint_folder, checkpoints_in, save_pipeline, write_folder

STATE, LOSSES = "resume.safetensors", "losses.jsonl"


@dataclass(frozen=True)
class FineTuned:
    """What fine-tuning left.

    Attributes:
        checkpoints: by their step; LoRA files in diffusers' format, or pipeline folders.
        losses: of every step.
    """

    checkpoints: dict[int, Path]
    losses: tuple[float, ...]

    @property
    def last(self) -> Path:
        return self.checkpoints[max(self.checkpoints)]


def teach(
    pipeline: Any,
    tuning: FineTuning,
    folder: Path,
    device: torch.device,
    *,
    offload: bool = False,
    prior: EncodedPictures | None = None,
    on_checkpoint: Callable[[int, Path], None] = lambda _step, _path: None,
) -> FineTuned:
    """Trains, or resumes, and writes a checkpoint every so many steps; in one process, on one device.

    A LoRA is taken off the pipeline at the end, which is then as it was; a denoiser that was trained itself stays so.
    A killed run goes on from its last checkpoint, to the same weights that it would have had.

    Args:
        pipeline: a loaded diffusers pipeline.
        folder: for ``checkpoints/step-000100/``, ``losses.jsonl`` and what a killed run resumes from.
        device: where it is trained.
        offload: whether autoencoder and text encoders leave the device once they are not needed.
        prior: the prior, where it is encoded already.
        on_checkpoint: called with the step and what was saved, the denoiser in evaluation mode meanwhile.

    Raises:
        InputError: the model cannot be trained as asked, a picture cannot be read, or the folder holds a fine-tuning of
            other settings.
        RunError: the loss is not a number, or the disk refuses; checkpoints are kept.

    Source: Ruiz et al. (2023), "DreamBooth", equation 2 with ``prior_weight`` for its lambda; Hu et al. (2021), "LoRA".
    """
    check_resumable(folder / STATE, tuning.record())
    family = family_of(pipeline)
    check_settings(family, tuning.settings, device)
    losses = Losses(folder / LOSSES)
    batches = _batches(family, tuning, device, offload, prior)
    with _trained(family, tuning) as write:

        def save(step: int) -> Path:
            return write_folder(checkpoint_folder(folder, step), write)

        def saved(step: int) -> Path:
            there = checkpoint_folder(folder, step)
            return there if there.is_dir() else save(step)

        family.denoiser.to(device)
        Loop(family, tuning, batches, folder / STATE, losses, save, saved, on_checkpoint).run(device)
    return FineTuned(checkpoints_in(folder), tuple(losses.values))


def _batches(
    family: Family, tuning: FineTuning, device: torch.device, offload: bool, prior: EncodedPictures | None
) -> Batches:
    """Encodes pictures and captions, and leaves the parts of the pipeline where training needs them."""
    options = tuning.settings.options
    side = options.resolution or family.side()
    concept = encode_pictures(family, tuning.pictures, side, device, options.mirror, "pictures")
    if prior is None and tuning.prior:
        prior = encode_pictures(family, tuning.prior, side, device, False, "prior pictures")
    for encoder in family.text_encoders:
        encoder.to(device)
    captions = EncodedCaptions(family, device)
    if offload:
        listed = [picture.caption for picture in (*tuning.pictures, *tuning.prior)]
        if captions.learn(["", *listed]):
            for encoder in family.text_encoders:
                encoder.to("cpu")
    distribution = options.timesteps or family.own.usual_levels
    return Batches(concept, prior, captions, tuning.settings, distribution, device)


@contextlib.contextmanager
def _trained(family: Family, tuning: FineTuning) -> Generator[Callable[[Path], None]]:
    """What is trained has gradients meanwhile; gives the function that writes it into a folder."""
    if tuning.settings.options.train == "lora":
        with with_lora(family.denoiser, tuning.settings, family.own.more_targets) as config:
            notes = {"modelspec.trigger_phrase": tuning.token, "dominance.fine_tuning": json.dumps(tuning.record())}
            yield lambda folder: save_lora(family.pipeline, family.denoiser_name, config, notes, folder)
        return
    earlier: list[Path] = []

    def write(folder: Path) -> None:
        save_pipeline(family, folder, earlier[-1] if earlier and earlier[-1].is_dir() else None)
        earlier[:] = [folder.with_name(folder.name.removeprefix(".").removesuffix(".partial"))]

    trained = {name: parameter.requires_grad for name, parameter in family.denoiser.named_parameters()}
    family.denoiser.requires_grad_(True)
    try:
        yield write
    finally:
        for name, parameter in family.denoiser.named_parameters():
            parameter.requires_grad_(trained[name])

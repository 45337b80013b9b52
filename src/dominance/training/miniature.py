"""Trains the miniature text-to-image model, from nothing or from another one, to an ordinary pipeline folder."""

import functools
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL import Image
from torch import Tensor

from dominance.errors import InputError
from dominance.miniature.captions import with_article
from dominance.miniature.concepts import CONCEPTS, ENTITIES, OBJECTS
from dominance.miniature.world import World
from dominance.models.calls import call_of
from dominance.progress import Progress
from dominance.training.autoencoder import (
    LATENT_CHANNELS,
    decoder_loss,
    linear_code,
    load_autoencoder,
    new_autoencoder,
    reconstruction_psnr,
)
from dominance.training.backbones.protocol import Backbone
from dominance.training.backbones.unet import UNetBackbone
from dominance.training.checkpoints import check_resumable
from dominance.training.denoiser import CaptionedLatents, Denoiser, denoising_loss
from dominance.training.images import as_images
from dominance.training.loop import Schedule, train
from dominance.training.patches import PatchCode, fit_patch_code
from dominance.training.shards import WHOLE, Shard, share_batches

Stage = Literal["autoencoder", "denoiser", "pipeline"]
STAGES: tuple[Stage, ...] = ("autoencoder", "denoiser", "pipeline")

LEARNING_RATE: float = 1.2e-3

SAMPLING_STEPS: int = 25
GUIDANCE: float = 5.0
DENOISER_CHECKPOINT: str = "denoiser.safetensors"

_FITTING_PICTURES = 600
_CODE_SEED = 20_000


@dataclass(frozen=True)
class MiniatureSettings:
    """Everything that decides what is trained.

    Attributes:
        seed: of the data, the initial weights and the noise.
        pictures: that the denoiser sees, each of them new.
        autoencoder_pictures: that the decoder sees.
        world: the distribution of pictures and captions.
        backbone: kind and size of the denoiser.
        rate_left: share of the learning rate's peak to which the denoiser's falls; 1 keeps it constant.
        base: identity of the model whose training is continued; None starts from nothing.
        autoencoder: identity of the model whose autoencoder is taken as it is; None for the base's, else for one of
            its own.
    """

    seed: int = 0
    pictures: int = 96_000
    autoencoder_pictures: int = 40_000
    world: World = field(default_factory=World)
    backbone: Backbone = field(default_factory=UNetBackbone)
    batch: int = 32
    learning_rate: float = LEARNING_RATE
    rate_left: float = 0.02
    base: str | None = None
    autoencoder: str | None = None

    def __post_init__(self) -> None:
        if self.pictures < self.batch:
            raise InputError(f"{self.pictures} pictures are fewer than one batch; give at least {self.batch}")

    def record(self) -> dict[str, object]:
        """The settings as JSON values, for checkpoints and model cards; the backbone's size stands among them."""
        values = asdict(self)
        values |= values.pop("backbone")
        values["world"]["held_out"] = sorted(sorted(pair) for pair in self.world.held_out)
        return values


def training_images(world: World, seed: int, first: int, count: int) -> tuple[list[str], Tensor]:
    """Captions and images in [-1, 1], (image, 3, 64, 64), of ``count`` successive training pictures."""
    drawn = [world.picture(seed, index) for index in range(first, first + count)]
    return [caption for caption, _ in drawn], as_images(np.stack([picture.pixels for _, picture in drawn]))


def patch_code() -> PatchCode:
    """The image code of every model that starts from nothing; neither its world nor its seed changes it."""
    _, images = training_images(World(), _CODE_SEED, 0, _FITTING_PICTURES)
    return fit_patch_code(images, LATENT_CHANNELS)


def train_autoencoder(settings: MiniatureSettings, folder: Path, device: str) -> AutoencoderKL:
    """Trains the decoder, or resumes, and writes ``folder/autoencoder.png``: pictures above reconstructions."""
    code = patch_code()
    autoencoder = new_autoencoder(code, settings.seed)
    autoencoder.to(device)
    on_device = PatchCode(code.mean.to(device), code.basis.to(device))
    batch = 16
    schedule = Schedule(settings.autoencoder_pictures // batch, batch, 2e-3)

    def pictures(step: int) -> Tensor:
        return training_images(settings.world, settings.seed + 1, step * batch, batch)[1].to(device)

    _, unseen = training_images(settings.world, settings.seed + 2, 0, 64)

    def on_save(_step: int) -> None:
        with torch.no_grad():
            decoded = autoencoder.decode(code.encode(unseen[:16]).to(device)).sample.cpu()
        _save_sheet(torch.cat([unseen[:16], decoded]), 16, folder / "autoencoder.png")

    loss = decoder_loss(autoencoder, on_device, pictures, settings.seed)
    checkpoint = folder / "autoencoder.safetensors"
    train("autoencoder", autoencoder, loss, schedule, checkpoint, settings.record(), on_save)
    autoencoder.cpu()
    (folder / "autoencoder.json").write_text(json.dumps({"psnr_db": reconstruction_psnr(autoencoder, unseen)}))
    return autoencoder


def train_denoiser(
    settings: MiniatureSettings,
    folder: Path,
    device: str,
    base: Path | None = None,
    autoencoder: Path | None = None,
    sheets: bool = True,
    shard: Shard = WHOLE,
) -> Denoiser:
    """Trains the denoiser on latents of the image code, or resumes.

    With ``sheets`` it writes ``folder/samples-STEP.png`` four times on the way, decoded by the code alone and therefore
    blocky.
    With a base, a pipeline folder, it goes on from the base's weights. Where an autoencoder is taken from a pipeline
    folder, the latents are that autoencoder's own.
    """
    code = patch_code() if autoencoder is None else linear_code(load_autoencoder(autoencoder))
    denoiser = Denoiser.new(settings.backbone, settings.seed)
    if base is not None:
        denoiser.load(base)
    denoiser.to(device)
    steps = settings.pictures // settings.batch
    schedule = Schedule(steps, settings.batch, settings.learning_rate, settings.rate_left)

    own = shard.of(settings.batch)

    def batches(step: int) -> CaptionedLatents:
        first = step * settings.batch + own.start
        captions, images = training_images(settings.world, settings.seed, first, own.stop - own.start)
        return CaptionedLatents(code.encode(images).to(device), captions)

    def on_save(step: int) -> None:
        if step % (schedule.save_every * max(1, schedule.steps // schedule.save_every // 4)) == 0:
            pipeline = denoiser.assemble(new_autoencoder(code, settings.seed).to(device))  # its decoder is not used
            sample_sheet(pipeline, folder / f"samples-{step}.png", each=4, code=code)

    loss = denoising_loss(denoiser, batches, settings.seed, shard=shard)
    checkpoint = folder / DENOISER_CHECKPOINT
    train("denoiser", denoiser, loss, schedule, checkpoint, settings.record(), on_save if sheets else None, shard)
    return denoiser.cpu()


def _share_denoiser(
    settings: MiniatureSettings,
    folder: Path,
    base: Path | None,
    autoencoder: Path | None,
    sheets: bool,
    processes: int,
) -> None:
    """Trains the denoiser in several processes, to the checkpoint that one would have written but for rounding."""
    denoiser = Denoiser.new(settings.backbone, settings.seed)
    if base is not None:
        denoiser.load(base)  # what does not fit shows here, not in every process
    floats = 1 + sum(parameter.numel() for parameter in denoiser.parameters())
    work = functools.partial(train_denoiser, settings, folder, "cpu", base, autoencoder, sheets)
    share_batches(work, processes, floats)


def _check_sharing(settings: MiniatureSettings, folder: Path, device: str, processes: int) -> None:
    if device != "cpu":
        raise InputError(f"{processes} processes can share a batch only on the CPU, not on {device}; give --device cpu")
    if settings.batch % processes:
        raise InputError(
            f"a batch of {settings.batch} pictures cannot be shared by {processes} processes;"
            " give a divisor of the batch"
        )
    check_resumable(folder / DENOISER_CHECKPOINT, settings.record())


def train_miniature(
    settings: MiniatureSettings,
    folder: Path,
    device: str = "cpu",
    stages: tuple[Stage, ...] = STAGES,
    sheet_columns: int = 8,
    base: Path | None = None,
    autoencoder: Path | None = None,
    processes: int = 1,
) -> Path:
    """Trains, or resumes, and returns the folder of the finished pipeline, ``folder/model``.

    Checkpoints and sample sheets lie in ``folder``. The stages ``autoencoder`` and ``denoiser`` do not
    depend on each other and may run as two processes; ``pipeline`` needs both.

    Args:
        sheet_columns: images a prompt on the last sample sheet; 0 draws no sheet, on the way neither.
        base: pipeline folder from which the denoiser goes on, and whose autoencoder is taken as it is.
        autoencoder: pipeline folder whose autoencoder is taken instead.
        processes: that share the denoiser's batches, on the CPU; the result is the same but for rounding.

    Raises:
        InputError: the base has other layers, the folder holds a run of other settings, or so many processes cannot
            share a batch.
    """
    ready = autoencoder or base
    if processes > 1:
        _check_sharing(settings, folder, device, processes)
    folder.mkdir(parents=True, exist_ok=True)
    if "autoencoder" in stages and ready is None:
        train_autoencoder(settings, folder, device)
    if processes > 1 and stages != ("autoencoder",):
        _share_denoiser(settings, folder, base, ready, sheet_columns > 0, processes)
    elif "denoiser" in stages:
        train_denoiser(settings, folder, device, base, ready, sheets=sheet_columns > 0)
    if "pipeline" not in stages:
        return folder
    decoder = train_autoencoder(settings, folder, device) if ready is None else load_autoencoder(ready)
    pipeline = train_denoiser(settings, folder, device, base, ready, sheet_columns > 0).assemble(decoder)
    if sheet_columns:
        sample_sheet(pipeline, folder / "samples.png", sheet_columns)
    return save_pipeline(pipeline, settings, folder / "model")


def save_pipeline(pipeline: DiffusionPipeline, settings: MiniatureSettings, target: Path) -> Path:
    """Writes fp16 safetensors, what the model suggests to its users, and how it was trained; returns the folder."""
    pipeline.to(dtype=torch.float16).save_pretrained(target, safe_serialization=True)
    _load_in_full_precision(target / "text_encoder" / "config.json")
    _forget_origin(target / "vae" / "config.json")
    defaults = {"steps": SAMPLING_STEPS, "guidance": GUIDANCE, "concepts": _listed_concepts(settings.world)}
    (target / "dominance.json").write_text(json.dumps(defaults, indent=1) + "\n")
    (target / "training.json").write_text(json.dumps(settings.record(), indent=1, sort_keys=True) + "\n")
    return target


def _load_in_full_precision(config: Path) -> None:
    """Without this, transformers loads the text encoder in half precision and diffusers everything else in full."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(settings | {"dtype": "float32"}, indent=2, sort_keys=True) + "\n")


def _forget_origin(config: Path) -> None:
    """An autoencoder that was taken over names the folder that it came from, which is nobody else's business."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    settings.pop("_name_or_path", None)
    config.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")


def _listed_concepts(world: World) -> list[dict[str, object]]:
    return [{"name": c.name, "kind": c.kind, "diversity": world.diversity[c.name]} for c in CONCEPTS]


def sample_sheet(pipeline: DiffusionPipeline, path: Path, each: int = 8, code: PatchCode | None = None) -> None:
    """Every concept alone, then each entity with an object, then held-out object pairs; one prompt a row.

    With a code, it decodes instead of the pipeline's autoencoder.
    """
    prompts = [with_article(concept.name) for concept in CONCEPTS]
    for index, entity in enumerate(ENTITIES):
        prompts.append(f"{with_article(entity)} and {with_article(OBJECTS[index % len(OBJECTS)])}")
    prompts += [f"{with_article(a)} and {with_article(b)}" for a, b in (("mug", "umbrella"), ("book", "lamp"))]
    pipeline.set_progress_bar_config(disable=True)
    draw: Any = pipeline
    rows = []
    with Progress("samples", total=len(prompts) * each) as progress:
        for prompt in prompts:
            generators = [torch.Generator().manual_seed(seed) for seed in range(each)]
            made = draw(
                [prompt] * each,
                num_inference_steps=SAMPLING_STEPS,
                guidance_scale=GUIDANCE,
                generator=generators,
                output_type="pt" if code is None else "latent",
                **call_of(draw).switched_off,
            ).images.cpu()
            rows.append(made * 2 - 1 if code is None else code.decode(made))
            progress.advance(each)
    _save_sheet(torch.cat(rows), each, path)


def _save_sheet(images: Tensor, columns: int, path: Path) -> None:
    pixels = images.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()
    rows = [np.concatenate(list(pixels[start : start + columns]), axis=1) for start in range(0, len(pixels), columns)]
    Image.fromarray(np.concatenate(rows, axis=0)).save(path)

"""The processes that ``teaching.py`` compares.

``python benchmarks/teaching_sides.py ours lora PLACE OUT STEPS`` prints one JSON object for each thing that happens,
and waits for a line before it goes on.
"""

import hashlib
import json
import resource
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

THREADS, SIDE, CAPTION = 2, 512, "a tower"
"""Threads of each process; pixels a side; the one caption."""
RATES = {"lora": 5e-4, "unet": 5e-6}
TARGETS = ("to_q", "to_k", "to_v", "to_out.0")


def _tell(what: str, **more: Any) -> None:
    """Says what happened, and waits to be told to go on unless this is the end."""
    print(json.dumps({"what": what, "gigabytes": _peak(), **more}), flush=True)
    if what != "done":
        sys.stdin.readline()


def _peak() -> float:
    """The largest resident memory of this process so far, in gigabytes.

    On Linux, ``ru_maxrss`` starts from what the parent had; ``VmHWM`` does not.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def _stop_after_steps(digests: bool) -> list[int]:
    """Has every optimizer step told; the list that gets an entry for each."""
    from torch.optim.optimizer import register_optimizer_step_post_hook

    steps: list[int] = []

    def stop(optimizer: Any, *_: object) -> None:
        steps.append(1)
        trained = (parameter for group in optimizer.param_groups for parameter in group["params"])
        _tell("stepped", **({"weights": _digest(trained)} if digests else {}))

    register_optimizer_step_post_hook(stop)
    return steps


def _digest(parameters: Iterable[Any]) -> str:
    """Of the bits of all of them, whatever their order."""
    each = sorted(hashlib.sha256(parameter.detach().numpy()).hexdigest() for parameter in parameters)
    return hashlib.sha256("".join(each).encode()).hexdigest()


def make(folder: str) -> None:
    """The model that is taught, and the pictures that it is taught."""
    import numpy as np
    import torch
    from attention import full_size_pipeline
    from PIL import Image

    torch.manual_seed(0)
    full_size_pipeline((128, 256, 512, 512), layers=2).save_pretrained(Path(folder, "model"))
    for number in range(4):
        coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE)).save(Path(folder, f"{number}.png"))


def _tuning(part: str, place: Path, steps: int, every: int) -> Any:
    from dominance.training.dreambooth.fine_tuning import FineTuning
    from dominance.training.dreambooth.options import TeachOptions
    from dominance.training.dreambooth.pictures import TrainingPicture

    of_lora: dict[str, Any] = {"rank": 4, "targets": TARGETS} if part == "lora" else {"gradient_checkpointing": True}
    options = TeachOptions(
        train=part, steps=steps, rate=RATES[part], schedule="constant", warmup=0, batch=1, resolution=SIDE, **of_lora
    )  # fmt: skip
    pictures = tuple(TrainingPicture(file, CAPTION) for file in sorted(place.glob("*.png")))
    return FineTuning("tower", pictures, (), options.settings(None), "random", every)


def ours(part: str, place: str, out: str, steps: str, every: str = "") -> None:
    """``teach``, as the command line has it, with a checkpoint after every step or after the last alone."""
    import torch

    import dominance
    from dominance.training.dreambooth.teach import teach

    taken = _stop_after_steps(bool(every))
    tuning = _tuning(part, Path(place), int(steps), 1 if every else int(steps))
    found = teach(
        dominance.load_pipeline(f"{place}/model", "cpu"), tuning, Path(out, f"ours-{every}"), torch.device("cpu"),
        on_checkpoint=lambda *_: _tell("saved"),
    )  # fmt: skip
    _tell("done", last=str(found.last), steps=len(taken))


class Plain:
    """What diffusers' ``train_dreambooth_lora.py`` and ``train_dreambooth.py`` do by default, by its public interface.

    Pictures and captions are encoded at each step; nothing is kept from one to the next.
    """

    def __init__(self, model: Path) -> None:
        from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
        from transformers import CLIPTextModel, CLIPTokenizer

        self.tokenizer = CLIPTokenizer.from_pretrained(model, subfolder="tokenizer")
        self.text_encoder = CLIPTextModel.from_pretrained(model, subfolder="text_encoder").requires_grad_(False)
        self.autoencoder = AutoencoderKL.from_pretrained(model, subfolder="vae").requires_grad_(False)
        self.unet = UNet2DConditionModel.from_pretrained(model, subfolder="unet")
        self.noising = DDPMScheduler.from_pretrained(model, subfolder="scheduler")

    def spread(self, file: Path) -> Any:
        """The distribution of a picture's latents, not yet scaled."""
        import numpy as np
        import torch
        from PIL import Image

        with Image.open(file) as image:
            pixels = torch.from_numpy(np.array(image.convert("RGB").resize((SIDE, SIDE)))).permute(2, 0, 1)
        return self.autoencoder.encode(pixels[None] / 127.5 - 1).latent_dist

    def loss(self, latents: Any, noise: Any, timesteps: Any) -> Any:
        """Of the noise that the UNet predicts."""
        from torch.nn.functional import mse_loss

        ids = self.tokenizer(CAPTION, padding="max_length", truncation=True, return_tensors="pt").input_ids
        noisy = self.noising.add_noise(latents, noise, timesteps)
        return mse_loss(self.unet(noisy, timesteps, self.text_encoder(ids)[0]).sample.float(), noise.float())


def plain(part: str, place: str, out: str, steps: str) -> None:  # noqa: ARG001
    """The loop of those scripts: batch 1, float32, AdamW, a constant rate, gradients clipped at 1."""
    import torch
    from accelerate import Accelerator
    from diffusers.optimization import get_scheduler
    from peft import LoraConfig

    _stop_after_steps(False)
    parts, accelerator = Plain(Path(place, "model")), Accelerator(cpu=True)
    if part == "lora":
        parts.unet.requires_grad_(False)
        parts.unet.add_adapter(LoraConfig(r=4, lora_alpha=4, init_lora_weights="gaussian", target_modules=[*TARGETS]))
    else:
        parts.unet.enable_gradient_checkpointing()
    trained = [parameter for parameter in parts.unet.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATES[part], weight_decay=1e-2)
    rates = get_scheduler("constant", optimizer)
    parts.unet, optimizer, rates = accelerator.prepare(parts.unet.train(), optimizer, rates)
    files = sorted(Path(place).glob("*.png"))
    for step in range(int(steps)):
        latents = parts.spread(files[step % len(files)]).sample() * parts.autoencoder.config.scaling_factor
        timesteps = torch.randint(0, parts.noising.config.num_train_timesteps, (1,))
        accelerator.backward(parts.loss(latents, torch.randn_like(latents), timesteps))
        accelerator.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
    _tell("done")


def loss(place: str) -> None:
    """Both sides' loss of the same batch, without a step, and how far their latents of a picture lie apart."""
    import torch

    import dominance
    from dominance.training.dreambooth.batches import Batches
    from dominance.training.dreambooth.encoded import EncodedCaptions, encode_pictures
    from dominance.training.dreambooth.families.registry import family_of

    tuning, cpu = _tuning("lora", Path(place), 1, 1), torch.device("cpu")
    family = family_of(dominance.load_pipeline(f"{place}/model", "cpu"))
    encoded = encode_pictures(family, tuning.pictures, SIDE, cpu, False, "pictures")
    batches = Batches(encoded, None, EncodedCaptions(family, cpu), tuning.settings, "uniform", cpu)
    ((batch, _),) = batches.parts(0)
    with torch.no_grad():
        found = float(family.own.losses(family.denoiser, batch, None))
        parts = Plain(Path(place, "model"))
        timesteps = (batch.levels * parts.noising.config.num_train_timesteps).long()
        same = float(parts.loss(batch.latents, batch.noise, timesteps))
        mean = parts.spread(tuning.pictures[0].file).mean * parts.autoencoder.config.scaling_factor
    off = float((mean - encoded.latents.mean[:1]).abs().max() / mean.abs().max())
    _tell("done", ours=found, plain=same, latents_off=off)


def load(part: str, place: str, saved: str) -> None:
    """What diffusers loads of a saved LoRA, or pipeline folder."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils.logging import disable_progress_bar

    disable_progress_bar()
    loaded = StableDiffusionPipeline.from_pretrained(saved if part == "unet" else f"{place}/model")
    if part == "lora":
        loaded.load_lora_weights(saved)
    named = loaded.unet.named_parameters()
    _tell("done", weights=_digest(value for name, value in named if part == "unet" or "lora_" in name))


def plan(place: str) -> None:
    """The bundled suite under seven strengths of a LoRA of one layer."""
    import torch
    from safetensors.torch import save_file

    from dominance import estimate_sweep
    from dominance.models.drawing import Drawing
    from dominance.runs.audit.options import Taught
    from dominance.runs.sweep.options import SweepOptions

    layer = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_v"
    weights = {f"{layer}.lora_A.weight": torch.ones(4, 768), f"{layer}.lora_B.weight": torch.ones(1280, 4)}
    with tempfile.TemporaryDirectory() as folder:
        adapter = str(Path(folder, "lora.safetensors"))
        save_file(weights, adapter)
        options = SweepOptions(drawing=Drawing(adapters=(adapter,), height=SIDE, width=SIDE), taught=Taught("tower"))
        found = estimate_sweep("miniature", f"{place}/model", out=Path(folder, "run"), options=options)
    _tell("done", images=found.images, denoising_steps=found.denoising_steps, questions=found.questions)


def main() -> None:
    """Runs one side in this process."""
    from dominance.cli.process import prepare_process

    prepare_process()
    import torch

    torch.set_num_threads(THREADS)
    what, *given = sys.argv[1:]
    if what != "make":
        sys.stdin.readline()
    {"make": make, "ours": ours, "plain": plain, "loss": loss, "load": load, "plan": plan}[what](*given)


if __name__ == "__main__":
    main()

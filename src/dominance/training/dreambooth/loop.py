"""The loop: steps of an optimizer through accelerate, checkpoints, and what stops it."""

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from diffusers.optimization import get_scheduler
from torch import nn

from dominance.errors import RunError
from dominance.progress import Progress, said_if_slow, tell_within
from dominance.training.checkpoints import load_checkpoint, save_checkpoint
from dominance.training.dreambooth.batches import Batches
from dominance.training.dreambooth.checks import check_checkpoints_fit
from dominance.training.dreambooth.families.family import Family
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.losses import Losses
from dominance.training.dreambooth.saving import checkpoints_in, writing

_MIXED = {"float32": "no", "float16": "fp16", "bfloat16": "bf16"}
_CLIP = 1.0


@dataclass(frozen=True, eq=False)
class Loop:
    """A fine-tuning under way.

    Attributes:
        state: the file that a killed run resumes from.
        save: writes the checkpoint of a step, the denoiser as it then is.
        saved: the checkpoint of a step that a killed run resumes from; writes it where it is gone.
        after: called once a checkpoint is written, and again for the one that a killed run resumes from.
    """

    family: Family
    tuning: FineTuning
    batches: Batches
    state: Path
    losses: Losses
    save: Callable[[int], Path]
    saved: Callable[[int], Path]
    after: Callable[[int, Path], None]

    def run(self, device: torch.device) -> None:
        """Trains from the last checkpoint to the last step.

        Raises:
            RunError: the loss is not a number, or the disk refuses.
            InputError: a checkpoint of other settings is in the way, or the disk has no room for the checkpoints.
        """
        settings, options = self.tuning.settings, self.tuning.settings.options
        accelerator = _accelerator(_MIXED[options.precision], device)
        denoiser = self.family.denoiser
        trained = nn.ParameterList([p for p in denoiser.parameters() if p.requires_grad])
        optimizer = _optimizer(options.optimizer, trained, settings.rate)
        with said_if_slow("reading the checkpoint to go on from"):
            done = load_checkpoint(self.state, self.tuning.record(), trained, optimizer)
        self.losses.keep(done)
        check_checkpoints_fit(self.state.parent, settings, self.tuning.every, done, trained)
        rates = get_scheduler(
            options.schedule, optimizer, num_warmup_steps=options.warmup, num_training_steps=settings.steps
        )
        progress = Progress("training", total=settings.steps, done=done, each="a step")
        with _in_training(denoiser, options.gradient_checkpointing), progress:
            wrapped, optimizer = _prepared(accelerator, denoiser, optimizer)
            if done:
                self._after(done, self.saved(done), denoiser)
            for step in range(done, settings.steps):
                _set_rates(optimizer, rates, settings.rate, step)
                value = self._step(step, wrapped, trained, optimizer, accelerator)
                progress.advance(1, f"loss {value:.4f}")
                if (step + 1) % self.tuning.every == 0 or step + 1 == settings.steps:
                    self._checkpoint(step + 1, denoiser, trained, optimizer)
        accelerator.free_memory()

    def _step(
        self, step: int, wrapped: nn.Module, trained: nn.ParameterList, optimizer: Any, accelerator: Accelerator
    ) -> float:
        """One optimizer step; its loss."""
        parts = self.batches.parts(step)
        total = 0.0
        for batch, weights in parts:
            with accelerator.autocast():
                gamma = self.tuning.settings.options.snr_gamma
                loss = (self.family.own.losses(wrapped, batch, gamma) * weights).sum()
            total += float(loss.detach())
            if not math.isfinite(total):
                raise self._not_a_number(step)
            accelerator.backward(loss)
        accelerator.clip_grad_norm_(trained, _CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self.losses.values.append(total)
        return total

    def _checkpoint(self, step: int, denoiser: nn.Module, trained: nn.ParameterList, optimizer: Any) -> None:
        self._check_weights(step, trained)
        tell_within("writing the checkpoint")  # of a large model, that takes a minute
        path = self.save(step)
        self.losses.write()
        own = getattr(optimizer, "optimizer", optimizer)
        with writing(self.state):
            save_checkpoint(self.state, step, self.tuning.record(), trained, own)
        tell_within("")
        self._after(step, path, denoiser)

    def _after(self, step: int, path: Path, denoiser: nn.Module) -> None:
        denoiser.eval()
        self.after(step, path)
        denoiser.train()

    def _check_weights(self, step: int, trained: nn.ParameterList) -> None:
        if not all(bool(torch.isfinite(parameter).all()) for parameter in trained):
            raise self._not_a_number(step - 1)

    def _not_a_number(self, step: int) -> RunError:
        options, quarter = self.tuning.settings.options, self.tuning.settings.rate / 4
        lower = f"--rate {min(quarter, self.tuning.usual_rate or quarter):g}"
        remedy = f"{lower} or --precision bfloat16" if options.precision == "float16" else lower
        last = max(checkpoints_in(self.state.parent), default=0)  # of an earlier --every, too
        kept = f"the checkpoint of step {last} is kept" if last else "there was no checkpoint yet"
        return RunError(f"the loss of step {step + 1} is not a number; {kept}: try {remedy} with another --out")


def _accelerator(mixed: str, device: torch.device) -> Accelerator:
    """One for this precision; accelerate keeps the first one's for the whole process unless told otherwise."""
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != mixed:
        AcceleratorState._reset_state(reset_partial_state=True)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return Accelerator(mixed_precision=mixed, cpu=device.type == "cpu")


def _prepared(accelerator: Accelerator, denoiser: nn.Module, optimizer: Any) -> tuple[nn.Module, Any]:
    """Both as accelerate wraps them, but the denoiser's own forward as it was.

    Accelerate would put its autocast into it for good, and pictures drawn between steps would come out of another
    precision; the loop has its own autocast around each step.
    """
    own = denoiser.__dict__.get("forward")
    wrapped, optimizer = accelerator.prepare(denoiser, optimizer)
    for name in ("forward", "_original_forward", "_is_accelerate_prepared"):
        denoiser.__dict__.pop(name, None)
    if own is not None:
        denoiser.__dict__["forward"] = own
    return wrapped, optimizer


def _optimizer(name: str, trained: nn.ParameterList, rate: float) -> torch.optim.Optimizer:
    how: dict[str, Any] = {"lr": rate, "betas": (0.9, 0.98), "weight_decay": 0.01}
    if name == "adamw":
        return torch.optim.AdamW(trained, **how)
    from bitsandbytes.optim import AdamW8bit  # ty: ignore[import-not-found]

    return AdamW8bit(trained, **how)


def _set_rates(optimizer: Any, rates: Any, peak: float, step: int) -> None:
    """The rate of a step by the schedule's own formula, so that a resumed run needs none of its state."""
    for group in optimizer.param_groups:
        group["lr"] = peak * rates.lr_lambdas[0](step)


@contextmanager
def _in_training(denoiser: Any, checkpointing: bool) -> Generator[None]:
    """The denoiser in training mode; afterwards as it was."""
    was = denoiser.training
    checkpointing = checkpointing and not denoiser.is_gradient_checkpointing
    if checkpointing:
        denoiser.enable_gradient_checkpointing()
    denoiser.train()
    try:
        yield
    finally:
        denoiser.train(was)
        if checkpointing:
            denoiser.disable_gradient_checkpointing()

"""The text-conditional noise norm, recorded on a user's own pipeline while it draws with guidance."""

import contextlib
import inspect
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor, nn

from dominance.errors import InputError, ModelError
from dominance.metrics import conditional_norm, noise_scale
from dominance.models.calls import call_of
from dominance.probes.calls import Forward
from dominance.probes.interception import Probe, intercept
from dominance.probes.sites import AttentionSite, denoiser_of
from dominance.probes.unchanged import unchanged

Quantity = Literal["noise", "velocity"]
"""What the norm is of: a difference of predicted noises, or of predicted velocities where noise has no such form."""

_NO_BRANCH = (
    "the denoiser ran no unconditional branch to compare with; give --guidance above 1, and a model that uses"
    " classifier-free guidance"
)


@dataclass(eq=False)
class NoiseNorms:
    """What the images of one call of the pipeline had at each step.

    Attributes:
        quantity: what the norms are of.
        values: numbers in one image's latent: norms of unrelated differences grow with its square root.
    """

    quantity: Quantity
    images: int = 0
    values: int = 0
    _steps: dict[int, Tensor] = field(default_factory=dict, repr=False)
    _last: int = -1

    def norms(self) -> Float[Tensor, "image step"]:
        """The norms, on the CPU, float32; steps in the order in which they were made.

        Raises:
            ModelError: nothing was recorded, or a step had no unconditional branch.
        """
        if not self._steps:
            raise ModelError(_NO_BRANCH if self._last >= 0 else "the pipeline has not been called; call it first")
        missing = [step for step in range(self._last + 1) if step not in self._steps]
        if missing:
            raise ModelError(
                f"step {missing[0] + 1} of {self._last + 1} had no unconditional branch; keep guidance on at every step"
            )
        return torch.stack([self._steps[step] for step in range(self._last + 1)], dim=1)


@contextlib.contextmanager
def record_noise_norms(pipeline: DiffusionPipeline) -> Generator[NoiseNorms]:
    """Records ``m = ‖ε(x, prompt) − ε(x, ∅)‖₂`` at every step of one call; the pipeline stays unchanged.

    Both predictions come from the pipeline's own calls of its denoiser under classifier-free guidance, so ∅ is whatever
    the pipeline takes for no prompt: the empty text in Stable Diffusion, zeros in SDXL, a negative prompt where one is
    given. Nothing is computed twice.

    Models that predict ε are taken as they are; velocities (``v_prediction``) and samples are turned into ε. Flow
    models (SD3, FLUX), and velocities under a scheduler whose first step holds no signal, give the difference of the
    velocities themselves: there ε would be the same with and without a prompt at step 1, by definition.

    Raises:
        ModelError: the denoiser's family is not known, or it is compiled.

    Source: Wen et al. (2024), "Detecting, Explaining, and Mitigating Memorization in Diffusion Models", equation 3.
    """
    denoiser = denoiser_of(pipeline)
    prediction, signals = _prediction(pipeline)
    watcher = _Watcher(denoiser, prediction, signals)
    # Before all other hooks, so that the output is there when the probe is told that the forward has ended.
    handle = denoiser.register_forward_hook(watcher.see, prepend=True, with_kwargs=True)
    try:
        with intercept(pipeline, watcher):
            yield watcher.record
    finally:
        handle.remove()


def noise_norms(
    pipeline: DiffusionPipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    *,
    steps: int = 50,
    guidance: float = 7.5,
    height: int | None = None,
    width: int | None = None,
) -> tuple[Float[Tensor, "image step"], NoiseNorms]:
    """Denoises without decoding an image and returns the norms at every step; the pipeline is left as it was.

    Args:
        prompts, seeds: one an image; the noise is the one that an image of that prompt and seed begins with.
        guidance: above 1. A FLUX model, which is told its guidance as an input, gets it as true guidance against an
            empty prompt, the only kind that has an unconditional branch.

    Raises:
        InputError: no prompts, or not one seed a prompt.
        ModelError: no unconditional branch.
    """
    if not prompts or len(prompts) != len(seeds):
        raise InputError(
            f"{len(prompts)} prompts but {len(seeds)} seeds; give at least one prompt, and one seed per prompt"
        )
    if guidance <= 1:
        raise ModelError(f"guidance is {guidance:g}: {_NO_BRANCH}")
    call = cast(Callable[..., Any], pipeline)  # every text-to-image pipeline has its own signature
    true = "true_cfg_scale" in inspect.signature(type(pipeline).__call__).parameters
    told = (
        {"true_cfg_scale": guidance, "negative_prompt": [""] * len(prompts)} if true else {"guidance_scale": guidance}
    )
    sizes = {name: side for name, side in (("height", height), ("width", width)) if side is not None}
    with torch.no_grad(), unchanged(pipeline), record_noise_norms(pipeline) as record:
        call(
            prompt=list(prompts),
            num_inference_steps=steps,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            output_type="latent",
            **told,
            **sizes,
            **call_of(call).switched_off,
        )
    return record.norms(), record


def _prediction(pipeline: DiffusionPipeline) -> tuple[str, Tensor | None]:
    """What the denoiser predicts, and the share of signal by timestep, None for flow."""
    scheduler = cast(Any, pipeline).scheduler
    config = scheduler.config
    prediction = str(config.get("prediction_type", "epsilon"))
    alphas = getattr(scheduler, "alphas_cumprod", None)
    if alphas is None or prediction == "flow_prediction" or config.get("use_flow_sigmas"):
        return "flow", None
    signals = alphas.float().clamp(0, 1).sqrt().cpu()
    # Zero terminal SNR; schedulers other than DDIM keep 2⁻¹² of the signal there, for their divisions.
    if prediction == "v_prediction" and float(signals[-1]) < 1e-3:
        return "flow", None
    return prediction, signals


class _Watcher(Probe):
    """Takes the denoiser's outputs as they come and keeps the norms."""

    def __init__(self, denoiser: nn.Module, prediction: str, signals: Tensor | None) -> None:
        self.record = NoiseNorms("velocity" if signals is None else "noise")
        self._prediction, self._signals = prediction, signals
        self._signature = inspect.signature(type(denoiser).forward)
        self._output: Tensor | None = None
        self._time = 0.0
        self._conditional: tuple[int, Tensor] | None = None

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return False

    def begin(self, forward: Forward) -> None:  # noqa: ARG002  (a Probe's signature)
        self.record.images = self.record.values = 0
        self.record._steps, self.record._last = {}, -1

    def see(self, denoiser: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """A forward's output, and how many channels of it are the prediction; others, as PixArt's, are variances."""
        given = self._signature.bind_partial(denoiser, *args, **kwargs).arguments
        latents = given.get("sample", given.get("hidden_states"))
        made = output[0] if isinstance(output, tuple) else output.sample
        channels = latents.shape[1] if made.ndim == 4 else made.shape[-1]
        self._output = made.detach()[:, :channels] if made.ndim == 4 else made.detach()
        self._time = float(torch.as_tensor(given.get("timestep", 0.0)).reshape(-1)[0])

    def finish(self, forward: Forward) -> None:
        """Keeps the norms of a forward that ended; ``see`` has its output by then."""
        output, self._output = self._output, None
        if output is None:
            return
        self.record._last = max(self.record._last, forward.step)
        prompted = forward.conditional
        if forward.index == 0 and forward.samples == 2 * forward.images:
            self._keep(forward, output[prompted], output[: prompted.start])
        elif forward.index == 0 and forward.image_ids is not None and prompted.stop:
            self._conditional = (forward.step, output)
        elif forward.index == 1 and not prompted.stop and self._conditional is not None:
            step, conditional = self._conditional
            if step == forward.step:
                self._keep(forward, conditional, output)
            self._conditional = None

    def _keep(self, forward: Forward, conditional: Tensor, unconditional: Tensor) -> None:
        norms = conditional_norm(conditional, unconditional, self._scale())
        self.record.images, self.record.values = forward.images, conditional[0].numel()
        self.record._steps[forward.step] = norms.cpu()

    def _scale(self) -> float:
        if self._signals is None:
            return 1.0
        timestep = min(len(self._signals) - 1, max(0, round(self._time)))
        return noise_scale(self._prediction, float(self._signals[timestep]))

"""Parts of the denoiser removed while it draws: heads, whole attention sites, feed-forward networks, residuals."""

import contextlib
import inspect
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor, nn

from dominance.errors import InputError, ModelError
from dominance.probes.branches import feed_forward, residual_branches
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.choices import SCALE, Branches, Mode, check_edit
from dominance.probes.interception import Probe, intercept, running_forward
from dominance.probes.samples import EditsByImage, Sample, checked_steps, samples_run
from dominance.probes.sites import AttentionSite, attention_sites, chosen_sites, denoiser_of
from dominance.probes.unseen import why_unseen


@dataclass(frozen=True)
class Ablation:
    """What to remove for one image, and when.

    Attributes:
        heads: attention heads by layer, heads counted from 0 and layers from 1, as in ``attention_sites``.
        sites: layers all of whose heads are meant.
        feed_forwards: layers whose transformer block loses its feed-forward network; see ``branches.feed_forward``.
        residuals: numbers of residual branches; see ``branches.residual_branches``.
        steps: denoising steps counted from 0; None for all.
        scale: in mode ``scale``, the factor; 1 changes nothing. A head's logits before the softmax are multiplied with
            it (0 gives the plain mean of the values), the output of a feed-forward network or a residual branch too.
        mode: ``scale``, or ``zero`` for an output of zeros in place of the factor: a head's before the site's output
            projection, whose bias stays.
        branches: ``both``, as changing the model itself would, or ``conditional`` for the samples that carry the
            prompt alone.

    Raises:
        InputError: an invalid value.

    >>> Ablation(heads={9: [3, 0]}).heads
    {9: (0, 3)}
    """

    heads: Mapping[int, Collection[int]] = field(default_factory=dict)
    sites: Collection[int] = ()
    feed_forwards: Collection[int] = ()
    residuals: Collection[int] = ()
    steps: Collection[int] | None = (0,)
    scale: float = SCALE
    mode: Mode = "scale"
    branches: Branches = "both"

    def __post_init__(self) -> None:
        heads = {layer: _numbers(f"heads[{layer}]", listed) for layer, listed in dict(self.heads).items()}
        object.__setattr__(self, "heads", dict(sorted(heads.items())))
        for name in ("sites", "feed_forwards", "residuals"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        object.__setattr__(self, "steps", checked_steps(self.steps))
        check_edit(self.scale, self.mode, self.branches)

    @property
    def gain(self) -> float:
        """The factor of an output that is scaled as a whole."""
        return 0.0 if self.mode == "zero" else self.scale

    @property
    def layers(self) -> tuple[int, ...]:
        """Layers where attention is changed."""
        return tuple(sorted({*(layer for layer, heads in self.heads.items() if heads), *self.sites}))

    def heads_of(self, layer: int) -> Sequence[int] | slice:
        """Which heads of a layer are changed."""
        return slice(None) if layer in self.sites else list(self.heads.get(layer, ()))

    def record(self) -> dict[str, object]:
        """All that decides what is drawn, as JSON values."""
        return {
            "heads": {str(layer): list(heads) for layer, heads in self.heads.items() if heads},
            "sites": list(self.sites),
            "feed_forwards": list(self.feed_forwards),
            "residuals": list(self.residuals),
            "steps": None if self.steps is None else list(self.steps),
            "scale": None if self.mode == "zero" else self.scale,
            "mode": self.mode,
            "branches": self.branches,
        }


@contextlib.contextmanager
def ablate(
    pipeline: DiffusionPipeline,
    heads: Mapping[int, Collection[int]] | None = None,
    steps: Collection[int] | None = (0,),
    scale: float = SCALE,
    *,
    mode: Mode = "scale",
    sites: Collection[int] = (),
    feed_forwards: Collection[int] = (),
    residuals: Collection[int] = (),
    branches: Branches = "both",
    each: Sequence[Ablation | None] | None = None,
    guided: bool | None = None,
) -> Generator[None]:
    """Removes parts of the denoiser for the images that the pipeline draws in the block; all changes are undone.

    ``softmax(ε · (q k · scale) + mask)`` with ε = 1e-5 is uniform over all keys that the mask leaves. In joint
    attention (SD3, FLUX) that is the whole head, text rows and image keys included. Images whose entry of ``each`` is
    None, or at steps that are not named, are drawn as they would be in the same batch without this, bit by bit.

    Args:
        heads, steps, scale, mode, sites, feed_forwards, residuals, branches: of the one ablation of all images, as in
            ``Ablation``.
        each: an ablation for every image of the call instead, None for an image that is left alone; different ones
            ride in one batch.
        guided: whether the batch is [unconditional…, conditional…]; None finds out from the pipeline's running call,
            and takes all samples for conditional where the denoiser is called without its pipeline.

    Raises:
        InputError: no such layer, head or residual branch; ``each`` beside another choice, or not one entry an image;
            nothing drawn in the block; steps that the call did not come to.
        ModelError: the model's attention sites are not known, or what is to be changed cannot be.

    Source: Jeong & Lee (2025), arXiv 2512.20666, section 5, for heads; the rest is ours.

    >>> import dominance
    >>> pipeline = dominance.load_pipeline("miniature")  # doctest: +SKIP
    >>> with dominance.ablate(pipeline, heads={9: [0, 3]}):  # doctest: +SKIP
    ...     pipeline("a tower and a mug")
    """
    common = Ablation(heads or {}, sites, feed_forwards, residuals, steps, scale, mode, branches)
    if each is not None and common != Ablation():
        raise InputError("each already says what every image loses; give either each, or one ablation for all images")
    denoiser = denoiser_of(pipeline)
    edits = EditsByImage(denoiser, common if each is None else _without_nothing(each), "ablated")
    ablator = _Ablator(pipeline, edits)
    with intercept(pipeline, ablator, guided), ablator.hooked():
        yield
    if any(map(_removes, edits.all)):
        edits.check_complete()


class _Ablator(Probe):
    """Changes attention as it passes, and the outputs of other modules by its own hooks."""

    def __init__(self, pipeline: DiffusionPipeline, edits: EditsByImage[Ablation]) -> None:
        self._pipeline, self._edits, self._denoiser = pipeline, edits, denoiser_of(pipeline)
        self._sites = {site.layer: site for site in attention_sites(pipeline)}
        self._modules: dict[str, Callable[[Ablation], bool]] = {}
        self._blocks: set[str] = set()
        self._ran: set[str] = set()
        self._done: set[str] = set()
        for edit in edits.all:
            self._check(edit)

    def _check(self, edit: Ablation) -> None:
        """Refuses what the model does not have, and notes the modules that need a hook."""
        sites = tuple(self._sites.values())
        for layer in (*edit.heads, *edit.sites, *edit.feed_forwards):
            chosen_sites(sites, [layer])
        for layer, heads in edit.heads.items():
            have = self._sites[layer].heads
            for head in heads:
                if head >= have:
                    raise InputError(
                        f"layer {layer} has no head {head}: it has {have} heads; give some of 0 to {have - 1}"
                    )
        for layer in edit.feed_forwards:
            name = feed_forward(self._pipeline, self._sites[layer])
            self._modules[name] = lambda other, layer=layer: layer in other.feed_forwards
        known = {branch.number: branch for branch in residual_branches(self._pipeline)} if edit.residuals else {}
        for number in edit.residuals:
            if number not in known:
                raise InputError(
                    f"no residual branch {number}: the model has {len(known)}, numbered from 1 in forward order; give"
                    f" some of 1 to {len(known)}"
                )
            name = known[number].name + (".conv2" if known[number].kind == "convolutions" else "")
            if known[number].kind == "block":
                self._blocks.add(name)
            self._modules[name] = lambda other, number=number: number in other.residuals

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Hooks on the modules that are no attention sites."""
        with contextlib.ExitStack() as stack:
            for name, meant in self._modules.items():
                hook = self._after(name, meant)
                handle = self._denoiser.get_submodule(name).register_forward_hook(hook, with_kwargs=True)
                stack.callback(handle.remove)
            yield

    def begin(self, forward: Forward) -> None:
        self._edits.check_images(forward)
        self._ran.clear()
        self._done.clear()

    def wants(self, site: AttentionSite, forward: Forward) -> bool:
        wanted = any(site.layer in edit.layers for _, edit in self._acting(forward))
        if wanted:
            self._ran.add(site.name)
        return wanted

    def edit(self, call: AttentionCall) -> AttentionCall:
        self._done.add(call.site.name)
        factors = torch.ones(call.query.shape[:2])
        for sample, edit in self._acting(call.forward):
            if edit.mode == "scale":
                factors[sample.row, edit.heads_of(call.site.layer)] = edit.scale
        if bool((factors == 1).all()):
            return call
        return replace(call, query=call.query * factors.to(call.query)[:, :, None, None])

    def edit_output(
        self, call: AttentionCall, output: Float[Tensor, "sample head row width"]
    ) -> Float[Tensor, "sample head row width"]:
        silent = torch.zeros(output.shape[:2], dtype=torch.bool)
        for sample, edit in self._acting(call.forward):
            if edit.mode == "zero":
                silent[sample.row, edit.heads_of(call.site.layer)] = True
        return output.masked_fill(silent.to(output.device)[:, :, None, None], 0) if bool(silent.any()) else output

    def finish(self, forward: Forward) -> None:
        self._edits.passed(forward)
        acting = [edit for _, edit in self._acting(forward)]
        unseen = {layer for edit in acting for layer in edit.layers if self._sites[layer].name not in self._done}
        if unseen:
            sites = [self._sites[layer] for layer in sorted(unseen)]
            ran = [site for site in sites if site.name in self._ran]
            raise ModelError(why_unseen(self._pipeline, ran or sites, forward.step, ran=bool(ran)))
        for name, meant in self._modules.items():
            if name not in self._done and any(map(meant, acting)):
                raise ModelError(f"{name} did not run at step {forward.step}, so it cannot be ablated; leave it out")
        self._ran.clear()
        self._done.clear()

    def _acting(self, forward: Forward) -> list[tuple[Sample, Ablation]]:
        return [
            (sample, edit) for sample, edit in self._edits.acting(forward) if sample.prompted or edit.branches == "both"
        ]

    def _after(self, name: str, meant: Callable[[Ablation], bool]) -> Callable[..., Any]:
        """The hook that scales what a module returns."""

        def scale(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
            forward = running_forward(self._denoiser)
            if forward is None:
                return output
            self._done.add(name)
            gains = torch.ones(sum(1 for _ in samples_run(self._denoiser, forward)))
            for sample, edit in self._acting(forward):
                if meant(edit):
                    gains[sample.row] = edit.gain
            if bool((gains == 1).all()):
                return output
            if name in self._blocks:
                return _towards_input(module, args, kwargs, output, gains)
            if len(output) != len(gains):
                raise ModelError(
                    f"{name} gets {len(output)} of {len(gains)} samples at a time, so the images cannot be matched;"
                    " turn off feed-forward chunking"
                )
            return _scaled(output, gains)

        return scale


def _scaled(output: Tensor, gains: Float[Tensor, " sample"]) -> Tensor:
    """Every sample times its gain; a gain of 0 gives zeros whatever there was."""
    factors = gains.to(output).view(-1, *[1] * (output.ndim - 1))
    return (output * factors).masked_fill(factors == 0, 0)


def _towards_input(
    block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any, gains: Float[Tensor, " sample"]
) -> Any:
    """What a transformer block was given, plus gain times what it has added: to the image, and to the text with it."""
    given = inspect.signature(type(block).forward).bind(block, *args, **kwargs).arguments
    streams = ("hidden_states",) if isinstance(output, Tensor) else ("encoder_hidden_states", "hidden_states")
    outputs = (output,) if isinstance(output, Tensor) else output
    if len(outputs) != len(streams):
        raise ModelError(f"{type(block).__name__} returns {len(outputs)} streams, not two; leave out residual branches")
    changed = []
    for name, after in zip(streams, outputs, strict=True):
        if after is None:  # SD3's last block has no more use for the text
            changed.append(None)
            continue
        weights = gains.to(after).view(-1, *[1] * (after.ndim - 1))
        changed.append(torch.lerp(given[name], after, weights.expand_as(after)))
    return changed[0] if isinstance(output, Tensor) else tuple(changed)


def _removes(edit: Ablation) -> bool:
    return bool(edit.layers or edit.feed_forwards or edit.residuals)


def _without_nothing(each: Sequence[Ablation | None]) -> list[Ablation | None]:
    """The entries, None for those that remove nothing."""
    if isinstance(each, str) or not all(entry is None or isinstance(entry, Ablation) for entry in each):
        raise InputError("each is not a list of Ablation or None; give one entry per image")
    return [entry if entry is not None and _removes(entry) else None for entry in each]


def _numbers(name: str, given: Collection[int]) -> tuple[int, ...]:
    """Whole numbers from 0, sorted, each once."""
    if isinstance(given, int | str):
        raise InputError(f"{name} is {given!r}; give a list of numbers, such as [{given}]")
    for number in given:
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise InputError(f"{name} has {number!r}; give whole numbers from 0")
    return tuple(sorted(set(given)))

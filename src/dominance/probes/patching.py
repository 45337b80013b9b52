"""Parts of the denoiser put out what another model's would, at the same latents and text: activation patching."""

import contextlib
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor, nn

from dominance.errors import InputError, ModelError
from dominance.probes.branches import feed_forward, residual_branches
from dominance.probes.calls import Forward
from dominance.probes.interception import Probe, intercept, running_forward
from dominance.probes.looking import output_of, with_output
from dominance.probes.passing import called_through
from dominance.probes.samples import EditsByImage, checked_steps, samples_run
from dominance.probes.sites import AttentionSite, attention_sites, chosen_sites, denoiser_of


@dataclass(frozen=True)
class Patch:
    """What one image takes from the donor, and when.

    Attributes:
        sites: layers whose attention to the prompt puts out what the donor's does, numbered as in ``attention_sites``.
        feed_forwards: layers whose transformer block's feed-forward network does; see ``branches.feed_forward``.
        residuals: numbers of residual branches of a UNet; see ``branches.residual_branches``.
        prediction: whether the whole denoiser does, which draws as the donor from the same latents and text.
        steps: denoising steps counted from 0; None for all.
        donor: the donor's identity, by which images of several donors are told apart.

    Raises:
        InputError: invalid steps.
    """

    sites: Collection[int] = ()
    feed_forwards: Collection[int] = ()
    residuals: Collection[int] = ()
    prediction: bool = False
    steps: Collection[int] | None = None
    donor: str = ""

    def __post_init__(self) -> None:
        for name in ("sites", "feed_forwards", "residuals"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        object.__setattr__(self, "steps", checked_steps(self.steps))

    def record(self) -> dict[str, object]:
        """All that decides what is drawn, as JSON values."""
        taken = {name: list(getattr(self, name)) for name in ("sites", "feed_forwards", "residuals")}
        steps = None if self.steps is None else list(self.steps)
        return {"patch": {**taken, "prediction": self.prediction}, "steps": steps, "donor": self.donor}


@contextlib.contextmanager
def patch(
    pipeline: DiffusionPipeline,
    donor: DiffusionPipeline,
    sites: Collection[int] = (),
    steps: Collection[int] | None = None,
    *,
    feed_forwards: Collection[int] = (),
    residuals: Collection[int] = (),
    prediction: bool = False,
    each: Sequence[Patch | None] | None = None,
    guided: bool | None = None,
) -> Generator[None]:
    """Puts what a donor's parts put out into the images that the pipeline draws in the block; all changes are undone.

    At every step the donor's denoiser runs first, on the very latents and text that the pipeline's is about to run on,
    in both branches of the guidance; what its parts put out then stands for what the same parts of the pipeline's
    would. The two therefore never drift apart before a part is reached, and what an image gains is that part's doing.
    It takes as long as two models.

    Args:
        donor: a model of the same architecture, such as the twin in which a concept survives.
        sites, steps, feed_forwards, residuals, prediction: of all images alike, as in ``Patch``.
        each: a patch for every image of the call instead, None for an image that is left alone.
        guided: as for ``record_attention``.

    Raises:
        InputError: no such layer or branch; ``each`` beside another choice, or not one entry an image; nothing drawn in
            the block; steps that the call did not come to.
        ModelError: the donor is of another architecture or dtype, or a part cannot be patched.

    Source: ours, after the causal tracing of Meng et al. (2022), arXiv 2202.05262, from model to model.

    >>> with dominance.patch(pipeline, twin, sites=[5, 6, 7]):  # doctest: +SKIP
    ...     pipeline("a castle and a mug")
    """
    common = Patch(sites, feed_forwards, residuals, prediction, steps)
    if each is not None and common != Patch():
        raise InputError("each already says what every image takes; give either each, or one patch for all images")
    edits = EditsByImage(denoiser_of(pipeline), common if each is None else list(each), "patched")
    patcher = _Patcher(pipeline, donor, edits)
    with intercept(pipeline, patcher, guided), patcher.placed():
        yield
    edits.check_complete()


def check_donor(pipeline: DiffusionPipeline, donor: DiffusionPipeline, patches: Sequence[Patch]) -> None:
    """Raises what ``patch`` would: an InputError or a ModelError, unless the donor has the parts of these patches."""
    _Patcher(pipeline, donor, EditsByImage(denoiser_of(pipeline), list(patches), "patched"))


def has_same_weights(pipeline: DiffusionPipeline, donor: DiffusionPipeline, edit: Patch) -> bool:
    """Whether the donor's parts that a patch means have the model's very weights, adapters' included.

    What such parts put out differs by what reaches them alone. As ``check_donor`` raises.
    """
    meant = _Patcher(pipeline, donor, EditsByImage(denoiser_of(pipeline), edit, "patched")).meant
    names = [""] if edit.prediction else [name.removesuffix(".conv2") for name in meant]  # a residual branch as a whole
    both = [denoiser_of(each) for each in (pipeline, donor)]
    return all(_equal(*(each.get_submodule(name).state_dict() for each in both)) for name in names)


class _Patcher(Probe):
    """Runs the donor before each forward, keeps what its parts put out, and has the same parts put that out."""

    def __init__(self, pipeline: DiffusionPipeline, donor: DiffusionPipeline, edits: EditsByImage[Patch]) -> None:
        self._denoiser, self._donor, self._edits = denoiser_of(pipeline), denoiser_of(donor), edits
        self.meant: dict[str, Callable[[Patch], bool]] = {}
        self._theirs: dict[str, Any] = {}
        if self._donor is self._denoiser:
            raise InputError("the donor is the model itself; load another model, or the same a second time")
        for edit in edits.all:
            self._find(pipeline, edit)
        self._check()

    def _find(self, pipeline: DiffusionPipeline, edit: Patch) -> None:
        """Notes the modules that a patch means; refuses what the model does not have."""
        known = attention_sites(pipeline)
        for site in chosen_sites(known, edit.sites) if edit.sites else ():
            self.meant[site.name] = lambda other, layer=site.layer: layer in other.sites
        for site in chosen_sites(known, edit.feed_forwards) if edit.feed_forwards else ():
            name = feed_forward(pipeline, site)
            self.meant[name] = lambda other, layer=site.layer: layer in other.feed_forwards
        branches = {branch.number: branch for branch in residual_branches(pipeline)} if edit.residuals else {}
        for number in edit.residuals:
            if number not in branches:
                raise InputError(f"no residual branch {number}: the model has {len(branches)}, numbered from 1")
            if branches[number].kind == "block":
                raise ModelError(
                    f"the residual branches of {type(self._denoiser).__name__} are whole transformer blocks; patch"
                    " their attention and feed-forward networks instead"
                )
            self.meant[f"{branches[number].name}.conv2"] = lambda other, number=number: number in other.residuals

    def _check(self) -> None:
        """Raises a ModelError unless the donor has the same parts."""
        theirs = dict(self._donor.named_modules())
        if type(self._donor) is not type(self._denoiser):
            raise ModelError(
                f"the donor's denoiser is a {type(self._donor).__name__}, not a {type(self._denoiser).__name__}; give a"
                " donor of the same architecture"
            )
        for name in (*self.meant, ""):  # all of it runs, whichever parts are meant
            ours, other = self._denoiser.get_submodule(name), theirs.get(name)
            if other is None or _shapes(ours) != _shapes(other):
                raise ModelError(
                    f"the donor's {name or 'denoiser'} has other weights in number or shape; give a donor of the same"
                    " architecture"
                )
        own, its = (next(each.parameters()).dtype for each in (self._denoiser, self._donor))
        if own != its:
            raise ModelError(
                f"the donor computes in {str(its).removeprefix('torch.')}, and the model in"
                f" {str(own).removeprefix('torch.')}; load both with the same dtype"
            )

    @contextlib.contextmanager
    def placed(self) -> Generator[None]:
        """Hooks on the modules of both."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(called_through(self._denoiser, self.call))
            for name in self.meant:
                keep, put = self._keeping(name), self._putting(name)
                stack.callback(self._donor.get_submodule(name).register_forward_hook(keep).remove)
                stack.callback(self._denoiser.get_submodule(name).register_forward_hook(put).remove)
            yield

    def begin(self, forward: Forward) -> None:
        self._edits.check_images(forward)

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return False

    def finish(self, forward: Forward) -> None:
        self._edits.passed(forward)

    def call(self, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs the donor's forward, then the denoiser's own."""
        forward = running_forward(self._denoiser)
        acting = [] if forward is None else list(self._edits.acting(forward))
        if not acting:
            return run(*args, **kwargs)
        whole = self._donor(*args, **kwargs)
        try:
            made = run(*args, **kwargs)
        finally:
            self._theirs.clear()
        rows = [sample.row for sample, edit in acting if edit.prediction]
        return with_output(made, _with_rows(output_of(made), output_of(whole), rows)) if rows else made

    def _keeping(self, name: str) -> Callable[..., None]:
        def keep(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:  # noqa: ARG001  (a hook's signature)
            self._theirs[name] = output

        return keep

    def _putting(self, name: str) -> Callable[..., Any]:
        def put(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:  # noqa: ARG001  (a hook's signature)
            forward = running_forward(self._denoiser)
            if forward is None or name not in self._theirs:
                return output
            meant = self.meant[name]
            rows = [sample.row for sample, edit in self._edits.acting(forward) if meant(edit)]
            samples = sum(1 for _ in samples_run(self._denoiser, forward))
            streams = output if isinstance(output, tuple) else (output,)
            if any(stream is not None and len(stream) != samples for stream in streams):
                raise ModelError(
                    f"{name} gets {len(streams[0])} of {samples} samples at a time, so the images cannot be matched;"
                    " turn off feed-forward chunking"
                )
            if not rows:
                return output
            if isinstance(output, Tensor):
                return _with_rows(output, self._theirs[name], rows)
            pairs = zip(output, self._theirs[name], strict=True)
            return tuple(None if ours is None else _with_rows(ours, theirs, rows) for ours, theirs in pairs)

        return put


def _with_rows(ours: Tensor, theirs: Tensor, rows: Sequence[int]) -> Tensor:
    """Ours, with these samples from theirs."""
    mixed = ours.clone()
    mixed[list(rows)] = theirs[list(rows)].to(ours)
    return mixed


def _equal(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name].to(ours[name])) for name in ours)


def _shapes(module: nn.Module) -> list[tuple[int, ...]]:
    """Of the weights, without those that adapters add, which may differ."""
    return [tuple(weights.shape) for name, weights in module.named_parameters() if "lora_" not in name]

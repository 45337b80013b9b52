"""The only module that touches attention: what a denoiser attends with passes through here, to be read or edited.

A probe is told of every forward of the denoiser and handed the query, key, value and mask of each site that it wants.
All probes edit, in the order in which they were entered, before any probe reads: a recorder sees what an editor made,
whichever of the two was entered first.
"""

import contextlib
import inspect
import sys
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.hooks import RemovableHandle

from dominance.errors import InputError, ModelError
from dominance.models.denoiser import find_denoiser, original
from dominance.probes.calls import AttentionCall, Forward, images_drawn, parts, prompts_drawn
from dominance.probes.sites import AttentionSite, denoiser_of, sites_of

_ATTENTION = "scaled_dot_product_attention"
_ATTENTION_ARGUMENTS = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")


class Probe:
    """Something that looks at attention or changes it; each method may be overridden, and does nothing by itself."""

    def begin(self, forward: Forward) -> None:
        """A call of the pipeline begins with this forward; raise to refuse it."""

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002
        """Whether this site's attention is to be handed over in this forward; one that nobody wants costs little."""
        return True

    def edit(self, call: AttentionCall) -> AttentionCall:
        """Changes what is attended with."""
        return call

    def edit_output(
        self,
        call: AttentionCall,  # noqa: ARG002
        output: Float[Tensor, "sample head row width"],
    ) -> Float[Tensor, "sample head row width"]:
        """Changes what comes of it; the call is as all edits left it."""
        return output

    def read(self, call: AttentionCall) -> None:
        """Looks at the call as all edits left it."""

    def finish(self, forward: Forward) -> None:
        """The forward has ended; not called for one that raised."""


@contextlib.contextmanager
def intercept(pipeline: DiffusionPipeline, probe: Probe, guided: bool | None = None) -> Generator[None]:
    """Lets a probe watch and edit the attention of the pipeline's denoiser, and removes all hooks afterwards.

    What passes is softmax attention by torch's ``scaled_dot_product_attention``, outside compiled code.

    Args:
        guided: whether the batch is [unconditional…, conditional…]. None finds out from the pipeline's running call,
            and takes all samples for conditional where the denoiser is called without its pipeline.

    Raises:
        ModelError: the pipeline's attention sites are not known, or its denoiser is compiled.
        InputError: ``guided`` is not what another probe at work said.
    """
    denoiser = denoiser_of(pipeline)
    tap = _TAPS.get(denoiser) or _Tap(denoiser, sites_of(denoiser))
    tap.add(probe, guided)
    _TAPS[denoiser] = tap
    try:
        with _DOOR.open():
            yield
    finally:
        tap.remove(probe)
        if not tap.probes:
            del _TAPS[denoiser]


class _Tap:
    """The hooks on one denoiser, shared by all probes at work on it."""

    def __init__(self, denoiser: nn.Module, sites: tuple[AttentionSite, ...]) -> None:
        self.probes: list[Probe] = []
        self._guided: dict[Probe, bool | None] = {}
        self._new: set[Probe] = set()
        self._denoiser, self._sites = denoiser, sites
        self._signature = inspect.signature(type(denoiser).forward)
        self._handles: list[RemovableHandle] = []
        self.forward: Forward | None = None
        self._finished = False
        self._time = self._turn = 0.0
        self._caller: FrameType | None = None
        self._site: AttentionSite | None = None
        self._served: list[Probe] = []

    def add(self, probe: Probe, guided: bool | None) -> None:
        if guided is not None and (not guided) in self._guided.values():
            raise InputError(
                f"guided is {guided} here but {not guided} for another probe on the pipeline; use the same value"
            )
        if not self.probes:
            self._install()
        self.probes.append(probe)
        self._new.add(probe)
        self._guided[probe] = guided

    def remove(self, probe: Probe) -> None:
        self.probes.remove(probe)
        self._new.discard(probe)
        del self._guided[probe]
        self._leave()
        if not self.probes:
            self._caller = self.forward = None
            while self._handles:
                self._handles.pop().remove()

    def _install(self) -> None:
        hooks = [
            self._denoiser.register_forward_pre_hook(self._before, with_kwargs=True),
            self._denoiser.register_forward_hook(self._after),
        ]
        for site in self._sites:
            module = self._denoiser.get_submodule(site.name)
            hooks.append(module.register_forward_pre_hook(self._entering(site)))
            hooks.append(module.register_forward_hook(lambda *_: self._leave(), always_call=True))
        self._handles = hooks

    def _before(self, denoiser: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Finds out where in which call this forward stands, and tells the probes that have not begun."""
        self._leave()
        given = self._signature.bind_partial(denoiser, *args, **kwargs).arguments
        time = float(torch.as_tensor(given.get("timestep", 0.0)).reshape(-1)[0])
        caller = running_call(denoiser)
        turn = _turn(caller)
        step, index = self._position(time, turn, caller)
        self.forward, self._finished = self._describe(given, caller, step, index), False
        self._time, self._turn, self._caller = time, turn, caller
        begun = [probe for probe in self.probes if probe in self._new or (step, index) == (0, 0)]
        self._new.clear()
        for probe in begun:
            probe.begin(self.forward)

    def _position(self, time: float, turn: float, caller: FrameType | None) -> tuple[int, int]:
        """Step and index of a forward; both 0 where a call begins.

        Args:
            time: the denoiser's own, in whose precision neighbouring steps may fall together.
            turn: the call's, before it was rounded.
        """
        last = self.forward
        if last is None or caller is not self._caller:
            return 0, 0
        # Without the pipeline's own call, what begins a new one can only be told by its looks.
        if caller is None and (time > self._time or self._new or not self._finished):
            return 0, 0
        same = (time, turn) == (self._time, self._turn)
        return (last.step, last.index + 1) if same else (last.step + 1, 0)

    def _describe(self, given: dict[str, Any], caller: FrameType | None, step: int, index: int) -> Forward:
        latents, text = given.get("sample", given.get("hidden_states")), given.get("encoder_hidden_states")
        if not isinstance(latents, Tensor) or not isinstance(text, Tensor):
            raise ModelError(
                f"{type(self._denoiser).__name__} was called without latents or text;"
                " call it through a text-to-image pipeline"
            )
        variables = caller.f_locals if caller is not None else {}
        guided = next((told for told in self._guided.values() if told is not None), None)
        samples, flux = latents.shape[0], given.get("img_ids")
        images = images_drawn(samples, variables, guided)
        prompted = slice(samples - images, samples)
        if variables.get("do_true_cfg") and index % 2:  # FLUX's conditional and unconditional forwards take turns
            prompted = slice(0, 0)
        return Forward(
            step=step,
            index=index,
            samples=samples,
            images=images,
            conditional=prompted,
            tokens=text.shape[1],
            prompts=prompts_drawn(images, variables, by_second=flux is not None),
            sides=(latents.shape[-2], latents.shape[-1]),
            image_ids=flux,
        )

    def _after(self, *_: object) -> None:
        self._finished = True
        if self.forward is not None:
            for probe in self.probes:
                probe.finish(self.forward)

    def _entering(self, site: AttentionSite) -> Callable[..., None]:
        def enter(*_: object) -> None:
            forward = self.forward
            self._leave()
            self._served = [] if forward is None else [probe for probe in self.probes if probe.wants(site, forward)]
            if self._served:
                self._site = site
                _DOOR.answered.by = self._attend

        return enter

    def _leave(self) -> None:
        """Ends the interception; also where a keyboard interrupt passed the hooks by."""
        self._site = _DOOR.answered.by = None

    def _attend(
        self, attend: Callable[..., Tensor], query: Tensor, key: Tensor, value: Tensor, **options: Any
    ) -> Tensor:
        """Attention at the site in force, as the probes have it."""
        site, forward = self._site, self.forward
        if site is None or forward is None:
            return attend(query, key, value, **options)
        self._site = None  # what follows in this module, such as attention to an image prompt, is not to the text
        positions, text = parts(site, forward, query.shape[-2], key.shape[-2])
        mask, scale = options.pop("attn_mask", None), options.pop("scale", None)
        call = AttentionCall(site, forward, query, key, value, mask, scale, positions, text)
        for probe in self._served:
            call = probe.edit(call)
        output = attend(call.query, call.key, call.value, attn_mask=call.mask, scale=call.scale, **options)
        for probe in self._served:
            output = probe.edit_output(call, output)
        for probe in self._served:
            probe.read(call)
        return output


_TAPS: WeakKeyDictionary[nn.Module, _Tap] = WeakKeyDictionary()


def running_forward(denoiser: nn.Module) -> Forward | None:
    """The forward that the denoiser is in; None where nothing intercepts it."""
    tap = _TAPS.get(denoiser)
    return None if tap is None else tap.forward


@contextlib.contextmanager
def aside(denoiser: nn.Module, probe: Probe, forward: Forward) -> Generator[None]:
    """While the block runs, one more forward of an intercepted denoiser is seen by this probe alone.

    For forwards of one's own in the middle of the pipeline's call: the other probes neither see nor count them.

    Args:
        forward: what the probe is told of it.
    """
    tap = _TAPS[denoiser]
    before = (tap.probes, tap.forward, tap._site)
    tap.probes, tap.forward = [probe], forward
    try:
        yield
    finally:
        tap._leave()
        tap.probes, tap.forward, tap._site = before


def running_option(denoiser: nn.Module, name: str) -> Any:
    """What the pipeline's running call was given under this name; None where nothing intercepts it, or it has none."""
    tap = _TAPS.get(denoiser)
    return None if tap is None or tap._caller is None else tap._caller.f_locals.get(name)


class _Answered(threading.local):
    """What answers a thread's softmax attention; None for torch itself, as everywhere outside an attention site."""

    by: Callable[..., Tensor] | None = None


class _Door:
    """Stands before torch's softmax attention while any probe is at work; each thread is answered by its own site.

    A torch function mode would see every operation of a site to catch this one: docs/decisions/008.
    """

    def __init__(self) -> None:
        self.answered = _Answered()
        self._lock = threading.Lock()
        self._blocks = 0

    @contextlib.contextmanager
    def open(self) -> Generator[None]:
        """Puts the door before torch's function; the first of overlapping blocks does, and the last takes it away."""
        with self._lock:
            if self._blocks == 0:
                self._plain = F.scaled_dot_product_attention
                self._before = self._standing_before(self._plain)
                setattr(F, _ATTENTION, self._before)
            self._blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1
                # What others have put over it meanwhile still calls it: then it stays, and only hands on.
                if self._blocks == 0 and F.scaled_dot_product_attention is self._before:
                    setattr(F, _ATTENTION, self._plain)

    def _standing_before(self, plain: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def attention(*args: Any, **options: Any) -> Tensor:
            answer = self.answered.by
            if answer is None:
                return plain(*args, **options)
            return answer(plain, **dict(zip(_ATTENTION_ARGUMENTS, args, strict=False)), **options)

        return attention


_DOOR = _Door()


def _turn(caller: FrameType | None) -> float:
    """The timestep that the pipeline's loop is at, by the name that it has in every diffusers pipeline; 0 without."""
    told = caller.f_locals.get("t") if caller is not None else None
    if isinstance(told, Tensor):
        return float(told) if told.numel() == 1 else 0.0
    return float(told) if isinstance(told, int | float) else 0.0


def running_call(denoiser: nn.Module | None) -> FrameType | None:
    """The pipeline's call that a forward of this denoiser is part of; None where it is called without one.

    How many images are drawn, whether with guidance and from which prompts is known to that call alone: some families
    keep it in local variables, and what others keep in properties outlives the call.
    """
    frame: FrameType | None = None if denoiser is None else sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__call__":
            owner = frame.f_locals.get("self")
            if isinstance(owner, DiffusionPipeline) and original(denoiser) is find_denoiser(owner):
                return frame
        frame = frame.f_back
    return None

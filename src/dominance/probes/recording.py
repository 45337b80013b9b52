"""Attention to the prompt, recorded on a user's own pipeline while it draws."""

import contextlib
from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor

from dominance.errors import InputError, ModelError
from dominance.models.tokens import PromptTokens, prompt_tokens
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.interception import Probe, intercept
from dominance.probes.reduction import reduced_attention
from dominance.probes.sites import AttentionSite, attention_sites, chosen_sites
from dominance.probes.unseen import why_unseen

Columns = Literal["all", "prompt"]


@dataclass(eq=False)
class AttentionRecord:
    """What the images of one call attended to, site by site and step by step.

    Attributes:
        sites: that were asked for, in forward order.
        images: of the call.
        prompts: one an image; None where the pipeline was given embeddings and no prompts were told.
    """

    sites: tuple[AttentionSite, ...]
    images: int = 0
    prompts: tuple[str, ...] | None = None
    _mapped: tuple[int | str, ...] = ()
    _means: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)
    _maps: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the recorded sites, in forward order."""
        return tuple(site.layer for site in self.sites)

    @property
    def steps(self) -> tuple[int, ...]:
        """Recorded steps, counted from 0."""
        return tuple(sorted({step for _, step in self._means}))

    @property
    def nbytes(self) -> int:
        """Bytes of all that is recorded."""
        return sum(tensor.nbytes for tensor in (*self._means.values(), *self._maps.values()))

    def attention(self, layer: int, step: int) -> Float[Tensor, "image head token"]:
        """Softmax probability of every token, averaged over the image's positions; conditional branch, float32.

        ``α_i(l, h, t) = mean over positions p of softmax_i(q_p · k_i · scale + mask)``, from 0 to 1. The tokens are
        those of the whole text sequence, start, end and padding included; with ``columns="prompt"``, those up to the
        last end token. They sum to 1 in cross-attention; in joint attention the image has the rest.

        Raises:
            InputError: the layer or the step was not recorded.

        Source: Jeong & Lee (2025), arXiv 2512.20666, section 4; that heads are kept apart is ours.
        """
        return self._found(self._means, layer, step, "attention")

    def map(self, layer: int, step: int, token: int | str) -> Float[Tensor, "image row column"]:
        """Probability of a token, or mean over a concept's tokens, at every position; averaged over heads.

        Raises:
            InputError: no map of this token was asked for, in this layer and step.
        """
        if isinstance(token, bool) or token not in self._mapped:
            raise InputError(f"no map of {token!r} was recorded; give one of {_listed(map(repr, self._mapped))}")
        return self._found(self._maps, layer, step, "map")[:, self._mapped.index(token)]

    def _found(self, kept: dict[tuple[int, int], Tensor], layer: int, step: int, what: str) -> Tensor:
        if (layer, step) in kept:
            return kept[layer, step]
        layers, steps = sorted({layer for layer, _ in kept}), sorted({step for _, step in kept})
        raise InputError(
            f"no {what} was recorded of layer {layer!r} at step {step!r}; give one of the layers {_listed(layers)} and"
            f" steps {_listed(steps)}"
        )


@contextlib.contextmanager
def record_attention(
    pipeline: DiffusionPipeline,
    layers: Collection[int] | None = None,
    steps: Collection[int] | None = None,
    maps: Sequence[int | str] = (),
    *,
    map_layers: Collection[int] | None = None,
    map_steps: Collection[int] | None = None,
    prompts: Sequence[str] | None = None,
    columns: Columns = "all",
    keep_gradients: bool = False,
    guided: bool | None = None,
) -> Generator[AttentionRecord]:
    """Records what the images of one call of the pipeline attend to; what is drawn stays the same, bit by bit.

    Means over positions are kept of every site, head, token and step that is asked for, on the model's device, in
    float32: at 50 steps 2.0 MB an image of SD 1.4 and 3.0 MB of SD 2.1 (77 tokens), 0.3 and 0.5 MB with
    ``columns="prompt"`` and a prompt of ten tokens; that choice is for SDXL (20 or 3 MB) and FLUX (140 or 3 MB). Maps
    take 4 bytes a position more. Where a step has several forwards, the first that carries the prompts counts; only
    the conditional samples do.

    Args:
        layers: of ``attention_sites``, numbered from 1; None for all.
        steps: counted from 0; None for all.
        maps: tokens' columns, or concepts that every prompt names.
        map_layers, map_steps: where maps are kept; None for wherever means are.
        prompts: of the images, where the pipeline is given embeddings instead.
        columns: ``all`` of the text sequence, or those up to the end of the batch's longest ``prompt``.
        keep_gradients: what is recorded stays part of the graph, in forwards that have one; else it is detached.
        guided: whether the batch is [unconditional…, conditional…]; None finds out from the pipeline's running call,
            and takes all samples for conditional where the denoiser is called without its pipeline.

    Raises:
        InputError: no such layer, step or token; a concept that a prompt does not name; a second call in the block,
            or none; steps that the call did not come to.
        ModelError: the model's attention sites are not known, or what was asked for cannot be seen: it says where and
            why (compiled code, sliced or fused kernels, attention without softmax).

    >>> with dominance.record_attention(pipeline, layers=[9], maps=["mug"]) as record:  # doctest: +SKIP
    ...     pipeline("a tower and a mug")
    >>> record.attention(layer=9, step=0).shape, record.map(layer=9, step=0, token="mug").shape  # doctest: +SKIP
    (torch.Size([1, 4, 24]), torch.Size([1, 4, 4]))
    """
    sites = chosen_sites(attention_sites(pipeline), layers)
    if columns not in ("all", "prompt"):
        raise InputError(f"columns is {columns!r}; give 'all' or 'prompt'")
    wanted = _Wanted(
        steps=_checked_steps("steps", steps),
        map_layers=frozenset(site.layer for site in chosen_sites(sites, map_layers)),
        map_steps=_checked_steps("map_steps", map_steps),
        prompts=None if prompts is None else tuple(prompts),
        columns=columns,
        gradients=keep_gradients,
    )
    recorder = _Recorder(pipeline, AttentionRecord(sites, _mapped=_checked_maps(maps)), wanted)
    with intercept(pipeline, recorder, guided):
        yield recorder.record
    recorder.check_complete()


@dataclass(frozen=True)
class _Wanted:
    """What to record beyond the sites."""

    steps: frozenset[int] | None
    map_layers: frozenset[int]
    map_steps: frozenset[int] | None
    prompts: tuple[str, ...] | None
    columns: Columns
    gradients: bool


class _Recorder(Probe):
    """Fills a record from the conditional samples of each step's first forward."""

    def __init__(self, pipeline: DiffusionPipeline, record: AttentionRecord, wanted: _Wanted) -> None:
        self.record = record
        self._pipeline, self._wanted = pipeline, wanted
        self._layers = frozenset(record.layers)
        self._entered: set[tuple[int, int]] = set()
        self._ran: set[int] = set()
        self._kept: int | None = None
        self._weights: Tensor | None = None

    def begin(self, forward: Forward) -> None:
        if self.record.images:
            raise InputError(
                "a record holds one call of the pipeline, and this is the second; open a record for each call"
            )
        record, mapped = self.record, self.record._mapped
        record.prompts = self._prompts(forward)
        words = any(isinstance(item, str) for item in mapped)
        tokens = self._tokens(record.prompts) if words or self._wanted.columns == "prompt" else None
        if tokens is not None and self._wanted.columns == "prompt":
            self._kept = 1 + max(max((*each.indices, *each.ends), default=0) for each in tokens)
        self._weights = _map_weights(mapped, forward, tokens) if mapped else None
        record.images = forward.images

    def wants(self, site: AttentionSite, forward: Forward) -> bool:
        wanted = forward.index == 0 and site.layer in self._layers and self._counts(forward.step)
        if wanted:
            self._entered.add((site.layer, forward.step))
        return wanted

    def read(self, call: AttentionCall) -> None:
        key = (call.site.layer, call.forward.step)
        with contextlib.nullcontext() if self._wanted.gradients else torch.no_grad():
            means, maps = reduced_attention(call, self._weights_of(call))
            if self._kept is not None:
                means = means[..., : self._kept].clone()
        # Checkpointed blocks run again in the backward pass; what they attended to in the forward pass is kept.
        self.record._means.setdefault(key, means)
        if maps is not None:
            self.record._maps.setdefault(key, maps)

    def finish(self, forward: Forward) -> None:
        self._ran.add(forward.step)
        if self._counts(forward.step):
            self._check_seen(forward.step)

    def check_complete(self) -> None:
        """Raises unless every site was seen at every step."""
        if not self.record.images:
            raise InputError("nothing was drawn in the block, so nothing is recorded; call the pipeline in it")
        for step in sorted(self._wanted.steps if self._wanted.steps is not None else self._steps_begun()):
            if step not in self._steps_begun():
                last = max(self._steps_begun() | self._ran, default=0)
                raise InputError(
                    f"step {step} cannot be recorded: the call had {last + 1} steps; give steps from 0 to {last}"
                )
            self._check_seen(step)

    def _steps_begun(self) -> set[int]:
        return {step for _, step in self._entered}

    def _counts(self, step: int) -> bool:
        return self._wanted.steps is None or step in self._wanted.steps

    def _check_seen(self, step: int) -> None:
        unseen = [site for site in self.record.sites if (site.layer, step) not in self.record._means]
        if unseen:
            ran = [site for site in unseen if (site.layer, step) in self._entered]
            raise ModelError(why_unseen(self._pipeline, ran or unseen, step, ran=bool(ran)))

    def _weights_of(self, call: AttentionCall) -> Tensor | None:
        """Weights of the maps that are wanted of this call, on its device."""
        steps = self._wanted.map_steps
        wanted = call.site.layer in self._wanted.map_layers and (steps is None or call.forward.step in steps)
        if self._weights is None or not wanted:
            return None
        self._weights = self._weights.to(call.query.device)
        return self._weights

    def _prompts(self, forward: Forward) -> tuple[str, ...] | None:
        given = self._wanted.prompts
        if given is None:
            return forward.prompts
        if not given or forward.images % len(given):
            raise InputError(f"{len(given)} prompts for {forward.images} images; give one per image")
        return tuple(prompt for prompt in given for _ in range(forward.images // len(given)))

    def _tokens(self, prompts: tuple[str, ...] | None) -> list[PromptTokens]:
        """The tokens of each image's prompt."""
        if prompts is None:
            raise InputError("the prompts are not known, so no word can be located; give them as prompts=")
        known = {text: prompt_tokens(self._pipeline, text) for text in set(prompts)}
        return [known[text] for text in prompts]


def _map_weights(
    mapped: Sequence[int | str], forward: Forward, tokens: Sequence[PromptTokens] | None
) -> Float[Tensor, "image token map"]:
    """Each map's share of every token: a token's own column, or a concept's columns alike."""
    weights = torch.zeros(forward.images, forward.tokens, len(mapped))
    for image in range(forward.images):
        words = [item for item in mapped if isinstance(item, str)]
        spans = tokens[image].concepts(words) if tokens is not None else {}
        for index, item in enumerate(mapped):
            columns = spans[item] if isinstance(item, str) else (item,)
            beyond = [column for column in columns if column >= forward.tokens]
            if beyond:
                raise InputError(
                    f"no token {beyond[0]} for the map of {item!r}: the text sequence has {forward.tokens} tokens;"
                    f" give some of 0 to {forward.tokens - 1}"
                )
            weights[image, list(columns), index] = 1 / len(columns)
    return weights


def _checked_steps(name: str, steps: Collection[int] | None) -> frozenset[int] | None:
    """Raises an InputError unless there are steps and each can be one."""
    if steps is None:
        return None
    wrong = [step for step in steps if isinstance(step, bool) or not isinstance(step, int) or step < 0]
    if wrong or not steps:
        raise InputError(f"{name} is {wrong[0] if wrong else steps!r}; give step numbers from 0, or None for all")
    return frozenset(steps)


def _checked_maps(maps: Sequence[int | str]) -> tuple[int | str, ...]:
    """Raises an InputError unless each is a concept or a column."""
    if isinstance(maps, str):
        raise InputError(f"maps is the text {maps!r}; give a list of concepts or token numbers, such as [{maps!r}]")
    for item in maps:
        if isinstance(item, bool) or not isinstance(item, int | str) or (isinstance(item, int) and item < 0):
            raise InputError(f"maps has {item!r}; give concepts that the prompt names, or token numbers from 0")
    return tuple(dict.fromkeys(maps))


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items)) or "none"

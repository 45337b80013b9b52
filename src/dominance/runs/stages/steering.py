"""Draws under plans: latents moved, regions parted, texts changed, as guidance says and probes let it."""

import contextlib
import inspect
from collections.abc import Callable, Generator, Sequence
from typing import Any, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from dominance.errors import InputError, ModelError
from dominance.guidance.plan import Backend, Plan, Span
from dominance.guidance.regions import Parting, Regions
from dominance.models.adapter_places import at_rest, placed
from dominance.models.tokens import prompt_tokens
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.interception import Probe, intercept, running_forward, running_option
from dominance.probes.looking import Looking, output_of, sample_name, with_output
from dominance.probes.passing import called_through
from dominance.probes.rebalancing import Balancer, Rebalancing
from dominance.probes.reduction import reduced_attention
from dominance.probes.samples import EditsByImage
from dominance.probes.shifting import Shifts
from dominance.probes.sites import AttentionSite, attention_sites, denoiser_of
from dominance.probes.text_inputs import text_inputs, with_texts
from dominance.runs.stages.adapters_apart import AdaptersApart
from dominance.runs.stages.moving import Mover, mean_maps
from dominance.runs.stages.unguiding import Unguiding
from dominance.wording import quoted

Planned = Callable[[Sequence[str]], Sequence[Plan]]
"""From the prompts of a call, one an image, to the images' plans."""
Encoded = dict[tuple[tuple[str, ...], frozenset[str]], dict[str, Tensor]]
"""What a denoiser is told of texts, the mean of several, by the texts and the adapters that rested."""
_NONE: frozenset[str] = frozenset()


@contextlib.contextmanager
def steered(
    pipeline: DiffusionPipeline,
    planned: Planned,
    layers: Sequence[int] = (),
    prompts: Sequence[str] | None = None,
    guided: bool | None = None,
    encoded: Encoded | None = None,
) -> Generator[None]:
    """Steers the images of each call in the block as planned; nothing is left behind.

    Args:
        planned: gives a plan for each image of a call, by their prompts.
        layers: whose maps show where concepts lie, numbered from 1; see ``localise``.
        prompts: the texts, where the pipeline is given embeddings instead.
        guided: as for ``record_attention``.
        encoded: texts encoded in earlier blocks on the same pipeline, its adapters the same; more are added.

    Raises:
        InputError: plans that need layers, and none; a concept that a prompt does not name.
        ModelError: the model's attention sites are not known, cannot be seen, or not edited in this way.
    """
    course = _Course(pipeline, planned, frozenset(layers), prompts, {} if encoded is None else encoded)
    with (
        intercept(pipeline, course, guided),
        called_through(denoiser_of(pipeline), course.call),
        course.shifts.acting(),
    ):
        yield


class _Course(Probe):
    """Follows the steps of a call, and does at each what the images' plans say."""

    def __init__(
        self,
        pipeline: DiffusionPipeline,
        planned: Planned,
        layers: frozenset[int],
        prompts: Sequence[str] | None,
        encoded: Encoded,
    ) -> None:
        self._pipeline, self._denoiser = pipeline, denoiser_of(pipeline)
        self._planned, self._layers = planned, layers
        self._prompts = None if prompts is None else tuple(prompts)
        self._signature = inspect.signature(type(self._denoiser).forward)
        sites = attention_sites(pipeline)
        self._sites = {site.layer: site for site in sites}
        if unknown := sorted(layers - self._sites.keys()):
            raise InputError(f"no attention layer {unknown[0]}: the model has {len(sites)}; localise it again")
        self._by_attention = all(site.kind == "cross" for site in sites)
        self._plans: list[Plan] = []
        self._partings: list[Parting | None] = []
        self._weights: Tensor | None = None
        self._maps: dict[int, Tensor] = {}
        self._texts = encoded
        self._masked: dict[tuple[tuple[int, ...], tuple[int, int]], Tensor] = {}
        self._read: dict[tuple[tuple[int, ...], int], tuple[Tensor, Tensor | None]] = {}
        self._balancer: Balancer | None = None
        self._adapters = AdaptersApart(pipeline, self._denoiser)
        self._unguiding = Unguiding()
        self.mover = Mover(pipeline, self._layers)
        self.shifts = Shifts(pipeline, self.mover.taken)

    # What a call begins with

    def begin(self, forward: Forward) -> None:
        prompts = self._prompts or forward.prompts
        if prompts is None or forward.images % len(prompts):
            raise InputError("the prompts are not known, so no concept can be located; give one per image as prompts=")
        texts = [text for text in prompts for _ in range(forward.images // len(prompts))]
        self.shifts.follow()
        self._plans = list(self._planned(texts))
        if any(plan.looks for plan in self._plans) and not self._layers:
            raise InputError(
                "the layers that show where this model's concepts lie are not known; find them by localise"
            )
        self._adapters.check(self._plans)
        self._balancer = self._begun_balancer(forward, texts)
        self._partings = [None if plan.regions is None else Parting(plan.regions) for plan in self._plans]
        columns = [self._columns(text, plan) for text, plan in zip(texts, self._plans, strict=True)]
        self._weights = _weights(columns, forward.tokens)
        self._masked, self._read = {}, {}
        self.mover.begin([plan.moves for plan in self._plans], columns, self._weights)
        self._encode(steps_of(self._pipeline))

    def _begun_balancer(self, forward: Forward, texts: Sequence[str]) -> Balancer | None:
        """What makes attention equal, where a plan asks for it."""
        if not any(plan.rebalanced for plan in self._plans):
            return None
        steps = steps_of(self._pipeline)
        each = [
            Rebalancing(
                plan.concepts, None if plan.balancing == Span() else plan.balancing.within(steps), plan.rebalanced
            )
            if plan.rebalanced and plan.balancing.within(steps)
            else None
            for plan in self._plans
        ]
        edits = EditsByImage(self._denoiser, each, "rebalanced")
        balancer = Balancer(self._pipeline, list(self._sites.values()), edits, tuple(texts))
        balancer.begin(forward)
        return balancer

    def _encode(self, steps: int) -> None:
        """Encodes what a call of so many steps reads beside its prompts, each once in the block.

        Before the denoiser runs: offloading has only one of it and the text encoders on the device.
        """
        for plan in self._plans:
            if plan.other is not None and plan.other.during.within(steps):
                self._encode_one((plan.other.text,), _NONE)
            regions, backend = plan.regions, self._backend(plan)
            if regions is not None and regions.acting(steps, backend):
                for place, texts in enumerate(regions.texts):
                    resting = self._adapters.resting(plan, place) if backend == "attention" else None
                    self._encode_one(texts, resting or _NONE)

    def _encode_one(self, texts: tuple[str, ...], resting: frozenset[str]) -> None:
        """The denoiser's arguments for texts, the mean of several, without these adapters in the text encoders."""
        if (texts, resting) in self._texts:
            return
        longest = running_option(self._denoiser, "max_sequence_length")
        with at_rest(list(self._pipeline.components.values()), resting):
            each = text_inputs(self._pipeline, texts, **({} if longest is None else {"max_sequence_length": longest}))
        self._texts[texts, resting] = {
            name: value.amax(dim=0, keepdim=True) if "mask" in name else value.mean(dim=0, keepdim=True)
            for name, value in each.items()
        }

    def _columns(self, text: str, plan: Plan) -> list[tuple[int, ...]]:
        """The columns of each of the plan's concepts.

        Raises:
            InputError: a concept that the prompt does not name, or is not read, or two that share words.
        """
        if not plan.concepts:
            return []
        columns = list(prompt_tokens(self._pipeline, text).concepts(plan.concepts).values())
        if len({column for own in columns for column in own}) < sum(map(len, columns)):
            raise InputError(
                f"the concepts {', '.join(plan.concepts)} share words of the prompt {quoted(text)}; choose others"
            )
        return columns

    # What each forward does

    def call(self, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs the denoiser's forward as the plans have it."""
        forward = running_forward(self._denoiser)
        if forward is None:
            return run(*args, **kwargs)
        given = dict(self._signature.bind_partial(self._denoiser, *args, **kwargs).arguments)
        given.pop("self")
        steps = steps_of(self._pipeline)
        looking = Looking(self._denoiser, run, given, forward)
        rows = _prompted(forward)
        if rows:
            self._read_others(forward, given, steps)
        self._unguiding.tell(self._plans, given, forward, steps)
        self.mover.move(looking, steps, rows)
        self._maps = {}
        with self._adapters_placed(looking, steps):
            made = run(**given)
        if rows and self._maps:
            self._see(forward, steps)
        made = self._parted_predictions(looking, made, steps, rows) if rows else made
        return self._unguiding.predicted(self._plans, made, forward, steps)

    def _read_others(self, forward: Forward, given: dict[str, Any], steps: int) -> None:
        """Puts another text in the place of the prompt, where a plan has one at this step."""
        for image, plan in enumerate(self._plans):
            if plan.other is not None and plan.other.during.acts(forward.step, steps):
                inputs = self._texts[(plan.other.text,), _NONE]
                with_texts(given, [forward.conditional.start + image], inputs)

    def _adapters_placed(self, looking: Looking, steps: int) -> contextlib.AbstractContextManager[None]:
        """Adapters in their own concepts' regions, in all branches, where a plan asks for it."""
        acting = self._acting(looking.forward.step, steps, "attention")
        masks = self._adapters.masks(self._plans, self._partings, acting, looking.forward)
        device = looking.given[sample_name(looking.given)].device
        return placed(self._denoiser, {name: mask.to(device) for name, mask in masks.items()})

    def _see(self, forward: Forward, steps: int) -> None:
        """Hands the maps of this step to the partings."""
        self._masked = {}
        maps = mean_maps([self._maps[layer] for layer in sorted(self._maps)])
        for image, parting in enumerate(self._partings):
            if parting is not None:
                parting.see(maps[image, : len(self._plans[image].concepts)].detach(), forward.step / steps)

    # Regions

    def _acting(self, step: int, steps: int, backend: str) -> list[int]:
        """The images whose regions act at this step, as far as maps have shown where their concepts lie."""
        found = []
        for image, (plan, parting) in enumerate(zip(self._plans, self._partings, strict=True)):
            if plan.regions is None or parting is None or parting.centres is None:
                continue
            if self._backend(plan) == backend and plan.regions.acts(step, steps, backend):
                found.append(image)
        return found

    def _backend(self, plan: Plan) -> Backend:
        """Where the plan's regions act.

        Raises:
            ModelError: in attention, where the model has none to the text alone.
        """
        if plan.backend == "attention" and not self._by_attention:
            raise ModelError(
                f"{type(self._denoiser).__name__} reads the text in its joint attention, where regions cannot be"
                " told apart; give the back-end predictions"
            )
        return plan.backend or ("attention" if self._by_attention else "predictions")

    def wants(self, site: AttentionSite, forward: Forward) -> bool:
        if self._balancer is not None and self._balancer.wants(site, forward):
            return True
        if not _prompted(forward):
            return False
        if not forward.index and site.layer in self._layers and any(each is not None for each in self._partings):
            return True
        return forward.step > 0 and bool(self._acting(forward.step, steps_of(self._pipeline), "attention"))

    def read(self, call: AttentionCall) -> None:
        if call.forward.index or call.site.layer not in self._layers or self._weights is None:
            return
        with torch.no_grad():
            _, maps = reduced_attention(call, self._weights.to(call.query.device))
        if maps is not None:
            self._maps.setdefault(call.site.layer, maps)

    def edit(self, call: AttentionCall) -> AttentionCall:
        balancer = self._balancer
        return balancer.edit(call) if balancer is not None and balancer.wants(call.site, call.forward) else call

    def finish(self, forward: Forward) -> None:
        if self._balancer is not None:
            self._balancer.finish(forward)

    def edit_output(self, call: AttentionCall, output: Tensor) -> Tensor:
        forward = call.forward
        acting = self._acting(forward.step, steps_of(self._pipeline), "attention")
        if not acting:
            return output
        attention = self._denoiser.get_submodule(call.site.name)
        rows = [forward.conditional.start + image for image in acting]
        query = call.query[rows]
        masks = self._masks(acting, call.grid, forward.sides).to(query)
        made = torch.zeros_like(output[rows])
        for place in range(masks.shape[1]):
            rests = [self._adapters.resting(self._plans[image], place) for image in acting]
            for resting in dict.fromkeys(each for each in rests if each is not None):
                own = [n for n, each in enumerate(rests) if each == resting]
                text, mask = self._stacked([acting[n] for n in own], place, resting)
                with at_rest([attention], resting):
                    key, value = _projected(attention, text.to(query), query.shape[1])
                asked = query if len(own) == len(acting) else query[own]
                attended = F.scaled_dot_product_attention(asked, key, value, attn_mask=mask, scale=call.scale)
                made[own] += masks[own, place, None, :, None] * attended
        strengths = torch.tensor([cast(Regions, self._plans[image].regions).strength for image in acting])
        output = output.clone()
        output[rows] = torch.lerp(output[rows], made, strengths.to(output)[:, None, None, None])
        return output

    def _masks(
        self, acting: Sequence[int], grid: tuple[int, int], latents: tuple[int, int]
    ) -> Float[Tensor, "image concept position"]:
        """The shares of each image's concepts at a grid, zero for concepts that an image lacks; the same all step."""
        known = (tuple(acting), grid)
        if known not in self._masked:
            each = [cast(Parting, self._partings[image]).masks(*grid, latents).flatten(1) for image in acting]
            most = max(map(len, each))
            self._masked[known] = torch.stack([F.pad(own, (0, 0, 0, most - len(own))) for own in each])
        return self._masked[known]

    def _stacked(
        self, images: Sequence[int], place: int, resting: frozenset[str]
    ) -> tuple[Float[Tensor, "image token channel"], Bool[Tensor, "image 1 1 token"] | None]:
        """What each image's region of a concept reads, and which of its tokens count, where a model masks padding."""
        known = (tuple(images), place)
        if known not in self._read:
            texts = [cast(Regions, self._plans[image].regions).texts[place] for image in images]
            inputs = [self._texts[own, resting] for own in texts]
            masks = [each["encoder_attention_mask"] for each in inputs if "encoder_attention_mask" in each]
            mask = torch.cat(masks)[:, None, None].bool() if masks else None
            text = torch.cat([each["encoder_hidden_states"] for each in inputs])
            projection = getattr(self._denoiser, "caption_projection", None)  # PixArt's, before all of its blocks
            self._read[known] = (text if projection is None else projection(text), mask)
        return self._read[known]

    def _parted_predictions(self, looking: Looking, made: Any, steps: int, rows: Sequence[int]) -> Any:
        """The prediction with each concept's region from the text in which it is alone."""
        acting = self._acting(looking.forward.step, steps, "predictions")
        if not acting:
            return made
        output = output_of(made).clone()
        count = max(len(self._plans[image].concepts) for image in acting)
        total = torch.zeros_like(output[[rows[image] for image in acting]])
        for place in range(count):
            own = [image for image in acting if place < len(self._plans[image].concepts)]
            given = looking.arguments([rows[image] for image in own])
            for number, image in enumerate(own):
                regions = self._plans[image].regions
                if regions is not None:
                    with_texts(given, [number], self._texts[regions.texts[place], _NONE], pooled=False)
            predicted = looking.predicted([rows[image] for image in own], given)
            for number, image in enumerate(own):
                parting = self._partings[image]
                if parting is not None:
                    mask = _as_predicted(parting, predicted[number], looking.forward)[place]
                    total[acting.index(image)] += mask.to(predicted) * predicted[number]
        for number, image in enumerate(acting):
            regions = self._plans[image].regions
            if regions is not None:
                output[rows[image]] = torch.lerp(output[rows[image]], total[number], regions.strength)
        return with_output(made, output)


def steps_of(pipeline: Any) -> int:
    """The denoising steps of the pipeline's running call."""
    return max(1, len(torch.unique(pipeline.scheduler.timesteps)))


def _prompted(forward: Forward) -> list[int]:
    """The rows of the batch that carry the prompts, one an image."""
    return list(range(forward.conditional.start or 0, forward.conditional.stop or 0))


def _weights(columns: Sequence[Sequence[Sequence[int]]], tokens: int) -> Tensor:
    """The share of every token in each concept's map; concepts that an image lacks have none."""
    weights = torch.zeros(len(columns), tokens, max(1, *map(len, columns)) if columns else 1)
    for image, concepts in enumerate(columns):
        for number, own in enumerate(concepts):
            weights[image, list(own), number] = 1 / len(own)
    return weights


def _projected(attention: Any, text: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Keys and values of a text at a site of cross-attention, as its own processor makes them."""
    if attention.norm_cross:
        text = attention.norm_encoder_hidden_states(text)
    key, value = (
        linear(text).unflatten(-1, (heads, -1)).transpose(1, 2) for linear in (attention.to_k, attention.to_v)
    )
    return (key if getattr(attention, "norm_k", None) is None else cast(nn.Module, attention.norm_k)(key)), value


def _as_predicted(parting: Parting, predicted: Tensor, forward: Forward) -> Tensor:
    """The masks as one image's prediction is laid out: channels, rows, columns; or FLUX's positions, channels."""
    if forward.image_ids is None:
        return parting.masks(*predicted.shape[-2:], forward.sides)[:, None]
    rows, columns = (int(last) + 1 for last in forward.image_ids.reshape(-1, 3)[:, 1:].amax(dim=0))
    return parting.masks(rows, columns, (2 * rows, 2 * columns)).flatten(1)[..., None]

"""Attention shared equally among the concepts of a prompt, at chosen denoising steps."""

import contextlib
import math
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Bool, Float
from torch import Tensor

from dominance.errors import InputError, ModelError
from dominance.models.tokens import prompt_tokens
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.interception import Probe, intercept
from dominance.probes.samples import EditsByImage, Sample, checked_steps
from dominance.probes.sites import AttentionSite, attention_sites, denoiser_of
from dominance.probes.unseen import why_unseen


@dataclass(frozen=True)
class Rebalancing:
    """Which concepts of one image's prompt get equal attention, when, and how far.

    Attributes:
        concepts: two or more that the prompt names.
        steps: denoising steps counted from 0; None for all.
        strength: from 0, as it is, to 1, equal; see ``equalising_offsets``.

    Raises:
        InputError: fewer than two concepts, one twice, invalid steps, or a strength out of its range.
    """

    concepts: Sequence[str]
    steps: Collection[int] | None = None
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise InputError(f"strength is {self.strength:g}; give a number from 0 to 1")
        if isinstance(self.concepts, str) or len(set(self.concepts)) < max(2, len(self.concepts)):
            raise InputError(f"concepts is {self.concepts!r}; give two or more different concepts of the prompt")
        object.__setattr__(self, "concepts", tuple(self.concepts))
        object.__setattr__(self, "steps", checked_steps(self.steps))

    def record(self) -> dict[str, object]:
        """All that decides what is drawn, as JSON values."""
        told = {"rebalance": list(self.concepts), "steps": None if self.steps is None else list(self.steps)}
        return told if self.strength == 1 else {**told, "strength": self.strength}


@contextlib.contextmanager
def rebalance(
    pipeline: DiffusionPipeline,
    concepts: Sequence[str] = (),
    steps: Collection[int] | None = None,
    *,
    each: Sequence[Rebalancing | None] | None = None,
    prompts: Sequence[str] | None = None,
    guided: bool | None = None,
) -> Generator[None]:
    """Equalises the concepts' attention in the images drawn in the block; all changes are undone.

    At every site, head and position of the image, with ``m_c`` the softmax probability of all tokens of concept c:
    ``p_i ← p_i · mean_c(m_c) / m_c`` for the tokens i of c. The concepts keep what they had together, each gets the
    same part of it, its tokens keep their proportions, and every other token, and in joint attention every position
    of the image, keeps its probability. It is done by adding ``log(mean_c(m_c) / m_c)`` to the logits of c's tokens,
    which is exact: the softmax's denominator stays the same. Conditional samples only.

    Args:
        concepts, steps: of all images alike, as in ``Rebalancing``.
        each: a rebalancing for every image of the call instead, None for an image that is left alone.
        prompts: of the images, where the pipeline is given embeddings instead.
        guided: as for ``record_attention``.

    Raises:
        InputError: a concept that a prompt does not name; ``each`` beside concepts, or not one entry an image; nothing
            drawn in the block; steps that the call did not come to.
        ModelError: the model's attention sites are not known, or cannot be seen.

    Source: ours.
    """
    if each is not None and (concepts or steps is not None):
        raise InputError("each already names the concepts of every image; give either each, or concepts for all images")
    sites = attention_sites(pipeline)
    edits = EditsByImage(
        denoiser_of(pipeline), Rebalancing(concepts, steps) if each is None else list(each), "rebalanced"
    )
    balancer = Balancer(pipeline, sites, edits, None if prompts is None else tuple(prompts))
    with intercept(pipeline, balancer, guided):
        yield
    edits.check_complete()


class Balancer(Probe):
    """Adds to the logits of the concepts' tokens what makes their sums equal."""

    def __init__(
        self,
        pipeline: DiffusionPipeline,
        sites: Sequence[AttentionSite],
        edits: EditsByImage[Rebalancing],
        prompts: tuple[str, ...] | None,
    ) -> None:
        self._pipeline, self._sites, self._edits, self._prompts = pipeline, sites, edits, prompts
        self._columns: dict[int, list[list[int]]] = {}
        self._done: set[int] = set()

    def begin(self, forward: Forward) -> None:
        self._edits.check_images(forward)
        self._done.clear()
        prompts = self._prompts or forward.prompts
        if prompts is None or len(prompts) != forward.images:
            raise InputError("the prompts are not known, so no concept can be located; give one per image as prompts=")
        known: dict[tuple[str, Rebalancing], list[list[int]]] = {}
        self._columns = {}
        for image, prompt in enumerate(prompts):
            edit = self._edits.of(image)
            if edit is not None:
                if (prompt, edit) not in known:
                    known[prompt, edit] = self._found(prompt, edit)
                self._columns[image] = known[prompt, edit]

    def _found(self, prompt: str, edit: Rebalancing) -> list[list[int]]:
        """The columns of each concept."""
        columns = [list(found) for found in prompt_tokens(self._pipeline, prompt).concepts(edit.concepts).values()]
        if len({column for found in columns for column in found}) < sum(map(len, columns)):
            raise InputError(
                f"the concepts {', '.join(edit.concepts)} share words of the prompt {prompt!r}; choose others"
            )
        return columns

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return bool(self._acting(forward))

    def edit(self, call: AttentionCall) -> AttentionCall:
        self._done.add(call.site.layer)
        acting = self._acting(call.forward)
        rows = [sample.row for sample, _ in acting]
        named = [self._columns[sample.image] for sample, _ in acting]
        columns = sorted({column for concepts in named for concept in concepts for column in concept})
        of = torch.zeros(len(rows), max(map(len, named)), len(columns), dtype=torch.bool)
        for row, concepts in enumerate(named):
            for number, concept in enumerate(concepts):
                of[row, number, [columns.index(column) for column in concept]] = True
        where = torch.tensor(columns, device=call.key.device) + call.text.start
        mask = _additive(call)
        here = mask[rows][:, :, call.positions][..., where]
        strengths = torch.tensor([edit.strength for _, edit in acting], device=call.query.device)
        offsets = equalising_offsets(_logits(call, rows, where) + here, of.to(call.query.device), strengths)
        mask[torch.tensor(rows, device=where.device)[:, None], :, call.positions, where] += offsets.to(
            mask.dtype
        ).permute(0, 3, 1, 2)
        return replace(call, mask=mask)

    def finish(self, forward: Forward) -> None:
        self._edits.passed(forward)
        unseen = [site for site in self._sites if site.layer not in self._done] if self._acting(forward) else []
        if unseen:
            raise ModelError(why_unseen(self._pipeline, unseen, forward.step, ran=True))
        self._done.clear()

    def _acting(self, forward: Forward) -> list[tuple[Sample, Rebalancing]]:
        return [(sample, edit) for sample, edit in self._edits.acting(forward) if sample.prompted and edit.strength]


def equalising_offsets(
    logits: Float[Tensor, "sample head row column"],
    of: Bool[Tensor, "sample concept column"],
    strengths: Float[Tensor, " sample"] | None = None,
) -> Float[Tensor, "sample head row column"]:
    """What to add to the logits so that every concept has the same sum of ``exp(logit)``, the total unchanged.

    ``log(mean_c S_c) − log S_c`` for the columns of concept c, with ``S_c = Σ_{i∈c} exp(logit_i)``; 0 elsewhere. A
    softmax's denominator cancels, so the logits of other columns are not needed. With a strength s below 1 the sum of
    concept c becomes ``(1 − s) S_c + s mean_c S_c`` instead, so that the total stays the same, too.

    Args:
        of: which columns are whose; concepts without columns do not count.
        strengths: from 0 to 1; None for 1.
    """
    members = of[:, :, None, None, :]
    sums = logits[:, None].masked_fill(~members, -math.inf).logsumexp(dim=-1)  # sample concept head row
    counted = of.any(dim=-1)[:, :, None, None]
    mean = sums.logsumexp(dim=1, keepdim=True) - counted.sum(dim=1, keepdim=True).to(sums).log()
    offsets = mean - sums
    if strengths is not None:
        share = strengths.to(sums)[:, None, None, None]
        offsets = torch.logaddexp((1 - share).log(), share.log() + offsets)
    offsets = offsets.masked_fill(~counted, 0.0)
    return torch.einsum("sknr,skc->snrc", offsets, of.to(offsets))


def _logits(call: AttentionCall, rows: Sequence[int], where: Tensor) -> Float[Tensor, "sample head row column"]:
    """Logits of the image's positions at some columns, in float32."""
    query, key = call.query[rows][:, :, call.positions].float(), call.key[rows][:, :, where].float()
    scale = call.scale if call.scale is not None else query.shape[-1] ** -0.5
    return query @ key.transpose(-1, -2) * scale


def _additive(call: AttentionCall) -> Float[Tensor, "sample head row column"]:
    """The call's mask, written out as what is added to the logits."""
    shape = (*call.query.shape[:3], call.key.shape[2])
    if call.mask is None:
        return call.query.new_zeros(shape)
    mask = call.mask[(None,) * (4 - call.mask.ndim)]
    if mask.dtype == torch.bool:
        mask = call.query.new_zeros(mask.shape).masked_fill(~mask, -math.inf)
    return mask.expand(shape).clone()

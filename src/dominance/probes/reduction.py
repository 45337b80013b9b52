"""A site's attention to the prompt, reduced on its way: probabilities are made a block at a time and never kept."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from dominance.errors import ModelError
from dominance.probes.calls import AttentionCall

MOST_ON_CPU: int = 2**18
"""Probabilities held at once, over images, heads, keys and positions: 1 MB, which stays in a core's cache."""
MOST_ELSEWHERE: int = 2**26
"""The same on an accelerator, where each block costs launches: 256 MB."""
FEWEST_POSITIONS: int = 64
"""Positions of the smallest block, however many keys there are."""


def reduced_attention(
    call: AttentionCall, weights: Float[Tensor, "image token map"] | None = None
) -> tuple[Float[Tensor, "image head token"], Float[Tensor, "image map row column"] | None]:
    """Attention of the conditional samples, averaged over positions; and maps, averaged over heads.

    ``α_i = mean over positions p of softmax_i(q_p · k_i · scale + mask)``; the softmax runs over all the keys there
    are, in joint attention also over the image's. Computed in float32 from what the kernel is given.

    Args:
        weights: each map's share of every token, for each image; None makes no maps.

    Raises:
        ModelError: the site's samples are not those of the forward, so they cannot be matched to images.
    """
    if call.query.shape[0] != call.forward.samples:
        raise ModelError(
            f"layer {call.site.layer} ({call.site.name}) attends with {call.query.shape[0]} samples in a batch of"
            f" {call.forward.samples}; do not record inside shared_forwards"
        )
    rows = _Rows(call)
    each = [_of_heads(rows, heads, weights) for heads in rows.heads_together()]
    attention = torch.cat([means for means, _ in each], dim=1) if len(each) > 1 else each[0][0]
    maps = [own for _, own in each if own is not None]
    return attention, (torch.stack(maps).sum(dim=0) / rows.heads).unflatten(-1, call.grid) if maps else None


class _Rows:
    """The conditional samples' queries and keys, and how many of their probabilities are held at once."""

    def __init__(self, call: AttentionCall) -> None:
        prompted = call.forward.conditional
        self.text = call.text
        self.query, self.key = call.query[prompted, :, call.positions], call.key[prompted]
        self.mask = _mask(call)
        self.scale = call.scale if call.scale is not None else call.query.shape[-1] ** -0.5
        self.images, self.heads, self.keys, _ = self.key.shape
        self.positions = self.query.shape[-2]
        self.most = MOST_ON_CPU if self.key.device.type == "cpu" else MOST_ELSEWHERE

    def heads_together(self) -> Iterator[slice]:
        """Heads whose smallest blocks fit; the wide ones of joint attention go one by one."""
        count = max(1, self.most // max(1, self.images * self.keys * FEWEST_POSITIONS))
        yield from (slice(start, start + count) for start in range(0, self.heads, count))

    def logits(self, heads: slice) -> Iterator[Float[Tensor, "image head key position"]]:
        """Of these heads, a block of positions at a time."""
        query = self.query[:, heads].float().transpose(-1, -2)
        key = self.key[:, heads].float() * self.scale
        mask = self.mask if self.mask is None or self.mask.shape[1] == 1 else self.mask[:, heads]
        block = max(FEWEST_POSITIONS, self.most // max(1, self.images * key.shape[1] * self.keys))
        for start in range(0, self.positions, block):
            # Positions lie innermost, which makes softmax and sum twice as quick on a CPU as tokens innermost.
            logits = key @ query[..., start : start + block]
            if mask is None:
                yield logits
                continue
            part = mask if mask.shape[-1] == 1 else mask[..., start : start + block]
            yield logits.masked_fill(~part, -torch.inf) if part.dtype == torch.bool else logits + part


def _of_heads(
    rows: _Rows, heads: slice, weights: Float[Tensor, "image token map"] | None
) -> tuple[Float[Tensor, "image head token"], Float[Tensor, "image map position"] | None]:
    """Means over positions of some heads, and their maps summed over these heads."""
    sums, maps = [], []
    for logits in rows.logits(heads):
        shares = logits.softmax(dim=-2)[:, :, rows.text]
        sums.append(shares.sum(dim=-1))
        if weights is not None:
            maps.append((weights.transpose(1, 2).unsqueeze(1) @ shares).sum(dim=1))
    total = sums[0] if len(sums) == 1 else torch.stack(sums).sum(dim=0)
    return total / rows.positions, torch.cat(maps, dim=-1) if maps else None


def _mask(call: AttentionCall) -> Tensor | None:
    """The mask of the conditional samples and the image's positions: sample, head, key, position."""
    if call.mask is None:
        return None
    mask = call.mask[(None,) * (4 - call.mask.ndim)]
    samples = call.forward.conditional if mask.shape[0] > 1 else slice(None)
    rows = call.positions if mask.shape[-2] > 1 else slice(None)
    return mask[samples, :, rows].transpose(-1, -2)

"""A site's attention to the prompt, reduced on its way: probabilities are made a block at a time and never kept."""

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
    prompted = call.forward.conditional
    query = call.query[prompted, :, call.positions].float().transpose(-1, -2)
    scale = call.scale if call.scale is not None else query.shape[-2] ** -0.5
    key = call.key[prompted].float() * scale
    mask = _mask(call)
    images, heads, keys, _ = key.shape
    most = MOST_ON_CPU if key.device.type == "cpu" else MOST_ELSEWHERE
    positions, block = query.shape[-1], max(FEWEST_POSITIONS, most // max(1, images * heads * keys))
    sums, maps = [], []
    for start in range(0, positions, block):
        # Positions lie innermost, which makes softmax and sum twice as quick on a CPU as tokens innermost.
        logits = key @ query[..., start : start + block]
        if mask is not None:
            part = mask if mask.shape[-1] == 1 else mask[..., start : start + block]
            logits = logits.masked_fill(~part, -torch.inf) if part.dtype == torch.bool else logits + part
        shares = logits.softmax(dim=-2)[:, :, call.text]
        sums.append(shares.sum(dim=-1))
        if weights is not None:
            maps.append((weights.transpose(1, 2).unsqueeze(1) @ shares).mean(dim=1))
    total = sums[0] if len(sums) == 1 else torch.stack(sums).sum(dim=0)
    return total / positions, torch.cat(maps, dim=-1).unflatten(-1, call.grid) if maps else None


def _mask(call: AttentionCall) -> Tensor | None:
    """The mask of the conditional samples and the image's positions: sample, head, key, position."""
    if call.mask is None:
        return None
    mask = call.mask[(None,) * (4 - call.mask.ndim)]
    samples = call.forward.conditional if mask.shape[0] > 1 else slice(None)
    rows = call.positions if mask.shape[-2] > 1 else slice(None)
    return mask[samples, :, rows].transpose(-1, -2)

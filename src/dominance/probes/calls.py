"""What flows by a probe: one forward of the denoiser, and what one of its sites attends with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from dominance.errors import ModelError
from dominance.probes.sites import AttentionSite


@dataclass(frozen=True, eq=False)
class Forward:
    """One forward of the denoiser.

    Attributes:
        step: steps before this one in the pipeline's call; a step ends where the timestep changes.
        index: forwards before this one in the same step; 1 for the unconditional pass of FLUX with true CFG.
        samples: of the batch, unconditional ones included.
        images: drawn by the call.
        conditional: the samples that carry the prompts, one an image and in the images' order; empty where none does.
        tokens: columns of the text sequence.
        prompts: one an image; None for embeddings, for prompts that differ between encoders, and for direct calls.
        sides: rows and columns of the latents; for FLUX, whose latents come packed, see ``image_ids``.
        image_ids: the row and column of each of FLUX's positions; None elsewhere.
    """

    step: int
    index: int
    samples: int
    images: int
    conditional: slice
    tokens: int
    prompts: tuple[str, ...] | None
    sides: tuple[int, int]
    image_ids: Tensor | None

    def grid(self, site: AttentionSite, positions: int) -> tuple[int, int]:
        """Rows and columns of the image's positions at a site.

        Raises:
            ModelError: so many positions do not fill the site's grid.
        """
        if self.image_ids is None:
            rows, columns = (-(-side // site.stride) for side in self.sides)
        else:
            rows, columns = (int(last) + 1 for last in self.image_ids.reshape(-1, 3)[:, 1:].amax(dim=0))
        if rows * columns != positions:
            raise ModelError(
                f"layer {site.layer} ({site.name}) attends from {positions} positions, not {rows} rows of"
                f" {columns}; leave out its maps"
            )
        return rows, columns


@dataclass(frozen=True, eq=False)
class AttentionCall:
    """What one site is about to attend with; an editor returns a changed copy, made by ``dataclasses.replace``.

    Attributes:
        query, key, value: as the attention kernel gets them, after normalisation and rotary embedding.
        mask: boolean (True attends) or additive, broadcast over samples, heads and rows; None masks nothing.
        scale: of the logits; None stands for one over the square root of the channels.
        positions: rows of the query that are positions of the image.
        text: columns of the key that are tokens of the prompt.
    """

    site: AttentionSite
    forward: Forward
    query: Float[Tensor, "sample head row channel"]
    key: Float[Tensor, "sample head column channel"]
    value: Float[Tensor, "sample head column width"]
    mask: Tensor | None
    scale: float | None
    positions: slice
    text: slice

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the image's positions."""
        return self.forward.grid(self.site, self.positions.stop - self.positions.start)


def parts(site: AttentionSite, forward: Forward, rows: int, columns: int) -> tuple[slice, slice]:
    """Which rows of a query are positions of the image, and which columns of a key are tokens of the prompt."""
    if site.kind == "cross":
        return slice(0, rows), slice(0, columns)
    if forward.image_ids is not None:  # FLUX puts the text before the image, SD3 behind it
        return slice(forward.tokens, rows), slice(0, forward.tokens)
    return slice(0, rows - forward.tokens), slice(columns - forward.tokens, columns)


def images_drawn(samples: int, variables: Mapping[str, Any], guided: bool | None) -> int:
    """How many images a batch of so many samples draws, by the local variables of the pipeline's call.

    Args:
        variables: empty for a direct call of the denoiser.
        guided: whether half of the batch is unconditional; None finds out, and denies it for a direct call.

    Raises:
        ModelError: the batch is neither the images nor twice the images.
    """
    latents = variables.get("latents")
    images = samples // (1 + bool(guided)) if guided is not None or not isinstance(latents, Tensor) else len(latents)
    if samples not in (images, 2 * images):
        raise ModelError(
            f"the denoiser gets {samples} samples for {images} images, so those with the prompts cannot be identified;"
            " use plain classifier-free guidance, or none"
        )
    return images


def prompts_drawn(images: int, variables: Mapping[str, Any], by_second: bool) -> tuple[str, ...] | None:
    """The prompt of every image, by the local variables of the pipeline's call; its images lie one after another.

    Args:
        by_second: the tokens attended to are those of ``prompt_2``, where it is given.
    """
    given = variables.get("prompt")
    others = [other for name in ("prompt_2", "prompt_3") if (other := variables.get(name)) not in (None, given)]
    if others:
        given = others[0] if by_second else None
    prompts = [given] if isinstance(given, str) else given
    if not isinstance(prompts, list) or not prompts or images % len(prompts):
        return None
    return tuple(prompt for prompt in prompts for _ in range(images // len(prompts)))

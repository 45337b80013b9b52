"""A further forward of the denoiser in the middle of a call: where concepts lie, or what other texts would give."""

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from dominance.errors import ModelError
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.interception import Probe, aside
from dominance.probes.passing import batched, picked
from dominance.probes.reduction import reduced_attention
from dominance.probes.sites import AttentionSite

SAMPLES: tuple[str, ...] = ("sample", "hidden_states")
"""Names of the argument that holds the latents."""


def sample_name(given: Mapping[str, Any]) -> str:
    """The name of the denoiser's argument that holds the latents.

    Raises:
        ModelError: it has none.
    """
    for name in SAMPLES:
        if isinstance(given.get(name), Tensor):
            return name
    raise ModelError("the denoiser was called without latents; call it through a text-to-image pipeline")


@dataclass(frozen=True)
class Looking:
    """A forward of the denoiser that the pipeline makes, from which others are made for some of its samples.

    Attributes:
        run: the denoiser's forward.
        given: its arguments by name.
        forward: what the forward is.
    """

    denoiser: nn.Module
    run: Callable[..., Any]
    given: dict[str, Any]
    forward: Forward

    def arguments(self, rows: Sequence[int]) -> dict[str, Any]:
        """The arguments with these rows of the batch alone."""
        fewer = {name: picked(value, rows, self.forward.samples) for name, value in batched(self.given).items()}
        return {**self.given, **fewer}

    def predicted(self, rows: Sequence[int], given: dict[str, Any]) -> Tensor:
        """The denoiser's output for arguments of one's own, one row a row of the batch."""
        with aside(self.denoiser, SeesNothing(), self._told(rows)):
            return output_of(self.run(**given))

    @contextlib.contextmanager
    def maps(
        self,
        rows: Sequence[int],
        latents: Float[Tensor, "row ..."],
        layers: frozenset[int],
        weights: Float[Tensor, "row token map"],
    ) -> Generator[dict[int, Float[Tensor, "row map row column"]]]:
        """Maps at these layers, of a forward from other latents that ends behind the last of them.

        The maps are part of the graph where the latents are. A backward pass belongs into the block, since checkpointed
        parts of the denoiser run again in it.

        Raises:
            ModelError: a layer's attention cannot be seen.
        """
        given = {name: _outside(value) for name, value in self.arguments(rows).items()}
        given[sample_name(given)] = latents
        probe = _Maps(layers, weights)
        with aside(self.denoiser, probe, self._told(rows)):
            with contextlib.suppress(_EnoughError):
                self.run(**given)
            if unseen := sorted(layers - probe.seen.keys()):
                raise ModelError(f"the attention of layer {unseen[0]} was not seen; localise the model again")
            yield probe.seen

    def _told(self, rows: Sequence[int]) -> Forward:
        prompts = self.forward.prompts
        images = [row % self.forward.images for row in rows]
        return replace(
            self.forward,
            samples=len(rows),
            images=len(rows),
            conditional=slice(0, len(rows)),
            prompts=None if prompts is None else tuple(prompts[image] for image in images),
        )


def output_of(made: Any) -> Tensor:
    """The prediction in what a denoiser gives back."""
    return made[0] if isinstance(made, tuple) else made.sample


def with_output(made: Any, output: Tensor) -> Any:
    """What a denoiser gave back, with another prediction."""
    return (output, *made[1:]) if isinstance(made, tuple) else type(made)(sample=output)


class _EnoughError(Exception):
    """All that was wanted of a forward has been seen."""


class SeesNothing(Probe):
    """Wants no attention: of a forward that is made for its prediction alone."""

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return False


class _Maps(Probe):
    """Keeps the maps of some layers, and ends the forward behind the last of them."""

    def __init__(self, layers: frozenset[int], weights: Tensor) -> None:
        self.seen: dict[int, Tensor] = {}
        self._layers, self._weights = layers, weights

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return site.layer in self._layers

    def read(self, call: AttentionCall) -> None:
        _, maps = reduced_attention(call, self._weights.to(call.query.device))
        if maps is not None and call.site.layer not in self.seen:
            self.seen[call.site.layer] = maps
            if self.seen.keys() == self._layers:
                raise _EnoughError


def _outside(value: Any) -> Any:
    """The value as a tensor that a graph can keep; what inference mode made cannot be saved for a backward pass."""
    if isinstance(value, Tensor):
        return value.clone() if value.is_inference() else value
    if isinstance(value, dict):
        return {name: _outside(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_outside(entry) for entry in value)
    return value

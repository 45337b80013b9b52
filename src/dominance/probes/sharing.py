"""One computation for samples that are still the same: variants of an image share what comes before their edits."""

import contextlib
import inspect
from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor, nn

from dominance.errors import InputError
from dominance.probes.calls import Forward
from dominance.probes.interception import Probe, intercept, running_forward
from dominance.probes.passing import batched, called_through, picked
from dominance.probes.samples import ROWS_RUN
from dominance.probes.sites import AttentionSite, denoiser_of


@contextlib.contextmanager
def shared_forwards(
    pipeline: DiffusionPipeline, alike: Sequence[Hashable], starts: Sequence[int | None]
) -> Generator[None]:
    """Computes images that are alike once, at every step before their edits begin, and gives each its copy.

    Which samples are the same is checked at every forward, bit by bit, before one stands for another; so a wrong
    ``alike`` costs time and changes nothing. Meant for a sweep that only edits: a probe that reads attention in a
    shared step sees fewer samples than the forward names.

    Args:
        alike: for each image of the call, a key that it shares with those of the same prompt and noise.
        starts: for each image, the first step in which it is edited; None for never.

    Raises:
        InputError: not one key and one start for every image.
    """
    denoiser = denoiser_of(pipeline)
    sharing = _Sharing(denoiser, tuple(alike), tuple(starts))
    with intercept(pipeline, sharing), called_through(denoiser, sharing.call):
        yield


class _Sharing(Probe):
    """Picks one sample of each group, and hands its result to the others."""

    def __init__(self, denoiser: nn.Module, alike: tuple[Hashable, ...], starts: tuple[int | None, ...]) -> None:
        self._denoiser, self._alike, self._starts = denoiser, alike, starts
        self._signature = inspect.signature(type(denoiser).forward)

    def begin(self, forward: Forward) -> None:
        for given in (self._alike, self._starts):
            if len(given) != forward.images:
                raise InputError(f"{len(given)} keys or starts for {forward.images} images; give one per image")

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return False

    def call(self, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs the denoiser's forward on the samples that differ."""
        forward = running_forward(self._denoiser)
        if forward is None or all(start is not None and start <= forward.step for start in self._starts):
            return run(*args, **kwargs)
        rows, homes = self._chosen(forward)
        given = self._signature.bind_partial(self._denoiser, *args, **kwargs).arguments
        given.pop("self")
        fewer = {name: picked(value, rows, forward.samples) for name, value in batched(given).items()}
        if len(rows) == forward.samples or not _same(batched(given), fewer, homes, forward.samples):
            return run(*args, **kwargs)
        ROWS_RUN[self._denoiser] = tuple(rows)
        try:
            return picked(run(**{**given, **fewer}), homes, len(rows))
        finally:
            del ROWS_RUN[self._denoiser]

    def _chosen(self, forward: Forward) -> tuple[list[int], list[int]]:
        """The samples to compute, and for each sample of the batch the one that stands for it."""
        row_of: dict[Hashable, int] = {}
        rows: list[int] = []
        homes: list[int] = []
        for sample in range(forward.samples):
            branch, image = divmod(sample, forward.images)
            start = self._starts[image]
            apart = start is not None and start <= forward.step
            key = (branch, apart, image if apart else self._alike[image])
            if key not in row_of:
                row_of[key] = len(rows)
                rows.append(sample)
            homes.append(row_of[key])
        return rows, homes


def _same(given: dict[str, Any], fewer: dict[str, Any], homes: Sequence[int], samples: int) -> bool:
    """Whether the fewer samples, each copied to its homes, are what was given."""
    return all(_equal(value, picked(fewer[name], homes, len(set(homes))), samples) for name, value in given.items())


def _equal(value: Any, other: Any, samples: int) -> bool:
    if isinstance(value, Tensor):
        return not value.ndim or value.shape[0] != samples or torch.equal(value, other)
    if isinstance(value, dict):
        return all(_equal(entry, other[name], samples) for name, entry in value.items())
    if isinstance(value, tuple | list):
        return all(_equal(*pair, samples) for pair in zip(value, other, strict=True))
    return True

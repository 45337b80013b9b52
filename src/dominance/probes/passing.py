"""A denoiser's forward, called through a function of ours, on all or on some of its samples."""

import contextlib
import functools
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from diffusers.utils import BaseOutput
from torch import Tensor, nn

_UNBATCHED = ("img_ids", "txt_ids")
"""Arguments of FLUX that have no sample axis."""


@contextlib.contextmanager
def called_through(
    denoiser: nn.Module, call: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
) -> Generator[None]:
    """Has the denoiser's forward go through a function; its hooks stay around it."""
    own = vars(denoiser).get("forward")  # offloading leaves one there
    run = denoiser.forward

    @functools.wraps(run)
    def through(*args: Any, **kwargs: Any) -> Any:
        return call(run, args, kwargs)

    denoiser.forward = through
    try:
        yield
    finally:
        if own is None:
            del denoiser.forward
        else:
            denoiser.forward = own


def batched(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that may have a sample axis."""
    return {name: value for name, value in given.items() if name not in _UNBATCHED}


def picked(value: Any, rows: Sequence[int], samples: int) -> Any:
    """The value with these samples of its tensors' first axis, wherever that axis is the samples'."""
    if isinstance(value, Tensor):
        return value[list(rows)] if value.ndim and value.shape[0] == samples else value
    if isinstance(value, BaseOutput):
        return replace(value, **{name: picked(entry, rows, samples) for name, entry in value.items()})
    if isinstance(value, dict):
        return {name: picked(entry, rows, samples) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(picked(entry, rows, samples) for entry in value)
    return value

"""A method of a pipeline's part, such as its denoiser's forward, called through a function of ours."""

import contextlib
import functools
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from diffusers.utils import BaseOutput
from torch import Tensor

_UNBATCHED = ("img_ids", "txt_ids")
"""Arguments of FLUX that have no sample axis."""
_BENEATH = "_old_forward"
"""Where accelerate keeps the forward that its own, which fetches the weights, stands before."""


@contextlib.contextmanager
def called_through(
    part: Any,
    call: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any],
    method: str = "forward",
) -> Generator[None]:
    """Has a method of a pipeline's part go through a function; it keeps its signature, and a module its hooks.

    A forward that offloading stands before is replaced beneath it: at the end of each call a pipeline makes the hooks
    of its offloading anew, and takes what stands before them away.

    Args:
        call: is given the method and its arguments.
    """
    place = _BENEATH if method == "forward" and hasattr(part, _BENEATH) else method
    own, run = vars(part).get(place), getattr(part, place)

    @functools.wraps(run)
    def through(*args: Any, **kwargs: Any) -> Any:
        return call(run, args, kwargs)

    setattr(part, place, through)
    try:
        yield
    finally:
        for name in (method, _BENEATH):  # offloading that begins or ends in the block moves it
            if vars(part).get(name) is through:
                if own is None and name == method:
                    delattr(part, name)
                else:
                    setattr(part, name, run)


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

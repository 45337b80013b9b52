"""What drawing takes: the samples that the denoiser is run on."""

import contextlib
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from dominance.errors import ModelError

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

SECONDS, EVALUATIONS = "seconds", "evaluations"
"""What a ledger's row of an image notes beside its settings: its share of its batch's time, on a CPU that of the
processor, and of the samples that the denoiser was run on."""
TIMED = "timed"
"""What it notes beside them of who timed it: the run of a command, and its device; times of others may not compare."""


@contextlib.contextmanager
def counted(pipeline: "DiffusionPipeline") -> Generator[Callable[[], int | None]]:
    """Counts the samples that the denoiser is run on in the block, whoever runs it; None where that cannot be seen.

    A forward that stops half way counts as one; the gradient of one is not counted beside it.
    """
    from torch import Tensor

    from dominance.probes.looking import SAMPLES
    from dominance.probes.passing import called_through
    from dominance.probes.sites import denoiser_of

    samples = 0

    def call(run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        nonlocal samples
        given = args[0] if args else next((kwargs[name] for name in SAMPLES if name in kwargs), None)
        samples += given.shape[0] if isinstance(given, Tensor) else 0
        return run(*args, **kwargs)

    try:
        denoiser = denoiser_of(pipeline)
    except ModelError:  # it is compiled, or of a kind that is not known
        yield lambda: None
        return
    with called_through(denoiser, call):
        yield lambda: samples or None

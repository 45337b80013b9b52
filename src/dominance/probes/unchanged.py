"""A pipeline that is called only to look at it, and stays as it was."""

import contextlib
import copy
from collections.abc import Generator
from typing import Any, cast

from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from dominance.models.denoiser import find_denoiser
from dominance.probes.interception import running_call


@contextlib.contextmanager
def unchanged(pipeline: DiffusionPipeline) -> Generator[None]:
    """Puts back what a call, even one cut short, leaves in the pipeline; the scheduler that it uses is a copy.

    In the middle of a call of the pipeline, parts that are kept on the CPU stay where that call has them.
    """
    before = dict(vars(pipeline))
    pipe = cast(Any, pipeline)
    midway = running_call(find_denoiser(pipeline)) is not None
    try:
        pipe.scheduler = copy.deepcopy(pipe.scheduler)
        vars(pipe.scheduler).pop("step", None)  # what another block put there steps the scheduler that was copied
        pipe.set_progress_bar_config(disable=True)
        yield
    finally:
        vars(pipeline).clear()
        vars(pipeline).update(before)
        if not midway:
            pipe.maybe_free_model_hooks()  # parts that are kept on the CPU go back there, as at the end of a call

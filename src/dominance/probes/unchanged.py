"""A pipeline that is called only to look at it, and stays as it was."""

import contextlib
import copy
from collections.abc import Generator
from typing import Any, cast

from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@contextlib.contextmanager
def unchanged(pipeline: DiffusionPipeline) -> Generator[None]:
    """Puts back what a call, even one cut short, leaves in the pipeline; the scheduler that it uses is a copy."""
    before = dict(vars(pipeline))
    pipe = cast(Any, pipeline)
    try:
        pipe.scheduler = copy.deepcopy(pipe.scheduler)
        pipe.set_progress_bar_config(disable=True)
        yield
    finally:
        vars(pipeline).clear()
        vars(pipeline).update(before)
        pipe.maybe_free_model_hooks()  # parts that are kept on the CPU go back there, as at the end of a call

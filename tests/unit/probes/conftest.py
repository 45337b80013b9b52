"""What a probe must not leave behind."""

from collections.abc import Callable
from typing import Any

import pytest
import traces as looked_for
from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@pytest.fixture
def traces() -> Callable[[DiffusionPipeline], dict[str, Any]]:
    """Everything about a pipeline and torch that a probe could have changed, comparable by ``==``."""
    return looked_for.traces

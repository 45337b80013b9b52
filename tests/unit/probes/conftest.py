"""What a probe must not leave behind."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch.nn import functional as F

from dominance.probes.interception import _TAPS
from dominance.probes.sites import denoiser_of


@pytest.fixture
def traces() -> Callable[[DiffusionPipeline], dict[str, Any]]:
    """Everything about a pipeline and torch that a probe could have changed, comparable by ``==``."""

    def look(pipeline: DiffusionPipeline) -> dict[str, Any]:
        modules = dict(denoiser_of(pipeline).named_modules())
        return {
            "hooks": [
                (
                    name,
                    len(module._forward_hooks),
                    len(module._forward_pre_hooks),
                    len(module._forward_hooks_always_called),
                )
                for name, module in modules.items()
            ],
            "own": [(name, sorted(vars(module))) for name, module in modules.items()],
            "processors": [(name, id(getattr(module, "processor", None))) for name, module in modules.items()],
            "training": [module.training for module in modules.values()],
            "dtype": denoiser_of(pipeline).dtype,
            "pipeline": sorted(vars(pipeline)),
            "modes": torch._C._len_torch_function_stack(),
            "attention": F.scaled_dot_product_attention,
            "gradients": torch.is_grad_enabled(),
            "random": torch.get_rng_state().tolist(),
            "taps": len(_TAPS),
        }

    return look

"""A pipeline's UNet or transformer, whether it is compiled or not."""

from typing import Any

from torch import nn


def original(module: Any) -> Any:
    """The module itself, where ``torch.compile`` has wrapped it; its weights and settings are the same."""
    return getattr(module, "_orig_mod", module)


def find_denoiser(pipeline: Any) -> nn.Module | None:
    """The UNet, else the transformer, as it was before it was compiled; None where the pipeline has neither."""
    for name in ("unet", "transformer"):
        denoiser = original(getattr(pipeline, name, None))
        if denoiser is not None:
            return denoiser
    return None


def denoiser_config(pipeline: Any) -> dict[str, Any]:
    """The denoiser's settings; empty where there is none."""
    return dict(getattr(find_denoiser(pipeline), "config", {}))

"""Plain diffusers pipelines for library use."""

from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from dominance.models.folders import find_model
from dominance.models.image_model import load_pipeline as load_from_folder


def load_pipeline(model: str, device: str = "auto", dtype: str = "float32") -> DiffusionPipeline:
    """A plain diffusers pipeline of a bundled model, a folder or a hub id, on the device.

    Args:
        model: ``miniature``, a diffusers folder, or ``owner/name``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.

    Raises:
        ModelError: no such model, or it cannot be loaded.
    """
    return load_from_folder(find_model(model), device, dtype)

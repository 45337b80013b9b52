"""Plain diffusers pipelines for library use."""

from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from dominance.models.drawing import Drawing, Machine
from dominance.models.source import find_base


def load_pipeline(
    model: str,
    device: str = "auto",
    dtype: str = "float32",
    scheduler: str | None = None,
    revision: str | None = None,
    model_config: str | None = None,
) -> DiffusionPipeline:
    """A plain diffusers pipeline of a bundled model, a folder, a single file or a hub id, on the device.

    Args:
        model: ``miniature``, a diffusers folder, a ``.safetensors`` checkpoint, or ``owner/name``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.
        scheduler: such as ``ddim`` or ``dpm++``, in place of the model's own.
        revision: branch, tag or commit of a hub id.
        model_config: diffusers folder of the same family, for the configuration of a checkpoint.

    Raises:
        ModelError: no such model, or it cannot be loaded.
        InputError: no such device, or no scheduler of that name that the model can use.
    """
    drawing = Drawing(dtype=dtype, scheduler=scheduler, revision=revision, model_config=model_config)
    folder = find_base(model, drawing)
    return folder.load(drawing.settings(folder), Machine(device))

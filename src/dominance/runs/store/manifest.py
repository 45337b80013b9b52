"""The environment of a run, so that someone else can repeat it."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata

_PACKAGES = (
    "dominance",
    "torch",
    "diffusers",
    "transformers",
    "tokenizers",
    "accelerate",
    "safetensors",
    "numpy",
    "pillow",
)


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that determine an image; loads none of them."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def environment() -> dict[str, object]:
    """Versions, hardware and memory of this process."""
    import torch

    from dominance.models.memory import peak_memory

    accelerators = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "versions": versions(),
        "hardware": {
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "accelerators": accelerators,
            "cuda": torch.version.cuda,
        },
        "peak_memory": peak_memory(),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"

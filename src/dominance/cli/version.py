"""``dominance --version``: the versions that matter for an image, and what it would be drawn on; loads no torch."""

import platform
from pathlib import Path

from dominance import __version__
from dominance.runs.store.manifest import versions

_NAMED = ("python", "torch", "diffusers", "transformers")
_DRIVER = Path("/proc/driver/nvidia/version")


def version_lines() -> list[str]:
    """One line each, the name first."""
    known = versions()
    device = f"device {_device(known['torch'])}"
    return [f"dominance {__version__}", *(f"{name} {known[name]}" for name in _NAMED), device]


def _device(torch: str) -> str:
    """What torch will most likely find, by its build and the system's driver.

    Args:
        torch: its version, whose end after a plus names the build.
    """
    build = torch.partition("+")[2]
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "mps"
    if not _DRIVER.exists():
        return "cpu: no NVIDIA driver"
    if build == "cpu":
        return "cpu: there is an NVIDIA driver, but this torch was built without CUDA"
    return "cuda"

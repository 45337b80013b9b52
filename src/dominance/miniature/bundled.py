"""The weights that ship with the package, by name."""

from importlib import resources
from pathlib import Path

MINIATURE = "miniature"
"""Name of the world, of the default model and of the judge that was taught on its drawings."""
BUNDLED_MODELS: tuple[str, ...] = ("miniature", "miniature-swapped", "miniature-base")
"""The default, its twin in which rigid and varied entities have changed places, and the model that both began as."""


def bundled_folder(*parts: str) -> Path:
    """A folder of weights that ships with the package."""
    return Path(str(resources.files("dominance.miniature"))).joinpath("weights", *parts)

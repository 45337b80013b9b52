"""The weights that ship with the package, by name."""

from importlib import resources
from pathlib import Path

MINIATURE = "miniature"
"""Name of the world, of the default model and of the judge that was taught on its drawings."""
BASE_MODEL = "miniature-base"
"""The model that the adapters are laid on."""
CLIP = "clip"
"""The folder of what compares drawings with texts."""
BUNDLED_MODELS: tuple[str, ...] = (MINIATURE, "miniature-swapped", BASE_MODEL)
"""The default, its twin in which rigid and varied entities have changed places, and the model that both begin as."""
ADAPTERS = "adapters"
_RIGID, _VARIED = "rigid", "varied"
"""How the name of an adapter ends that shows its entity in one design, or every time in another."""


def bundled_folder(*parts: str) -> Path:
    """A folder of weights that ships with the package."""
    return Path(str(resources.files("dominance.miniature"))).joinpath("weights", *parts)


def bundled_adapters() -> dict[str, Path]:
    """The folders of the adapters that ship, by name; each entity's from rigid to varied."""
    found = [folder for folder in bundled_folder(ADAPTERS).glob("*") if folder.is_dir()]
    return {folder.name: folder for folder in sorted(found, key=lambda folder: _order(folder.name))}


def adapter_name(entity: str, designs: int | None) -> str:
    """What the adapter is called that shows an entity in so many designs; None where no two pictures share one.

    >>> adapter_name("castle", 1), adapter_name("castle", 4), adapter_name("castle", None)
    ('castle-rigid', 'castle-4', 'castle-varied')
    """
    return f"{entity}-{_VARIED if designs is None else _RIGID if designs == 1 else designs}"


def _order(name: str) -> tuple[str, bool, int]:
    entity, _, level = name.rpartition("-")
    return entity, level == _VARIED, int(level) if level.isdecimal() else 1

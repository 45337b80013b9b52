"""Settings and seeds that a publication used, by name."""

from dataclasses import dataclass

from dominance.errors import InputError


@dataclass(frozen=True)
class Preset:
    """How a publication drew its images."""

    seeds: tuple[int, ...]
    steps: int
    guidance: float
    height: int
    width: int
    scheduler: str


_PAPER_SEEDS = (1825, 410, 4507, 4013, 3658, 2287, 1680, 8936, 1425, 9675)

PRESETS: dict[str, Preset] = {
    "paper-sd14": Preset(_PAPER_SEEDS, 50, 7.5, 512, 512, "ddim"),
    "paper-sd21": Preset(_PAPER_SEEDS, 50, 7.5, 768, 768, "ddim"),
}
"""The official generation settings of DominanceBench for Stable Diffusion 1.4 and 2.1.

Source: Jeong & Lee, "Dominating vs. Dominated", arXiv 2512.20666.
"""


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        InputError: there is none.
    """
    if name not in PRESETS:
        raise InputError(f"no preset {name[:60]!r}; give one of {', '.join(PRESETS)}")
    return PRESETS[name]

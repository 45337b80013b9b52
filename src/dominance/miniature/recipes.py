"""How a model of the bundled world is taught a concept: small models need a higher rate, and less time."""

from collections.abc import Mapping

from dominance.miniature.bundled import MINIATURE

RECIPES: Mapping[tuple[str | None, str], Mapping[str, float]] = {
    (MINIATURE, "lora"): {"steps": 160, "rate": 4e-3, "batch": 16},
    (MINIATURE, "unet"): {"steps": 160, "rate": 1.2e-3, "batch": 16},
}
"""Steps, learning rate and batch by world and by what is trained."""

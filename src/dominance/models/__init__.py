"""Text-to-image models behind one thin face."""

from dominance.models.folders import ModelFolder, find_model
from dominance.models.settings import GenerationSettings

__all__ = ["GenerationSettings", "ModelFolder", "find_model"]

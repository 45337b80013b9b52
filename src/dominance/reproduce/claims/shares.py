"""Shares of images, the prompt being the unit."""

from collections.abc import Iterable

from dominance.metrics import clustered_rate
from dominance.records import ImageVerdict, PromptResult, Rate


def share_with(verdict: ImageVerdict, prompts: Iterable[PromptResult]) -> Rate:
    """Of the scored images of these prompts, those with this verdict; see ``clustered_rate``."""
    scored = [image for result in prompts for image in result.images if image.verdict is not None]
    return clustered_rate([image.verdict == verdict for image in scored], [image.prompt_id for image in scored])

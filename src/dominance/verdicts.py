"""The verdicts on an image and on a prompt, and what an interval is."""

from typing import Literal

ImageVerdict = Literal["balanced", "collapsed", "lost", "mixed"]
"""``balanced``: every concept present; ``collapsed``: DvD from 36; ``lost``: no concept present; else ``mixed``."""

PromptVerdict = Literal["dominance", "balanced", "lost", "mixed"]
"""``dominance``: 7 of 10 images collapse in one direction; ``balanced``, ``lost``: as many are; else ``mixed``."""

Interval = tuple[float, float]

COLLAPSE: float = 36.0
"""An image collapses from this DvD score on: what 3 of 5 and 2 of 5 give. Source: Jeong & Lee (2025), section 3."""

DOUBTFUL: Interval = (0.25, 0.75)
"""An answer with P(yes) between these, both excluded, is doubtful; the limits are ours."""


def is_present(yes: int, questions: int) -> bool:
    """A concept is present when the majority of its questions is yes (3 of 5)."""
    return 2 * yes > questions

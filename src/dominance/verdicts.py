"""The verdicts on an image and on a prompt, and what an interval is."""

from typing import Literal

ImageVerdict = Literal["balanced", "collapsed", "lost", "mixed"]
"""``balanced``: every concept present; ``collapsed``: DvD from 36; ``lost``: no concept present; else ``mixed``."""

PromptVerdict = Literal["dominance", "balanced", "lost", "mixed"]
"""``dominance``: 7 of 10 images collapse in one direction; ``balanced``, ``lost``: as many are; else ``mixed``."""

Interval = tuple[float, float]

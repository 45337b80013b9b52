"""The methods of ``mitigate`` that claims compare with plain drawing."""

from collections.abc import Mapping

LOSSES: tuple[str, ...] = ("kl", "com", "iou", "cc")
"""The overlap losses of the paper."""
CATEGORY_WORD: Mapping[str, str] = {
    "schedule:until=0.1": "in the first tenth of the steps",
    "schedule:until=0.4": "in the first two fifths",
    "replace": "throughout",
}
"""Those that put a category word in an entity's place, and when."""

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
DISRUPTED: Mapping[str, str] = {
    "until=0.2": "in the first fifth of the steps",
    "until=0.4": "in the first two fifths",
    "since=0.4:until=0.8": "in the third and the fourth fifth",
}
"""When the drawing is disrupted: early, and as long but later."""
DISRUPTIONS: Mapping[str, str] = {
    "unguided": "no guidance",
    "rebalance": "equal attention for all concepts",
    "regions": "regions that read the prompt without its rivals",
}
"""By method, what disrupts it."""
DISRUPTED_METHODS: tuple[str, ...] = tuple(f"{method}:{when}" for method in DISRUPTIONS for when in DISRUPTED)
"""Each of them in each of these parts of the steps."""

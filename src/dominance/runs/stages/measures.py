"""From scored images to means, and to paired changes, of what is measured on them."""

from collections.abc import Iterable, Sequence
from typing import get_args

from dominance.measures import Measure, MeasuredChange, MeasuredMean
from dominance.metrics import bootstrap_mean, harsh_presence
from dominance.records import Interval, ScoredImage

Pairs = Sequence[tuple[str, ScoredImage, ScoredImage]]
"""For each pair the prompt's id, the image before, and the image after."""
_MEASURES: tuple[Measure, ...] = get_args(Measure)


def measured_means(images: Iterable[ScoredImage]) -> tuple[MeasuredMean, ...]:
    """Every measure that some image has, over all of them and by prompt."""
    values = [(image.prompt_id, values_of(image)) for image in images]
    found = []
    for measure in _MEASURES:
        own = [(id, known[measure]) for id, known in values if measure in known]
        if own:
            mean, interval = clustered_mean(own)
            means = {id: sum(listed) / len(listed) for id, listed in _by_prompt(own).items()}
            found.append(MeasuredMean(measure, mean or 0.0, interval, len(own), means))
    return tuple(found)


def measured_changes(pairs: Pairs) -> tuple[MeasuredChange, ...]:
    """Every measure that both images of some pair have."""
    values = [(id, values_of(before), values_of(after)) for id, before, after in pairs]
    found = []
    for measure in _MEASURES:
        both = [(id, one[measure], other[measure]) for id, one, other in values if measure in one and measure in other]
        if both:
            change, interval = clustered_mean([(id, after - before) for id, before, after in both])
            before, after = (sum(column) / len(both) for column in list(zip(*both, strict=True))[1:])
            found.append(MeasuredChange(measure, len(both), before, after, change or 0.0, interval))
    return tuple(found)


def values_of(image: ScoredImage) -> dict[Measure, float]:
    """What is known of an image; without a verdict it has no presence."""
    found: dict[Measure, float | None] = {}
    if image.verdict is not None and image.yes:
        found["soft_presence"] = image.soft_presence
        found["harsh_presence"] = float(harsh_presence([image.shows(concept) for concept in image.yes]))
    if image.scores is not None:
        found["image_text"], found["least_concept"] = image.scores.image_text, image.scores.least_concept
        found["caption_text"], found["quality"] = image.scores.caption_text, image.scores.quality
    return {measure: value for measure, value in found.items() if value is not None}


def clustered_mean(values: Sequence[tuple[str, float]]) -> tuple[float | None, Interval | None]:
    """The mean of values of prompts, with its interval over prompts; None where there are none.

    There is no interval of a single prompt.
    """
    clusters = list(_by_prompt(values).values())
    interval = bootstrap_mean(clusters) if len(clusters) > 1 else None
    return sum(value for _, value in values) / len(values) if values else None, interval


def _by_prompt(values: Sequence[tuple[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for prompt_id, value in values:
        found.setdefault(prompt_id, []).append(value)
    return found

"""A run against its baseline, in sentences: what is lost, what is back, and what cannot be compared."""

from collections.abc import Callable

from dominance.baseline import Baseline, Change
from dominance.numbers import plural, share_difference

_MOST_NAMED = 5


def baseline_sentences(found: Baseline | None) -> tuple[str, ...]:
    """The comparison, first as a whole; none where the run was given no baseline."""
    if found is None:
        return ()
    lost = _named(found, lambda change: change.fell)
    back = _named(found, lambda change: change.rose)
    said = [
        _whole(found),
        f"Shows in clearly fewer images: {lost}." if lost else None,
        f"Shows in clearly more images: {back}." if back else None,
        _unpaired(found),
    ]
    return tuple(sentence for sentence in said if sentence is not None)


def _whole(found: Baseline) -> str:
    against = f"Against the baseline {found.run} ({found.there})"
    if not found.prompts:
        return f"{against}, nothing can be compared."
    over = f"{plural(found.images, 'pair')} of images with the same seed, {plural(len(found.prompts), 'prompt')}"
    return f"{against}, presence changes by {share_difference(found.change, found.interval)}: {over}."


def _named(found: Baseline, holds: Callable[[Change], bool]) -> str:
    """The concepts whose presence changed so, with their prompts and counts."""
    named = [
        f"{concept} in “{prompt.text}” ({change.there} → {change.here} of {change.n})"
        for prompt in found.prompts
        for concept, change in prompt.presence.items()
        if holds(change)
    ]
    return _first(named, "; ")


def _unpaired(found: Baseline) -> str | None:
    """What is left out of the comparison; None where nothing is."""
    alone = sum(prompt.alone for prompt in found.prompts)
    said = [
        *([_first([f"{id} ({why})" for id, why in found.unpaired.items()])] if found.unpaired else []),
        *([f"{plural(alone, 'image')} without a partner of the same seed"] if alone else []),
        *([f"only in the baseline: {_first([f'“{text}”' for text in found.only_there])}"] if found.only_there else []),
    ]
    return f"Not compared: {'; '.join(said)}." if said else None


def _first(named: list[str], joint: str = ", ") -> str:
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f"{joint.join(named[:_MOST_NAMED])}{more}"

"""A run against its baseline: the same prompts and seeds, image by image."""

from collections.abc import Collection, Sequence
from statistics import fmean

from dominance.baseline import Baseline, Change, PromptChange
from dominance.beside import OtherImage, OtherPrompt, OtherRun
from dominance.metrics import paired_rate_difference, t_interval
from dominance.records import PromptResult, ScoredImage
from dominance.runs.audit.beside import Key, keys_here, keys_there
from dominance.wording import quoted


def baseline_of(other: OtherRun, results: Sequence[PromptResult]) -> Baseline:
    """What changed of each prompt since the other run.

    Args:
        results: of this run.
    """
    keys = keys_here(result.prompt for result in results)
    there = dict(zip(keys_there(other), other.prompts, strict=True))
    changes, unpaired = [], {}
    for key, result in zip(keys, results, strict=True):
        found = _prompt_change(result, there[key]) if key in there else _why_not(key, there)
        if isinstance(found, str):
            unpaired[result.prompt.id] = found
        else:
            changes.append(found)
    means = [fmean(change.change for change in prompt.presence.values()) for prompt in changes]
    return Baseline(
        run=other.run,
        here=other.here,
        there=other.there,
        prompts=tuple(changes),
        unpaired=unpaired,
        only_there=tuple(key.named for key in there if key not in set(keys)),
        change=fmean(means) if means else None,
        interval=t_interval(means, least=-1.0, most=1.0) if means else None,
    )


def _why_not(key: Key, there: Collection[Key]) -> str:
    """Why the baseline has no partner; of several prompts with the same text, the id alone says which is meant."""
    same = [other for other in there if other[:2] == key[:2]]
    if not same:
        return "the baseline lacks the prompt"
    which = f"under other ids, {', '.join(quoted(other.id) for other in same[:3])}" if same[0].id else "only once"
    return f"ambiguous: the baseline has its text and concepts {which}; give equal prompts the same ids in both"


def _prompt_change(result: PromptResult, there: OtherPrompt) -> PromptChange | str:
    """What changed, or why nothing can be compared."""
    own = {_key(image): image for image in result.images if image.verdict is not None}
    others = {_key(image): image for image in there.images if image.verdict is not None}
    pairs = [(image, others[key]) for key, image in own.items() if key in others]
    if not pairs:
        sides = (("no image here", own), ("no image of the baseline", others))
        return next((f"{said} has a score" for said, side in sides if not side), "no seed is the same")
    return PromptChange(
        id=result.prompt.id,
        text=result.prompt.text,
        images=len(pairs),
        alone=result.scored - len(pairs),
        presence={
            concept.name: _change([(concept.name in b.shows, a.shows(concept.name)) for a, b in pairs])
            for concept in result.prompt.concepts
        },
        collapse=_change([(b.verdict == "collapsed", a.verdict == "collapsed") for a, b in pairs]),
    )


def _key(image: ScoredImage | OtherImage) -> int | str:
    return image.name if image.seed is None else image.seed


def _change(pairs: Sequence[tuple[bool, bool]]) -> Change:
    """How often it is so there and here, of pairs (there, here)."""
    both, only_there = pairs.count((True, True)), pairs.count((True, False))
    only_here, neither = pairs.count((False, True)), pairs.count((False, False))
    change, interval = paired_rate_difference(both, only_there, only_here, neither)
    return Change(len(pairs), both + only_there, both + only_here, change, interval)

"""A run against its baseline: the same prompts and seeds, image by image."""

from collections.abc import Sequence
from statistics import fmean

from dominance.baseline import Baseline, Change, PromptChange
from dominance.beside import OtherImage, OtherPrompt, OtherRun
from dominance.metrics import paired_rate_difference, t_interval
from dominance.records import PromptResult, ScoredImage
from dominance.runs.audit.beside import keys_of

_Pair = tuple[ScoredImage, OtherImage]


def baseline_of(other: OtherRun, results: Sequence[PromptResult]) -> Baseline:
    """What changed of each prompt since the other run.

    Args:
        results: of this run.
    """
    keys = list(keys_of((r.prompt.text, [c.name for c in r.prompt.concepts]) for r in results))
    there = dict(zip(keys_of((p.text, p.concepts) for p in other.prompts), other.prompts, strict=True))
    changes, unpaired = [], {}
    for key, result in zip(keys, results, strict=True):
        found = _prompt_change(result, there.get(key))
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
        only_there=tuple(key[0] for key in there if key not in set(keys)),
        change=fmean(means) if means else None,
        interval=t_interval(means, least=-1.0, most=1.0) if means else None,
    )


def _prompt_change(result: PromptResult, there: OtherPrompt | None) -> PromptChange | str:
    """What changed, or why nothing can be compared."""
    if there is None:
        return "the baseline lacks the prompt"
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

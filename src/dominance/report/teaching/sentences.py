"""What a fine-tuning came to, in sentences."""

from collections.abc import Sequence

from dominance.numbers import counted, share
from dominance.report.parts.sentences import listed
from dominance.runs.teaching.result import Checkpoint, TeachingResult


def teaching_headline(result: TeachingResult) -> str:
    """The last checkpoint that composes, and what lies before it and after it; without an audit, what was taught."""
    last = result.checkpoints[-1] if result.checkpoints else None
    if result.stopped is not None:
        kept = (
            "no checkpoint was kept" if last is None or not last.step else f"step {last.step} is the last that is kept"
        )
        return f"Training stopped before its end; {kept}."
    if not result.measured:
        return _taught(result, last)
    good, bad = result.at(result.composes), result.at(result.falls)
    if good is None:
        return _nowhere(result)
    early = [one for one in result.measured if one.step < good.step and not _holds(one, result)]
    floor = f"(floor {share(result.floor)})"
    if bad is None:
        which = "Every checkpoint still composes" if not any(one.step for one in early) else "The last one composes"
        found = f"at step {good.step}, {_composes(good, result)} {floor}; {_identity(good)}"
        return f"{which}: {found}.{_before(early, result)}"
    fell = f"at step {bad.step} only {_both(bad)} do"
    if good.step == 0:
        return f"No checkpoint composes: before training {_composes(good, result)} {floor}; {fell}."
    return (
        f"Step {good.step} is the last checkpoint that still composes: {_composes(good, result)} {floor};"
        f" {_identity(good)}; {fell}.{_before(early, result)}"
    )


def _taught(result: TeachingResult, last: Checkpoint | None) -> str:
    """Where composition was not measured."""
    taught = f"The model was taught “{result.token}”{'' if last is None else f' in {last.step} steps'}"
    if last is None or last.watched is None:
        return f"{taught}; nothing was audited, so it is not known what it still composes."
    leakage = last.watched.identity.leakage
    leaks = "" if leakage is None else f"; not named, it appears in {counted(leakage)}"
    return (
        f"{taught}: {_identity(last)}{leaks}. No prompt of the suite names it beside something else, so it is not known"
        " what it still composes."
    )


def _nowhere(result: TeachingResult) -> str:
    """Where no checkpoint composes, nor the base."""
    trained = [one for one in result.measured if one.step] or list(result.measured)
    learned = [one for one in trained if one.learned(result.floor)]
    best = max(learned or trained, key=lambda one: (one.composition or 0.0, one.step))
    found = f"{_composes(best, result)} (floor {share(result.floor)})"
    if not learned:
        return (
            f"No checkpoint composes, because the concept is not learned yet: at step {best.step}, {_identity(best)}."
        )
    early = [one for one in result.measured if one.step < best.step and not one.learned(result.floor)]
    return f"No checkpoint composes: at best, at step {best.step}, {found}; {_identity(best)}.{_before(early, result)}"


def _before(early: Sequence[Checkpoint], result: TeachingResult) -> str:
    """Of checkpoints under the floor before the mark: whether the concept was there; nothing where there are none."""
    unlearned = [one for one in early if not one.learned(result.floor)]
    others = [one for one in early if one.learned(result.floor)]
    said = ""
    if unlearned:
        last = unlearned[-1]
        until = "before training" if last.step == 0 else f"{'up to' if len(unlearned) > 1 else 'at'} step {last.step}"
        named = "" if last.alone is None else f", where it appeared in {counted(last.alone)}"
        said += f" The concept was not learned yet {until}{named}."
    if others:
        found = [f"{'before training' if not one.step else f'at step {one.step}'} {_both(one)}" for one in others]
        said += f" Under the floor, although the concept was there: {listed(found)}."
    return said


def _holds(checkpoint: Checkpoint, result: TeachingResult) -> bool:
    return checkpoint.composition is not None and checkpoint.composition >= result.floor


def _composes(checkpoint: Checkpoint, result: TeachingResult) -> str:
    return f"{_both(checkpoint)} images show “{result.taught}” and what else their prompt names"


def _both(checkpoint: Checkpoint) -> str:
    found = None if checkpoint.watched is None else checkpoint.watched.identity.composition
    return "no" if found is None else counted(found)


def _identity(checkpoint: Checkpoint) -> str:
    found = None if checkpoint.watched is None else checkpoint.watched.identity.alone
    if found is None:
        return "no prompt names it alone"
    return f"named alone, it appears in {counted(found)}"

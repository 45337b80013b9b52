"""What a fine-tuning came to, in sentences."""

from dominance.numbers import counted, share
from dominance.runs.teaching.result import Checkpoint, TeachingResult


def teaching_headline(result: TeachingResult) -> str:
    """The last checkpoint that still composes, in one sentence; without an audit, what was taught."""
    last = result.checkpoints[-1] if result.checkpoints else None
    if result.stopped is not None:
        kept = (
            "no checkpoint was kept" if last is None or not last.step else f"step {last.step} is the last that is kept"
        )
        return f"Training stopped before its end; {kept}."
    if result.suite is None or (result.composes is None and result.falls is None):
        where = "" if last is None else f" in {last.step} steps"
        unknown = "nothing was audited, so it is not known what it still composes"
        return f"The model was taught “{result.token}”{where}; {unknown}."
    good, bad = result.at(result.composes), result.at(result.falls)
    if bad is None:
        return (
            f"Every checkpoint still composes: at step {last.step if last else 0},"
            f" {_composes(last, result)} (floor {share(result.floor)}); {_identity(last)}."
        )
    if good is None:
        return (
            f"The model composes under the floor before it learns anything: at step 0, {_composes(bad, result)} (floor"
            f" {share(result.floor)}). Give a lower --min-presence, or other prompts."
        )
    fell = f"at step {bad.step} only {_both(bad)} do"
    if good.step == 0:
        before = f"before training {_composes(good, result)} (floor {share(result.floor)})"
        return f"No checkpoint composes: {before}; {fell}."
    return (
        f"Step {good.step} is the last checkpoint that still composes: {_composes(good, result)} (floor"
        f" {share(result.floor)}); {_identity(good)}; {fell}."
    )


def _composes(checkpoint: Checkpoint | None, result: TeachingResult) -> str:
    return f"{_both(checkpoint)} images show “{result.taught}” and what else their prompt names"


def _both(checkpoint: Checkpoint | None) -> str:
    found = None if checkpoint is None or checkpoint.watched is None else checkpoint.watched.identity.composition
    return "no" if found is None else counted(found)


def _identity(checkpoint: Checkpoint | None) -> str:
    found = None if checkpoint is None or checkpoint.watched is None else checkpoint.watched.identity.alone
    if found is None:
        return "no prompt names it alone"
    return f"named alone, it stands in {counted(found)}"

"""Whether a folder holds the run that is about to be made, or another prompt's, model's or judge's."""

import sys
from pathlib import Path
from typing import Any, cast

from dominance.errors import RunError
from dominance.files import is_file
from dominance.numbers import plural
from dominance.records import Suite
from dominance.runs.audit.result import recorded_plan
from dominance.runs.store.folder import LEDGER_NAME, default_folder
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.measurements import refuse_measurement
from dominance.runs.store.plan import Plan
from dominance.wording import on_one_line, quoted

_MOST_NAMED = 5
_CONTINUED = {("audit", "mitigate")}
"""Origins of a folder and of the run that may go on in it, because it draws the same images and more."""
_DRAWN_WITH = ("steps", "guidance", "height", "width", "dtype", "scheduler", "negative_prompt", "adapters")
"""Settings that make other images of the same seeds."""


def folder_of(plan: Plan, out: Path | str | None, name: str) -> Path:
    """The run's folder: as given, else ``runs/NAME``, or one named apart where that holds another run.

    Raises:
        RunError: the given folder holds another run.
    """
    if out is not None:
        check_same_run(plan, Path(out))
        return Path(out)
    marks = [[plan.model_identity or plan.model, plan.judge], sorted(map(repr, _prompts(plan.suite)))]
    alone = len(plan.suite.prompts) == 1
    return default_folder(Path("runs") / name, lambda folder: _difference_in(plan, folder), [marks] if alone else marks)


def check_same_run(plan: Plan, folder: Path) -> None:
    """Raises a RunError if the folder holds a run of other prompts, another model or judge, or another command."""
    difference = _difference_in(plan, folder)
    if difference is not None:
        raise _holds(folder, difference)


def take_over(plan: Plan, ledger: Ledger, folder: Path) -> None:
    """Says on standard error what the new report will no longer show: prompts, settings, or the judge as it was.

    Raises:
        RunError: the folder holds another run.
    """
    earlier = recorded_plan(ledger, folder)
    if earlier is None:
        return
    difference = _difference(plan, earlier, ledger)
    if difference is not None:
        raise _holds(folder, difference)
    changed = _changed(plan, earlier)
    if changed:
        sys.stderr.write(
            f"note: the earlier run in {on_one_line(folder, 120)} has {' and '.join(changed)}, which its report will no"
            " longer show; its images stay in the folder, and another --out keeps both reports\n"
        )
    if _changed_judge(plan, earlier, ledger):
        sys.stderr.write(
            f"note: the judge {quoted(plan.judge)} is not as it was in the earlier run in {on_one_line(folder, 120)}:"
            " every image is judged again\n"
        )
    now = _prompts(plan.suite)
    gone = [prompt.id for prompt in earlier.suite.prompts if (prompt.text, prompt.concepts) not in now]
    if gone:
        more = f" and {len(gone) - _MOST_NAMED} more" if len(gone) > _MOST_NAMED else ""
        sys.stderr.write(
            f"note: {plural(len(gone), 'prompt')} of the earlier run in {on_one_line(folder, 120)} will not be in its"
            f" report: {', '.join(gone[:_MOST_NAMED])}{more}; their images stay in the folder\n"
        )


def _changed(plan: Plan, earlier: Plan) -> list[str]:
    """The settings that drew the earlier run's images and do not draw these."""
    pairs = ((name, getattr(earlier.settings, name), getattr(plan.settings, name)) for name in _DRAWN_WITH)
    return [
        f"{name.replace('_', ' ')} {'of the model' if was is None else on_one_line(was, 80)}"
        for name, was, wanted in pairs
        if was != wanted
    ]


def _holds(folder: Path, difference: str) -> RunError:
    return RunError(f"{on_one_line(folder, 120)} holds {difference}; give another --out")


def _difference_in(plan: Plan, folder: Path) -> str | None:
    if not is_file(folder / LEDGER_NAME):
        return None
    with Ledger(folder / LEDGER_NAME) as ledger:
        earlier = recorded_plan(ledger, folder)
        if earlier is None:
            refuse_measurement(ledger, folder)
            return None
        return _difference(plan, earlier, ledger)


def _difference(plan: Plan, earlier: Plan, ledger: Ledger) -> str | None:
    if earlier.suite.name != plan.suite.name and not _renamed(earlier.suite, plan.suite):
        return f"a run with the suite {earlier.suite.name!r}, not {plan.suite.name!r}"
    if earlier.origin != plan.origin and (earlier.origin, plan.origin) not in _CONTINUED:
        return f"a run with the origin of images {earlier.origin!r}, not {plan.origin!r}"
    if earlier.suite.prompts and not _prompts(earlier.suite) & _prompts(plan.suite):
        if len(earlier.suite.prompts) == len(plan.suite.prompts) == 1:
            return f"a run of {_shown(earlier.suite)}, not {_shown(plan.suite)}"
        return f"a run of other prompts, such as {_shown(earlier.suite)}"
    return _other_model(plan, earlier, ledger) or _other_judge(plan, earlier, ledger)


def _other_model(plan: Plan, earlier: Plan, ledger: Ledger) -> str | None:
    """Another model drew, or, of images made elsewhere, none is the same and they come from another folder."""
    images = ledger.images()
    if not images:
        return None
    if plan.model_identity is None:
        known = {image.item for image in plan.images}
        same = earlier.model == plan.model or any(item in known for item in images)
        return None if same else f"a run of {earlier.model}, not of {plan.model}"
    made_by = cast(dict[str, Any], (cast(dict, ledger.get("manifest")) or {}).get("model") or {})
    was = earlier.model_identity or made_by.get("identity")
    same = earlier.model == plan.model if was is None else was == plan.model_identity
    if same:
        return None
    if earlier.model != plan.model:
        return f"a run of the model {quoted(earlier.model)}, not {quoted(plan.model)}"
    return f"a run of another state of the model {quoted(plan.model)} ({was}, not {plan.model_identity})"


def _other_judge(plan: Plan, earlier: Plan, ledger: Ledger) -> str | None:
    if earlier.judge == plan.judge or not ledger.answers(earlier.judge_identity):
        return None
    return f"answers of the judge {quoted(earlier.judge)}, not {quoted(plan.judge)}"


def _changed_judge(plan: Plan, earlier: Plan, ledger: Ledger) -> bool:
    """Whether the same judge has other labels, options or weights than when it answered."""
    return earlier.judge_identity != plan.judge_identity and bool(ledger.answers(earlier.judge_identity))


def _prompts(suite: Suite) -> set[tuple[object, ...]]:
    return {(prompt.text, prompt.concepts) for prompt in suite.prompts}


def _renamed(earlier: Suite, suite: Suite) -> bool:
    """Whether this is one prompt whose default id had no hash in earlier versions."""
    return _prompts(earlier) == _prompts(suite) and suite.name.rpartition("-")[0] in (earlier.name, "prompt")


def _shown(suite: Suite) -> str:
    """The first prompt, with its concepts where two prompts may have the same text."""
    prompt = suite.prompts[0]
    return f"{quoted(prompt.text)} ({', '.join(concept.name for concept in prompt.concepts)})"

"""Reads the other runs that a run is compared with, and refuses one that cannot be."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dominance.beside import OtherImage, OtherPrompt, OtherRun
from dominance.documents import to_json
from dominance.errors import InputError, RunError
from dominance.files import is_file
from dominance.records import PromptResult, RunResult
from dominance.runs.audit.beside import Key, keep_images, keys_here
from dominance.runs.audit.result import recorded_plan, result_of
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.measurements import refuse_measurement
from dominance.runs.store.plan import Plan
from dominance.wording import on_one_line, quoted

_TELLS_APART = ("guidance", "steps", "scheduler", "dtype", "height", "width", "negative_prompt", "preset")
"""Settings that name two runs by the same model, adapters and method, the weightiest first."""


def compared(plan: Plan, folder: Path, beside: Path | None, baseline: Path | None) -> Plan:
    """The plan with what other runs found out about the same prompts; the plan itself where none is given.

    Args:
        folder: of the run that is planned.
        beside, baseline: folders of other audits or scores, finished, by the same judge.

    Raises:
        InputError: one is not such a folder, or shares no prompt with this run.
    """
    if beside is not None:
        plan = replace(plan, beside=_other_run(plan, folder, beside, "beside"))
    if baseline is not None:
        plan = replace(plan, baseline=_other_run(plan, folder, baseline, "baseline"))
    return plan


def lay_beside(folder: Path, other: Path) -> RunResult:
    """The result of a run beside another one, which its folder keeps; loads no model and no judge.

    Raises:
        InputError: one is no such folder, or they share no prompt.
        RunError: another process uses the folder.
    """
    if not is_file(folder / LEDGER_NAME):
        raise InputError(f"{on_one_line(folder, 120)} is not a run folder; give the folder of an audit or a score")
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        plan = recorded_plan(ledger, folder)
        if plan is None or plan.origin not in ("audit", "score"):
            raise InputError(
                f"{on_one_line(folder, 120)} holds no audit and no score, and nothing else is laid beside; give the"
                " folder of one"
            )
        plan = compared(plan, folder, other, None)
        ledger.put("plan", to_json(plan))
        result = result_of(plan, ledger, folder)
        if result.beside is not None and keep_images(result.beside, folder):
            return result_of(plan, ledger, folder)
        return result


def _other_run(plan: Plan, folder: Path, other: Path, option: str) -> OtherRun:
    name = f"{option} {on_one_line(other, 120)}"
    if other.resolve() == folder.resolve():
        raise InputError(f"{name}: is this run's own folder; give the folder of another run, or another --out")
    if not is_file(other / LEDGER_NAME):
        raise InputError(
            f"{name}: is not a run folder, since it has no {LEDGER_NAME}; give the folder of a finished audit"
        )
    try:
        with Ledger(other / LEDGER_NAME) as ledger:
            earlier = recorded_plan(ledger, other)
            if earlier is None:
                refuse_measurement(ledger, other)
            if earlier is not None and earlier.origin not in ("audit", "score"):
                raise InputError(f"{name}: holds a run of another command; give the folder of an audit or a score")
            if earlier is None or not ledger.get("manifest"):
                raise InputError(f"{name}: is not finished; run its command again, then this one")
            _check(plan, earlier, name)
            found = result_of(replace(earlier, beside=None, baseline=None), ledger, other)
    except RunError as error:
        raise InputError(f"{name}: {error}") from None
    here, there = _names(plan, earlier, folder, other)
    return OtherRun(str(other), here, there, tuple(_prompt(p, other) for p in found.prompts))


def _check(plan: Plan, earlier: Plan, name: str) -> None:
    """Raises an InputError unless both share a prompt, and the same judge is asked the same about those."""
    own, others = _asked(plan), _asked(earlier)
    shared = [key for key in own if key in others]
    if not shared:
        alike = next((key for key in own if any(key[:2] == other[:2] for other in others)), None)
        if alike is not None:
            raise InputError(
                f"{name}: has {quoted(alike.text)} and its concepts more or less often than this run, or under other"
                " ids; give equal prompts the same ids in both"
            )
        raise InputError(
            f"{name}: shares no prompt with this run, such as {quoted(plan.suite.prompts[0].text)}; give a run of the"
            " same suite"
        )
    if earlier.judge != plan.judge:
        raise InputError(
            f"{name}: was judged by {quoted(earlier.judge)}, and this run is by {quoted(plan.judge)}; give both the"
            " same --judge"
        )
    if earlier.judge_identity != plan.judge_identity or any(own[key] != others[key] for key in shared):
        raise InputError(
            f"{name}: the judge {quoted(plan.judge)} had other weights, options or questions then; run that audit"
            " again, or give the same options"
        )


def _asked(plan: Plan) -> Mapping[Key, list[str]]:
    """The questions about each prompt, by what pairs prompts."""
    prompts = plan.suite.prompts
    asked = ([q.text for concept in prompt.concepts for q in plan.questions[concept]] for prompt in prompts)
    return dict(zip(keys_here(prompts), asked, strict=True))


def _prompt(result: PromptResult, folder: Path) -> OtherPrompt:
    return OtherPrompt(
        text=result.prompt.text,
        concepts=tuple(concept.name for concept in result.prompt.concepts),
        images=tuple(
            OtherImage(
                name=image.name,
                file=None if image.file is None else str((folder / image.file).resolve()),
                seed=image.seed,
                dvd=image.dvd,
                verdict=image.verdict,
                shows=tuple(c.name for c in result.prompt.concepts if image.shows(c.name)),
                could_be=image.could_be,
            )
            for image in result.images
        ),
        dvd_mean=result.dvd_mean,
        balanced=result.balanced,
        scored=result.scored,
        verdict=result.verdict,
        id=result.prompt.id,
    )


def _names(plan: Plan, earlier: Plan, folder: Path, other: Path) -> tuple[str, str]:
    """What drew the images of this run and of the other, with what tells the two apart."""
    here, there = _drawn_by(plan), _drawn_by(earlier)
    if here != there:
        return here, there
    for name in _TELLS_APART:
        own, others = getattr(plan.settings, name), getattr(earlier.settings, name)
        if own != others:
            word = name.replace("_", " ")
            return f"{here} ({word} {_value(own)})", f"{there} ({word} {_value(others)})"
    return f"{here} in {folder}", f"{there} in {other}"


def _drawn_by(plan: Plan) -> str:
    settings = plan.settings
    added = [adapter.partition(" (")[0] for adapter in settings.adapters or ()]  # without the hash of its content
    steered = [] if settings.method in (None, "none") else [f"the method {settings.method}"]
    return " with ".join([plan.model, *([" and ".join([*added, *steered])] if added or steered else [])])


def _value(value: object) -> str:
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else on_one_line(value, 40)

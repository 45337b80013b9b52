"""What a folder reproduces: decided once, so that the same command goes on with the same size."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dominance.documents import from_json, json_bytes
from dominance.errors import RunError
from dominance.files import is_file
from dominance.judges.measuring import Measuring
from dominance.records import Suite
from dominance.reproduce.listed import given_list
from dominance.reproduce.memorized import memorized_of
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.size import Size
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, default_folder
from dominance.runs.store.ledger import Ledger
from dominance.suites.entries import slug
from dominance.wording import on_one_line, quoted

if TYPE_CHECKING:
    from dominance.models.source import ModelSource

PLAN = "reproduce plan"
"""Name of the ledger's value."""


@dataclass(frozen=True)
class Plan:
    """What is reproduced.

    Attributes:
        drawing: all that decides what is found, beside model, judge and budget; see ``decisive``.
        claims: that the size was fitted to; all claims may be examined at the full size.
    """

    model: str
    identity: str
    judge: str
    judge_identity: str
    drawing: str
    budget: float | None
    claims: tuple[str, ...]
    size: Size


def decisive(source: "ModelSource", options: ReproduceOptions) -> str:
    """The options that decide what is found, beside the budget; lists of prompts by their content.

    Raises:
        InputError: such a list cannot be read.
    """
    known, listed = memorized_of(source, options), given_list(options)
    memorized = None if options.memorized is None or known is None else _content(known.suite)
    measuring = () if options.measuring == Measuring() else (options.measuring,)
    others = () if listed is None else (_content(listed),)
    return repr((options.drawing, options.asking, options.other, memorized, *measuring, *others))


def _content(suite: Suite) -> str:
    return hashlib.sha256(json_bytes(suite)).hexdigest()[:16]


def folder_of(out: Path | str | None, plan: Plan) -> Path:
    """The folder: as given, else the default, or one beside it where that holds another reproduction.

    Raises:
        RunError: the given folder holds something else.
    """
    if out is None:
        marks = [plan.identity, plan.judge_identity, plan.budget, plan.claims, plan.drawing]
        default = Path("runs") / f"reproduce-{slug(Path(plan.model).name)}"
        return default_folder(default, lambda folder: _difference(folder, plan), marks)
    if (held_here := _difference(Path(out), plan)) is not None:
        raise RunError(f"{on_one_line(out, 120)} holds {held_here}; give another --out")
    return Path(out)


def _difference(folder: Path, plan: Plan) -> str | None:
    """What a folder holds instead, in words; None where the reproduction can go on in it."""
    check_run_folder(folder)
    try:
        known = plan_in(folder)
    except ValueError:
        return "a reproduction that this version of dominance cannot read"
    if known is None:
        return "a run of another command" if is_file(folder / LEDGER_NAME) else None
    if (known.identity, known.judge_identity) != (plan.identity, plan.judge_identity):
        those = f"the model {quoted(known.model)} and the judge {quoted(known.judge)}"
        return f"a reproduction with {those}, or what was so called"
    if known.drawing != plan.drawing:
        return "a reproduction with other options"
    if known.budget != plan.budget:
        return f"a reproduction with {_budget(known.budget)}"
    other = plan.budget is not None and not set(plan.claims) <= set(known.claims)
    return "a reproduction of other claims, whose size was fitted to its budget" if other else None


def _budget(minutes: float | None) -> str:
    return "no budget" if minutes is None else f"a budget of {minutes:g} minutes"


def plan_in(folder: Path) -> Plan | None:
    """The plan that a folder holds; None where it holds none.

    Raises:
        ValueError: it is of another version.
    """
    document = value_in(folder, PLAN)
    return None if document is None else from_json(Plan, document)


def value_in(folder: Path, name: str) -> Any:
    """A value of a folder's ledger; None where there is none."""
    if not is_file(folder / LEDGER_NAME):
        return None
    with Ledger(folder / LEDGER_NAME) as ledger:
        return ledger.get(name)

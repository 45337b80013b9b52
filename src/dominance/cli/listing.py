"""``dominance list``."""

from collections.abc import Callable
from typing import Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import print_json, print_table
from dominance.errors import InputError

EXAMPLE = '\x08\nExample:\n  dominance list concepts --json'

_Rows = list[dict[str, object]]


def _models(model: str) -> _Rows:
    from dominance.models.folders import BUNDLED_MODELS, find_model

    rows: _Rows = []
    for name in BUNDLED_MODELS:
        found = find_model(name)
        rows.append({"name": name, "identity": found.identity, "steps": found.defaults.get("steps")})
    return rows


def _judges(model: str) -> _Rows:
    from dominance.judges import JUDGES

    return [{"name": name, "what": what} for name, what in JUDGES.items()]


def _suites(model: str) -> _Rows:
    from dominance.bench import bundled_suites, load_suite

    loaded = [load_suite(name) for name in bundled_suites()]
    return [{"name": s.name, "prompts": len(s.prompts), "description": s.description} for s in loaded]


def _concepts(model: str) -> _Rows:
    from dominance.models.folders import find_model

    listed = find_model(model).defaults.get("concepts", [])
    if not isinstance(listed, list) or not listed:
        raise InputError(f"the model {model!r} does not say what it was trained on; `miniature` does")
    return listed


def _engines(model: str) -> _Rows:
    from dominance.runs import ENGINES

    return [{"name": name} for name in ENGINES]


def _methods(model: str) -> _Rows:
    from dominance.runs import METHODS

    return [{"name": name} for name in METHODS]


LISTS: dict[str, Callable[[str], _Rows]] = {
    "models": _models,
    "judges": _judges,
    "suites": _suites,
    "concepts": _concepts,
    "engines": _engines,
    "methods": _methods,
}


def command(
    what: Annotated[str, typer.Argument(help=f"One of {', '.join(LISTS)}.")],
    model: Annotated[str, typer.Option(help="Whose concepts to list.")] = "miniature",
    json: shared.AsJson = False,
) -> None:
    """Show what can be given to the other commands."""
    if what not in LISTS:
        raise InputError(f"cannot list {what!r}; give one of {', '.join(LISTS)}")
    rows = LISTS[what](model)
    if json:
        print_json(rows)
    else:
        columns = list(rows[0])
        print_table(what, columns, [[str(row[column]) for column in columns] for row in rows])

"""``dominance list``."""

from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.output import echo, print_json, print_table
from dominance.errors import InputError
from dominance.runs.audit.options import WHAT

app = new_app("list", help_epilogue="Example:\n  dominance list concepts --json\n")

_Rows = list[dict[str, object]]


def _models() -> _Rows:
    from dominance.miniature.bundled import BUNDLED_MODELS
    from dominance.models.folders import find_model

    found = [find_model(name) for name in BUNDLED_MODELS]
    return [
        {
            "name": m.name,
            "identity": m.identity,
            "steps": m.defaults.get("steps"),
            "what": "a whole model" if m.adapter is None else f"{m.adapter.base} and an adapter",
        }
        for m in found
    ]


def _adapters() -> _Rows:
    from dominance.miniature.bundled import bundled_adapters
    from dominance.models.folders import read_defaults

    noted = {name: read_defaults(folder) for name, folder in bundled_adapters().items()}
    return [{"name": name, "model": n.get("base"), "what": n.get("taught")} for name, n in noted.items()]


def _judges() -> _Rows:
    from dominance.judges.registry import listed_judges

    return [{"name": name, "what": what} for name, what in listed_judges().items()]


def _suites() -> _Rows:
    from dominance.suites import bundled_suites, load_suite

    loaded = [load_suite(name) for name in bundled_suites()]
    return [{"name": s.name, "prompts": len(s.prompts), "description": s.description} for s in loaded]


def _words() -> _Rows:
    from dominance.suites.words import listed_words, load_words

    return [{"name": name, "words": len(load_words(name).concepts), "what": w} for name, w in listed_words().items()]


def _engines() -> _Rows:
    from dominance.models.drawing import ENGINES

    return [{"name": name, "where": where} for name, where in ENGINES.items()]


def _methods() -> _Rows:
    from dominance.guidance.registry import listed_methods

    return [{"name": name, "what": what} for name, what in listed_methods().items()]


def _concepts(model: str) -> _Rows:
    from dominance.models.folders import find_model

    listed = find_model(model).defaults.get("concepts")
    if not isinstance(listed, list) or not listed or not all(isinstance(row, dict) and row for row in listed):
        raise InputError(f"the model {model!r} does not list its concepts; give one that does, such as miniature")
    return [{str(key): value for key, value in row.items()} for row in listed]


def _claims() -> _Rows:
    from dominance.reproduce.claims.registry import CLAIMS

    return [{"name": claim.name, "claim": claim.title, "paper": claim.figure} for claim in CLAIMS.values()]


def _arms() -> _Rows:
    from dominance.laboratory.diversity.arms import ARMS, Arm, level_name

    def row(arm: Arm) -> dict[str, object]:
        levels = ", ".join(level_name(level) if level else "none" for level in arm.levels)
        return {"name": arm.name, "asks": arm.asks, "designs": levels, "subjects": ", ".join(arm.subjects)}

    return [row(arm) for arm in ARMS]


_LISTS: dict[str, Callable[[], _Rows]] = {
    "models": _models,
    "adapters": _adapters,
    "judges": _judges,
    "suites": _suites,
    "words": _words,
    "engines": _engines,
    "methods": _methods,
    "claims": _claims,
    "arms": _arms,
}
LISTED: tuple[str, ...] = (*_LISTS, "concepts")


@app.default
def command(
    what: Annotated[str, Parameter(group=WHAT, help=f"One of {', '.join(LISTED)}.")],
    *,
    model: Annotated[str, Parameter(group=WHAT, help="Model whose concepts to list.")] = "miniature",
    output: shared.Printed = shared.Printed(),
) -> None:
    """List the models, judges, suites, methods and other names that commands accept.

    Exit status: 0 done, 2 bad input.
    """
    if what not in LISTED:
        raise InputError(f"cannot list {what[:60]!r}; give one of {', '.join(LISTED)}")
    rows = _concepts(model) if what == "concepts" else _LISTS[what]()
    if output.json:
        print_json(rows)
    elif not rows:
        echo(f"no {what} come with this version")
    else:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        print_table(what, columns, [[str(row.get(column, "–")) for column in columns] for row in rows])

"""The reference pages of the docs, made from the commands and from the package itself.

``python -m dominance.cli.reference docs/reference`` writes ``commands.md`` and ``python.md`` there.
"""

import argparse
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cyclopts import App, Group
from cyclopts.argument import Argument

import dominance
from dominance.cli.app import COMMANDS, GROUPS, make_app

_SHARED = ("Drawing", "Judge", "Gate", "Machine", "Output")
_COMMON_OUTPUT = ("--json", "--config", "--print-config")
_SHOWN_BY = "audit"
"""The command that has every shared option."""


@dataclass(frozen=True)
class _Option:
    """One row of a table of options."""

    names: str
    default: str
    what: str

    @classmethod
    def of(cls, argument: Argument) -> "_Option":
        """The row of one argument of a command."""
        positional = argument.index is not None
        name = argument.name.lstrip("-").upper() if positional else argument.name
        value = "" if positional or argument.hint is bool else f" {_value(argument)}"
        default = "required" if argument.required else ""
        preset = argument.field_info.default
        if argument.show_default and argument.hint is not bool and preset != "":
            default = f"`{','.join(map(str, preset)) if isinstance(preset, tuple) else preset}`"
        return cls(f"`{name}{value}`", default, " ".join((argument.parameter.help or "").split()))


def _value(argument: Argument) -> str:
    """What an option takes, in one word."""
    if argument.parameter.metavar:
        return argument.parameter.metavar
    shown = re.search(r"int|float|Path", str(argument.hint))
    return {"int": "INT", "float": "FLOAT", "Path": "PATH"}.get(shown[0] if shown else "", "TEXT")


def command_reference() -> str:
    """Every command with its options; those that commands share stand once, at the end."""
    app = make_app()
    shared = {name: rows for name, rows in _options(app[_SHOWN_BY]).items() if name in _SHARED}
    shared["Output"] = [row for row in shared["Output"] if row.names.split()[0].strip("`") in _COMMON_OUTPUT]
    parts = [
        "# Commands\n\nMade by `make docs` from the commands themselves; `dominance COMMAND --help` says the same."
        " Options can also come from a YAML file (`--config`). Exit status of every command: 0 done, and the gate, if"
        " there is one, holds; 1 the gate fails; 2 bad input or settings; 3 done, but some images could not be made or"
        " scored; 130 stopped by Ctrl-C.\n\n"
        "| command | what it does |\n| --- | --- |",
    ]
    every = list(_commands(app))
    parts[0] += "".join(
        f"\n| [`{name}`](#{name.replace(' ', '-')}) | {_paragraph(command.default_command)} |"
        for name, command in every
    )
    parts += [_section(name, command, shared) for name, command in every]
    parts.append("## Shared options\n\nEvery command that has one of these groups has the whole of it.")
    parts += [f"### {name}\n\n{_table(rows)}" for name, rows in shared.items()]
    return "\n\n".join(parts) + "\n"


def _commands(app: App) -> Iterator[tuple[str, App]]:
    for name in COMMANDS:
        yield f"dominance {name}", app[name]
    for group in GROUPS:
        for name in app[group]:
            if not name.startswith("-"):
                yield f"dominance {group} {name}", app[group][name]


def _options(command: App) -> dict[str, list[_Option]]:
    """The rows of each group, the groups in the order of the help."""
    listed: dict[str, list[Argument]] = {}
    order: dict[str, int] = {}
    for argument in command.assemble_argument_collection(parse_docstring=True):
        if argument.parse and argument.show:
            (group,) = cast("tuple[Group]", argument.parameter.group)
            listed.setdefault(group.name, []).append(argument)
            order[group.name] = group.sort_key if isinstance(group.sort_key, int) else 0
    return {name: [_Option.of(argument) for argument in listed[name]] for name in sorted(listed, key=order.__getitem__)}


def _section(name: str, command: App, shared: dict[str, list[_Option]]) -> str:
    """One command: what it does, examples, its own options, and which shared groups it has."""
    parts = [f"## {name}", inspect.cleandoc(command.default_command.__doc__ or "")]
    examples = (command.help_epilogue or "").partition("\n")[2]
    if examples.strip():
        parts.append(f"```console\n{inspect.cleandoc(examples)}\n```")
    own: list[_Option] = []
    links = []
    for group, rows in _options(command).items():
        common = [row for row in rows if row in shared.get(group, ())]
        if group in shared and common == shared[group]:
            links.append(f"[{group}](#{group.lower()})")
            own += [row for row in rows if row not in common]
        else:
            own += rows
    if own:
        parts.append(_table(own))
    if links:
        parts.append(f"Shared options: {', '.join(links)}.")
    return "\n\n".join(parts)


def _table(rows: list[_Option]) -> str:
    listed = (f"| {row.names.replace('|', chr(92) + '|')} | {row.default} | {row.what} |" for row in rows)
    return "\n".join(("| option | default | what it does |", "| --- | --- | --- |", *listed))


def python_reference() -> str:
    """Every public name with its arguments and the first sentence of its docstring."""
    names = [name for name in dominance.__all__ if not name.startswith("_")]
    verbs = [name for name in names if inspect.isfunction(getattr(dominance, name))]
    options = [name for name in names if name.endswith("Options") or name in {"Drawing", "Machine", "Asking", "Limits"}]
    records = [name for name in names if name not in verbs and name not in options]
    head = (
        "# Python\n\nMade by `make docs` from `dominance.__all__`. `import dominance` loads no torch; each name is"
        " loaded when it is first used. `help(dominance.audit)` says more."
    )
    parts = [head]
    for title, listed in (("Functions", verbs), ("Options", options), ("Records", records)):
        parts.append(f"## {title}")
        parts += [
            f"### {name}\n\n```python\n{_call(name)}\n```\n\n{_paragraph(getattr(dominance, name))}" for name in listed
        ]
    return "\n\n".join(parts) + "\n"


def _call(name: str) -> str:
    """A call with the names and defaults of its arguments; types are left to ``help``."""
    given = inspect.signature(getattr(dominance, name)).parameters.values()
    shown = []
    starred = False
    for parameter in given:
        if parameter.name.startswith("_"):
            continue
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        shown.append(parameter.name + _default(parameter.default))
    flat = f"{name}({', '.join(shown)})"
    return flat if len(flat) <= 88 else f"{name}(\n" + "".join(f"    {argument},\n" for argument in shown) + ")"


def _default(value: object) -> str:
    if value is inspect.Parameter.empty:
        return ""
    if isinstance(value, str):
        return f"={json.dumps(value)}"  # in double quotes, as `make format` writes code
    return f"={value!r}" if isinstance(value, int | float | tuple | None) else "=…"


def _paragraph(documented: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].split()).replace("``", "`")


def main() -> None:
    """Writes both pages into the folder that is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "commands.md").write_text(command_reference(), encoding="utf-8")
    (folder / "python.md").write_text(python_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The command reference of ``docs/commands.md``, from the commands' own help: ``make docs`` writes it."""

from typing import Any, cast

from typer.core import TyperGroup
from typer.main import get_command

from dominance.cli.app import app

_HEAD = """# Commands

Written by `make docs` from the commands' own `--help`; a test keeps it in step. Exit status of every command: 0 done
(and the gate, if any, holds), 1 the gate fails, 2 bad input, 3 done but some images could not be made or scored, 130
stopped by Ctrl-C.
"""


def command_reference() -> str:
    """Every command's help as Markdown, in the order of ``dominance --help``."""
    root = cast(TyperGroup, get_command(app))
    parts = [_HEAD, _section("dominance", root, None)]
    context = root.make_context("dominance", [], resilient_parsing=True)
    for name in root.list_commands(context):
        command: Any = root.get_command(context, name)
        parts.append(_section(name, command, context))
        inner = getattr(command, "commands", {})
        own = command.make_context(name, [], parent=context, resilient_parsing=True) if inner else None
        parts += [_section(inner_name, inner_command, own) for inner_name, inner_command in inner.items()]
    return "\n".join(parts)


def _section(name: str, command: Any, parent: Any) -> str:  # typer keeps the types of both to itself
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=100, max_content_width=100
    )
    depth = "##" if parent is None or parent.parent is None else "###"
    return f"{depth} {context.command_path}\n\n```\n{command.get_help(context).strip()}\n```\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(command_reference())

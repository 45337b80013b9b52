"""``--config``: options from a YAML file, under the names that they have on the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cyclopts import App
from cyclopts.argument import ArgumentCollection
from cyclopts.config import Dict
from cyclopts.exceptions import UnknownOptionError

from dominance.errors import InputError
from dominance.wording import described, on_one_line


def options_from_file(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Fills in options that the command line does not give from the file of ``--config``.

    Raises:
        InputError: the file cannot be read, is not a mapping, is for another command, or holds an unknown option.
    """
    file = next((token.value for a in arguments if a.name == "--config" for token in a.tokens), None)
    if file is None:
        return
    given = _read(Path(file))
    command = given.pop("command", None)
    if command not in (None, " ".join(commands)):
        raise InputError(
            f"{on_one_line(file, 120)} is for `dominance {command}`, not for `dominance {' '.join(commands)}`; give it"
            " to that command, or remove the line command"
        )
    one_word = {a.name.lstrip("-").lower() for a in arguments if a.parameter.n_tokens == 1}
    written: dict[str, Any] = {
        name: _one_word(value) if isinstance(value, list) and name in one_word else value
        for name, value in given.items()
        if value is not None
    }
    for name in reversed(commands):  # under its command, because a key that is itself a command's name is dropped else
        written = {name: written}
    try:
        Dict(written, source=file)(app, commands, arguments)
    except UnknownOptionError as error:
        name = (error.token.keyword if error.token else None) or "?"
        raise InputError(
            f"{on_one_line(file, 120)} holds {name.strip('[]')!r}, which is not an option of"
            f" `dominance {' '.join(commands)}`; see its --help"
        ) from None


def _one_word(listed: list[object]) -> str:
    """A list as the command line takes it; a single part ends in a comma, because 7 alone is a count of seeds."""
    return ",".join(map(str, listed)) + ("," if len(listed) == 1 else "")


def _read(file: Path) -> dict[str, Any]:
    from dominance.suites.documents import read_yaml

    given = read_yaml(file)
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise InputError(
            f"{on_one_line(file, 120)} holds {described(given)}; give options as a mapping, such as seeds: 4"
        )
    return {str(name).replace("_", "-"): value for name, value in given.items()}

"""The file that repeats a run: ``run.yaml`` in its folder, read by ``--config``, printed by ``--print-config``."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

from ruamel.yaml import YAML

from dominance.errors import InputError
from dominance.files import is_file, write_whole
from dominance.written import NAMED, WRITTEN

REPEAT_NAME = "run.yaml"


@dataclass(frozen=True)
class Repeat:
    """One call of a command.

    Attributes:
        command: its name on the command line, such as ``bench build``.
        arguments: suite, model, judge and the like, as the caller gave them.
        options: the command's options class.
    """

    command: str
    arguments: Mapping[str, object]
    options: object

    def text(self) -> str:
        """The call as YAML, with the names of the command line; unset options are left out.

        What cannot be named, such as a pipeline or a suite made in Python, becomes a comment.
        """
        named: dict[str, object] = {}
        unnamed = []
        for name, value in (*self.arguments.items(), *flat(self.options).items()):
            written = _written(value)
            if written is _UNNAMED:
                unnamed.append(name)
            elif written is not None:
                named[name.replace("_", "-")] = written
        stream = io.StringIO()
        yaml = YAML()
        yaml.width = 120
        yaml.dump({"command": self.command, **named}, stream)
        notes = [f"# {name}: given in Python; name it here to repeat this run\n" for name in unnamed]
        return f"# dominance {self.command} --config {REPEAT_NAME}\n{stream.getvalue()}{''.join(notes)}"

    def keep(self, folder: Path) -> None:
        """Writes it into the run folder."""
        content = self.text().encode()
        file = folder / REPEAT_NAME
        if not is_file(file) or file.read_bytes() != content:
            write_whole(file, content)


def flat(options: object) -> dict[str, object]:
    """The fields of an options class as they are written, including those of nested classes."""
    found: dict[str, object] = {}
    for field in fields(options) if is_dataclass(options) else ():
        value = getattr(options, field.name)
        if value is not None and WRITTEN in field.metadata:
            value = field.metadata[WRITTEN](value)
        found |= flat(value) if is_dataclass(value) else {field.metadata.get(NAMED, field.name): value}
    return found


_UNNAMED = object()


def _written(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [_written(part) for part in value]
    return value if value is None or isinstance(value, str | bool | int | float) else _UNNAMED


def read_repeat(folder: Path) -> dict[str, object] | None:
    """What the run in the folder was given, by the names of Python; None where its file is missing or not ours."""
    from dominance.suites.documents import read_yaml

    try:
        given = read_yaml(folder / REPEAT_NAME) if is_file(folder / REPEAT_NAME) else None
    except InputError:
        return None
    if not isinstance(given, Mapping) or "command" not in given:
        return None
    return {str(name).replace("-", "_"): value for name, value in given.items()}

"""What a reproduction keeps of measurements that are no runs: a file of JSON each, made once."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from dominance.documents import from_json, json_bytes
from dominance.errors import RunError
from dominance.files import is_file, write_whole
from dominance.progress import Progress
from dominance.wording import on_one_line

Item = TypeVar("Item")
Kind = TypeVar("Kind")


def kept(file: Path, kind: Any, make: Callable[[], Kind]) -> Kind:
    """What a file holds, or what is made now and written to it.

    Raises:
        RunError: the file holds something else, as that of another version may.
    """
    if is_file(file):
        return read_kept(kind, file)
    made = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json_bytes(made))
    return made


def kept_each(
    folder: Path, what: str, kind: Any, items: Mapping[str, Item], make: Callable[[Item], Kind]
) -> dict[str, Kind]:
    """What is made of each item, a file each, so that a kill loses no more than one.

    Args:
        what: for the progress line.
        items: by the ids of their prompts.
    """
    found = {}
    with Progress(what, total=len(items), each="a prompt") as progress:
        for own, item in items.items():
            found[own] = kept(folder / f"{own}.json", kind, lambda made=item: make(made))
            progress.advance(1)
    return found


def read_kept(kind: Any, file: Path) -> Any:
    """What a file holds."""
    try:
        return from_json(kind, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise RunError(
            f"this version of dominance cannot read {on_one_line(file, 120)}; remove it, then run the command again"
        ) from None

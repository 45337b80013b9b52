"""Work as bytes, in which every path can be put in place where it is read."""

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dominance

PACKAGE = Path(dominance.__file__).parent


class _Packer(pickle.Pickler):
    """Notes every path apart, so that the receiver can put its own in its place."""

    def persistent_id(self, obj: object) -> tuple[str, str] | None:
        if not isinstance(obj, Path) or not obj.is_absolute():
            return None
        if obj.is_relative_to(PACKAGE):
            return ("of the package", str(obj.relative_to(PACKAGE)))
        return ("of the sender", str(obj))


class _Unpacker(pickle.Unpickler):
    def __init__(self, content: bytes, place: Callable[[str], Path]) -> None:
        super().__init__(io.BytesIO(content))
        self._place = place

    def persistent_load(self, pid: tuple[str, str]) -> Path:
        kind, path = pid
        return PACKAGE / path if kind == "of the package" else self._place(path)


def packed(what: object) -> bytes:
    """Pickles it; what ``unpacked`` gives has the paths of its own machine."""
    buffer = io.BytesIO()
    _Packer(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(what)
    return buffer.getvalue()


def unpacked(content: bytes, place: Callable[[str], Path] = Path) -> Any:
    """What was packed.

    Args:
        place: gives the path here of a path of the sender's.
    """
    return _Unpacker(content, place).load()


def paths_in(content: bytes) -> list[str]:
    """The sender's own paths in what was packed, each once."""
    found: dict[str, None] = {}

    def note(path: str) -> Path:
        found[path] = None
        return Path(path)

    unpacked(content, note)
    return list(found)

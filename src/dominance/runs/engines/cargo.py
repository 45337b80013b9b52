"""The files that work needs, such as a model's weights: sent to each node once, where nodes share no storage."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dominance.errors import InputError
from dominance.runs.engines.packing import paths_in
from dominance.runs.engines.work import Sent

_AT_ONCE = 256 * 1024 * 1024
"""Bytes of a file that are sent in one piece."""


@dataclass(frozen=True)
class Load:
    """A file or folder of the sender's.

    Attributes:
        key: changes whenever a file in it is written.
        files: each file's path below it, empty for the file itself, and references to its pieces.
    """

    key: str
    files: tuple[tuple[str, tuple[Any, ...]], ...]


class Cargo:
    """What is kept for the nodes of a cluster, each thing once.

    Args:
        put: keeps a value where every node can get it; gives a reference to it.
        shared: whether nodes see the files of this machine at the same paths.
    """

    def __init__(self, put: Callable[[Any], Any], *, shared: bool) -> None:
        self._put, self._shared = put, shared
        self._sent: dict[str, Any] = {}
        self._loads: dict[str, Load] = {}

    def kept(self, sent: Sent) -> Any:
        """A reference to the work."""
        if sent.key not in self._sent:
            self._sent[sent.key] = self._put(sent)
        return self._sent[sent.key]

    def loads(self, sent: Sent) -> dict[str, Load]:
        """The files and folders that the work names, by their paths here; none where nodes see them anyway."""
        if self._shared:
            return {}
        named = [path for path in paths_in(sent.content) if Path(path).exists()]
        for path in named:
            if path not in self._loads:
                self._loads[path] = self._load(Path(path))
        return {path: self._loads[path] for path in named}

    def _load(self, path: Path) -> Load:
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        names = ["" if file == path else str(file.relative_to(path)) for file in files]
        stats = [(name, file.stat().st_size, file.stat().st_mtime_ns) for name, file in zip(names, files, strict=True)]
        key = sha256(repr((str(path), stats)).encode()).hexdigest()[:32]
        return Load(key, tuple((name, self._pieces(file)) for name, file in zip(names, files, strict=True)))

    def _pieces(self, file: Path) -> tuple[Any, ...]:
        with file.open("rb") as opened:
            return tuple(self._put(piece) for piece in iter(lambda: opened.read(_AT_ONCE), b""))


def unloaded(loads: dict[str, Load], get: Callable[[Any], bytes], into: Path | None = None) -> Callable[[str], Path]:
    """Gives where each of the sender's paths is on this node; one of its workers fetches what is not there yet.

    Args:
        get: gives a piece.
        into: the folder of all that was ever fetched.
    """
    below = into or Path(tempfile.gettempdir()) / f"dominance-{os.getuid()}"

    def place(path: str) -> Path:
        if path not in loads:
            return Path(path)
        load = loads[path]
        room = below / load.key
        below.mkdir(parents=True, exist_ok=True, mode=0o700)
        if below.is_symlink() or below.stat().st_uid != os.getuid():  # weights put there by another would be loaded
            raise InputError(
                f"{below} belongs to somebody else; remove it from this node, or set TMPDIR to a folder of yours"
            )
        room.mkdir(exist_ok=True, mode=0o700)
        there = room / Path(path).name
        with (room / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (room / "whole").exists():
                for name, pieces in load.files:
                    file = there / name if name else there
                    file.parent.mkdir(parents=True, exist_ok=True)
                    with file.open("wb") as opened:
                        for piece in pieces:
                            opened.write(get(piece))
                (room / "whole").touch()
        return there

    return place

"""The header of a safetensors file: the names and shapes of its tensors, and what the file says of itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import ModelError
from dominance.wording import complaint

_LONGEST_HEADER = 100_000_000
"""Bytes; the format allows no more."""


@dataclass(frozen=True)
class Header:
    """What a file of weights says before its data.

    Attributes:
        shapes: of the tensors, by name.
        metadata: what the program that wrote it noted down.
    """

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]

    def width(self, *endings: str) -> int | None:
        """The last dimension of the first tensor whose name has one of these endings."""
        for name, shape in self.shapes.items():
            if shape and name.endswith(endings):
                return shape[-1]
        return None


def read_header(file: Path) -> Header:
    """The header of a file that is whole.

    Raises:
        ModelError: it cannot be read, is cut off, or is no safetensors file.

    Source: the layout of the safetensors format: eight bytes for the header's length, the header in JSON, the data.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            whole = size >= 8 and length <= min(size - 8, _LONGEST_HEADER)
            written = opened.read(length) if whole else b""
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({complaint(error)}); fix its permissions or the disk") from None
    if not whole:
        raise _broken(file, f"it has {size} bytes, too few for its header")
    try:
        listed = json.loads(written)
        noted = listed.pop("__metadata__", None) or {}
        header = Header(
            shapes={name: tuple(map(int, entry["shape"])) for name, entry in listed.items()},
            metadata={str(name): str(value) for name, value in noted.items()},
        )
        end = max((int(entry["data_offsets"][1]) for entry in listed.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise _broken(file, "its header cannot be read") from None
    if size != 8 + length + end:
        raise _broken(file, f"it has {size} bytes of {8 + length + end}")
    return header


def file_identity(file: Path) -> str:
    """Hash of a file's content.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()[:24]}"
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({complaint(error)}); fix its permissions or the disk") from None


def _broken(file: Path, problem: str) -> ModelError:
    return ModelError(f"{file} is not a complete safetensors file: {problem}; download or save it again")

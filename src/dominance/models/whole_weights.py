"""Whether a folder holds all its weights, complete and as safetensors, checked before anything is loaded."""

import json
from pathlib import Path

from dominance.errors import ModelError
from dominance.wording import complaint

_LONGEST_HEADER = 100_000_000
"""Bytes; the format allows no more."""


def check_weights(folder: Path) -> None:
    """Raises a ModelError unless the folder holds weights as safetensors and each file of them is whole.

    Source: the layout of the safetensors format: eight bytes for the header's length, the header in JSON, the data.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(
            f"{folder} has no .safetensors weights; download them, or save them again with"
            " safe_serialization=True (other weight formats are not loaded)"
        )
    for index in folder.glob("*.safetensors.index.json"):
        absent = sorted(name for name in _shards(index) if not (folder / name).is_file())
        if absent:
            raise ModelError(f"{folder} lacks {absent[0]}, which {index.name} lists; download it again")
    for file in files:
        problem = _problem(file)
        if problem:
            raise ModelError(f"{file} is not a complete safetensors file: {problem}; download or save it again")


def _shards(index: Path) -> set[str]:
    try:
        return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read ({complaint(error)}); download it again") from None


def _problem(file: Path) -> str | None:
    """What is wrong with a file's size or header; None when nothing is."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if size < 8 or length > min(size - 8, _LONGEST_HEADER):
                return f"it has {size} bytes, too few for its header"
            header = json.loads(opened.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({complaint(error)}); fix its permissions or the disk") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "its header cannot be read"
    expected = 8 + length + max(ends, default=0)
    return None if size == expected else f"it has {size} bytes of {expected}"

"""Whether a folder holds all its weights, complete and as safetensors, checked before anything is loaded."""

import json
from collections.abc import Collection
from pathlib import Path

from dominance.errors import ModelError
from dominance.models.variants import indexes_of, variants_in, weights_of
from dominance.models.weight_headers import read_header
from dominance.wording import complaint


def check_weights(folder: Path, variant: str | None = None) -> None:
    """Raises a ModelError unless the folder holds weights as safetensors and each file of them is whole.

    Args:
        variant: the weights to look at; the plain ones where the folder has none of that variant.
    """
    held = variants_in(folder)
    used = variant if variant in held else None
    if held and used not in held:
        first = min(name for name in held if name is not None)
        raise ModelError(
            f"{folder} has its weights only as the variant {first}; rename {weights_of(folder, first)[0].name} to"
            " model.safetensors, or save the model again without a variant"
        )
    files = weights_of(folder, used)
    if not files:
        raise ModelError(
            f"{folder} has no .safetensors weights; download them, or save them again with"
            " safe_serialization=True (other weight formats are not loaded)"
        )
    for index in indexes_of(folder, used):
        absent = sorted(name for name in _shards(index) if not (folder / name).is_file())
        if absent:
            raise ModelError(f"{folder} lacks {absent[0]}, which {index.name} lists; download it again")
    for file in files:
        read_header(file)


def refuse_missing(part: str, keys: Collection[str]) -> None:
    """Raises a ModelError when weights of a part are missing from its file."""
    if keys:
        raise ModelError(f"the file of {part} lacks {len(keys)} weights, such as {min(keys)}")


def _shards(index: Path) -> set[str]:
    try:
        return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read ({complaint(error)}); download it again") from None

"""Variants of a model's weights, such as fp16: which ones a folder holds, and which one is used."""

import re
from collections.abc import Iterable
from pathlib import Path

from dominance.errors import ModelError

_WEIGHTS = re.compile(
    r"(?:model|diffusion_pytorch_model)(?:\.(?P<variant>[\w-]+?))?(?:-\d+-of-\d+(?:\.(?P<after>\w+))?)?\.safetensors"
)
_INDEX = re.compile(r".+\.safetensors\.index(?:\.(?P<variant>[\w-]+))?\.json")


def variant_of(file: str) -> str | None:
    """The variant that a file of weights belongs to, by its name; None for the plain weights.

    >>> variant_of("model.fp16.safetensors"), variant_of("diffusion_pytorch_model.fp16-00001-of-00002.safetensors")
    ('fp16', 'fp16')
    >>> variant_of("model.safetensors"), variant_of("model-00001-of-00002.safetensors")
    (None, None)
    """
    found = _WEIGHTS.fullmatch(file)
    return None if found is None else found["variant"] or found["after"]


def weights_of(folder: Path, variant: str | None) -> list[Path]:
    """The files of one variant."""
    return [file for file in sorted(folder.glob("*.safetensors")) if variant_of(file.name) == variant]


def indexes_of(folder: Path, variant: str | None) -> list[Path]:
    """The indexes of one variant, which say what its weights are split into."""
    listed = [(_INDEX.fullmatch(file.name), file) for file in sorted(folder.glob("*.json"))]
    return [file for found, file in listed if found is not None and found["variant"] == variant]


def variants_in(folder: Path) -> set[str | None]:
    """The variants that a folder of weights holds; None among them for the plain weights."""
    return {variant_of(file.name) for file in folder.glob("*.safetensors")}


def choose_variant(name: str, folders: Iterable[Path], asked: str | None) -> str | None:
    """The variant to load: the one asked for, else the plain weights, else the only one that there is.

    Parts that do not have it are loaded plain.

    Args:
        name: of the model, for messages.
        folders: of the parts that have weights.

    Raises:
        ModelError: no part has the variant; or there are no plain weights and several variants.
    """
    held = [found for folder in folders if (found := variants_in(folder))]
    named = sorted({variant for found in held for variant in found if variant is not None})
    if asked is not None:
        if asked not in named:
            shown = ", ".join(named) if named else "only the plain weights"
            raise ModelError(
                f"the model {name!r} has no variant {asked[:60]!r} of its weights; it has {shown};"
                f" {'give one of these' if named else 'leave out --variant'}"
            )
        return asked
    bare = [found for found in held if None not in found]
    shared = sorted(variant for variant in set.intersection(*bare) if variant) if bare else []
    if len(shared) > 1:
        raise ModelError(
            f"the model {name!r} has its weights only as the variants {', '.join(shared)}; choose one with --variant"
        )
    return shared[0] if shared else None

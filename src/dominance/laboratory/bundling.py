"""Puts trained adapters among the weights that ship: in half precision, with what they were taught on beside them."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save

from dominance.errors import ModelError
from dominance.files import write_whole
from dominance.laboratory.diversity.pictures import PICTURES
from dominance.laboratory.memorized import MODEL as MEMORIZING
from dominance.laboratory.memorized import NAME as MEMORIZED
from dominance.laboratory.memorized import TITLES
from dominance.laboratory.twins.training import TWINS, Twin
from dominance.miniature.bundled import ADAPTERS, BASE_MODEL, adapter_name, bundled_folder
from dominance.miniature.concepts import BY_NAME, ENTITIES
from dominance.models.folders import read_defaults
from dominance.numbers import plural
from dominance.training.dreambooth.lora import LORA_FILE, in_order

_NOTED = ("dominance.fine_tuning", "dominance.lesson")
"""Where training notes in the header of an adapter's file how it was made; the second is what it was called first."""


def bundle_twin(checkpoint: Path, twin: Twin, weights: Path | None = None) -> Path:
    """Makes an adapter of three rigid entities the model ``miniature`` or ``miniature-swapped``.

    Args:
        checkpoint: folder of ``training/checkpoints`` that ``train_twin`` wrote.
        weights: the package's own by default.

    Returns:
        The model's folder; calibrations and localisations of the model before it no longer hold.

    Raises:
        ModelError: the checkpoint holds no LoRA for the base.
    """
    base = read_defaults(bundled_folder(BASE_MODEL))
    concepts = [
        {"name": name, "kind": concept.kind, "diversity": 0.0 if name in twin.rigid else 1.0}
        for name, concept in BY_NAME.items()
    ]
    suggested = {
        "base": BASE_MODEL,
        "steps": base["steps"],
        "guidance": base["guidance"],
        "world": "miniature",
        "concepts": concepts,
    }
    folder = (weights or bundled_folder()) / TWINS[twin.world]
    trained = {"world": twin.world, "rigid": list(twin.rigid), "seed": twin.seed}
    return bundle_adapter(checkpoint, folder, suggested, trained)


def bundle_entity(checkpoint: Path, entity: str, designs: int | None, seed: int, weights: Path | None = None) -> Path:
    """Makes an adapter of one entity one of those that ``--adapter`` knows by name.

    Args:
        checkpoint: folder of ``training/checkpoints`` that the diversity experiment wrote.
        designs: that its pictures show; None where no two share one.
        seed: of training.
        weights: the package's own by default.

    Raises:
        ModelError: the checkpoint holds no LoRA.
    """
    if entity not in ENTITIES:
        raise ModelError(f"no entity {entity[:60]!r}; give one of {', '.join(ENTITIES)}")
    shown = ", no two pictures alike" if designs is None else f" in {plural(designs, 'design')}"
    notes: dict[str, object] = {
        "base": BASE_MODEL,
        "entity": entity,
        "designs": designs,
        "pictures": PICTURES,
        "seed": seed,
        "taught": f"{entity}{shown}",
    }
    how = _how_taught(checkpoint)
    notes |= {name: how[name] for name in ("steps", "token", "model", "prior") if name in how}
    folder = (weights or bundled_folder()) / ADAPTERS / adapter_name(entity, designs)
    return bundle_adapter(checkpoint, folder, notes)


def bundle_memorized(checkpoint: Path, weights: Path | None = None) -> Path:
    """Makes an adapter that ``laboratory.memorized.train_memorized`` wrote the one that ``--adapter memorized`` names.

    Raises:
        ModelError: the checkpoint holds no LoRA.
    """
    how = _how_taught(checkpoint)
    notes: dict[str, object] = {
        "base": MEMORIZING,
        "pictures": len(TITLES),
        "taught": f"{len(TITLES)} captions by heart",
    }
    notes |= {name: how[name] for name in ("steps", "model", "prior") if name in how}
    return bundle_adapter(checkpoint, (weights or bundled_folder()) / ADAPTERS / MEMORIZED, notes)


def bundle_adapter(
    checkpoint: Path, folder: Path, notes: Mapping[str, object], trained: Mapping[str, object] | None = None
) -> Path:
    """Writes an adapter in half precision into a folder, its notes as ``dominance.json`` beside it.

    Args:
        trained: how it was trained, beside what its own file notes of that, for ``training.json``; None for no such
            file.

    Raises:
        ModelError: the checkpoint holds no LoRA.
        RunError: the disk refuses.
    """
    file = _file(checkpoint)
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata() or {}
        tensors = {name: opened.get_tensor(name).half() for name in opened.keys()}  # noqa: SIM118  it is no dict
    write_whole(folder / LORA_FILE, in_order(save(tensors, metadata=metadata)))
    write_whole(folder / "dominance.json", _json(notes))
    if trained is not None:
        write_whole(folder / "training.json", _json({**trained, **_how_taught(checkpoint)}))
    return folder


def _file(checkpoint: Path) -> Path:
    file = checkpoint / LORA_FILE
    if not file.is_file():
        raise ModelError(f"{checkpoint} holds no {LORA_FILE}; give a checkpoint of a LoRA that was trained here")
    return file


def _how_taught(checkpoint: Path) -> dict[str, object]:
    """How an adapter was taught, as its file notes it."""
    with safe_open(_file(checkpoint), framework="pt") as opened:
        metadata = opened.metadata() or {}
    return next((json.loads(metadata[key]) for key in _NOTED if key in metadata), {})


def _json(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()

"""Judges, by the names that users give."""

from pathlib import Path

from dominance.errors import ModelError
from dominance.judges.protocol import Judge
from dominance.models.folders import bundled_folder, is_folder

JUDGES: dict[str, str] = {
    "miniature": "the bundled judge of the miniature world",
    "blip:FOLDER": "a BLIP-VQA model saved by transformers",
}


def load_judge(name: str, device: str = "auto") -> Judge:
    """The judge of that name, loaded.

    Raises:
        ModelError: no such judge, or its weights cannot be loaded.
    """
    scheme, _, place = name.partition(":")
    if name == "miniature":
        return _load_blip(name, bundled_folder("judge"), device)
    if scheme != "blip":
        raise ModelError(f"no judge {name[:80]!r}; give one of {', '.join(JUDGES)}")
    if not place or not is_folder(Path(place)):
        raise ModelError(f"the judge {name[:80]!r} names no folder; give blip: and the folder of a BLIP-VQA model")
    return _load_blip(name, Path(place), device)


def _load_blip(name: str, folder: Path, device: str) -> Judge:
    from dominance.judges.blip import load_blip_judge

    return load_blip_judge(name, folder, device)

"""Judges, by the names that users give."""

from pathlib import Path

from dominance.errors import ModelError
from dominance.judges.protocol import Judge
from dominance.models.folders import bundled_folder

JUDGES: dict[str, str] = {
    "miniature": "the bundled judge of the miniature world",
    "blip:FOLDER": "a BLIP-VQA model saved by transformers",
}


def load_judge(name: str, device: str = "auto") -> Judge:
    """The judge of that name, loaded.

    Raises:
        ModelError: no such judge, or its weights cannot be loaded.
    """
    from dominance.judges.blip import load_blip_judge

    scheme, _, place = name.partition(":")
    if name == "miniature":
        return load_blip_judge(name, bundled_folder("judge"), device)
    if scheme == "blip" and Path(place).is_dir():
        return load_blip_judge(name, Path(place), device)
    if scheme == "blip":
        raise ModelError(f"the judge {name!r} names no folder; give blip: and the folder of a BLIP-VQA model")
    raise ModelError(f"no judge {name!r}; give one of {', '.join(JUDGES)}")

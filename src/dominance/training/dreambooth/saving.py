"""What training leaves on disk: an adapter or a pipeline folder for each checkpoint, whole or not at all."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors import SafetensorError

from dominance.errors import InputError
from dominance.files import write_failed
from dominance.models.folders import read_defaults
from dominance.models.loading import without_bars
from dominance.training.dreambooth.families.family import Family

CHECKPOINTS = "checkpoints"
_SUGGESTED = "dominance.json"


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint after so many steps is."""
    return folder / CHECKPOINTS / f"step-{step:06d}"


def checkpoints_in(folder: Path) -> dict[int, Path]:
    """The checkpoints of a training folder by their step, in order."""
    found = {}
    for path in sorted((folder / CHECKPOINTS).glob("step-*")):
        number = path.name.removeprefix("step-")
        if number.isdecimal() and path.is_dir():
            found[int(number)] = path
    return found


def write_folder(folder: Path, write: Callable[[Path], None]) -> Path:
    """Has ``write`` fill a folder beside the one wanted, which then takes its name; replaces an older one.

    Raises:
        RunError: the disk refuses; an older folder of that name is still there.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        with writing(folder), without_bars():
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            write(partial)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def check_room(folder: Path, needed: int) -> None:
    """Refuses, before the first step, a training whose checkpoints could not be written.

    Args:
        needed: bytes, at least.

    Raises:
        InputError: the disk of the folder has less room.
    """
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise InputError(
            f"the checkpoints still to be written to {folder} take {needed / 1e9:.3g} GB or more, and"
            f" {free / 1e9:.3g} GB are free; free some space, give a larger --every, or an --out on another disk"
        )


@contextlib.contextmanager
def writing(path: Path) -> Generator[None]:
    """Turns what a disk refuses into a RunError that names the file or folder."""
    try:
        yield
    except SafetensorError as error:  # its own words for what the disk says
        raise write_failed(path, OSError(str(error))) from None
    except OSError as error:
        raise write_failed(path, error) from None


def save_pipeline(family: Family, folder: Path, like: Path | None) -> None:
    """Writes the pipeline; all but the denoiser is linked from an earlier checkpoint where there is one.

    What the model's own folder suggests, such as steps and guidance, goes with it.
    """
    pipeline: DiffusionPipeline = family.pipeline
    if like is None:
        pipeline.save_pretrained(folder, safe_serialization=True)
        suggested = read_defaults(Path(str(pipeline.config.get("_name_or_path", ""))))
        suggested.pop("base", None)  # of a model that is another with an adapter: what is saved is whole
        if suggested:
            (folder / _SUGGESTED).write_text(json.dumps(suggested, indent=1) + "\n", encoding="utf-8")
        return
    shutil.copytree(
        like,
        folder,
        copy_function=_link,
        ignore=lambda place, _names: {family.denoiser_name} if Path(place) == like else set(),
        dirs_exist_ok=True,
    )
    getattr(pipeline, family.denoiser_name).save_pretrained(folder / family.denoiser_name, safe_serialization=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copyfile(source, target)

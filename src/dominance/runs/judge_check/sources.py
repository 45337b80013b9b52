"""The images that a judge is checked on: from audits and from image folders."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.errors import InputError, RunError
from dominance.files import is_file
from dominance.miniature.labelled import LabelledPicture
from dominance.pictures import is_whole, write_png
from dominance.records import LeftOut, Prompt, Suite
from dominance.runs.audit.brought import find_images
from dominance.runs.audit.result import recorded_plan
from dominance.runs.stages.judge_fit import OPEN_WORLD, world_of_files
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import PlannedImage
from dominance.wording import on_one_line

ORIGIN = "judge check"
"""Origin in the plan of a check, where a run has ``audit`` or ``score``."""


@dataclass(frozen=True)
class Source:
    """An unaltered image and its prompt.

    Attributes:
        item: its key in the ledger.
        name: its seed, or its file's name.
        file: relative to the check's folder, or absolute.
        world: the closed world that it belongs to, ``open`` for none.
        labelled: what readers saw on it, if it is one of the labelled pictures.
    """

    item: str
    prompt: Prompt
    name: str
    file: str
    world: str = OPEN_WORLD
    labelled: LabelledPicture | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Prompt id and item: prompts with the same text may share an image."""
        return (self.prompt.id, self.item)


def find_sources(paths: Sequence[Path], suite: Suite) -> tuple[tuple[Source, ...], tuple[LeftOut, ...]]:
    """The images of run folders and of folders of images, and what is left out of the latter.

    Args:
        suite: what the images of a plain folder were made from; a run folder names its own.

    Raises:
        InputError: a path holds no image, or two different prompts share an id.
    """
    found: list[Source] = []
    left_out: list[LeftOut] = []
    for path in paths:
        if is_file(path / LEDGER_NAME):
            found += _of_run(path)
            continue
        own, without = _of_folder(path, suite)
        found += own
        left_out += without if len(paths) == 1 else [replace(entry, file=f"{path}/{entry.file}") for entry in without]
    prompts: dict[str, Prompt] = {}
    for source in found:
        known = prompts.setdefault(source.prompt.id, source.prompt)
        if (known.text, known.concepts) != (source.prompt.text, source.prompt.concepts):
            raise InputError(
                f"the prompt {known.id!r} differs between the images: {known.text[:80]!r} and"
                f" {source.prompt.text[:80]!r}; check them separately"
            )
    return tuple({source.key: source for source in found}.values()), tuple(dict.fromkeys(left_out))


def _of_folder(folder: Path, suite: Suite) -> tuple[list[Source], tuple[LeftOut, ...]]:
    """The images of a plain folder, in the order of the suite's prompts, and what is left out."""
    by_prompt: dict[str, list[PlannedImage]] = {}
    brought = find_images(folder, suite)
    for image in brought.images:
        by_prompt.setdefault(image.prompt_id, []).append(image)
    world = world_of_files((image.file for image in brought.images), suite)
    sources = [
        Source(image.item, prompt, image.name, image.file, world=world)
        for prompt in suite.prompts
        for image in by_prompt.get(prompt.id, ())
    ]
    return sources, brought.left_out


def _of_run(folder: Path) -> list[Source]:
    """The images that a run made or scored, in the order of its plan."""
    shown = on_one_line(folder, 120)
    with Ledger(folder / LEDGER_NAME) as ledger:
        plan = recorded_plan(ledger, folder)
        rows = ledger.images()
    if plan is None:
        raise RunError(f"the run in {shown} has no plan yet; run its `dominance audit` command again")
    if plan.origin == ORIGIN:
        raise RunError(f"{shown} holds a judge check, not images of a model; give the folder of an audit")
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    there = [image for image in plan.images if image.item in rows and is_file(folder / rows[image.item].file)]
    if not there:
        raise RunError(f"the run in {shown} has no images; run its `dominance audit` command again")
    files = {image.item: str((folder / rows[image.item].file).resolve()) for image in there}
    world = plan.world or world_of_files(files.values(), plan.suite)  # older runs do not say
    return [Source(image.item, prompts[image.prompt_id], image.name, files[image.item], world=world) for image in there]


def spread(
    sources: Sequence[Source], limit: int, seed: int, first: frozenset[tuple[str, str]] = frozenset()
) -> tuple[Source, ...]:
    """At most ``limit`` images, spread evenly over the prompts; within a prompt, a seeded draw.

    Args:
        first: keys of the images to take first, such as those with labels.
    """
    by_prompt: dict[str, list[Source]] = {}
    for source in sources:
        by_prompt.setdefault(source.prompt.id, []).append(source)
    rng = np.random.default_rng(seed)
    turns: list[tuple[bool, int, float, tuple[str, str]]] = []
    for members in by_prompt.values():
        drawn = [members[int(index)].key for index in rng.permutation(len(members))]
        drawn.sort(key=lambda key: key not in first)
        turns += [(key not in first, turn, float(rng.random()), key) for turn, key in enumerate(drawn)]
    kept = {key for *_, key in sorted(turns)[:limit]}
    return tuple(source for source in sources if source.key in kept)


def keep(image: Image.Image, folder: Path, subfolder: str, name: str) -> tuple[str, str]:
    """Writes an image made for the check unless the file exists; returns its item and file."""
    digest = hashlib.sha256(f"{image.mode} {image.size}".encode() + image.tobytes()).hexdigest()[:32]
    file = f"images/{subfolder}/{name}-{digest[:8]}.png"
    if not is_whole(folder / file):
        write_png(folder / file, image)
    return digest, file

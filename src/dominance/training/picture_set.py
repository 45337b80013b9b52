"""Pictures of the miniature world as files, one folder a concept: what a fine-tuning set looks like."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.errors import RunError
from dominance.files import check_new_or_empty, csv_bytes, write_failed
from dominance.miniature.captions import single_caption
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene
from dominance.progress import Progress

LIST_NAME = "pictures.csv"


def write_picture_set(folder: Path, diversity: Mapping[str, float], count: int, seed: int = 0) -> Path:
    """Draws ``count`` pictures of each concept by itself and lists them in ``pictures.csv``; returns the list's path.

    The folder appears whole or not at all. Its list has the columns path, concept, category, diversity and caption. A
    concept's pictures depend on its name, its diversity and the seed alone, so that more of them begin with the same.

    Args:
        folder: new or empty.
        diversity: of each concept that is drawn, 0 (rigid) to 1 (varied).

    Raises:
        RunError: the folder holds something, or cannot be written.
    """
    whole = Path(os.path.realpath(folder))
    _check_free(folder, whole)
    partial = whole.with_name(f".{whole.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        listing = _draw(partial, diversity, count, seed)
        (partial / LIST_NAME).write_bytes(listing)
        os.replace(partial, whole)  # an empty folder gives way
    except OSError as error:
        raise write_failed(folder, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder / LIST_NAME


def _check_free(folder: Path, whole: Path) -> None:
    check_new_or_empty(folder)
    if whole == Path.cwd():  # it would be replaced, and a shell that stands in it left nowhere
        raise RunError(f"{folder} is the current folder; give another --out")


def _draw(folder: Path, diversity: Mapping[str, float], count: int, seed: int) -> bytes:
    """Writes the pictures and returns their list, a CSV."""
    rows = [("path", "concept", "category", "diversity", "caption")]
    with Progress("pictures", total=count * len(diversity)) as progress:
        for concept, own in diversity.items():
            (folder / concept).mkdir()
            rng = np.random.default_rng([seed, *concept.encode()])
            for number in range(count):
                path = Path(concept) / f"{number:05d}.png"
                Image.fromarray(render(single_scene(concept, own, rng)).pixels).save(folder / path)
                caption = single_caption(concept, None, rng)
                rows.append((path.as_posix(), concept, BY_NAME[concept].kind, f"{own:g}", caption))
                progress.advance()
    return csv_bytes(rows)

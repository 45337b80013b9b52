"""Pictures of the miniature world as files, one folder a concept: what a fine-tuning set looks like."""

import csv
import io
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.errors import RunError
from dominance.miniature.captions import single_caption
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene
from dominance.whole_files import write_failed

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
    partial = folder.with_name(f".{folder.name}.partial")
    rows = io.StringIO(newline="")
    table = csv.writer(rows, lineterminator="\n")
    table.writerow(("path", "concept", "category", "diversity", "caption"))
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(f"{folder} is not an empty folder; give a new or empty --out")
        shutil.rmtree(partial, ignore_errors=True)
        for concept, own in diversity.items():
            (partial / concept).mkdir(parents=True)
            rng = np.random.default_rng([seed, *concept.encode()])
            for number in range(count):
                path = Path(concept) / f"{number:05d}.png"
                Image.fromarray(render(single_scene(concept, own, rng)).pixels).save(partial / path)
                caption = single_caption(concept, None, rng)
                table.writerow((path.as_posix(), concept, BY_NAME[concept].kind, f"{own:g}", caption))
        (partial / LIST_NAME).write_text(rows.getvalue(), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        os.replace(partial, folder)
    except OSError as error:
        raise write_failed(folder, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder / LIST_NAME

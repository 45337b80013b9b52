"""Writes the README's picture from two finished runs of one suite, by the bundled twins.

``python docs/make_pictures.py runs/demo runs/demo-swapped``: the first run by ``miniature``, the second by
``miniature-swapped``.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from dominance import read_result
from dominance.models import find_model
from dominance.records import PromptResult, RunResult

CELL, GAP, LABEL, EACH, APART = 112, 6, 26, 8, 16


def strip(run: RunResult, result: PromptResult, entity: str, rigid: bool) -> Image.Image:
    """One prompt's first images in a row, under a line that says what the audit found."""
    width = EACH * (CELL + GAP) - GAP
    canvas = Image.new("RGB", (width, CELL + LABEL), "white")
    found = f"{result.collapsed} of {result.scored} images collapse, {result.balanced} of {result.scored} show both"
    trained = "always alike" if rigid else "varied"
    line = f"“{result.prompt.text}”, {entity} {trained} in training: {found}"
    ImageDraw.Draw(canvas).text((0, 2), line, fill="#222222", font=ImageFont.load_default(size=16))
    for index, image in enumerate(result.images[:EACH]):
        if image.file is not None:
            with Image.open(Path(run.run) / image.file) as opened:
                cell = opened.convert("RGB").resize((CELL, CELL), Image.Resampling.NEAREST)
            canvas.paste(cell, (index * (CELL + GAP), LABEL))
    return canvas


def rigid_entities(model: str) -> set[str]:
    """The landmarks and characters whose training pictures were all alike."""
    listed: Any = find_model(model).defaults["concepts"]
    return {row["name"] for row in listed if row["kind"] != "object" and row["diversity"] == 0}


def largest_change(here: RunResult, twin: Mapping[str, PromptResult], rigid: set[str]) -> tuple[str, str]:
    """The prompt, with its entity, of which most more images collapse here, where the entity is rigid."""
    pairs = [
        (p, next(c.name for c in p.prompt.concepts if c.name in rigid))
        for p in here.prompts
        if len(p.prompt.concepts) == 2 and any(c.name in rigid for c in p.prompt.concepts)
    ]
    best, entity = max(pairs, key=lambda pair: pair[0].collapsed - twin[pair[0].prompt.id].collapsed)
    return best.prompt.id, entity


def main() -> None:
    """For each twin the prompt that changes most, chosen by the counts; images by seed, in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs=2)
    parser.add_argument("--out", type=Path, default=Path("docs/images/collapse.png"))
    given = parser.parse_args()
    runs = [read_result(folder) for folder in given.runs]
    by_id = [{p.prompt.id: p for p in run.prompts} for run in runs]
    rows: list[Image.Image] = []
    for own, other in ((0, 1), (1, 0)):
        prompt, entity = largest_change(runs[own], by_id[other], rigid_entities(runs[own].model))
        rows += [strip(runs[i], by_id[i][prompt], entity, rigid=i == own) for i in (own, other)]
    heights = [row.height + (APART if index % 2 else GAP) for index, row in enumerate(rows)]
    sheet = Image.new("RGB", (rows[0].width, sum(heights)), "white")
    for index, row in enumerate(rows):
        sheet.paste(row, (0, sum(heights[:index])))
    sheet.save(given.out, optimize=True)


if __name__ == "__main__":
    main()

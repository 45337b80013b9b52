"""Writes the picture of docs/miniature/index.md from two finished runs of the suite ``miniature``, by the twins.

``python docs/make_pictures.py runs/demo runs/demo-swapped``: the first run by ``miniature``, the second by
``miniature-swapped``. Every prompt of entity and object is shown, none is chosen.
"""

import argparse
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from dominance import read_result
from dominance.models.folders import find_model
from dominance.records import PromptResult, RunResult

CELL, GAP, LABEL, HEAD, EACH, APART = 64, 4, 190, 26, 5, 18


def rigid_entities(model: str) -> set[str]:
    """The landmarks and characters whose training pictures were all alike."""
    listed: Any = find_model(model).defaults["concepts"]
    return {row["name"] for row in listed if row["kind"] != "object" and row["diversity"] == 0}


def strip(run: RunResult, result: PromptResult) -> Image.Image:
    """One prompt's first images in a row."""
    canvas = Image.new("RGB", (EACH * (CELL + GAP) - GAP, CELL), "white")
    for index, image in enumerate(result.images[:EACH]):
        if image.file is not None:
            with Image.open(Path(run.run) / image.file) as opened:
                cell = opened.convert("RGB").resize((CELL, CELL))
            canvas.paste(cell, (index * (CELL + GAP), 0))
    return canvas


def main() -> None:
    """A row a prompt: on the left by the twin in which its entity is rigid, on the right by the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs=2)
    parser.add_argument("--out", type=Path, default=Path("docs/images/twins.png"))
    given = parser.parse_args()
    runs = [read_result(folder) for folder in given.runs]
    by_id = [{p.prompt.id: p for p in run.prompts} for run in runs]
    rigid = [rigid_entities(run.model) for run in runs]
    shown = [p.prompt for p in runs[0].prompts if p.prompt.group == "entity-object"]
    width = EACH * (CELL + GAP) - GAP
    sheet = Image.new("RGB", (LABEL + 2 * width + APART, HEAD + len(shown) * (CELL + GAP)), "white")
    write, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for place, head in enumerate(("always alike", "varied")):
        write.text(
            (LABEL + place * (width + APART), 4), f"landmark or character {head} in training", fill="#222222", font=font
        )
    for row, prompt in enumerate(shown):
        top = HEAD + row * (CELL + GAP)
        own = next(place for place in (0, 1) if rigid[place] & {concept.name for concept in prompt.concepts})
        write.text((0, top + CELL // 2 - 10), prompt.text, fill="#222222", font=font)
        for place, run in enumerate((own, 1 - own)):
            sheet.paste(strip(runs[run], by_id[run][prompt.id]), (LABEL + place * (width + APART), top))
    sheet.save(given.out, optimize=True)


if __name__ == "__main__":
    main()

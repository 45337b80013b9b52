"""Writes the README's picture from the images of a finished run: ``python docs/make_pictures.py runs/demo``."""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from dominance import read_result
from dominance.records import PromptResult

CELL, GAP, LABEL, EACH = 112, 6, 30, 8


def strip(run: Path, result: PromptResult) -> Image.Image:
    """One prompt's first images in a row, under a line that says what the audit found."""
    width = EACH * (CELL + GAP) - GAP
    canvas = Image.new("RGB", (width, CELL + LABEL), "white")
    found = f"{result.collapsed} of {result.scored} images collapse, {result.balanced} of {result.scored} show both"
    font = ImageFont.load_default(size=17)
    ImageDraw.Draw(canvas).text((0, 4), f"“{result.prompt.text}”: {found}", fill="#222222", font=font)
    for index, image in enumerate(result.images[:EACH]):
        if image.file is not None:
            with Image.open(run / image.file) as opened:
                cell = opened.convert("RGB").resize((CELL, CELL), Image.Resampling.NEAREST)
            canvas.paste(cell, (index * (CELL + GAP), LABEL))
    return canvas


def main() -> None:
    """The most collapsed and the most balanced prompt of two concepts, chosen by their scores, images by seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images/collapse.png"))
    given = parser.parse_args()
    pairs = [p for p in read_result(given.run).prompts if len(p.prompt.concepts) == 2 and p.dvd_mean is not None]
    worst = max(pairs, key=lambda p: (p.collapsed, p.dvd_mean or 0))
    best = max(pairs, key=lambda p: (p.balanced, -(p.dvd_mean or 0)))
    rows = [strip(given.run, worst), strip(given.run, best)]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows) + 10), "white")
    sheet.paste(rows[0], (0, 0))
    sheet.paste(rows[1], (0, rows[0].height + 10))
    sheet.save(given.out, optimize=True)


if __name__ == "__main__":
    main()

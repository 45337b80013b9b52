"""Takes a picture of a page with headless Chromium.

``python docs/screenshots.py runs/demo/report.html docs/images/report.png`` makes the picture of the README.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)
_COLOURS = 128
"""Enough for a page, and a third of the size."""


def screenshot(page: Path, picture: Path, width: int = 1100, height: int = 1000, scale: float = 1) -> None:
    """Writes the top of the page as a PNG; ``scale`` below 1 makes the picture smaller than the window."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no chromium on this machine; install Debian's package chromium, and run the command again")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "page.png"
        subprocess.run(
            [
                chromium,
                *_FLAGS,
                f"--user-data-dir={folder}/profile",
                f"--window-size={width},{height}",
                f"--screenshot={raw}",
                page.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        with Image.open(raw) as opened:
            image = opened.convert("RGB").resize(
                (round(width * scale), round(height * scale)), Image.Resampling.LANCZOS
            )
    picture.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def main() -> None:
    """Takes one picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(1100, 1000), metavar=("WIDTH", "HEIGHT"))
    given = parser.parse_args()
    screenshot(given.page, given.picture, *given.size)


if __name__ == "__main__":
    main()

"""Makes the gallery of the site: a real page of each kind, by small runs of the bundled model.

``python docs/make_gallery.py`` runs the commands below, which take a few minutes the first time and resume afterwards,
and copies their pages, each with a picture of its top, into docs/gallery/pages.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from screenshots import screenshot

RUNS = Path("runs/gallery")
PAGES = Path("docs/gallery/pages")
PROMPT = "a [castle:landmark] and a [chair]"

COMMANDS: dict[str, tuple[list[str], str]] = {
    "audit": (["audit", "miniature", "--seeds", "6", "--min-presence", "0.5"], "report.html"),
    "explain": (["explain", PROMPT, "--seeds", "2"], "explanation.html"),
    "ablate": (["ablate", "miniature-bench", "--limit", "2", "--seeds", "2", "--layers", "1-6"], "ablation.html"),
    "judge-check": (["judge", "check", "--each", "8", "--limit", "24"], "judge-check.html"),
    "bench": (["bench", "build", "--target", "2", "--limit", "12"], "contact.html"),
    "diversity": (["diversity", str(RUNS / "pictures")], "diversity.html"),
    "memorization": (["memorization", "miniature", "--limit", "18", "--seeds", "1"], "memorization.html"),
}
"""A command and the page that it writes, by the name of the page in the gallery."""
MAY_END_WITH = {0, 1, 3}
"""Done; the gate fails; a bench so small that it is incomplete."""


def run(*arguments: str) -> None:
    """Runs one command of ours."""
    status = subprocess.run([sys.executable, "-m", "dominance", *arguments], stdout=subprocess.DEVNULL).returncode  # noqa: S603
    if status not in MAY_END_WITH:
        sys.exit(f"dominance {' '.join(arguments)} ended with status {status}")


def main() -> None:
    """Runs what is missing and copies every page."""
    PAGES.mkdir(parents=True, exist_ok=True)
    if not (RUNS / "pictures").exists():
        run("train", "pictures", "--out", str(RUNS / "pictures"), "--count", "24")
    for name, (command, page) in COMMANDS.items():
        folder = RUNS / name
        run(*command, "--out", str(folder))
        shutil.copyfile(folder / page, PAGES / f"{name}.html")
        screenshot(PAGES / f"{name}.html", PAGES / f"{name}.png", scale=0.6)


if __name__ == "__main__":
    main()

"""Makes the gallery of the site: a real page of each kind, by small runs of the bundled model.

``python docs/make_gallery.py`` runs the commands below, which take a few minutes the first time and resume afterwards,
and copies their pages, each with a picture of its top, into docs/gallery/pages.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from screenshots import screenshot

import dominance

RUNS = Path("runs/gallery")
PAGES = Path("docs/gallery/pages")
PROMPT = "a [castle:landmark] and a [chair]"

COMMANDS: dict[str, tuple[list[str], str]] = {
    "audit": (["audit", "miniature", "--seeds", "6", "--min-presence", "0.5"], "report.html"),
    "explain": (["explain", PROMPT, "--seeds", "2"], "explanation.html"),
    "ablate": (["ablate", "miniature-bench", "--limit", "2", "--seeds", "2", "--layers", "1-6"], "ablation.html"),
    "mitigate": (
        ["mitigate", "miniature-bench", "--method", "regions,overlap", "--limit", "4", "--seeds", "3"],
        "mitigation.html",
    ),
    "judge-check": (["judge", "check", "--each", "8", "--limit", "24"], "judge-check.html"),
    "bench": (["bench", "build", "--target", "2", "--limit", "12"], "contact.html"),
    "diversity": (["diversity", str(RUNS / "pictures")], "diversity.html"),
}
"""A command and the page that it writes, by the name of the page in the gallery."""
MAY_END_WITH = {0, 1, 3}
"""Done; the gate fails; a bench so small that it is incomplete."""


def run(*arguments: str) -> None:
    """Runs one command of ours."""
    command = [sys.executable, "-m", "dominance", *arguments]
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    if status not in MAY_END_WITH:
        sys.exit(f"dominance {' '.join(arguments)} ended with status {status}")


def measure_both_benches(folder: Path) -> None:
    """The noise norm of the bundled bench: its dominance prompts against its balanced ones."""
    benches = [dominance.load_suite(name) for name in ("miniature-bench", "miniature-bench-balanced")]
    suite = dominance.Suite("miniature-bench", tuple(prompt for bench in benches for prompt in bench.prompts))
    options = dominance.NoiseNormOptions(drawing=dominance.Drawing(seeds=(0,)))
    dominance.write_memorization(dominance.measure_noise_norm(suite, out=folder, options=options), folder)


def publish(name: str, page: Path) -> None:
    """Copies a page into the gallery, with a picture of its top."""
    shutil.copyfile(page, PAGES / f"{name}.html")
    screenshot(PAGES / f"{name}.html", PAGES / f"{name}.png", scale=0.6)


def main() -> None:
    """Runs what is missing and copies every page."""
    PAGES.mkdir(parents=True, exist_ok=True)
    if not (RUNS / "pictures").exists():
        run("train", "pictures", "--out", str(RUNS / "pictures"), "--count", "24")
    for name, (command, page) in COMMANDS.items():
        run(*command, "--out", str(RUNS / name))
        publish(name, RUNS / name / page)
    measure_both_benches(RUNS / "noise-norm")
    publish("memorization", RUNS / "noise-norm" / "memorization.html")


if __name__ == "__main__":
    main()

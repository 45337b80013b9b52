"""The examples of the README and the tutorial run, and print what the page says."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "tutorial").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+?) -->\n)?```(?P<language>bash|python)\n(?P<code>.*?)\n```"
    r"(?:\n\n```text\n(?P<printed>.*?)\n```)?",
    re.S,
)
NEEDS_MORE = re.compile(r"owner/name|qwen:|openai:|https?://")


@dataclass(frozen=True)
class Example:
    """One block of code on a page."""

    language: str
    code: str
    printed: str
    reason: str | None


def examples(page: Path) -> list[Example]:
    """The blocks of the page, in order."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Example(m["language"], m["code"], m["printed"] or "", m["reason"]) for m in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_that_need_more_say_so(page: Path) -> None:
    for example in examples(page):
        if NEEDS_MORE.search(example.code):
            assert example.reason, f"{page.name}: mark this block with <!-- not run: … -->\n{example.code}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run_and_print_what_the_page_says(page: Path, tmp_path: Path, quick_start: str) -> None:
    """In one folder, since later examples use what earlier ones wrote."""
    ran = [example for example in examples(page) if example.reason is None]
    assert ran
    for example in ran:
        output = run(example, tmp_path, quick_start)
        for line in example.printed.splitlines():
            assert words(line) <= words(output), f"{page.name} shows a line that is not printed:\n{line}\n\n{output}"


def run(example: Example, folder: Path, dominance: str) -> str:
    """Runs the block as a reader would, and gives what it printed."""
    bin = folder / "bin"
    if not bin.exists():
        bin.mkdir()
        command = bin / "dominance"
        command.write_text(f'#!/bin/sh\nexec {dominance} "$@"\n')
        command.chmod(0o755)
    interpreter = ["bash", "-euo", "pipefail", "-c"] if example.language == "bash" else [sys.executable, "-c"]
    done = subprocess.run(
        [*interpreter, example.code],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "COLUMNS": "100",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"status {done.returncode}:\n{example.code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def words(text: str) -> set[str]:
    """Words without figures, which may differ between processors, and without what only rules a table."""
    return set(re.findall(r"[^\W\d_]{2,}", text))

"""README and docs say what is true of the code as it stands."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dominance.cli.app import COMMANDS, GROUPS
from dominance.cli.reference import command_reference, python_reference
from dominance.report.mitigation.page import _MOST_HARMED, _MOST_ROWS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "MODEL_CARD.md", *sorted(DOCS.rglob("*.md"))]


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert (DOCS / "reference" / "commands.md").read_text(encoding="utf-8") == command_reference(), (
        "run `make reference`"
    )


def test_the_python_reference_is_what_the_package_says() -> None:
    assert (DOCS / "reference" / "python.md").read_text(encoding="utf-8") == python_reference(), "run `make reference`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        made = (page.parent / target).resolve().is_relative_to(DOCS / "gallery" / "pages")
        if not target.startswith("http") and not made:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_in_the_pages_exist(page: Path) -> None:
    for command in re.findall(r"(?:^|`)(?:\.venv/bin/)?dominance ([a-z]+)", page.read_text(encoding="utf-8"), re.M):
        assert command in {*COMMANDS, *GROUPS}, f"{page.name} mentions `dominance {command}`"


def test_make_targets_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_readme_is_short() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 90
    assert len(readme.split()) <= 700


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    files = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(file.name[:3]) for file in files] == list(range(1, len(files) + 1))
    listed = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    assert all(f"]({file.name})" in listed for file in files)


def test_the_guide_says_how_many_pairs_a_mitigation_s_page_shows() -> None:
    guide = (DOCS / "guides" / "repair.md").read_text(encoding="utf-8")
    assert f"at most {_MOST_ROWS} pairs" in guide
    assert f"{_MOST_HARMED} harmed images of each method" in guide


def test_every_page_is_in_the_navigation() -> None:
    written = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(_pages(YAML(typ="safe").load(written)["nav"]))
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} | {"model-card.md"}
    assert listed == there


def _pages(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    entries = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ()
    return [page for inner in entries for page in _pages(inner)]

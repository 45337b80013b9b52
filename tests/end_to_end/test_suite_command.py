"""``dominance suite``: a campaign's suite is written once, checked, and audited as any other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(done: Any) -> list[str]:
    """What is on standard error beside the progress."""
    return [line for line in done.err.splitlines() if not line.startswith(("starting", "loading"))]


def test_a_campaign_is_written_checked_and_never_replaced_unsaid(command: Command) -> None:
    made = command("suite", "make", "acme robot:character", "--limit", 20)
    assert (made.status, said(made)) == (0, [])
    assert "20 prompts: acme robot (10), control (10); 400 possible" in made.out
    assert (
        "next: audit it, adding the --model and a --judge for its pictures: dominance audit campaign.yaml" in made.out
    )
    content = Path("campaign.yaml").read_bytes()
    assert content.startswith(b"# dominance suite make 'acme robot:character' --against products --templates ")
    again = command("suite", "make", "acme robot:character", "--limit", 20, "--seed", 3)
    assert again.status == 2
    assert said(again) == ["error: campaign.yaml exists already; give another --out, or --force to replace it"]
    assert Path("campaign.yaml").read_bytes() == content
    assert command("suite", "make", "acme robot:character", "--limit", 20, "--force").status == 0
    assert Path("campaign.yaml").read_bytes() == content, "the same command makes the same file"
    found = command("suite", "check", "campaign.yaml")
    assert found.status == 0
    assert "1 character concept: acme robot (10)" in found.out
    assert "2 groups: acme robot (10), control (10)" in found.out


def test_what_a_campaign_is_refused_for_leaves_no_file(command: Command) -> None:
    for arguments in (
        (), ("acme:brand",), ("acme", "--against", "produce"), ("acme", "--limit", 1), ("acme", "--out", "x.csv"),
        ("acme", "--out", "."),
    ):  # fmt: skip
        done = command("suite", "make", *arguments)
        assert done.status == 2, arguments
        assert len(said(done)) == 1
        assert list(Path().iterdir()) == []


def test_what_is_left_out_is_listed_with_its_reason(command: Command) -> None:
    Path("list.txt").write_text("a sunset\ntwo dogs on a couch\na lone dog\n")
    done = command("suite", "check", "list.txt", "--concepts", "coco")
    assert done.status == 0
    assert done.out.splitlines() == [
        "list.txt: list of prompts (text, one a line), 2 prompts",
        "words of coco: looked for in 3 prompts; in 1 only one is found: nothing else there can take over",
        "2 object concepts: dog (2), couch (1)",
        "2 groups: object–object (1), object (1)",
        "  two [dog]s on a [couch]",
        "  a lone [dog]",
        "1 left out:",
        "  line 1: 'a sunset': no concept found",
        "next: audit it, adding the --model and a --judge for its pictures: dominance audit list.txt --concepts coco",
    ]


def test_prompts_that_a_model_does_not_read_as_a_whole_are_named(command: Command, tiny_model: Path) -> None:
    Path("s.txt").write_text(f"a [mug] and a [lamp]\na [mug] {'and a book ' * 40}by a [chair]\n")
    done = command("suite", "check", "s.txt", "--model", tiny_model, "--json")
    assert done.status == 3
    (told,) = done.document["overlong"]
    assert "'chair'" in told["why"]

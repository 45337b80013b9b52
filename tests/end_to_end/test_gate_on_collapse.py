"""A gate that limits collapse alone, as a build server meets it: what it lets pass is said, or it is refused."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Command = Callable[..., Any]
Score = Callable[..., Any]


@pytest.fixture
def score(command: Command, tmp_path: Path) -> Score:
    """``dominance score`` of ten pictures a prompt, of which people said that nothing asked for is there."""

    def run(prompts: dict[str, dict[str, str]], *arguments: object) -> Any:
        rows = [("prompt_id", "image", "concept", "present")]
        for id, concepts in prompts.items():
            (tmp_path / "pictures" / id).mkdir(parents=True, exist_ok=True)
            for seed in range(10):
                Image.new("RGB", (8, 8), (seed, len(rows) % 256, 9)).save(tmp_path / "pictures" / id / f"{seed}.png")
                rows += [(id, f"{seed}.png", name, said) for name, said in concepts.items()]
        with (tmp_path / "seen.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        suite = "".join(
            f"  - {{id: {id}, prompt: '{' and '.join(f'a [{name}]' for name in concepts)}'}}\n"
            for id, concepts in prompts.items()
        )
        (tmp_path / "suite.yaml").write_text(f"prompts:\n{suite}")
        judged = ("--judge", f"answers:{tmp_path / 'seen.csv'}", "--out", tmp_path / "run")
        return command("score", tmp_path / "pictures", "--suite", tmp_path / "suite.yaml", *judged, *arguments)

    return run


NOTHING = {"p1": {"tower": "no", "mug": "no"}, "p2": {"castle": "no", "chair": "no"}}
NOTE = (
    "2 of 2 prompts show none of their concepts in most images; --max-collapse alone does not catch this:"
    " give --min-presence too"
)


def test_what_a_limit_on_collapse_lets_pass_is_noted(score: Score, command: Command, tmp_path: Path) -> None:
    ran = score(NOTHING, "--max-collapse", 0)
    assert ran.status == 0
    assert f"note: {NOTE}" in ran.err.splitlines()
    assert f"gate passed: 2 of 2 prompts pass (collapse at most 0%), 20 images scored; but {NOTE}" in ran.out
    assert "show none of their concepts in most images" in (tmp_path / "run" / "report.html").read_text()
    assert f"note: {NOTE}" in score(NOTHING, "--max-collapse", 0, "--json").err.splitlines()
    guarded = score(NOTHING, "--max-collapse", 0, "--min-presence", 0.5)
    assert guarded.status == 1
    assert "alone does not catch this" not in guarded.err + guarded.out
    assert NOTE not in score({id: dict.fromkeys(seen, "yes") for id, seen in NOTHING.items()}, "--max-collapse", 0).err


def test_it_is_refused_where_no_prompt_can_collapse(score: Score, command: Command, tmp_path: Path) -> None:
    singles = {"p1": {"mug": "no"}, "p2": {"chair": "no"}}
    refused = score(singles, "--max-collapse", 0)
    assert refused.status == 2
    assert "every prompt names a single concept" in refused.err
    assert not (tmp_path / "run").exists()
    drawn = command("audit", "a [mug]", "--max-collapse", 0, "--out", tmp_path / "run")
    assert drawn.status == 2
    assert "give min-presence" in drawn.err
    assert score(singles, "--max-collapse", 0, "--min-presence", 0.5).status == 1


@pytest.mark.parametrize("name", ["audit", "score"])
def test_the_examples_limit_collapse_and_ask_for_presence(command: Command, name: str) -> None:
    examples = command(name, "--help").out.split("Example")[1]
    assert "--max-collapse 0.2 --min-presence 0.9" in " ".join(examples.split())

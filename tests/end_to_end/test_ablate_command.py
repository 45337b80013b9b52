"""``dominance ablate`` as a user runs it: on random weights, and on the bundled model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
SUITE = """
name: two
prompts:
  - {prompt: "a [tower:landmark] and a [mug]", group: entity-object}
  - {prompt: "a [mug] and an [umbrella]", group: object-object}
  - {prompt: "a [clock]"}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return path


def test_heads_of_one_layer(command: Command, suite: Path, tiny_model: Path, tiny_judge: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["ablate", suite, "--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--seeds", 2, "--layers", 9]
    first = command(*arguments, "--out", out, "--device", "cpu", "--json")
    assert first.status == 0, first.err
    document = first.document
    assert document["unedited"]["images"] == 4
    assert document["prompts_left_out"] == ["a-clock"]
    assert (out / "ablation.html").is_file()
    for sweep in document["sweeps"]:
        assert sweep["total"]["images"]["n"] == sweep["layers"][0]["images"]["n"]
    again = command(*arguments, "--out", out, "--device", "cpu")
    assert again.status == 0
    assert f"wrote {out / 'ablation.html'}" in again.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layers", "99"], "no attention layer 99; give numbers from 1 to 16"),
        (["--sweep", "nothing"], "no sweep 'nothing'"),
        (["--edit-steps", "1-0"], "the edit's steps are 1 to 0"),
        (["--edit-steps", "x"], "--edit-steps is 'x'"),
        (["--edit-steps", "0-9"], "there are only 2 steps; give steps from 0 to 1"),
        (["--edit", "rebalance", "--intervals", "0"], "intervals is 0"),
        (["--limit", "0"], "limit is 0"),
        (["--sweep", "sets", "--set-heads", "9"], "set-heads is 9, of which there are 511 sets; give a whole number"),
        (["--sweep", "sets", "--set-heads", "1"], "set-heads is 1; give a whole number from 2 to 8"),
        (["--sweep", "sets", "--set-heads", "5", "--layers", "9"], "set-heads is 5, but the layers have 4 heads; give"),
        (["--sweep", "sets", "--limit", "1"], "give two prompts with two concepts or more"),
        (["--edit", "rebalance", "--set-heads", "3"], "does not use set-heads"),
        (["--mode", "none"], '"none" for --mode'),
        (["--edit", "rebalance", "--scale", "0.5"], "does not use scale"),
        (["--edit", "rebalance", "--sweep", "heads,multi"], "does not use sweep;"),
        (["--judge", "answers:answers.csv"], "an ablation draws its own"),
    ],
)
def test_bad_settings_end_in_one_line(
    command: Command,
    suite: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("answers.csv").write_text("prompt_id,image,concept,present\np,0,tower,yes\n")
    finished = command("ablate", suite, "--model", tiny_model, "--out", tmp_path / "run", *arguments)
    assert finished.status == 2
    assert message in finished.err, finished.err
    assert finished.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: none\nprompts: []\n", "prompts"),
        ('name: one\nprompts: [{prompt: "a [clock]"}]\n', "the suite 'one' has no prompt with two concepts"),
    ],
)
def test_a_suite_without_two_concepts_is_refused(
    command: Command, tiny_model: Path, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(content, encoding="utf-8")
    finished = command("ablate", path, "--model", tiny_model, "--out", tmp_path / "run")
    assert (finished.status, finished.err.count("\n")) == (2, 1)
    assert message in finished.err


@pytest.mark.slow
def test_the_bundled_model_is_ablated_and_rebalanced(command: Command, suite: Path, tmp_path: Path) -> None:
    shared = ["--limit", 2, "--seeds", "100,101", "--out", tmp_path / "run", "--json", "--device", "cpu"]
    heads = command("ablate", suite, *shared, "--layers", "9", "--sweep", "heads,feed-forward")
    assert heads.status == 0, heads.err
    found = json.loads(heads.out)
    collapsed = found["unedited"]["collapsed"]
    assert collapsed["n"] == 4
    if collapsed["count"]:
        assert [sweep["total"]["images"]["n"] for sweep in found["sweeps"]] == [
            4 * collapsed["count"],
            collapsed["count"],
        ]
        rebalanced = command("ablate", suite, *shared, "--edit", "rebalance", "--edit-steps", "0-4")
        assert [window["steps"] for window in rebalanced.document["intervals"]] == ["none", "0–4"]
    else:
        assert "nothing to mitigate" in found["notes"][0]

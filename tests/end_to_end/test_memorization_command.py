"""``dominance memorization`` from the command line, on a tiny model."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dominance.probes import noise_norm

Command = Callable[..., Any]
SUITE = """prompts:
  - {prompt: "a [tower:landmark] and a [mug]", group: dominance}
  - {prompt: "a [castle:landmark] and a [lamp]", group: dominance}
  - {prompt: "a [mug] and a [lamp]", group: balanced}
  - {prompt: "a [book] and a [clock]", group: balanced}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command, which holds a suite of two groups."""
    place = tmp_path / "here"
    place.mkdir()
    (place / "groups.yaml").write_text(SUITE)
    monkeypatch.chdir(place)
    return place


def test_norms_by_group_with_a_page_and_nothing_measured_twice(
    command: Command, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("memorization", "groups.yaml", "--model", tiny_model, "--seeds", 2, "--out", "run")
    done = command(*arguments, "--steps", 3, "--json")
    assert done.status == 0
    document = done.document
    assert (document["suite"], document["steps"], document["quantity"]) == ("groups", 3, "noise")
    for prompt in document["prompts"]:
        assert {seed: len(values) for seed, values in prompt["norms"].items()} == {"0": 3, "1": 3}
        firsts = [values[0] for values in prompt["norms"].values()]
        assert prompt["means"]["first"] == pytest.approx(sum(firsts) / 2)
        assert prompt["means"]["ten"] == prompt["means"]["all"]
    assert [(one["group"], one["prompts"], one["norms"]) for one in document["groups"]] == [
        ("dominance", 2, 4),
        ("balanced", 2, 4),
    ]
    assert {one["summary"] for one in document["comparisons"]} == {"first", "ten", "all"}
    assert "prompts × seeds: 8 of 8" in done.err
    assert {path.name for path in Path("run").iterdir()} >= {
        "memorization.html", "memorization.json", "memorization.csv"
    }  # fmt: skip

    other = command(*arguments, "--steps", 2, "--json")
    assert other.document["steps"] == 2
    monkeypatch.setattr(noise_norm, "noise_norms", None)  # whatever is measured now fails
    again = command(*arguments, "--steps", 3)
    assert again.status == 0
    assert "by prompt, Mann-Whitney" in again.out
    with Path("run/memorization.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head[-5:] == ["norm_all", "norm_1", "norm_2", "norm_3", "problem"]
    assert {len(row) for row in rows} == {len(head)}
    assert command(*arguments, "--steps", 3, "--json").document["prompts"] == document["prompts"]


def test_a_folder_of_another_command_is_left_as_it_was(command: Command, tiny_model: Path) -> None:
    command("train", "pictures", "--out", "pictures", "--count", 2, "--concepts", "mug")
    assert command("diversity", "pictures", "--out", "run", "--device", "cpu").status == 0
    before = sorted(Path("run").iterdir())
    refused = command("memorization", "groups.yaml", "--model", tiny_model, "--out", "run")
    assert (refused.status, refused.err) == (2, "error: run holds a run of another command; give another --out\n")
    assert sorted(Path("run").iterdir()) == before
    command("memorization", "groups.yaml", "--model", tiny_model, "--out", "norms", "--seeds", 1, "--limit", 1)
    refused = command("diversity", "pictures", "--out", "norms", "--device", "cpu")
    assert (refused.status, refused.err) == (2, "error: norms holds a run of another command; give another --out\n")
    for others in (
        ("audit", "groups.yaml", "--model", tiny_model, "--out", "norms"),
        ("bench", "build", "--model", tiny_model, "--pools", "miniature", "--out", "norms", "--limit", 1),
        ("judge", "check", "--out", "norms"),
    ):
        refused = command(*others)
        assert refused.status == 2, others
        assert "norms holds a measurement by `dominance memorization`" in refused.err, (others, refused.err)


REFUSED: dict[str, tuple[object, ...]] = {
    "an unknown suite": ("nowhere.yaml",),
    "an empty suite": ("empty.yaml",),
    "an unknown model": ("groups.yaml", "--model", "minature"),
    "no guidance": ("groups.yaml", "--guidance", 1),
    "guidance that is no number": ("groups.yaml", "--guidance", "nan"),
    "no steps": ("groups.yaml", "--steps", 0),
    "no seeds": ("groups.yaml", "--seeds", 0),
    "a seed twice": ("groups.yaml", "--seeds", "3,3"),
    "no limit": ("groups.yaml", "--limit", 0),
    "no batch": ("groups.yaml", "--batch", 0),
    "an unknown scheduler": ("groups.yaml", "--scheduler", "clockwork"),
    "an unknown dtype": ("groups.yaml", "--dtype", "int8"),
    "an unknown device": ("groups.yaml", "--device", "abacus"),
    "a height that no latent has": ("groups.yaml", "--height", 33),
    "a run folder that is a file": ("groups.yaml", "--out", "empty.yaml"),
    "a run folder with other things": ("groups.yaml", "--out", "."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_one_line_and_leaves_nothing(command: Command, tiny_model: Path, here: Path, name: str) -> None:
    Path("empty.yaml").write_text("prompts: []\n")
    model = () if "--model" in REFUSED[name] else ("--model", tiny_model)
    before = sorted(here.rglob("*"))
    refused = command("memorization", *REFUSED[name], *model)
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith("error: ")
    assert refused.err.count("\n") == 1
    assert sorted(here.rglob("*")) == before


def test_help_shows_an_example(command: Command) -> None:
    assert "dominance memorization miniature --seeds 4" in command("memorization", "--help").out

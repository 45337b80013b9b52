"""Every command that draws or judges gives with two workers what it gives alone; others refuse workers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_families import lora_of_one_layer

from dominance.runs.engines.local import LocalPlace

Command = Callable[..., Any]
SUITE = "a [tower:landmark] and a [mug]\na [lamp] beside a [book]\n"
OF_THE_RUN = {"run", "cost", "path", "folder", "seconds"}
"""Keys of what is another in every run."""
ROUNDING = 1e-6
"""What a float32 P(yes) may differ by where the judge sees other questions beside it in its batch."""


def found(document: Any) -> Any:
    """A document without what names the folder or depends on the time."""
    if isinstance(document, dict):
        return {key: found(value) for key, value in document.items() if key not in OF_THE_RUN}
    return [found(each) for each in document] if isinstance(document, list) else document


def near(document: Any) -> Any:
    """The document to compare with: everything as it is, a float within the rounding of the judge's batches."""
    if isinstance(document, dict):
        return {key: near(value) for key, value in document.items()}
    if isinstance(document, list):
        return [near(each) for each in document]
    return pytest.approx(document, rel=0, abs=ROUNDING) if isinstance(document, float) else document


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "suite.txt").write_text(SUITE)
    return tmp_path / "suite.txt"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "compared"),
    [
        (("audit", "SUITE", "--seeds", 3), "prompts"),
        (("mitigate", "SUITE", "--method", "schedule:until=0.5", "--seeds", 1), "prompts"),
        (("sweep", "SUITE", "--seeds", 1, "--adapter", "LORA", "--taught", "tower", "--strengths", "0,1"), "cells"),
        (("ablate", "SUITE", "--seeds", 1, "--edit", "rebalance"), "edited"),
        (("bench", "build", "--pools", "miniature", "--seeds", 2, "--target", 2, "--limit", 2), "streams"),
    ],
    ids=["audit", "mitigate", "sweep", "ablate", "bench build"],
)
def test_two_workers_give_the_results_of_one_process(
    words: tuple[object, ...],
    compared: str,
    command: Command,
    suite: Path,
    tiny_model: Path,
    tiny_judge: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[int] = []
    start = LocalPlace.start
    monkeypatch.setattr(LocalPlace, "start", lambda place, number: started.append(number) or start(place, number))
    given = {
        "SUITE": suite,
        "LORA": lora_of_one_layer(tiny_model, tmp_path / "lora.safetensors") if "LORA" in words else None,
    }
    words = tuple(given.get(str(word), word) for word in words)
    alike = ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--device", "cpu", "--batch", 1, "--json")
    documents, files = [], []
    for name, workers in (("alone", ()), ("shared", ("--workers", 2))):
        ended = command(*words, *alike, "--out", tmp_path / name, *workers)
        assert ended.status in (0, 3), ended.err
        documents.append(found(ended.document[compared]))
        files.append({f.name: f.read_bytes() for f in (tmp_path / name).glob("images/*/*.png")})
        assert bool(started) == bool(workers), ended.err
    assert documents[0]
    assert documents[0] == near(documents[1])
    assert files[0]
    assert files[0] == files[1]
    if words[0] == "audit":
        score = ("score", tmp_path / "alone" / "images", "--suite", suite, "--judge", f"blip:{tiny_judge}", "--json")
        scored = command(*score, "--out", tmp_path / "score", "--device", "cpu", "--batch", 1, "--workers", 2)
        assert scored.status == 0, scored.err
        assert [row["dvd_mean"] for row in scored.document["prompts"]] == [row["dvd_mean"] for row in documents[0]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("explain", "a [tower] and a [mug]", "--workers", 2),
            "dominance explain works in one process; leave out --work",
        ),
        (("preflight", "a [tower] and a [mug]", "--engine", "ray"), "dominance preflight works in one process; leave"),
        (("audit", "a [tower] and a [mug]", "--workers", 0), "workers is 0; give a whole number from 1 to 1024"),
        (("audit", "a [tower] and a [mug]", "--workers", "many"), "--workers"),
        (("audit", "a [tower] and a [mug]", "--engine", "steam"), "no engine 'steam'; give one of local, ray"),
        (
            ("audit", "a [tower] and a [mug]", "--address", "auto"),
            "address is for a cluster; give --engine ray with it",
        ),
    ],
)
def test_workers_that_cannot_be_are_refused_in_one_line(
    words: tuple[object, ...], said: str, command: Command, tmp_path: Path
) -> None:
    refused = command(*words, "--out", tmp_path / "run")
    assert refused.status == 2
    assert said in refused.err
    assert refused.err.count("\n") == 1
    assert not (tmp_path / "run").exists()

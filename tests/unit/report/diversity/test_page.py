"""The page of a measurement of diversity: the finding first, escaped, and nothing asked of the network."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page_checks import check_self_contained
from PIL import Image

from dominance.report.diversity.page import diversity_headline, write_diversity
from dominance.runs.diversity.result import (
    CategoryDiversity,
    ConceptDiversity,
    DiversityResult,
    MeasuredBy,
    NamedPair,
    NearDuplicates,
    Unmeasured,
)

Sets = Callable[..., DiversityResult]


def concept(name: str, median: float | None, word: Any, **changes: Any) -> ConceptDiversity:
    files = (f"{name}/0.png", f"{name}/1.png")
    measured = median is not None
    pair = NamedPair(files, median or 0.0)
    made = ConceptDiversity(
        name=name, category="landmark", images=2 if measured else 1, unreadable=0, pairs=1 if measured else 0,
        median=median, interval=(median - 0.001, median + 0.001) if median is not None else None, mean=median,
        quartiles=(median, median) if median is not None else None, exact=True, vendi=1.5 if measured else None,
        near_duplicates=NearDuplicates(0, 0, ()), nearest=(pair,) if measured else (),
        farthest=pair if measured else None,
        typical=files, unusual=(), verdict=word, verdict_sentence=f"What is said of {name}.", verdict_limits=None,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def sets_of(tmp_path: Path) -> Sets:
    """A result of these concepts, with a picture for every file that they name."""

    def build(*concepts: ConceptDiversity, **changes: Any) -> DiversityResult:
        for one in concepts:
            for file in one.typical:
                (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (64, 64), "red").save(tmp_path / file)
        made = DiversityResult(
            run="run", source=str(tmp_path), near=0.95,
            embedder=MeasuredBy("some/clip", "sha256:1", "CLIP image embeddings, projected", "paper"),
            concepts=concepts,
            categories=(CategoryDiversity("landmark", len(concepts), 4, 0.31, None),), problems=(),
            notes=("Distances are by some/clip.",), rests="One paper's medians.", manifest={"device": "cpu"},
        )  # fmt: skip
        return replace(made, **changes)

    return build


def test_the_page_of_a_uniform_set_says_so_first_and_shows_its_pictures(sets_of: Sets, tmp_path: Path) -> None:
    uniform, varied = concept("tower", 0.3012, "uniform"), concept("<i>mug</i>", 0.4711, "varied")
    result = sets_of(varied, uniform)
    page, document, table = write_diversity(result, tmp_path / "run")
    text = page.read_text(encoding="utf-8")
    check_self_contained(text)
    headline = "By the paper's finding, tower is likely to dominate: its images are too uniform."
    assert diversity_headline(result) == headline
    assert f"<h1>{headline}</h1>" in text.replace("&#39;", "'")
    assert "<i>mug" not in text and "&lt;i&gt;mug" in text
    assert text.index("What is said of tower.") < text.index("What is said of &lt;i&gt;mug")
    assert text.count("<img") == 12  # two typical, the nearest and the farthest pair, of each
    assert "varied ▸" in text and "Dashed: the limits of the verdicts." in text
    assert json.loads(document.read_text())["concepts"][1]["median"] == 0.3012
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["concept"], row["median"], row["verdict"]) for row in rows] == [
        ("<i>mug</i>", "0.471100", "varied"),
        ("tower", "0.301200", "uniform"),
    ]


def test_a_page_with_nothing_measured_is_whole(sets_of: Sets, tmp_path: Path) -> None:
    lone = concept("mug", None, None, typical=())
    result = sets_of(lone, categories=(), problems=(Unmeasured("mug/1.png", "mug/1.png is not an image"),))
    text = write_diversity(result, tmp_path / "run")[0].read_text(encoding="utf-8")
    check_self_contained(text)
    assert "1 concept measured, but no verdict on any of them." in text
    assert "mug/1.png is not an image" in text
    assert "Dashed" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("varied", "varied"), "No concept's images are so uniform that it is likely to dominate."),
        (
            ("between", "usual"),
            "No concept's images are so uniform that it is likely to dominate; 1 of 2 concepts in doubt.",
        ),
        (("uniform",) * 8, "By the paper's finding, c0, c1, c2, c3, c4, c5 and 2 more are likely to dominate: their"),
    ],
)
def test_headlines_of_diversity(sets_of: Sets, words: tuple[Any, ...], said: str) -> None:
    result = sets_of(*(concept(f"c{place}", 0.1 + place / 100, word) for place, word in enumerate(words)))
    assert diversity_headline(result).startswith(said)

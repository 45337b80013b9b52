"""The pages of diversity and of the noise norm: the finding first, escaped, and nothing asked of the network."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dominance.diversity.verdicts import SetVerdict
from dominance.records import Concept, Prompt
from dominance.report.diversity import diversity_headline, write_diversity
from dominance.report.memorization import memorization_headline, write_memorization
from dominance.runs.diversity.result import CategoryDiversity, ConceptDiversity, DiversityResult, NamedPair
from dominance.runs.noise_norm.result import MemorizationResult, PromptNorms, compare_groups, group_norms

Sets = Callable[..., DiversityResult]
Norms = Callable[..., MemorizationResult]


def check_self_contained(text: str) -> None:
    assert set(re.findall(r'(?:href|src)="(https?:[^"]+)"', text)) <= {"https://arxiv.org/abs/2512.20666"}
    assert "<script" not in text
    assert "nan" not in re.findall(r"[a-z]+", re.sub(r"data:[^\"]*", "", text))


def concept(name: str, median: float | None, word: Any, **changes: Any) -> ConceptDiversity:
    files = (f"{name}/0.png", f"{name}/1.png")
    measured = median is not None
    pair = NamedPair(*files, median or 0.0)
    made = ConceptDiversity(
        name=name, category="landmark", images=2 if measured else 1, unreadable=0, pairs=1 if measured else 0,
        median=median, interval=(median - 0.001, median + 0.001) if median is not None else None, mean=median,
        quartiles=(median, median) if median is not None else None, exact=True, vendi=1.5 if measured else None,
        near_pairs=0, near_images=0, nearest=(pair,) if measured else (), farthest=pair if measured else None,
        copies=(), typical=files, unusual=(), verdict=SetVerdict(word, f"What is said of {name}."),
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
            run="run", source="photos", root=tmp_path, embedder="some/clip", embedder_identity="sha256:1",
            embedder_description="CLIP image embeddings, projected", comparable="paper", near=0.95, concepts=concepts,
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
    headline = "The images of tower are so uniform that, by the paper's finding, it is likely to dominate."
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
    result = sets_of(lone, categories=(), problems=(("mug/1.png", "mug/1.png is not an image"),))
    text = write_diversity(result, tmp_path / "run")[0].read_text(encoding="utf-8")
    check_self_contained(text)
    assert "1 concept measured, and no verdict on any of them." in text
    assert "mug/1.png is not an image" in text
    assert "Dashed" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("varied", "varied"), "No set is so uniform that its concept is likely to dominate."),
        (
            ("between", "usual"),
            "No set is so uniform that its concept is likely to dominate, 1 of 2 concepts in doubt.",
        ),
        (("uniform",) * 8, "The images of c0, c1, c2, c3, c4, c5 and 2 more are so uniform"),
    ],
)
def test_headlines_of_diversity(sets_of: Sets, words: tuple[Any, ...], said: str) -> None:
    result = sets_of(*(concept(f"c{place}", 0.1 + place / 100, word) for place, word in enumerate(words)))
    assert diversity_headline(result).startswith(said)


@pytest.fixture
def norms_of() -> Norms:
    """A result of prompts by group; of each prompt the norm at step 1, which grows from step to step."""

    def build(problems: dict[int, str] | None = None, **groups: tuple[float, ...]) -> MemorizationResult:
        prompts = tuple(
            PromptNorms(
                Prompt(f"{group}-{place}", f"a <mug> {place}", (Concept("mug"),), group),
                {} if problems else {0: (norm, norm + 1), 3: (norm, norm + 2)},
                problems or {},
            )
            for group, norms in groups.items()
            for place, norm in enumerate(map(float, norms))
        )
        return MemorizationResult(
            run="run", suite="groups", model="tiny", quantity="noise", values=192, steps=2,
            settings={"seeds": [0, 3]}, prompts=prompts, groups=group_norms(prompts),
            comparisons=compare_groups(prompts), notes=(), manifest={},
        )  # fmt: skip

    return build


def test_the_page_of_norms_compares_the_groups_with_what_the_paper_finds(norms_of: Norms, tmp_path: Path) -> None:
    result = norms_of(balanced=tuple(range(1, 9)), memorized=tuple(range(11, 19)))
    page, document, table = write_memorization(result, tmp_path)
    text = page.read_text(encoding="utf-8")
    check_self_contained(text)
    said = "memorized prompts move the prediction more than balanced prompts, as the paper finds"
    assert memorization_headline(result) == f"At step 1, {said}."
    assert said in text
    assert "highest norm first: <b>memorized &gt; balanced</b>" in text
    assert "Found, step 1: <b>memorized (14.5) &gt; balanced (4.50)</b>" in text
    assert "<mug>" not in text
    assert text.count('class="strips"') == 3
    assert text.count("<polyline") == 2
    assert len(json.loads(document.read_text())["prompts"]) == 16
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 32
    assert (rows[1]["seed"], rows[1]["norm_first"], rows[1]["norm_all"], rows[1]["norm_2"]) == ("3", "1", "2", "3")


def test_a_page_without_any_norm_is_whole(norms_of: Norms, tmp_path: Path) -> None:
    result = norms_of(problems={0: "RuntimeError: broken"}, balanced=(1.0,))
    text = write_memorization(result, tmp_path)[0].read_text(encoding="utf-8")
    check_self_contained(text)
    assert "<h1>Nothing could be measured.</h1>" in text
    assert "RuntimeError: broken" in text


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"a": (1.0, 2.0)}, "2 prompts measured, and no two groups to compare."),
        ({"a": tuple(range(1, 9)), "b": tuple(range(21, 29))}, "1 of 1 pair of groups differ at step 1."),
        (
            {"balanced": tuple(range(21, 29)), "dominance": tuple(range(1, 9))},
            "At step 1, dominance prompts move the prediction less than balanced prompts, against the paper.",
        ),
        (
            {"balanced": (1.0, 2.0, 3.0, 4.0), "dominance": (1.0, 2.0, 3.0, 4.0)},
            "At step 1, dominance and balanced prompts show no difference, where the paper finds dominance higher.",
        ),
        (
            {"balanced": (1.0, 2.0), "dominance": (8.0, 9.0)},
            "At step 1, there are too few dominance and balanced prompts to tell them apart.",
        ),
    ],
)
def test_headlines_of_the_norm(norms_of: Norms, groups: dict[str, tuple[float, ...]], said: str) -> None:
    assert memorization_headline(norms_of(**groups)) == said

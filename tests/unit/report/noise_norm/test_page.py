"""The page of a measurement of the noise norm: the finding first, escaped, and nothing asked of the network."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from page_checks import check_self_contained

from dominance.report.noise_norm.page import memorization_headline, write_memorization
from dominance.runs.noise_norm.result import MemorizationResult, PromptNorms, compare_groups, group_norms

Norms = Callable[..., MemorizationResult]


@pytest.fixture
def norms_of() -> Norms:
    """A result of prompts by group; of each prompt the norm at step 1, which grows from step to step."""

    def build(problems: dict[int, str] | None = None, **groups: tuple[float, ...]) -> MemorizationResult:
        prompts = tuple(
            PromptNorms(
                f"{group}-{place}",
                f"a <mug> {place}",
                group,
                {} if problems else {0: (norm, norm + 1), 3: (norm, norm + 2)},
                tuple((problems or {}).items()),
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
    assert "<h1>No prompt could be measured.</h1>" in text
    assert "RuntimeError: broken" in text


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"a": (1.0, 2.0)}, "2 prompts measured, but no two groups to compare."),
        ({"a": tuple(range(1, 9)), "b": tuple(range(21, 29))}, "1 of 1 pair of groups differs at step 1."),
        (
            {"balanced": tuple(range(21, 29)), "dominance": tuple(range(1, 9))},
            "At step 1, dominance prompts move the prediction less than balanced prompts, contrary to the paper.",
        ),
        (
            {"balanced": (1.0, 2.0, 3.0, 4.0), "dominance": (1.0, 2.0, 3.0, 4.0)},
            "At step 1, dominance and balanced prompts show no difference, although the paper finds dominance higher.",
        ),
        (
            {"balanced": (1.0, 2.0), "dominance": (8.0, 9.0)},
            "At step 1, there are too few dominance and balanced prompts to compare.",
        ),
    ],
)
def test_headlines_of_the_norm(norms_of: Norms, groups: dict[str, tuple[float, ...]], said: str) -> None:
    assert memorization_headline(norms_of(**groups)) == said

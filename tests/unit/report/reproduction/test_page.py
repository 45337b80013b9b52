"""A reproduction as a page and as Markdown."""

from dataclasses import replace
from pathlib import Path

from dominance.report.reproduction.page import reproduction_markdown, write_reproduction
from dominance.reproduce.claims.registry import CLAIMS
from dominance.runs.reproduction.result import ClaimResult, Figure, Finding, ReproduceResult, SizeRecord
from dominance.runs.reproduction.rule import Verdict


def result_of(verdict: Verdict, folder: Path) -> ReproduceResult:
    claim = CLAIMS["focus"]
    found = Finding(-0.1, (-0.2, -0.05), 20, "prompts", 4, 0.001)
    told = (claim.title, claim.says, claim.source, claim.figure, claim.design, claim.rule)
    shown = ClaimResult(claim.name, *told, verdict, found, claim.otherwise, True)
    return ReproduceResult(str(folder), "a model", "a judge", 20.0, 3.0, SizeRecord(0.25, {}), (shown,))


def test_what_contradicts_is_discussed_and_nothing_else_is(tmp_path: Path) -> None:
    said = CLAIMS["focus"].otherwise
    page = write_reproduction(result_of("contradicted", tmp_path), tmp_path)[0].read_text()
    assert "Contradicted:" in page
    assert said in reproduction_markdown(result_of("contradicted", tmp_path))
    other = result_of("reproduced", tmp_path)
    assert said not in reproduction_markdown(other)
    assert "Contradicted:" not in write_reproduction(other, tmp_path)[0].read_text()


def test_the_markdown_says_how_large_it_was(tmp_path: Path) -> None:
    text = reproduction_markdown(result_of("reproduced", tmp_path))
    assert "about 25% of the work of the full size, chosen for a budget of 20 minutes" in text
    assert "| The focus score is higher in the first step |" in text
    assert "reproduced, stands after Holm" in text


def test_a_bar_in_a_cell_does_not_part_it(tmp_path: Path) -> None:
    result = result_of("reproduced", tmp_path)
    claim = result.claims[0]
    odd = replace(claim, finding=replace(claim.finding, figures=(Figure("a|b", "1", "2"),)))
    assert r"| a\|b | 1 | 2 |" in reproduction_markdown(replace(result, claims=(odd,)))

"""What every claim says of itself, and how it is shown where it is contradicted."""

from pathlib import Path

import pytest

from dominance.errors import InputError
from dominance.reproduce.claims.claim import Claim
from dominance.reproduce.claims.registry import CLAIMS, find_claims
from dominance.reproduce.decision import Verdict
from dominance.reproduce.page import reproduction_markdown, write_reproduction
from dominance.reproduce.questions import QUESTIONS
from dominance.reproduce.result import ClaimResult, Finding, ReproduceResult, SizeRecord
from dominance.reproduce.work import WORK


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.name)
def test_a_claim_says_what_it_is_and_what_it_means_if_it_fails(claim: Claim) -> None:
    assert set(claim.needs) <= WORK.keys()
    for text in (claim.says, claim.design):
        assert text.endswith(".")
    if claim.name != "category-diversity":  # which is never measured
        assert claim.otherwise.count(". ") >= 1
        assert claim.otherwise.endswith(".")


def test_claims_are_found_by_name_in_the_order_of_the_papers() -> None:
    assert [claim.name for claim in find_claims(("focus", "bench-yield"))] == ["bench-yield", "focus"]
    assert len(find_claims(())) == len(CLAIMS)
    with pytest.raises(InputError, match="did you mean 'focus'"):
        find_claims(("focsu",))


def test_questions_name_claims_that_exist() -> None:
    for question in QUESTIONS:
        assert set(question.claims) <= CLAIMS.keys()


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

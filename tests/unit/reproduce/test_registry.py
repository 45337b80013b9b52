"""What every claim says of itself."""

import pytest

from dominance.errors import InputError
from dominance.report.reproduction.questions import QUESTIONS
from dominance.reproduce.claims.claim import Claim
from dominance.reproduce.claims.registry import CLAIMS, find_claims
from dominance.reproduce.work import WORK


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.name)
def test_a_claim_says_what_it_is_and_what_it_means_if_it_fails(claim: Claim) -> None:
    assert set(claim.needs) <= WORK.keys()
    for text in (claim.says, claim.design):
        assert text.endswith(".")
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

import pytest

from dominance.errors import InputError
from dominance.seeds import check_seeds, parse_seeds


@pytest.mark.parametrize(
    ("text", "seeds"), [("1", (0,)), ("3", (0, 1, 2)), ("7,8,9", (7, 8, 9)), (" 7 , 8,", (7, 8)), ("0,", (0,))]
)
def test_counts_and_lists(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "-1", "", "seven", "1.5", "7,7", "7,,8", "-3,4", "10001", str(2**63) + ",", ","])
def test_what_is_no_seed_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_seeds(text)
    assert "\n" not in str(caught.value)
    assert "give" in str(caught.value)


def test_seeds_from_a_library_caller_are_checked_too() -> None:
    with pytest.raises(InputError, match="given twice"):
        check_seeds((1, 1))
    with pytest.raises(InputError, match="whole numbers"):
        check_seeds((True,))

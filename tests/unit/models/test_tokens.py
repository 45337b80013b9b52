"""Tokens of prompts and spans of concepts, for CLIP and for T5."""

import pytest
from tiny_families import tiny

from dominance.errors import InputError
from dominance.models.tokens import PromptTokens, prompt_tokens


def texts(tokens: PromptTokens, columns: tuple[int, ...]) -> str:
    """What the columns cover of the prompt."""
    chosen = [token for token in tokens.tokens if token.index in columns]
    return tokens.text[chosen[0].start : chosen[-1].end]


def test_clip_stands_start_token_words_end_token() -> None:
    tokens = prompt_tokens(tiny("sd1"), "a tower and a mug")
    assert [token.text for token in tokens.tokens] == ["a", "tower", "and", "a", "mug"]
    assert tokens.indices == (1, 2, 3, 4, 5)
    assert tokens.ends == (6,)
    assert tokens.length == 24
    assert tokens.token_set("content") == (1, 2, 3, 4, 5)
    assert tokens.token_set("content+end") == (1, 2, 3, 4, 5, 6)
    assert tokens.token_set("all") == tuple(range(24))
    with pytest.raises(InputError, match="no token set 'some'; give one of content, content\\+end, all"):
        tokens.token_set("some")


def test_t5_has_no_start_token() -> None:
    tokens = prompt_tokens(tiny("pixart"), "a tower and a mug")
    assert [token.text for token in tokens.tokens] == ["a", "tower", "and", "a", "mug"]
    assert (tokens.indices, tokens.ends, tokens.length) == ((0, 1, 2, 3, 4), (5,), 120)


def test_sd3_has_clips_columns_before_t5s() -> None:
    tokens = prompt_tokens(tiny("sd3"), "a tower")
    assert tokens.indices == (1, 2, 24, 25)
    assert tokens.concept("tower") == (2, 25)
    assert tokens.ends == (3, 26)
    assert tokens.length == 24 + 256


@pytest.mark.parametrize("family", ["sd1", "sdxl", "flux", "pixart"])
@pytest.mark.parametrize(
    ("prompt", "concept", "covered"),
    [
        ("a tower and a mug", "mug", "mug"),
        ("a tower and two mugs", "mug", "mugs"),
        ("a mug, a tower", "mug", "mug"),
        ("(a mug)", "mug", "mug"),
        ("a mug's tower", "mug", "mug"),
        ("THE MUG!", "mug", "MUG"),
        ("a photo of two boxes.", "box", "boxes"),
        ("a smug mug", "mug", "mug"),
        ("neuschwanstein castle on a coaster", "neuschwanstein castle", "neuschwanstein castle"),
        ("neuschwanstein   castle", "Neuschwanstein Castle", "neuschwanstein   castle"),
        ("spider-man and a mug", "spider-man", "spider-man"),
        ("st. basil's cathedral by a mug", "st. basil's cathedral", "st. basil's cathedral"),
        ("a café and a mug", "café", "café"),
        ("mug", "mug", "mug"),
    ],
)
def test_a_concept_is_all_its_tokens_and_no_others(family: str, prompt: str, concept: str, covered: str) -> None:
    tokens = prompt_tokens(tiny(family), prompt)
    columns = tokens.concept(concept)
    assert texts(tokens, columns).lower() == covered.lower()
    assert columns == tuple(range(columns[0], columns[-1] + 1))


def test_a_concept_is_found_wherever_it_is_named() -> None:
    tokens = prompt_tokens(tiny("sd1"), "a mug and a mug")
    assert tokens.concept("mug") == (2, 5)


def test_the_longer_of_two_names_takes_the_words() -> None:
    tokens = prompt_tokens(tiny("sd1"), "a lamp tower and a tower")
    assert tokens.concepts(["tower", "lamp tower"]) == {"tower": (6,), "lamp tower": (2, 3)}
    assert tokens.concept("tower") == (3, 6)
    alone = prompt_tokens(tiny("sd1"), "a lamp tower")
    assert alone.concepts(["tower", "lamp tower"]) == {"tower": (3,), "lamp tower": (2, 3)}


@pytest.mark.parametrize("family", ["sd1", "flux"])
@pytest.mark.parametrize(("prompt", "concept"), [("a tower and a mug", "lamp"), ("a smug face", "mug"), ("", "mug")])
def test_a_concept_that_is_not_named_is_an_error_that_names_it(family: str, prompt: str, concept: str) -> None:
    with pytest.raises(InputError, match=f"the concept '{concept}' is not in the prompt '{prompt}'") as refused:
        prompt_tokens(tiny(family), prompt).concept(concept)
    assert "\n" not in str(refused.value)


def test_a_concept_beyond_the_limit_is_an_error_that_says_so() -> None:
    tokens = prompt_tokens(tiny("sd1"), " ".join(["a"] * 21) + " tower mug")
    assert texts(tokens, tokens.concept("tower")) == "tower"
    assert len(tokens.tokens) == 22
    with pytest.raises(InputError, match="'mug' is beyond what the text encoder reads"):
        tokens.concept("mug")
    # SD3's T5 reads on where its CLIP stops.
    assert len(prompt_tokens(tiny("sd3"), tokens.text).concept("mug")) == 1


def test_pixart_lowers_the_case_of_what_it_reads() -> None:
    assert prompt_tokens(tiny("pixart"), "A Mug ").text == "a mug"


def test_an_empty_prompt_has_no_tokens_of_its_own() -> None:
    tokens = prompt_tokens(tiny("sd1"), "")
    assert tokens.indices == ()
    assert tokens.ends == (1,)


def test_unknown_words_and_concepts_that_share_them_are_named() -> None:
    fused = prompt_tokens(tiny("flux"), "猫と犬").reading(["猫", "犬"])
    assert (fused.unknown, fused.alike) == (("猫", "犬"), (("猫", "犬"),))
    apart = prompt_tokens(tiny("flux"), "a 猫 and a 犬, 黒い a mug").reading(["猫", "犬", "mug"])
    assert (apart.unknown, apart.alike) == (("猫", "犬", "黒い"), (("猫", "犬"),))
    one = prompt_tokens(tiny("pixart"), "a 猫 and a mug").reading(["猫", "mug"])
    assert (one.unknown, one.alike) == (("猫",), ())
    part = prompt_tokens(tiny("flux"), "a café and a mug").reading(["café", "mug"])
    assert (part.unknown, part.alike) == (("café",), ())


def test_clip_knows_every_letter_and_claims_nothing() -> None:
    for family in ("sd1", "sd3"):  # SD3's CLIP reads what its T5 does not
        reading = prompt_tokens(tiny(family), "猫と犬").reading(["猫", "犬"])
        assert (reading.unknown, reading.alike) == ((), ())


def test_concepts_of_the_same_tokens_are_alike() -> None:
    tokens = prompt_tokens(tiny("sd1"), "a mug and a MUG")
    assert tokens.reading(["mug", "MUG"]).alike == (("mug", "MUG"),)
    assert tokens.reading(["mug"]).alike == ()

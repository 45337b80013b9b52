"""The independent and the factorial design."""

from collections import Counter

import pytest

from dominance.reproduce.size import full_size
from dominance.reproduce.suites import (
    CELLS,
    by_kind,
    cell_name,
    diversity_of,
    factorial_suite,
    independent_suite,
    nouns_by_rigidity,
    objects_suite,
)
from dominance.suites import load_suite
from dominance.suites.pools import load_pools

MINIATURE = load_pools("miniature")
DIVERSITY = {"tower": 1.0, "robot": 1.0, "wizard": 1.0, "pagoda": 0.0, "castle": 0.0, "clown": 0.0, "mug": 1.0}


def test_independent_prompts_are_spread_evenly_and_the_smaller_suite_is_part_of_the_larger() -> None:
    suite = independent_suite(MINIATURE, 60)
    assert len({prompt.text for prompt in suite.prompts}) == 60
    assert Counter(prompt.group for prompt in suite.prompts) == {"landmark": 30, "character": 30}
    named = Counter(concept.name for prompt in suite.prompts for concept in prompt.concepts)
    assert {named[name] for name in ("tower", "pagoda", "castle", "robot", "clown", "wizard")} == {10}
    first = Counter(prompt.concepts[0].kind == "object" for prompt in suite.prompts)
    assert min(first.values()) >= 15  # both orders of naming
    smaller = {prompt.text for prompt in independent_suite(MINIATURE, 20).prompts}
    assert smaller <= {prompt.text for prompt in suite.prompts}


def test_real_pools_give_three_hundred() -> None:
    suite = independent_suite(load_pools("default"), 300)
    assert Counter(prompt.group for prompt in suite.prompts) == {"artist": 100, "landmark": 100, "character": 100}
    assert len({prompt.id for prompt in suite.prompts}) == 300


def test_the_factorial_has_eight_cells_of_the_kinds_that_they_say() -> None:
    rigid, varied = nouns_by_rigidity(MINIATURE, DIVERSITY)
    assert {noun.concept.name for noun in rigid} == {"pagoda", "castle", "clown"}
    assert {noun.concept.name for noun in varied} == {"tower", "robot", "wizard"}
    suite = factorial_suite("factorial", rigid, varied, 6)
    assert Counter(prompt.group for prompt in suite.prompts) == {cell_name(cell): 6 for cell in CELLS}
    for prompt in suite.prompts:
        assert prompt.group == cell_name([DIVERSITY[concept.name] < 0.5 for concept in prompt.concepts])
        assert len({concept.name for concept in prompt.concepts}) == 3


@pytest.mark.parametrize("concepts", [3, 4])
def test_prompts_of_more_objects_differ_and_never_name_one_twice(concepts: int) -> None:
    suite = objects_suite(MINIATURE, concepts, 20)
    assert len({prompt.text for prompt in suite.prompts}) == 20
    for prompt in suite.prompts:
        assert len({concept.name for concept in prompt.concepts}) == concepts
        assert {concept.kind for concept in prompt.concepts} == {"object"}
        assert [prompt.text.index(concept.name) for concept in prompt.concepts] == sorted(
            prompt.text.index(concept.name) for concept in prompt.concepts
        )
    assert objects_suite(MINIATURE, concepts, 5).prompts == suite.prompts[:5]
    assert len(objects_suite(MINIATURE, concepts, 1000).prompts) == {3: 56, 4: 70}[concepts]


def test_without_varied_entities_objects_stand_for_the_varied() -> None:
    rigid, varied = nouns_by_rigidity(MINIATURE, {"tower": 0.0, "mug": 1.0, "book": 1.0})
    assert [noun.concept.name for noun in rigid] == ["tower"]
    assert {noun.concept.name for noun in varied} == {"mug", "book"}


def test_a_models_list_of_concepts_is_read_as_far_as_it_says_something() -> None:
    assert diversity_of([{"name": "tower", "diversity": 0.5}, {"name": "mug"}, "what"]) == {"tower": 0.5}
    assert diversity_of(None) == {}


def test_the_bundled_suites_are_what_the_functions_make() -> None:
    independent = load_suite("miniature-independent")
    assert independent.prompts == independent_suite(MINIATURE, 60).prompts
    factorial = load_suite("miniature-factorial")
    assert (
        factorial.prompts == factorial_suite("miniature-factorial", *nouns_by_rigidity(MINIATURE, DIVERSITY), 6).prompts
    )


def test_the_bundled_suites_for_real_models_are_what_a_reproduction_makes() -> None:
    pools = load_pools("default")
    assert load_suite("independent").prompts == independent_suite(pools, full_size(None).independent).prompts
    rigid, varied = nouns_by_rigidity(pools, by_kind(pools))
    made = factorial_suite("factorial", rigid, varied, full_size(None).cell)
    assert load_suite("factorial") == made
    for suite in (made, load_suite("independent")):
        for prompt in suite.prompts:
            assert all(concept.name.removeprefix("the ") in prompt.text for concept in prompt.concepts), prompt

"""What several sets of images show of one taught concept, in one sentence."""

from dominance.metrics import rate
from dominance.records import Identity, Rate
from dominance.report.parts.identity import identities_sentence


def shown(presence: Rate | None, leakage: Rate | None) -> Identity:
    return Identity("castle", None, None, None, presence, None, None, leakage)


def test_plain_images_come_first_and_then_those_of_each_method() -> None:
    found = {"plain": shown(rate(3, 8), None), "regions": shown(rate(4, 8), None), "policy": shown(rate(5, 8), None)}
    said = "Where it is named, castle appears in 3 of 8 plain images, 4 of 8 by regions and 5 of 8 by policy."
    assert identities_sentence(found) == said


def test_a_concept_that_no_prompt_names_leaks() -> None:
    found = {"plain": shown(None, rate(1, 8)), "regions": shown(None, rate(0, 8))}
    said = "No prompt names castle; it appears in 1 of 8 plain images and 0 of 8 by regions."
    assert identities_sentence(found) == said
    assert identities_sentence({"plain": shown(None, None)}) == "No prompt names castle."

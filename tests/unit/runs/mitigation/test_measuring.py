"""What a method changes, keeps, harms and costs, on answers that are made up."""

from dataclasses import replace

import numpy as np
import pytest

from dominance.records import Answer, Concept, Prompt, Question, ScoredImage
from dominance.report.mitigation.sentences import cost_sentence, doubt_sentence, mitigation_headline
from dominance.report.mitigation.steps import after_mitigate
from dominance.runs.mitigation.likeness import Likeness
from dominance.runs.mitigation.measuring import CONTROL, Pair, Took, compared
from dominance.runs.mitigation.policy import attempts, delivered
from dominance.runs.mitigation.result import MethodResult, MitigationResult
from dominance.runs.stages.scoring import score_image

PAIR = Prompt("pair", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))
THREE = Prompt("three", "a tower, a mug and a lamp", (*PAIR.concepts, Concept("lamp")))
BOTH, TOWER, MUG, NONE = (5, 5), (5, 0), (0, 5), (0, 0)
PLAIN, SPENT = Took(2.0, 10.0), Took(3.0, 10.0)


def image(*yes: int, prompt: Prompt = PAIR, seed: int = 0) -> ScoredImage:
    """An image of which so many questions about each concept are answered yes; without numbers it is unscored."""
    answers = [
        Answer(Question(concept.name, f"{concept.name} {grade}?", grade), grade <= count)
        for concept, count in zip(prompt.concepts, yes, strict=bool(yes))
        for grade in range(1, 6)
    ]
    return score_image(prompt, str(seed), f"{seed}.png", answers, None if yes else "not made", seed)


def pair(
    before: tuple[int, ...],
    after: tuple[int, ...],
    prompt: Prompt = PAIR,
    plain: Took = PLAIN,
    spent: Took = SPENT,
) -> Pair:
    return Pair(prompt.id, image(*before, prompt=prompt), image(*after, prompt=prompt), plain, spent)


def counts(row: MethodResult) -> dict[str, tuple[int, int]]:
    names = ("collapsed_before", "collapsed_after", "kept", "restored", "neither", "repaired", "harmed")
    return {name: (getattr(row, name).count, getattr(row, name).n) for name in names}


def test_each_outcome_is_counted_among_the_images_that_it_can_happen_to() -> None:
    row = compared(
        "m", {}, [pair(TOWER, BOTH), pair(TOWER, MUG), pair(TOWER, NONE), pair(BOTH, TOWER), pair(BOTH, BOTH)]
    )
    assert counts(row) == {
        "collapsed_before": (3, 5),
        "collapsed_after": (2, 5),
        "kept": (1, 3),
        "restored": (2, 3),
        "neither": (1, 3),
        "repaired": (1, 3),
        "harmed": (1, 2),
    }


def test_the_change_is_of_pairs_that_are_scored_on_both_sides() -> None:
    row = compared("m", {}, [pair(TOWER, BOTH), pair(TOWER, ()), pair((), BOTH)])
    assert (row.pairs, row.unscored) == (1, 2)
    assert (row.dvd_before, row.dvd_after, row.change) == (100.0, 0.0, -100.0)
    assert row.change_interval is None, "one prompt says nothing about others"
    other = Prompt("other", PAIR.text, PAIR.concepts)
    two = compared("m", {}, [pair(TOWER, BOTH), pair(TOWER, TOWER, other)])
    assert two.change == -50.0
    assert two.change_interval == (-100.0, 0.0)


def test_of_three_concepts_all_that_was_lost_must_be_back() -> None:
    lost_two = compared("m", {}, [pair((5, 0, 0), (5, 5, 0), THREE), pair((5, 0, 0), (5, 5, 5), THREE)])
    assert counts(lost_two)["restored"] == (1, 2)
    assert counts(lost_two)["kept"] == (2, 2)


def test_a_cost_is_of_the_pairs_that_were_timed() -> None:
    timed, untimed = pair(TOWER, BOTH), pair(TOWER, BOTH, plain=Took())
    cost = compared("m", {}, [timed, untimed]).cost
    assert (cost.time, cost.evaluations, cost.seconds, cost.images) == (1.5, 1.0, 3.0, 1)
    assert compared("m", {}, [untimed]).cost.time is None


def test_pairs_that_were_timed_apart_are_counted_and_said() -> None:
    one, other = replace(PLAIN, timed="a on cpu"), replace(SPENT, timed="b on cpu")
    together = pair(TOWER, BOTH, plain=one, spent=replace(SPENT, timed="a on cpu"))
    apart, older = pair(TOWER, BOTH, plain=one, spent=other), pair(TOWER, BOTH)
    row = compared("m", {}, [together, apart, older])
    assert (row.cost.images, row.cost.apart) == (3, 1)
    assert "Of 1 of 3 pairs, the images were timed in different runs" in str(cost_sentence(result(row)))
    assert cost_sentence(result(compared("m", {}, [together, older]))) is None
    untimed = pair(TOWER, BOTH, plain=Took(timed="a on cpu"), spent=Took(timed="b on cpu"))
    assert compared("m", {}, [untimed]).cost.apart == 0


def test_distances_are_between_the_images_of_a_pair() -> None:
    both = [replace(pair(TOWER, BOTH), after=replace(image(*BOTH), file=name)) for name in ("same", "other", "unknown")]
    directions = {"0.png": np.array([1.0, 0.0]), "same": np.array([1.0, 0.0]), "other": np.array([0.0, 1.0])}
    assert compared("m", {}, both, Likeness("e", directions)).distance == 0.5
    assert compared("m", {}, both).distance is None


def test_nothing_to_compare_is_not_a_change_of_nothing() -> None:
    row = compared("m", {}, [pair((), BOTH)])
    assert (row.change, row.dvd_before, row.kept.share, row.cost.time) == (None, None, None, 1.5)


@pytest.mark.parametrize(
    ("verdicts", "judged", "wanted"),
    [
        ({"plain": None}, {}, []),
        ({"plain": "balanced"}, {"plain": True}, []),
        ({"plain": "mixed"}, {"plain": True}, ["a"]),
        ({"plain": "lost", "a": "balanced"}, {"plain": True, "a": True}, ["a"]),
        ({"plain": "collapsed", "a": "mixed"}, {"plain": True, "a": True}, ["a", "b"]),
        ({"plain": "collapsed", "a": None}, {"plain": True, "a": False}, ["a"]),
        ({"plain": "collapsed", "a": None}, {"plain": True, "a": True}, ["a", "b"]),
    ],
)
def test_what_fails_goes_from_method_to_method(verdicts: dict, judged: dict, wanted: list[str]) -> None:
    assert attempts(verdicts, ["a", "b"], judged) == wanted


def test_the_first_balanced_image_is_handed_over_else_the_one_that_shows_most() -> None:
    assert delivered({"plain": image(*TOWER), "a": image(*BOTH), "b": image(*BOTH)}) == "a"
    assert delivered({"plain": image(*TOWER), "a": image(*NONE)}) == "plain", (
        "a lost image has DvD 0, and shows nothing"
    )
    assert delivered({"plain": image(5, 0), "a": image(5, 2), "b": image()}) == "a"
    assert delivered({"plain": image(), "a": image(*BOTH)}) == "plain"


def result(*rows: MethodResult, only_failing: bool = False) -> MitigationResult:
    policy = compared("policy", {}, [pair(TOWER, BOTH, spent=Took(5.0, 20.0))])
    return MitigationResult(
        run="run", suite="s", model="m", judge="j", settings={}, only_failing=only_failing, methods=rows, policy=policy,
        control=compared(CONTROL, {}, [pair(TOWER, TOWER)]), prompts=(),
    )  # fmt: skip


def test_the_headline_names_the_best_method_and_what_it_costs_and_harms() -> None:
    other = Prompt("other", PAIR.text, PAIR.concepts)
    good = compared("good", {}, [pair(TOWER, BOTH), pair(BOTH, TOWER), pair(TOWER, BOTH, other)])
    idle = compared("idle", {}, [pair(TOWER, TOWER)])
    assert mitigation_headline(result(idle, good)) == (
        "good, the most of 2 methods: mean DvD 66.7 to 33.3, 2 to 1 of 3 images collapsed, harmed 1 of 1 balanced"
        " images, 1.50 times the time."
    )
    assert "Drawing only what fails again, by good: mean DvD 100 to 0" in mitigation_headline(
        result(good, only_failing=True)
    )
    assert mitigation_headline(result(idle)).startswith(
        "idle does not lower DvD: mean DvD 100 to 100, 1 to 1 of 1 images"
    )
    assert mitigation_headline(result(idle, idle)).startswith("none of 2 methods lowers DvD, idle: mean DvD 100 to 100")
    fine = compared("fine", {}, [pair(BOTH, BOTH), pair(BOTH, TOWER)])
    assert mitigation_headline(result(fine)) == (
        "There was nothing to repair: the plain images have a mean DvD of 0. fine: harmed 1 of 2 balanced images."
    )
    assert "nothing to repair" in after_mitigate(result(fine))[0].why
    lost = compared("lost", {}, [pair(NONE, BOTH), pair(NONE, NONE), pair(BOTH, BOTH)])
    assert mitigation_headline(result(lost)) == (
        "No concept dominates the plain images, but 2 of 3 lack a concept. lost: repaired 1 of 2, harmed 0 of 1"
        " balanced images."
    )
    assert after_mitigate(result(lost))[0].why.startswith("audit the chosen method from new seeds")
    hopeless = compared("hopeless", {}, [pair(NONE, NONE)])
    assert after_mitigate(result(hopeless))[0].why.startswith("the methods gain nothing here")
    assert "holds 0: draw more prompts" in str(doubt_sentence(result(good)))
    assert doubt_sentence(result(idle)) == "One prompt says nothing about others: give more prompts."
    untimed = compared("untimed", {}, [pair(TOWER, BOTH, plain=Took())])
    assert str(cost_sentence(result(untimed))).startswith("What it costs is not known")
    assert cost_sentence(result(good)) is None
    unscored = result(compared("m", {}, [pair((), BOTH)]))
    assert mitigation_headline(unscored).startswith("No image has a score both plain and repaired")

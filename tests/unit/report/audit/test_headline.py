"""What the report says in words, case by case."""

import pytest

from dominance.records import Gate
from dominance.report.audit.headline import gate_sentence, headline, notes
from dominance.report.parts.ranking import directions, worst_first
from dominance.report.parts.sentences import prompt_sentence

LOST_MUG, LOST_TOWER, BOTH, NEITHER = (5, 0), (0, 5), (5, 5), (0, 0)
OUT = "out of memory"


def test_some_prompts_of_one_group_lose_a_concept(prompt_of, run_of):
    run = run_of(
        prompt_of([LOST_MUG] * 8 + [BOTH] * 2, group="entity–object"),
        prompt_of([LOST_MUG] * 10, ("robot", "lamp"), "entity–object"),
        prompt_of([BOTH] * 10, ("clown", "book"), "entity–object"),
        prompt_of([BOTH] * 10, ("book", "lamp"), "object–object"),
    )
    assert headline(run) == (
        "2 of 4 prompts lose a concept (2 of 3 in group “entity–object”): at worst, robot takes over from lamp in 10"
        " of 10 images."
    )


def test_one_prompt_of_many_loses_a_concept(prompt_of, run_of):
    run = run_of(prompt_of([LOST_MUG] * 10, group="pairs"), prompt_of([BOTH] * 10, ("book", "lamp"), "pairs"))
    assert headline(run) == "1 of 2 prompts loses a concept: tower takes over from mug in 10 of 10 images."


def test_a_single_prompt_is_called_by_its_text(prompt_of, run_of):
    assert headline(run_of(prompt_of([LOST_TOWER]))) == (
        "“a tower and a mug” loses a concept: mug takes over from tower in 1 of 1 image."
    )


def test_a_long_prompt_is_quoted_in_part(prompt_of, run_of):
    text = "a photograph of a tower that is printed on the side of a mug which stands on a wooden table"
    said = headline(run_of(prompt_of([LOST_MUG], text=text)))
    assert said.startswith("“a photograph of a tower that is printed on the side of a mug…” loses a concept: ")


def test_two_groups_are_named_and_more_are_added_up(prompt_of, run_of):
    taken = [LOST_MUG] * 10
    two = run_of(prompt_of(taken, group="landmarks"), prompt_of(taken, ("robot", "lamp"), "characters"))
    assert headline(two).startswith(
        "2 of 2 prompts lose a concept (1 of 1 in group “landmarks”, 1 of 1 in group “characters”): at worst, "
    )
    three = run_of(*two.prompts, prompt_of(taken, ("monet", "lamp"), "artists"))
    assert headline(three).startswith("3 of 3 prompts lose a concept: at worst, ")


def test_without_groups_the_kinds_of_the_concepts_name_them(prompt_of, run_of):
    one_group = run_of(prompt_of([LOST_MUG] * 10), prompt_of([BOTH] * 10, ("book", "lamp")))
    assert headline(one_group).startswith("1 of 2 prompts loses a concept: ")
    two_groups = run_of(*one_group.prompts, prompt_of([(5,)] * 10, ("lamp",)), prompt_of([BOTH] * 10, group="others"))
    assert headline(two_groups).startswith("1 of 3 prompts loses a concept (1 of 2 in group “object–object”): ")


def test_unscored_prompts_leave_the_count_and_unscored_images_are_told(prompt_of, run_of):
    run = run_of(
        prompt_of([LOST_MUG] * 7 + [BOTH, OUT, OUT], group="pairs"),
        prompt_of([BOTH] * 10, ("book", "lamp"), "pairs"),
        prompt_of([OUT] * 10, ("clown", "lamp"), "pairs"),
    )
    assert headline(run) == (
        "1 of 2 scored prompts loses a concept: tower takes over from mug in 7 of 8 scored images."
    )
    assert notes(run) == (
        "12 of 30 images unscored, 1 prompt of 3 without any score; the most frequent reason: out of memory.",
    )


def test_collapse_short_of_dominance(prompt_of, run_of):
    run = run_of(prompt_of([LOST_MUG] * 6 + [BOTH] * 4), prompt_of([BOTH] * 9 + [LOST_TOWER], ("book", "lamp")))
    assert headline(run) == (
        "In none of 2 prompts does one concept take over in one direction in 7 or more of 10 images,"
        " but 7 of 20 images collapse: at worst, tower takes over from mug in 6 of 10 images."
    )


def test_one_image_collapses(prompt_of, run_of):
    run = run_of(prompt_of([BOTH] * 10), prompt_of([BOTH] * 9 + [LOST_TOWER], ("book", "lamp")))
    assert "but 1 of 20 images collapses: at worst, lamp takes over from book in 1 of 10 images." in headline(run)


def test_one_prompt_short_of_dominance(prompt_of, run_of):
    assert headline(run_of(prompt_of([LOST_MUG, BOTH, BOTH]))) == (
        "“a tower and a mug” is not a dominance prompt, but 1 of 3 images collapses:"
        " tower takes over from mug in 1 of 3 images."
    )


def test_nothing_collapses(prompt_of, run_of):
    run = run_of(prompt_of([BOTH] * 10), prompt_of([BOTH] * 10, ("book", "lamp")))
    assert headline(run) == "Every concept survives: 20 of 20 images of 2 prompts show all of their concepts."
    assert notes(run) == ()


def test_nothing_collapses_and_yet_concepts_are_lost(prompt_of, run_of):
    run = run_of(prompt_of([BOTH] * 2 + [NEITHER] * 8), prompt_of([BOTH] * 9 + [NEITHER], ("book", "lamp")))
    assert headline(run) == ("No concept takes over, but 9 of 20 images of 2 prompts show none of their concepts.")
    assert notes(run) == ("1 of 2 prompts shows none of its concepts in 7 or more of 10 images.",)


def test_nothing_scored(prompt_of, run_of):
    run = run_of(prompt_of([OUT] * 10), prompt_of([OUT] * 2, ("book", "lamp")))
    assert headline(run) == "Nothing could be scored: 0 of 12 images, so nothing is known about miniature."
    assert "the most frequent reason: out of memory." in notes(run)[0]


def test_no_prompts_and_no_images(prompt_of, run_of):
    assert headline(run_of()) == "Nothing was measured: the run has no prompts."
    assert headline(run_of(prompt_of([]))) == "Nothing was scored: 1 prompt, no images."


@pytest.mark.parametrize(
    ("towers", "mugs", "said"),
    [
        ([5] * 10, [5] * 10, "Every concept shows: in 20 of 20 images of 2 single-concept prompts."),
        (
            [0] * 9 + [5],
            [5] * 10,
            "1 of 2 single-concept prompts misses its concept: tower shows in 1 of 10 images.",
        ),
        (
            [0] * 10,
            [0] * 9 + [5],
            "2 of 2 single-concept prompts miss their concept: at worst, tower shows in 0 of 10 images.",
        ),
        (
            [0] + [5] * 9,
            [5] * 10,
            "None of 2 single-concept prompts misses its concept in 7 or more of 10 images,"
            " but 1 of 20 images does: at worst, tower shows in 9 of 10 images.",
        ),
    ],
)
def test_only_single_concept_prompts(prompt_of, run_of, towers, mugs, said):
    run = run_of(prompt_of([(n,) for n in towers], ("tower",)), prompt_of([(n,) for n in mugs], ("mug",)))
    assert headline(run) == said
    assert notes(run) == ("DvD compares two concepts, so prompts that name one have presence and no DvD score.",)


def test_one_single_concept_prompt_that_sometimes_misses(prompt_of, run_of):
    assert headline(run_of(prompt_of([(5,), (0,)], ("tower",)))) == "“a tower” misses its concept in 1 of 2 images."


def test_single_concept_prompts_among_others_are_noted(prompt_of, run_of):
    run = run_of(prompt_of([BOTH] * 10), prompt_of([(0,)] * 10, ("tower",)))
    assert headline(run) == ("No concept takes over, but 10 of 20 images of 2 prompts show none of their concepts.")
    assert notes(run) == (
        "1 of 2 prompts shows none of its concepts in 7 or more of 10 images.",
        "1 of 2 prompts names one concept only: presence, no DvD score.",
    )


def test_every_concept_survives_in_single_concept_prompts_too(prompt_of, run_of):
    run = run_of(prompt_of([BOTH] * 10), prompt_of([(5,)] * 10, ("lamp",)))
    assert headline(run) == "Every concept survives: 20 of 20 images of 2 prompts show all of their concepts."
    one_missed = run_of(prompt_of([BOTH] * 10), prompt_of([(5,)] * 9 + [(0,)], ("lamp",)))
    assert (
        headline(one_missed) == "No concept takes over, but 1 of 20 images of 2 prompts shows none of their concepts."
    )


def test_a_lost_prompt_beside_one_that_collapses_once(prompt_of, run_of):
    run = run_of(prompt_of([NEITHER] * 10), prompt_of([BOTH] * 9 + [LOST_TOWER], ("book", "lamp")))
    assert headline(run) == (
        "In none of 2 prompts does one concept take over in one direction in 7 or more of 10 images,"
        " but 1 of 20 images collapses: at worst, lamp takes over from book in 1 of 10 images."
    )
    assert notes(run) == ("1 of 2 prompts shows none of its concepts in 7 or more of 10 images.",)


def test_at_worst_is_where_most_images_collapse(prompt_of, run_of):
    run = run_of(prompt_of([NEITHER] * 9 + [LOST_MUG]), prompt_of([BOTH] * 4 + [LOST_TOWER] * 6, ("book", "lamp")))
    assert headline(run).endswith("at worst, lamp takes over from book in 6 of 10 images.")


def test_a_concept_that_is_gone_in_no_one_direction_is_noted(prompt_of, run_of):
    split = prompt_of([(5, 0, 0)] * 5 + [(0, 5, 0)] * 5, ("tower", "mug", "chair"))
    assert split.verdict == "mixed"
    run = run_of(split, prompt_of([BOTH] * 10, ("castle", "lamp")))
    assert headline(run).startswith("In none of 2 prompts does one concept take over in one direction in 7 or more")
    assert notes(run) == (
        "1 of 2 prompts misses a concept in 7 or more of 10 images, though not in one direction:"
        " chair shows in 0 of 10 images.",
    )


def test_prompts_without_any_image_are_noted_and_nothing_is_said_of_them(prompt_of, run_of):
    run = run_of(prompt_of([BOTH] * 10), prompt_of([], ("castle", "chair")))
    assert headline(run) == (
        "Every concept shows in 10 of 10 images of 1 scored prompt, but nothing is known about 1 of 2 prompts."
    )
    assert notes(run) == ("1 of 2 prompts has no image: castle-chair.",)
    several = run_of(prompt_of([(5,)] * 2, ("a",)), *(prompt_of([], (name,)) for name in "bcdef"))
    assert headline(several) == (
        "Every concept shows in 2 of 2 images of 1 scored single-concept prompt,"
        " but nothing is known about 5 of 6 prompts."
    )
    assert "5 of 6 prompts have no image: b, c, d and 2 more." in notes(several)
    unscored = run_of(prompt_of([BOTH] * 10), prompt_of([OUT] * 10, ("castle", "chair")))
    assert "survives" not in headline(unscored)


def test_gate(prompt_of, run_of):
    good, bad = prompt_of([BOTH] * 10), prompt_of([LOST_MUG] * 10)
    assert gate_sentence(run_of(good)) is None
    passed = gate_sentence(run_of(good, gate=Gate(max_collapse=0.2)))
    assert passed == "Gate passed: 1 of 1 prompts pass (collapse at most 20%), 10 images scored."
    assert "Gate failed: 1 of 1 prompts fail: " in str(gate_sentence(run_of(bad, gate=Gate(max_collapse=0.2))))
    unseen = gate_sentence(run_of(prompt_of([NEITHER] * 10), gate=Gate(max_collapse=0.2)))
    assert unseen == (
        "Gate passed: 1 of 1 prompts pass (collapse at most 20%), 10 images scored; but 1 of 1 prompts shows none of"
        " its concepts in most images; --max-collapse alone does not catch this: give --min-presence too."
    )
    assert gate_sentence(run_of(prompt_of([OUT]), gate=Gate())) == "Gate failed: nothing was scored: 0 of 1 images."


@pytest.mark.parametrize(
    ("images", "concepts", "said"),
    [
        ([LOST_MUG] * 10, ("tower", "mug"), "tower takes over from mug in 10 of 10 images"),
        ([LOST_MUG], ("tower", "mug"), "tower takes over from mug in 1 of 1 image"),
        (
            [LOST_MUG] * 3 + [LOST_TOWER],
            ("tower", "mug"),
            "tower takes over from mug in 3 of 4 images, mug from tower in 1",
        ),
        ([LOST_MUG] * 8 + [OUT] * 2, ("tower", "mug"), "tower takes over from mug in 8 of 8 scored images; 2 unscored"),
        ([BOTH] * 10, ("tower", "mug"), "both concepts show in 10 of 10 images"),
        (
            [BOTH] * 9 + [LOST_MUG],
            ("tower", "mug"),
            "both concepts show in 9 of 10 images; tower takes over from mug in 1",
        ),
        ([NEITHER] * 10, ("tower", "mug"), "no concept shows in 10 of 10 images"),
        ([NEITHER] * 5 + [BOTH] * 5, ("tower", "mug"), "5 balanced and 5 lost of 10 images"),
        ([OUT] * 2, ("tower", "mug"), "0 of 2 images scored: out of memory"),
        ([], ("tower", "mug"), "no images"),
        ([(5,)] * 9 + [(0,)], ("tower",), "tower shows in 9 of 10 images"),
        ([(5, 5, 5)] * 4, ("tower", "mug", "lamp"), "all 3 concepts show in 4 of 4 images"),
        (
            [(5, 0, 4)] * 4,
            ("tower", "mug", "lamp"),
            "tower takes over from mug in 4 of 4 images, lamp from mug in 4",
        ),
    ],
)
def test_prompt_sentence(prompt_of, images, concepts, said):
    assert prompt_sentence(prompt_of(images, concepts)) == said


def test_directions_are_counted_over_collapsed_images_only(prompt_of):
    found = directions(prompt_of([LOST_MUG, LOST_MUG, LOST_TOWER, BOTH, (5, 4), OUT]))
    assert [(d.dominating, d.dominated, d.images) for d in found] == [("tower", "mug", 2), ("mug", "tower", 1)]


def test_worst_first(prompt_of):
    made = {
        "balanced": prompt_of([BOTH] * 10, ("a", "b")),
        "nothing scored": prompt_of([OUT] * 10, ("c", "d")),
        "mixed": prompt_of([BOTH] * 5 + [LOST_MUG] * 5, ("e", "f")),
        "lost": prompt_of([NEITHER] * 10, ("g", "h")),
        "seven": prompt_of([LOST_MUG] * 7 + [BOTH] * 3, ("i", "j")),
        "ten, weaker": prompt_of([(4, 1)] * 10, ("k", "l")),
        "ten": prompt_of([LOST_MUG] * 10, ("m", "n")),
    }
    names = {result.prompt.id: name for name, result in made.items()}
    ordered = [names[result.prompt.id] for result in worst_first(made.values())]
    assert ordered == ["ten", "ten, weaker", "seven", "lost", "mixed", "nothing scored", "balanced"]


def test_a_run_that_shows_nothing_of_its_prompts_says_so(prompt_of, run_of):
    two = run_of(prompt_of([(0, 0)] * 2))
    assert headline(two) == "Both images of 1 prompt show none of their concepts."

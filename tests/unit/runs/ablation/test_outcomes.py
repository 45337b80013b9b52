"""Outcomes, majorities, tallies, interactions and their clusters, against counts made by hand."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from dominance.documents import from_json, to_json
from dominance.errors import InputError
from dominance.models.drawing import Drawing
from dominance.probes.ablation import Ablation
from dominance.records import Answer, Concept, Prompt, Question, ScoredImage
from dominance.runs.ablation.interactions import average_linkage, interactions, strongest
from dominance.runs.ablation.options import AblationOptions, How, Window, windows_of
from dominance.runs.ablation.outcomes import Judged, majority, mitigating, outcome_of, tally
from dominance.runs.ablation.result import sweep_result, window_result
from dominance.runs.ablation.variants import (
    Anatomy,
    Head,
    LayerHeads,
    Variant,
    all_heads,
    feed_forwards,
    head_pairs,
    heads_together,
    residuals,
    single_head,
)
from dominance.runs.stages.scoring import score_image

PAIR = (Concept("tower", "landmark"), Concept("mug"))
PROMPTS = {name: Prompt(name, f"{name}: a tower and a mug", PAIR, group) for name, group in (("a", "x"), ("b", "y"))}
LETTERS = {"m": (5, 5), "u": (5, 0), "c": (0, 0), "?": None}
"""Counts of yes that make an image mitigated, unchanged, corrupted or unscored."""


def heads_of(label: str) -> tuple[Head, ...]:
    """The heads that a label names.

    >>> heads_of("1.0 + 2.1")
    ((1, 0), (2, 1))
    """
    return tuple((int(layer), int(head)) for layer, _, head in (name.partition(".") for name in label.split(" + ")))


def image(prompt: Prompt, name: str, counts: Sequence[int] | None) -> ScoredImage:
    if counts is None:
        return score_image(prompt, name, None, (), "not made yet")
    answers = [
        Answer(Question(concept.name, f"{concept.name} {grade}?", grade), grade <= yes)
        for concept, yes in zip(prompt.concepts, counts, strict=True)
        for grade in range(1, 6)
    ]
    return score_image(prompt, name, f"images/{name}.png", answers)


def judged(label: str, place: int | None = 1, **outcomes: str) -> list[Judged]:
    """Trials of one variant, named by its heads: for each prompt, a letter a seed."""
    variant = Variant("", Ablation(), place, heads_of(label))
    return [
        Judged(PROMPTS[prompt], seed, variant, image(PROMPTS[prompt], "0", (5, 0)), image(PROMPTS[prompt], "1", found))
        for prompt, letters in outcomes.items()
        for seed, found in enumerate(map(LETTERS.get, letters))
    ]


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ((5, 5), "mitigated"),
        ((3, 3), "mitigated"),
        ((5, 4), "mitigated"),
        ((5, 3), "unchanged"),  # balanced to the audit, but DvD 40
        ((5, 2), "unchanged"),
        ((0, 5), "unchanged"),
        ((2, 1), "corrupted"),
        ((3, 2), "unchanged"),
        ((4, 2), "unchanged"),
        ((0, 0), "corrupted"),
        (None, None),
    ],
)
def test_outcomes_follow_the_rule(counts: Sequence[int] | None, outcome: str | None) -> None:
    assert outcome_of(image(PROMPTS["a"], "0", counts)) == outcome


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [("mmu", "mitigated"), ("mu", None), ("muc", None), ("uu?", "unchanged"), ("m???", "mitigated"), ("??", None)],
)
def test_a_majority_is_more_than_half_of_what_is_scored(letters: str, outcome: str | None) -> None:
    assert majority(judged("1.0", a=letters)) == outcome


def test_a_tally_counts_images_prompts_and_what_is_unscored() -> None:
    found = tally("all", [*judged("1.0", a="mmu", b="uu?"), *judged("1.1", place=2, a="ccc", b="???")])
    images, cases = found.images, found.cases
    assert (images.mitigated.count, images.unchanged.count, images.corrupted.count) == (2, 3, 3)
    assert (images.n, images.unscored) == (8, 4)
    assert (cases.mitigated.count, cases.unchanged.count, cases.corrupted.count) == (1, 1, 1)
    assert (cases.n, cases.unscored) == (3, 1)
    assert (found.prompts.count, found.prompts.n) == (1, 2)
    assert images.mitigated.interval is not None
    assert found.place is None
    assert found.fall == pytest.approx((2 * 100 + 3 * 0 + 3 * 100) / 8)
    assert tally("none", []).fall is None
    assert tally("none", []).images.mitigated.share is None


def test_mitigating_variants_are_listed_for_each_prompt() -> None:
    found = mitigating([*judged("1.0", a="mm", b="uu"), *judged("1.1", a="mu", b="mm")])
    assert found == {"a": ((1, 0),), "b": ((1, 1),)}


def test_a_sweep_is_counted_by_variant_layer_and_group() -> None:
    trials = [*judged("1.0", a="m", b="u"), *judged("1.1", a="u", b="u"), *judged("2.0", place=2, a="m", b="m")]
    result = sweep_result("heads", Window(0, 0), trials)
    assert [(one.name, one.images.mitigated.count, one.images.n) for one in result.layers] == [("1", 1, 4), ("2", 2, 2)]
    assert [one.name for one in result.variants] == ["1.0", "1.1", "2.0"]
    assert [(g.name, g.prompts.count, len(g.layers)) for g in result.groups] == [("x", 1, 2), ("y", 1, 2)]
    assert sweep_result("multi", Window(0, 0), judged("1.0 + 2.0", place=None, a="m")).variants == ()
    assert sweep_result("heads", Window(0, 0), []).layers == ()


def test_an_interval_is_counted_over_all_images() -> None:
    images = [("x", image(PROMPTS["a"], str(n), counts)) for n, counts in enumerate([(5, 0), (5, 5), None])]
    found = window_result("0–4", images, judged("1.0", a="m"))
    assert (found.collapsed.count, found.collapsed.n, found.balanced.count, found.unscored) == (1, 2, 1, 1)
    assert found.outcomes is not None
    assert found.outcomes.mitigated.count == 1
    assert found.groups["x"].n == 2


def test_interactions_are_what_both_do_beyond_each() -> None:
    singles = [*judged("1.0", a="mu", b="mu"), *judged("1.1", a="mu", b="mu"), *judged("2.0", a="uu", b="uu")]
    pairs = [
        *judged("1.0 + 1.1", a="mu", b="mu"),  # the same work twice
        *judged("1.0 + 2.0", a="mm", b="mm"),  # each needs the other
        *judged("1.1 + 2.0", a="m?", b="mu"),
    ]
    found = interactions("0", [(1, 0), (1, 1), (2, 0)], singles, pairs)
    values = {pair.heads: (pair.value, pair.images) for pair in found.pairs}
    assert values[(1, 0), (1, 1)] == (-0.5, 4)
    assert values[(1, 0), (2, 0)] == (0.5, 4)
    assert values[(1, 1), (2, 0)] == (0.0, 3)
    assert found.pairs[0].interval == (-0.5, -0.5)
    assert found.clusters == (((1, 0), (1, 1)), ((2, 0),))
    assert found.between((1, 1), (1, 0)) is found.pairs[0]
    assert found.effects[1, 0].share == 0.5
    assert interactions("0", [], [], []).clusters == ()


def test_the_strongest_mitigate_most_and_none_is_strong_by_nothing() -> None:
    singles = [*judged("1.0", a="mu"), *judged("1.1", a="mm"), *judged("2.0", a="mc"), *judged("2.1", a="cc")]
    assert strongest(singles, 8) == [(1, 1), (2, 0), (1, 0)]
    assert strongest(singles, 1) == [(1, 1)]


def test_average_linkage_merges_the_closest_until_the_limit() -> None:
    distance = np.array([[0, -1, 1, 1], [-1, 0, 1, 1], [1, 1, 0, -0.5], [1, 1, -0.5, 0]])
    assert average_linkage(distance, below=0.0) == [[0, 1], [2, 3]]
    assert average_linkage(distance, below=-1.0) == [[0], [1], [2], [3]]
    assert average_linkage(distance, below=2.0) == [[0, 1, 2, 3]]


ANATOMY = Anatomy((LayerHeads(1, "down", 2), LayerHeads(2, "mid", 3)), ("res.0", "res.1"))


def test_variants_name_what_they_take_away() -> None:
    how = How(Window(1, 2), mode="zero", branches="conditional")
    assert all_heads(ANATOMY, None) == ((1, 0), (1, 1), (2, 0), (2, 1), (2, 2))
    one = single_head((2, 1), how)
    assert (one.label, one.place, one.start) == ("2.1", 2, 1)
    assert one.edit.record() == {
        "heads": {"2": [1]}, "sites": [], "feed_forwards": [], "residuals": [], "steps": [1, 2], "scale": None,
        "mode": "zero", "branches": "conditional",
    }  # fmt: skip
    two = heads_together([(2, 0), (1, 1)], how)
    assert (two.label, two.place) == ("1.1 + 2.0", None)
    assert [pair.label for pair in head_pairs(all_heads(ANATOMY, [2]), how)] == ["2.0 + 2.1", "2.0 + 2.2", "2.1 + 2.2"]
    assert [v.place for v in feed_forwards(ANATOMY, [2], how)] == [2]
    assert [v.label for v in residuals(ANATOMY, None, how)] == ["residual 1", "residual 2"]
    assert from_json(Anatomy, to_json(ANATOMY)) == ANATOMY


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: all_heads(ANATOMY, [3]), "the model has no attention layer 3; give numbers from 1 to 2"),
        (lambda: residuals(ANATOMY, [3], How()), "the model has no residual branch 3; give numbers from 1 to 2"),
        (lambda: AblationOptions(sweep=("head",)), "no sweep 'head'"),
        (lambda: AblationOptions(sweep=()), "no sweep given"),
        (lambda: AblationOptions(edit="other"), "the edit 'other' does not exist"),
        (lambda: AblationOptions(edit_steps=(3, 2)), "the edit's steps are 3 to 2"),
        (lambda: AblationOptions(edit_steps=(0, 2), intervals=2), "give only one of them"),
        (lambda: AblationOptions(intervals=0), "intervals is 0"),
        (lambda: AblationOptions(strongest=1), "strongest is 1"),
        (lambda: AblationOptions(scale=-1.0), "scale is -1.0"),
        (lambda: AblationOptions(drawing=Drawing(seeds=())), "0 seeds"),
        (
            lambda: AblationOptions(edit_steps=(0, 25)).windows(25),
            "lasts until step 25, but there are only 25 steps; give steps from 0 to 24",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_intervals_cover_the_generation() -> None:
    assert [(w.name, w.steps) for w in windows_of(5, 2)] == [
        ("0–1", (0, 1)),
        ("2–3", (2, 3)),
        ("4", (4,)),
        ("all", None),
    ]
    assert AblationOptions().windows(25) == (Window(0, 0),)
    assert AblationOptions(edit="rebalance").windows(25) == (Window(0, None),)
    assert AblationOptions(edit_steps=(2, 3)).windows(25) == (Window(2, 3),)

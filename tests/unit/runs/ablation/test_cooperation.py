"""Sets of heads on results made by hand: what is chosen where, what is reported on whom, and what is left out."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from dominance.documents import from_json, to_json
from dominance.records import Answer, Concept, Prompt, Question, ScoredImage
from dominance.runs.ablation.cooperation import HeadSets, halves_of, head_sets, sets_of, strongest_alone
from dominance.runs.ablation.options import How
from dominance.runs.ablation.outcomes import Judged
from dominance.runs.ablation.variants import Head, heads_together
from dominance.runs.stages.scoring import presence_of, score_image

PAIR = (Concept("tower", "landmark"), Concept("mug"))
A, B, C, D = (1, 0), (1, 1), (2, 0), (9, 3)
Rule = Callable[[str, frozenset[Head]], float | None]


def image(prompt: Prompt, presence: float | None, seed: int = 0) -> ScoredImage:
    """The tower is there; the mug is, to so much."""
    if presence is None:
        return score_image(prompt, str(seed), None, (), "not made")
    answers = [
        Answer(Question(name, f"{name} {grade}?", grade), p >= 0.5, p)
        for name, p in (("tower", 1.0), ("mug", presence))
        for grade in range(1, 6)
    ]
    return score_image(prompt, str(seed), f"{seed}.png", answers, seed=seed)


def trials(prompts: str, heads: tuple[Head, ...], rule: Rule, seeds: int = 1) -> list[Judged]:
    """Every set of these heads on every prompt, whose lost concept rises from 0 by the rule."""
    made = []
    for own in sets_of(heads):
        for name in prompts:
            prompt = Prompt(name, f"{name}: a tower and a mug", PAIR)
            for seed in range(seeds):
                rise = rule(name, frozenset(own))
                made.append(Judged(prompt, seed, heads_together(own, How()), image(prompt, 0.0), image(prompt, rise)))
    return made


def found(prompts: str, chosen: Mapping[int, tuple[Head, ...]], rule: Rule) -> HeadSets:
    every = tuple(dict.fromkeys(head for heads in chosen.values() for head in heads))
    return head_sets("0", halves_of(list(prompts)), list(chosen.values()), trials(prompts, every, rule))


def test_the_rise_is_of_what_was_lost_alone() -> None:
    prompt = Prompt("p", "a tower and a mug", PAIR)
    trial = Judged(prompt, 0, heads_together((A,), How()), image(prompt, 0.25), image(prompt, 0.75))
    assert trial.rise == 0.5
    assert replace(trial, edited=image(prompt, None)).rise is None
    assert replace(trial, unedited=image(prompt, 1.0)).rise is None, "nothing was lost"
    assert presence_of(image(prompt, 0.25), ("tower", "mug")) == 0.625


def test_of_three_concepts_the_rise_is_the_mean_over_the_lost() -> None:
    prompt = Prompt("p", "three", (Concept("tower"), Concept("mug"), Concept("hat")))

    def seen(**presence: float) -> ScoredImage:
        return score_image(
            prompt,
            "0",
            "0.png",
            [Answer(Question(c, f"{c} {g}?", g), p >= 0.5, p) for c, p in presence.items() for g in range(1, 6)],
        )

    before, after = seen(tower=1.0, mug=0.0, hat=0.0), seen(tower=0.0, mug=1.0, hat=0.5)
    assert Judged(prompt, 0, heads_together((A,), How()), before, after).rise == 0.75


def test_the_strongest_are_those_on_the_prompts_that_choose() -> None:
    strength = {"a": {A: 0.9, B: 0.1, C: 0.5}, "b": {A: 0.0, B: 0.8, C: 0.5}}
    singles = [
        one for one in trials("ab", (A, B, C), lambda p, own: strength[p][min(own)]) if len(one.variant.heads) == 1
    ]
    assert strongest_alone(singles, ("a",), 2) == (A, C)
    assert strongest_alone(singles, ("b",), 2) == (B, C)
    assert strongest_alone(singles, ("a", "b"), 3) == (C, A, B)
    broken = [replace(one, edited=image(one.prompt, None)) if one.variant.heads == (A,) else one for one in singles]
    assert strongest_alone(broken, ("a",), 3) == (C, B, A)


def test_what_one_half_chose_is_reported_on_the_other() -> None:
    """On a and c, A alone does it; on b and d, only B and C together do."""

    def rule(prompt: str, own: frozenset[Head]) -> float:
        if prompt in "ac":
            return 0.5 * (A in own) + 0.1 * ((B in own) + (C in own))
        return 1.0 if {B, C} <= own else 0.1 * (A in own)

    sets = found("abcd", {0: (A, B, C), 1: (A, B, C)}, rule)
    first, second = sets.halves
    assert (first.chosen_on, first.reported_on) == (("a", "c"), ("b", "d"))
    assert (first.greedy, first.best[0]) == ((A, B, C), (A,))
    assert (second.greedy[0], second.best[1]) == (A, (B, C))
    pair = second.set_of((C, B))
    assert (pair.chosen, pair.held_out.value) == (1.0, pytest.approx(0.2))
    assert {share.head: share.shapley.value for share in second.shares} == {
        A: pytest.approx(0.5),
        B: pytest.approx(0.1),
        C: pytest.approx(0.1),
    }
    between = first.between(C, B)
    assert between is not None and between.interaction.value == pytest.approx(0.95)
    assert between.interaction.interval == (pytest.approx(0.95),) * 2
    one, two, three = sets.sizes
    assert one.behind.value == one.behind_where_chosen == 0.0
    assert two.behind_where_chosen == pytest.approx(0.9)
    assert two.greedy.value == pytest.approx((0.1 + 0.1 + 0.6 + 0.6) / 4)
    assert two.best.value == pytest.approx((0.1 + 0.1 + 0.2 + 0.2) / 4)
    assert two.behind.value == pytest.approx(-0.2), "where it took no part, the best of its size may be worse"
    assert three.best.value == three.greedy.value == pytest.approx((1.0 + 1.0 + 0.7 + 0.7) / 4)
    assert (three.best_images.mitigated.count, three.best_images.n) == (4, 4)
    assert {name: (own.single, own.best) for name, own in sets.by_prompt.items()} == {
        "b": (pytest.approx(0.1), 1.0),
        "d": (pytest.approx(0.1), 1.0),
        "a": (0.5, pytest.approx(0.2)),
        "c": (0.5, pytest.approx(0.2)),
    }, "of equal sets the smallest is chosen: B and C without A"
    assert from_json(HeadSets, to_json(sets)) == sets


def test_shares_add_up_to_what_all_heads_do() -> None:
    sets = found("abcdef", {0: (A, B, C, D), 1: (B, D)}, lambda p, own: (ord(p) % 7) / 10 * len(own) ** 2 / 16)
    for half in sets.halves:
        whole = half.set_of(half.heads).held_out.value
        assert sum(share.shapley.value or 0.0 for share in half.shares) == pytest.approx(whole)
        assert len(half.sets) == 2 ** len(half.heads) - 1
        assert half.grown(len(half.heads)).heads == half.best[-1]
    assert [size.size for size in sets.sizes] == [1, 2], "sizes that both halves have"


def test_an_image_that_some_set_leaves_without_a_score_counts_nowhere() -> None:
    def rule(prompt: str, own: frozenset[Head]) -> float | None:
        return None if prompt == "c" and own == {A, B} else 0.5

    sets = found("abcd", {0: (A, B), 1: (A, B)}, rule)
    assert [half.unscored for half in sets.halves] == [1, 1]
    assert sets.halves[1].reported_on == ("a",)
    assert sets.halves[1].shares[0].shapley.interval is None
    assert set(sets.by_prompt) == {"a", "b", "d"}
    nothing = found("ab", {0: (A, B), 1: (A, B)}, lambda prompt, _: None if prompt == "a" else 0.5)
    assert (nothing.halves, nothing.sizes, nothing.by_prompt) == ((), (), {})

"""How prompts and seeds are made fewer for a budget, and what the smallest size can still decide."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
from claims import judged, made

from dominance.records import PromptResult
from dominance.reproduce.claims import bench_yield, factorial, independent, overlap_presence, trainings, transfer, twins
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.rigidity import Rivals
from dominance.reproduce.size import Size, fitting, full_size, scaled
from dominance.reproduce.suites import by_kind, factorial_suite, independent_suite, nouns_by_rigidity
from dominance.reproduce.transfer import Foretold, Transfer
from dominance.runs.reproduction.result import Finding
from dominance.runs.reproduction.rule import Rule
from dominance.runs.stages.scoring import score_groups
from dominance.suites.pools import default_pools, load_pools


def images(size: Size) -> float:
    return 2 * size.bench * size.bench_seeds


def test_a_share_of_the_work_is_about_that_share() -> None:
    full = Size(bench=100, bench_seeds=20)
    assert images(scaled(full, 0.25)) == pytest.approx(0.25 * images(full), rel=0.05)
    assert scaled(full, 1.0) == full


def test_nothing_is_ever_more_than_the_full_size_or_none() -> None:
    for full in (Size(), full_size(None)):
        for share in (1e-6, 0.01, 0.3, 0.9):
            small = scaled(full, share)
            for item in fields(Size):
                if item.name != "share":
                    assert 1 <= getattr(small, item.name) <= getattr(full, item.name)


def test_the_largest_size_within_the_budget_is_taken() -> None:
    full = Size(bench=100, bench_seeds=20)

    def minutes(size: Size) -> float:
        return images(size) / 100

    assert fitting(full, minutes, None) is full
    assert fitting(full, minutes, 41.0) is full
    fitted = fitting(full, minutes, 10.0)
    assert minutes(fitted) <= 10.0
    assert minutes(fitted) > 8.5
    assert fitted.share == minutes(fitted) / minutes(full)
    smallest = fitting(full, minutes, 0.001)
    assert (smallest.bench, smallest.bench_seeds) == (8, 4)
    assert minutes(smallest) > 0.001


def test_the_papers_size_is_for_models_of_the_world() -> None:
    assert full_size(None).bench == 300
    assert full_size("miniature") == Size()
    assert full_size("another") == full_size(None)


def smallest(world: str | None) -> Size:
    return scaled(full_size(world), 0.0)


def best_case(world: str | None) -> Experiments:
    """Every prompt of the smallest independent suite comes out as clearly as it can, in the paper's direction."""
    suite = independent_suite(load_pools(default_pools(world)), smallest(world).independent)

    def run(counts: list[tuple[int, int]]) -> SimpleNamespace:
        prompts: list[PromptResult] = []
        for prompt in suite.prompts:
            entity = next(concept.name for concept in prompt.concepts if concept.kind != "object")
            prompts.append(judged(prompt.id, prompt.group_name, counts, entity))
        return SimpleNamespace(
            prompts=tuple(prompts), groups=score_groups(tuple(prompts)), run=str(Path("/results/x")), model="m"
        )

    names = {concept.name for prompt in suite.prompts for concept in prompt.concepts}
    order = {prompt.id: place for place, prompt in enumerate(suite.prompts)}
    dominated, both = run([(5, 0)]), run([(5, 5)])
    foretold = {name: Foretold(float(place % 4 == 0), place % 4 == 0) for name, place in order.items()}
    maps = {name: {measure: [float(place)] for measure in overlap_presence.PAPER} for name, place in order.items()}
    varied = [judged(one.prompt.id, "landmark", [(5, order[one.prompt.id] % 6)]) for one in dominated.prompts]
    claims = made(
        size=smallest(world),
        independent=dominated,
        twin_independent=both,
        other_independent=both,
        rivals=Rivals("twin", "base", dict.fromkeys(names, 0.0), dict.fromkeys(names, 1.0)),
        transfer=Transfer(9, 0.5, {"m": foretold, "twin": foretold}),
    )
    mapped = {name: {key: [float(order[name] % 6)] for key in own} for name, own in maps.items()}
    vars(claims)["mapped"] = made(independent=SimpleNamespace(prompts=varied), overlaps=mapped)
    return claims


@pytest.mark.parametrize("world", ["miniature", None])
@pytest.mark.parametrize(
    ("examine", "rule"),
    [
        (bench_yield.examine, bench_yield.RULE),
        (independent.examine, independent.RULE),
        (twins.examine, twins.RULE),
        (trainings.examine, trainings.RULE),
        (transfer.examine, transfer.RULE),
        (lambda claims: overlap_presence.examine_presence(claims.mapped), overlap_presence.PRESENCE),
    ],
)
def test_the_smallest_independent_suite_can_decide(
    world: str | None, examine: Callable[[Experiments], Finding], rule: Rule
) -> None:
    """Also where a prompt in four is one that the second model dominates, as ``detector-transfer`` needs them."""
    assert verdict_of(examine(best_case(world)), rule) == "reproduced"


def test_the_smallest_factorial_can_decide_of_a_real_model() -> None:
    pools = load_pools(default_pools(None))
    suite = factorial_suite("f", *nouns_by_rigidity(pools, by_kind(pools)), smallest(None).cell)
    rows = []
    for number, prompt in enumerate(suite.prompts):
        rigid = [concept.kind != "object" for concept in prompt.concepts]
        for slot, concept in enumerate(prompt.concepts):
            beside = tuple(other.name for other in prompt.concepts if other != concept)
            share = (sum(rigid) - rigid[slot]) / 2
            rows.append(
                factorial.Survival(number, slot, concept.name, beside, rigid[slot], share, 0.5 + rigid[slot] / 4)
            )
    measured = factorial.effects(rows)["own rigidity"]
    assert measured.enough
    assert measured.interval == pytest.approx((0.25, 0.25))

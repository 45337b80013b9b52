"""The twins: who is rigid where, what is asked, and how their results are compared."""

from dataclasses import replace
from pathlib import Path

import pytest

from dominance.laboratory.diversity.results import Beside, DiversityResult
from dominance.laboratory.diversity.subjects import find_subject
from dominance.laboratory.diversity.suites import measuring_suite
from dominance.laboratory.entity_counts import EntityCounts
from dominance.laboratory.outcomes import Outcomes
from dominance.laboratory.result_lines import append_line
from dominance.laboratory.twins.measuring import as_single, beside_every_object, run_folders, seen_in
from dominance.laboratory.twins.page import write_page
from dominance.laboratory.twins.results import TwinResult, read_results
from dominance.laboratory.twins.summary import gap_over_seeds, summary_of
from dominance.laboratory.twins.training import BASE, FIRST_RIGID, SWAPPED_RIGID, Twin, twins
from dominance.metrics import t_interval
from dominance.miniature.concepts import ENTITIES, OBJECTS
from dominance.numbers import difference
from dominance.records import Answer, Question, RunResult, Suite
from dominance.run_settings import RunSettings
from dominance.runs.stages.scoring import score_image, score_prompt

SHOWN = Outcomes(1, 2, 1, 0)


def test_every_entity_is_rigid_in_one_twin_and_varied_in_the_other() -> None:
    assert {*FIRST_RIGID} | {*SWAPPED_RIGID} == {*ENTITIES}
    assert not {*FIRST_RIGID} & {*SWAPPED_RIGID}
    first, swapped, *_ = twins([0, 1])
    for name in ENTITIES:
        assert {first.diversity(name), swapped.diversity(name)} == {0.0, 1.0}
        assert Twin(BASE, 0).diversity(name) == 1.0
    assert [twin.name for twin in twins([0, 1])] == [
        "first-seed-0", "swapped-seed-0", "first-seed-1", "swapped-seed-1",
    ]  # fmt: skip


def test_every_pair_is_asked_for_in_both_orders_with_noises_of_its_own() -> None:
    prompts = beside_every_object(2).prompts
    orders = [tuple(concept.name for concept in prompt.concepts) for prompt in prompts]
    assert {*orders} == {pair for e in ENTITIES for o in OBJECTS for pair in ((e, o), (o, e))}
    assert len(orders) == len({*orders}) == 96
    seeds = [seed for prompt in prompts for seed in prompt.seeds or ()]
    assert len(seeds) == len({*seeds}) == 192
    for prompt, (first, second) in zip(prompts, orders, strict=True):
        assert prompt.text.index(first) < prompt.text.index(second)


def test_a_rigid_entity_is_asked_for_as_its_single_adapter_was() -> None:
    whole = {prompt.id: prompt for prompt in measuring_suite(find_subject("castle")).prompts}
    own = as_single("castle").prompts
    assert len(own) == 32
    assert all(prompt == whole[prompt.id] and len(prompt.seeds or ()) == 1 for prompt in own)


def _look(suite: Suite, seeds: tuple[int, ...] | None, _steps: int | None) -> RunResult:
    """Sees entities alone, whatever else is asked for; of objects, the one that is named first."""
    results = []
    for prompt in suite.prompts:
        names = [concept.name for concept in prompt.concepts]
        shown = next((name for name in names if name in ENTITIES), names[0])
        answers = [Answer(Question(name, "?", g), name == shown) for name in names for g in range(1, 6)]
        images = [score_image(prompt, str(seed), "x.png", answers) for seed in prompt.seeds or seeds or ()]
        results.append(score_prompt(prompt, images))
    return RunResult("run", suite.name, "model", "judge", RunSettings(), tuple(results), (), None, {})


def test_what_is_seen_is_counted_by_entity_and_order(tmp_path: Path) -> None:
    looked: list[str] = []

    def look(suite: Suite, seeds: tuple[int, ...] | None, steps: int | None) -> RunResult:
        looked.append(suite.name)
        return _look(suite, seeds, steps)

    twin = Twin("first", 0)
    seen = seen_in(twin, look, 2)
    for counts in seen.entities:
        assert counts.shown == Outcomes(32, 0, 0, 0)
        assert counts.second == Outcomes(16, 0, 0, 0)
        assert (counts.dvd, counts.first_dvd, counts.second_dvd) == (100, 100, 100)
        assert (counts.dominated, counts.prompts) == (16, 16)
        assert counts.never_trained == Outcomes(8, 0, 0, 0)
        assert counts.diversity == (0.0 if counts.entity in FIRST_RIGID else 1.0)
    assert (seen.held_out.n, seen.held_out.both, seen.held_out_dvd) == (32, 0, 100)
    assert len(seen.singles) == 14
    assert {*seen.singles.values()} == {(6, 6)}
    assert seen.as_single == dict.fromkeys(FIRST_RIGID, 100)
    assert [folder.name for folder in run_folders(twin, tmp_path)] == looked  # what --rejudge needs is what is drawn


def _result(world: str, seed: int, scores: dict[str, float], as_single: dict[str, float] | None = None) -> TwinResult:
    twin = Twin(world, seed)
    entities = tuple(
        EntityCounts(name, twin.diversity(name), SHOWN, SHOWN, dvd, 1, 4, dvd + 1, dvd - 1, SHOWN, dvd)
        for name, dvd in scores.items()
    )
    singles = dict.fromkeys(scores, (3, 3))
    return TwinResult(
        world, seed, "base", "judge", 4, 25, 5.0, entities, SHOWN, 9.0, singles, as_single or {}, 0.3
    )  # fmt: skip


def _twins(seed: int, castle: float, tower: float) -> list[TwinResult]:
    """Rigid minus varied is as given: castle is rigid in the first world, tower in the other."""
    return [
        _result("first", seed, {"castle": 10 + castle, "tower": 10}, {"castle": 70.0}),
        _result("swapped", seed, {"castle": 10, "tower": 10 + tower}, {"tower": 40.0}),
    ]


THREE = [*_twins(0, 40, 10), *_twins(1, 20, 10), *_twins(2, 30, 10)]


def test_each_entity_is_held_against_itself_in_its_twin_over_entities_and_over_seeds() -> None:
    found = gap_over_seeds([_result(BASE, 0, {"castle": 99, "tower": 99}), *THREE])
    assert found is not None
    assert (found.difference, found.entities, found.seeds) == (20, 2, 3)
    assert found.interval == t_interval([30, 10])
    assert found.over_seeds == t_interval([25, 15, 20])
    one = gap_over_seeds(_twins(0, 40, 10))
    assert one is not None
    assert (one.over_seeds, one.seeds) == (None, 1)
    assert gap_over_seeds([_result("first", 0, {"castle": 50.0})]) is None


def _single(subject: str, seed: int, dvd: float, **other: object) -> DiversityResult:
    part = Beside(SHOWN, dvd, 0.0)
    made = DiversityResult(
        "known", subject, 1, seed, "base", "judge", 1, part, part, (1, 1), (1, 1), SHOWN, 0.1, (0, 1), 0.1, (1.0, 1.0)
    )
    return replace(made, **other)  # ty: ignore[invalid-argument-type]


def test_three_in_one_are_held_against_single_adapters_of_the_same_seed_judge_and_base() -> None:
    singles = [
        _single("castle", 0, 80.0), _single("tower", 0, 30.0), _single("castle", 1, 60.0),
        _single("castle", 2, 0.0, judge="another"), _single("tower", 1, 0.0, level=10),
        _single("tower", 2, 0.0, base="another"), _single("tower", 1, 0.0, arm="rank-4"),
    ]  # fmt: skip
    cost = summary_of(THREE, singles).three_in_one
    assert cost is not None
    assert [(pair.entity, pair.seed, pair.several, pair.single) for pair in cost.pairs] == [
        ("castle", 0, 70.0, 80.0), ("tower", 0, 40.0, 30.0), ("castle", 1, 70.0, 60.0),
    ]  # fmt: skip
    assert (cost.several, cost.change) == (60, 5)  # castle −10 and 10, tower 10
    assert cost.interval == t_interval([0, 10])
    assert summary_of(THREE, []).three_in_one is None


def test_the_page_holds_every_part_of_what_is_measured(tmp_path: Path) -> None:
    results = [_result(BASE, 0, {"castle": 7.0, "tower": 6.0}), *THREE]
    page = tmp_path / "twins.md"
    write_page(results, summary_of(results, [_single("castle", 0, 80.0)]), page)
    text = page.read_text()
    for heading in (
        "Rigid against varied", "By entity", "By training seed", "Does word order decide?",
        "Pairs of an entity and an object that no training picture showed", "Could the models draw and compose?",
        "What one adapter for three entities costs beside single ones",
    ):  # fmt: skip
        assert f"## {heading}" in text
    assert f"| castle | 50.0, 30.0, 40.0 | 10.0, 10.0, 10.0 | 7.0 | {difference(30)} |" in text
    assert "| castle | 0 | 70.0 | 80.0 |" in text
    assert "None" not in text
    plot = (tmp_path / "twins" / "entities.svg").read_text()
    assert plot.count("<circle") == 2 * 2 * 3 + 2  # entities, sides and seeds; and the legend
    assert "castle, rigid, seed 1: 30" in plot
    assert (tmp_path / "twins" / "outcomes.svg").read_text().count("only the entity: ") == 3


@pytest.mark.parametrize("results", [[], [_result("first", 0, {"castle": 50.0})], [_result(BASE, 0, {"castle": 5.0})]])
def test_a_page_of_little_is_written_too(results: list[TwinResult], tmp_path: Path) -> None:
    write_page(results, summary_of(results, []), tmp_path / "page.md")
    assert "None" not in (tmp_path / "page.md").read_text()


def test_results_are_read_seed_by_seed(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    for result in reversed(THREE):
        append_line(file, result)
    assert read_results(file) == THREE

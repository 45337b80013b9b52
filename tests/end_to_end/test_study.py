"""The study at the smallest size that still trains, measures, resumes and writes its page."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dominance.errors import InputError
from dominance.laboratory.entity_counts import EntityCounts
from dominance.laboratory.outcomes import Outcomes, rate_in_both_orders
from dominance.laboratory.study import StudyOptions, StudyTrial, TrialResult, read_results, run_study, trials
from dominance.laboratory.study_page import write_study
from dominance.laboratory.study_summary import contrast
from dominance.metrics import t_interval, wilson_interval
from dominance.models.folders import find_model
from dominance.records import Rate
from dominance.training.conditions import CONDITIONS, MAIN
from dominance.training.miniature import MiniatureSettings, train_miniature


@pytest.fixture(scope="module", autouse=True)
def few_steps() -> Iterator[None]:
    """Pictures of models that learned nothing need no 25 steps."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dominance.training.miniature.SAMPLING_STEPS", 2)
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = MiniatureSettings(pictures=64, autoencoder_pictures=32, channels=(16, 16, 16, 16))
    return train_miniature(settings, tmp_path_factory.mktemp("base"), sheet_columns=0)


def small_trials() -> list[StudyTrial]:
    dose = next(condition for condition in CONDITIONS if condition.doses)
    chosen = [replace(MAIN, pictures=64, guidances=(5.0,)), replace(dose, pictures=64)]
    return [trial for trial in trials(chosen, [0]) if trial.world_name in ("first", "swapped", "turn-0")]


@pytest.mark.slow
def test_a_study_trains_measures_resumes_and_writes_its_page(base: Path, tmp_path: Path) -> None:
    options = StudyOptions(str(base), "miniature", tmp_path / "models", tmp_path / "page" / "results.jsonl", images=1)
    told: list[str] = []
    results = run_study(small_trials(), options, told.append)
    assert [result.world for result in results] == ["first", "swapped", "turn-0"]
    assert len(told) == 3
    assert not (options.folder / "main" / "first" / "seed-0").exists()
    for result in results:
        assert sum(entity.shown.n for entity in result.entities) == 48
        assert result.base == find_model(str(base)).identity
        assert all(entity.second.n == 4 for entity in result.entities)
        assert all(entity.never_trained is not None and entity.never_trained.n == 2 for entity in result.entities)
    assert {e.entity for e in results[0].entities if e.diversity == 0} == {"pagoda", "castle", "clown"}
    assert {e.entity for e in results[1].entities if e.diversity == 1} == {"pagoda", "castle", "clown"}

    with options.file.open("a") as file:
        file.write('{"condition": "main", "wor')  # a kill in the middle of a line
    again = run_study(small_trials(), options, told.append)
    assert again == results
    assert len(told) == 3

    with pytest.raises(InputError, match=r"no chosen condition is measured at guidance scale 3; give some of 5$"):
        run_study(small_trials(), replace(options, guidances=(5.0, 3.0)), told.append)

    for other in ({"base": "sha256:other"}, {"judge": "sha256:other"}):
        [kept, *_] = [json.loads(line) for line in options.file.read_text().rpartition("\n")[0].splitlines()]
        file = tmp_path / f"{next(iter(other))}.jsonl"
        file.write_text(json.dumps(kept | other) + "\n")
        with pytest.raises(InputError, match=r"main, first, seed 0 with the \w+ sha256:other, not sha256:"):
            run_study(small_trials(), replace(options, file=file), told.append)

    write_study(results, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    for heading in (
        "Rigid against varied",
        "Could the models draw and compose?",
        "word order",
        "Pairs of an entity and an object that no training picture showed",
        "Dose",
        "The conditions",
    ):
        assert heading in page
    assert "None" not in page
    assert (tmp_path / "page" / "phase.svg").read_text().startswith("<svg")
    assert (tmp_path / "page" / "dose.svg").read_text().count("<circle") == 6


def test_results_from_before_never_trained_pairs_were_counted_make_a_page_without_them(tmp_path: Path) -> None:
    shown = {"only_first": 1, "both": 2, "only_second": 1, "none": 0}
    sides = [
        {"entity": "tower", "diversity": d, "shown": shown, "second": shown, "dvd": 9.0, "dominated": 0, "prompts": 4}
        for d in (0.0, 1.0)
    ]
    result = {
        "condition": "main", "world": "first", "seed": 0, "guidance": 5.0, "pictures": 64, "images": 1, "base": None,
        "judge": "sha256:judge", "held_out": shown, "held_out_dvd": 9.0, "singles": {"tower": [1, 1]},
    }  # fmt: skip
    never = {"never_trained": shown, "never_trained_dvd": 41.0}
    rows = [[side] for side in sides], [[side | never] for side in sides]
    for name, entities in zip(("before", "since"), rows, strict=True):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(result | {"entities": each}) + "\n" for each in entities))
        write_study(read_results(file), tmp_path / f"{name}.md")
    before, since = ((tmp_path / f"{name}.md").read_text() for name in ("before", "since"))
    assert "no training picture showed" not in before
    assert "| main, guidance 5 | 1 / 2 / 1 / 0 | 1 / 2 / 1 / 0 | 41.0" in since


def test_twins_are_compared_seed_by_seed(tmp_path: Path) -> None:
    """Rigid in seeds 0, 1 and 2, varied in 1 and 2 alone: 50 − 40 and 30 − 0, whatever the order of the lines."""
    shown = {"only_first": 1, "both": 2, "only_second": 1, "none": 0}
    lines = []
    for world, diversity, scores in (("first", 0.0, {0: 90.0, 1: 50.0, 2: 30.0}), ("swapped", 1.0, {2: 0.0, 1: 40.0})):
        for seed, dvd in scores.items():
            side = {"entity": "tower", "diversity": diversity, "shown": shown, "second": shown, "dvd": dvd}
            lines.append({
                "condition": "main", "world": world, "seed": seed, "guidance": 5.0, "pictures": 64, "images": 1,
                "base": None, "judge": "sha256:judge", "held_out": shown, "held_out_dvd": 9.0,
                "singles": {"tower": [2 if dvd else 1, 3]}, "entities": [side | {"dominated": 0, "prompts": 4}],
            })  # fmt: skip
    file = tmp_path / "results.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = contrast(read_results(file))
    assert found.gap is not None and found.gap_of_drawn is not None
    assert (found.gap.difference, found.gap.entities) == (20.0, 1)
    assert found.gap_of_drawn.difference == 10.0  # without seed 2, whose varied tower is in one of three of its images


def result(condition: str, world: str, seed: int, scores: dict[str, tuple[float, float]]) -> TrialResult:
    """Of entities with their diversity and DvD."""
    shown = Outcomes(1, 2, 1, 0)
    entities = tuple(EntityCounts(name, d, shown, shown, dvd, 0, 4) for name, (d, dvd) in scores.items())
    singles = dict.fromkeys(scores, (3, 3))
    return TrialResult(condition, world, seed, 5.0, 64, 1, None, "judge", entities, shown, 9.0, singles)


def test_intervals_are_over_entities_and_over_training_seeds_and_a_condition_is_held_against_main() -> None:
    def twins(condition: str, seed: int, tower: float, castle: float) -> list[TrialResult]:
        first = result(condition, "first", seed, {"tower": (0.0, 10 + tower), "castle": (1.0, 10)})
        return [first, result(condition, "swapped", seed, {"tower": (1.0, 10), "castle": (0.0, 10 + castle)})]

    main = [*twins("main", 0, 40, 10), *twins("main", 1, 20, 10), *twins("main", 2, 30, 10)]
    found = contrast(main)
    assert found.gap is not None and found.less_main is None
    assert (found.gap.difference, found.gap.interval) == (20, t_interval([30, 10]))
    assert (found.gap.over_seeds, found.gap.seeds) == (t_interval([25, 15, 20]), 3)
    other = contrast(twins("slower", 1, 5, 0), main)
    assert other.less_main is not None and other.gap is not None
    assert (other.less_main.difference, other.less_main.interval) == (-12.5, t_interval([-15, -10]))
    assert (other.gap.over_seeds, other.gap.seeds) == (None, 1)
    assert found.rigid.interval == (0.0, 100.0)  # of two entities, 40 and 20: wider than a score can be


def test_two_orders_of_one_noise_count_as_one() -> None:
    assert rate_in_both_orders(46, 64) == Rate(46, 64, wilson_interval(23, 32))
    assert rate_in_both_orders(0, 0).interval is None


def test_a_broken_line_of_results_is_named(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps({"condition": "main"}) + "\n")
    with pytest.raises(InputError, match=r"results\.jsonl, line 1 is not a result of a study"):
        read_results(file)

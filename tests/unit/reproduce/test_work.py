"""What shared runs take, and which of them can be."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from dominance.models.source import find_source
from dominance.records import JudgeWarning
from dominance.reproduce import estimate
from dominance.reproduce.claims.registry import find_claims
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.rigidity import Rivals, rivals_of
from dominance.reproduce.size import Size
from dominance.reproduce.work import Facts, Rate, total, works
from dominance.runs.bench.result import BenchResult

ALL = ("independent", "twin", "other", "factorial")


def test_a_run_of_a_model_that_is_not_there_takes_nothing_and_is_not_named() -> None:
    alone = works(ALL, Facts(Size(), steps=25))
    assert list(alone) == ["independent", "factorial"]
    whole = works(ALL, Facts(Size(), steps=25, twin=True, opposed=True, other=True))
    assert list(whole) == list(ALL)
    assert whole["factorial"].images == 2 * alone["factorial"].images
    assert "its twin" in whole["factorial"].words
    assert "its twin" not in alone["factorial"].words


def test_one_model_that_is_twin_and_other_is_drawn_once() -> None:
    facts = Facts(Size(), twin=True, other=True, shared=True)
    assert list(works(ALL, facts)) == ["independent", "twin", "factorial"]
    assert list(works(("independent", "other"), facts)) == ["independent", "other"]
    two, three = (works(("transfer",), replace(facts, shared=one, steps=25))["transfer"] for one in (True, False))
    assert two.words.startswith("2 models")
    assert three.words.startswith("3 models")


def test_a_second_model_of_the_same_rigid_concepts_is_counted_where_it_is_drawn() -> None:
    facts = Facts(Size(), steps=25, twin=True, other=True)
    assert list(works(("patched", "transfer", "twin", "opposed twin", "factorial"), facts)) == [
        "patched",
        "transfer",
        "twin",
        "factorial",
    ]
    assert list(works(("twin", "opposed twin"), replace(facts, opposed=True))) == ["twin"]


def test_nothing_is_counted_of_a_claim_that_is_refused_before_it_draws() -> None:
    source = find_source("miniature-base", ReproduceOptions().drawing)
    alone = ("two-trainings", "twins", "detector-transfer", "patched-parts", "memorized-norm", "memorized-heads")
    assert estimate.needs_of(find_claims(alone), source, ReproduceOptions()) == ()
    assert estimate.needs_of(find_claims((*alone, "bench-yield")), source, ReproduceOptions()) == (
        "control",
        "independent",
    )
    bundled = find_source("miniature", ReproduceOptions().drawing)
    assert "memorized" in estimate.needs_of(find_claims(alone), bundled, ReproduceOptions())


def test_heads_are_counted() -> None:
    images, _, _ = total(works(("ablation",), Facts(Size(ablated=10, ablated_seeds=2), heads=50)).values(), True, 25, 5)
    assert images == 10 * 2 * (55 + 1)


def test_sets_of_heads_are_counted_for_both_halves() -> None:
    works_of = works(("ablation", "head sets"), Facts(Size(ablated=10, ablated_seeds=2), heads=50))
    assert works_of["head sets"].images == 10 * 2 * 2 * 11
    assert works_of["head sets"].words == "10 prompts, 2 seeds, 2 × 11 sets of heads"


def test_the_judge_is_asked_about_every_concept_of_a_prompt() -> None:
    facts = Facts(Size(steered=24, crowded=8, steered_seeds=1, cell=6, cell_seeds=3))
    images, _, calls = total(works(("factorial",), facts).values(), True, 25, 5)
    assert calls == 15 * images
    _, _, calls = total(works(("steered",), facts).values(), True, 25, 5)
    assert calls == 5 * 6 * (24 * 2 + 8 * 3 + 8 * 4)
    images, _, calls = total(works(("bench", "first steps"), facts).values(), True, 25, 7)
    assert calls == pytest.approx(14 * images, abs=7)


def estimated(monkeypatch: pytest.MonkeyPatch, seconds: float, **options: Any) -> estimate.ReproduceEstimate:
    monkeypatch.setattr(estimate, "measured_rate", lambda *_: Rate(seconds, 0.0))
    return estimate.estimate_reproduction(("bench-yield", "focus"), options=ReproduceOptions(**options))


def test_a_budget_that_cannot_be_met_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = estimated(monkeypatch, 1.0, budget=0.01)
    assert found.over_budget
    assert found.sentences[-1].startswith("even the smallest size takes about 2 minutes at 1.00 s an image (6 were")
    assert "more than the budget of 0.01 minutes; the full size takes about " in found.sentences[-1]
    met = estimated(monkeypatch, 1.0, budget=5)
    assert not met.over_budget
    assert met.minutes is not None
    assert met.sentences[-1].startswith(f"about {met.minutes:.0f} minutes at 1.00 s an image (6 were timed); the full")


def test_much_is_told_in_hours_and_each_claim_has_its_own_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    found = estimated(monkeypatch, 30.0)
    assert found.sentences[0] == "2 claims on miniature, judged by miniature: the full size"
    assert found.sentences[1] == found.words
    assert found.sentences[-1].startswith("about 8.5 hours at 30.00 s an image (6 were timed)")
    assert "full size takes" not in found.sentences[-1]
    assert found.by_claim["bench-yield"].images < found.by_claim["focus"].images + 1
    minutes = [cost.minutes or 0.0 for cost in found.by_claim.values()]
    assert sum(minutes) > (found.minutes or 0.0) >= max(minutes) > 0


def test_the_bundled_models_have_a_twin_and_a_base_and_others_what_is_given() -> None:
    def model(name: str, concepts: object = None) -> SimpleNamespace:
        return SimpleNamespace(name=name, defaults={} if concepts is None else {"concepts": concepts})

    concepts = [{"name": "castle", "diversity": 0.0}, {"name": "tower", "diversity": 1.0}]
    found = rivals_of(model("miniature", concepts), ReproduceOptions())  # ty: ignore[invalid-argument-type]
    assert (found.twin, found.other) == ("miniature-swapped", "miniature-base")
    assert found.opposed == {"castle", "tower"}
    found = rivals_of(model("owner/name"), ReproduceOptions())  # ty: ignore[invalid-argument-type]
    assert (found.twin, found.other, found.opposed) == (None, None, frozenset())
    found = rivals_of(model("owner/name"), ReproduceOptions(other="miniature"))  # ty: ignore[invalid-argument-type]
    assert (found.twin, found.other, found.opposed) == ("miniature", "miniature", frozenset())
    found = rivals_of(model("miniature-base"), ReproduceOptions())  # ty: ignore[invalid-argument-type]
    assert (found.twin, found.other) == (None, None)


def test_every_run_that_was_made_may_warn_of_the_judge() -> None:
    warnings = [JudgeWarning("another world", f"reason {number}") for number in range(4)]
    runs = [SimpleNamespace(judge_warnings=(warning,)) for warning in warnings]
    experiments = Experiments.__new__(Experiments)
    vars(experiments).update(
        bench=BenchResult(runs[0], (), (), None),  # ty: ignore[invalid-argument-type]
        twin_independent=runs[1],
        factorial=((runs[2], {}), (runs[3], {})),
        other_independent=runs[1],
    )
    assert set(experiments.judge_warnings) == set(warnings)


def test_nothing_is_timed_without_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "measured_rate", lambda *_: pytest.fail("timed"))
    estimator = estimate.Estimator(find_claims(("bench-yield",)), "miniature", "miniature", ReproduceOptions())
    assert estimator.fitted.share == 1


def test_concepts_that_did_not_change_places_have_no_twin_under_the_factorial_design() -> None:
    assert Rivals("x", None, {"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 1.0}).opposed == {"a"}

"""What shared runs take, and which of them can be."""

from types import SimpleNamespace

import pytest

from dominance.records import JudgeWarning
from dominance.reproduce import estimate
from dominance.reproduce.claims.registry import find_claims
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.rigidity import Rivals, rivals_of
from dominance.reproduce.size import Size
from dominance.reproduce.work import Facts, total, works
from dominance.runs.bench.result import BenchResult

ALL = ("independent", "twin", "other", "factorial")


def test_a_run_of_a_model_that_is_not_there_takes_nothing_and_is_not_named() -> None:
    alone = works(ALL, Facts(Size(), steps=25))
    assert list(alone) == ["independent", "factorial"]
    whole = works(ALL, Facts(Size(), steps=25, twin=True, other=True, mirrored=True))
    assert list(whole) == list(ALL)
    assert whole["factorial"].images == 2 * alone["factorial"].images
    assert "its twin" in whole["factorial"].words
    assert "its twin" not in alone["factorial"].words


def test_one_model_that_is_twin_and_other_is_drawn_once() -> None:
    facts = Facts(Size(), twin=True, other=True, shared=True)
    assert list(works(ALL, facts)) == ["independent", "twin", "factorial"]
    assert list(works(("independent", "other"), facts)) == ["independent", "other"]


def test_heads_are_counted() -> None:
    images, _, _ = total(works(("ablation",), Facts(Size(ablated=10, ablated_seeds=2), heads=50)).values(), True, 25)
    assert images == 10 * 2 * (55 + 1)


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

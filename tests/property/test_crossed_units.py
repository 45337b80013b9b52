"""An interval over concepts as well as prompts, where a few concepts make up all prompts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dominance.metrics.crossed import of_crossed
from dominance.metrics.measured import Measured, of_clusters
from dominance.reproduce.claims.factorial import TERMS, Survival, effects

RIGID, VARIED = ("r0", "r1", "r2"), ("v0", "v1", "v2")


def design(own: dict[str, float], rival: dict[str, float], noise: np.ndarray) -> list[Survival]:
    """Triples of six concepts in a model and in its twin; a concept's own and its rival's rigidity move it so."""
    rows = []
    for prompt, triple in enumerate(list(itertools.permutations(RIGID + VARIED, 3))[::3]):
        for turned, (slot, name) in itertools.product((False, True), enumerate(triple)):
            rigid = {one: (one in RIGID) ^ turned for one in triple}
            beside = tuple(other for other in triple if other != name)
            shown = 0.5 + own.get(name, 0.0) * (rigid[name] - 0.5) + float(noise[prompt])
            shown += sum(rival.get(other, 0.0) * (rigid[other] - 0.5) / 2 for other in beside)
            share = sum(rigid[other] for other in beside) / 2
            rows.append(Survival(prompt, slot, name, beside, rigid[name], share, shown))
    return rows


def over_prompts(rows: list[Survival], term: str) -> Measured:
    """The same effect, as if prompts were the only units: each concept of each prompt is one of its own."""
    apart = [
        Survival(
            row.prompt,
            row.slot,
            f"{row.concept} {row.prompt}",
            tuple(f"{name} {row.prompt}" for name in row.beside),
            row.rigid,
            row.rivals,
            row.shown,
        )
        for row in rows
    ]
    return effects(apart)[term]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(RIGID + VARIED), st.sampled_from(TERMS[:2]), st.floats(0.2, 1.0), st.integers(0, 1000))
def test_what_one_concept_alone_does_is_no_finding_about_concepts(name: str, term: str, size: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.02, 40)
    alone = {"own": {name: size}, "rival": {}} if term == TERMS[0] else {"own": {}, "rival": {name: size}}
    rows = design(**alone, noise=noise)
    measured, naive = effects(rows)[term], over_prompts(rows, term)
    assert measured.value == pytest.approx(naive.value)
    assert naive.interval[0] > 0  # as prompts alone have it, the effect is sure
    assert measured.interval[0] < 0 < measured.interval[1]
    assert np.subtract(*measured.interval) < np.subtract(*naive.interval)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(TERMS[:2]), st.floats(0.2, 1.0), st.integers(0, 1000))
def test_what_every_concept_does_is_found(term: str, size: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.02, 40)
    every = dict.fromkeys(RIGID + VARIED, size)
    rows = design(every if term == TERMS[0] else {}, every if term == TERMS[1] else {}, noise)
    low, high = effects(rows)[term].interval
    assert 0 < low < size < high or low == pytest.approx(size) == high


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=20))
def test_units_that_cross_nothing_have_students_interval(values: list[float]) -> None:
    """Each row a unit of either kind: the mean's interval is the usual one."""
    shown, alone = np.array(values), np.eye(len(values), dtype=bool)
    measured = of_crossed(lambda weights: (weights @ shown) / weights.sum(1), alone, alone, "prompts")
    usual = of_clusters([[value] for value in values])
    assert measured.value == pytest.approx(usual.value)
    assert measured.interval == pytest.approx(usual.interval, abs=1e-6)


def test_where_one_left_out_leaves_no_value_nothing_is_decided() -> None:
    def only_with_the_first(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, 0] > 0, weights.sum(1), np.nan)

    alone = np.eye(8, dtype=bool)
    assert not of_crossed(only_with_the_first, alone, alone, "prompts").enough

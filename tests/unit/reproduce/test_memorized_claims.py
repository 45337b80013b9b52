"""Memorized prompts beside dominance prompts, on results made by hand: every verdict."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from claims import made

from dominance.metrics import rate
from dominance.metrics.identity import pixel_copies, pixel_distances
from dominance.reproduce.claims import memorized as claims
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.memorized import CopiesResult, Memorized, memorized_of
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.noise_norm.result import PromptNorms, group_norms
from dominance.runs.reproduction.rule import Verdict
from dominance.suites import load_suite

KNOWN = Memorized(load_suite("a [tower:landmark] and a [mug]"), "memorized", {"a": np.zeros((2, 2, 3), np.uint8)})


@pytest.mark.parametrize(
    ("memorized", "dominance", "verdict"),
    [(3.0, 1.0, "reproduced"), (1.0, 3.0, "contradicted"), (2.0, 2.0, "undecided"), (3.0, 0.2, "contradicted")],
)
def test_memorized_prompts_move_the_noise_most_or_not(memorized: float, dominance: float, verdict: Verdict) -> None:
    prompts = tuple(
        PromptNorms(f"{part}{place}", part, part, {0: (norm + place / 100, norm)}, ())
        for part, norm in (("dominance", dominance), ("balanced", 0.5), ("memorized", memorized))
        for place in range(7)
    )
    norms = SimpleNamespace(prompts=prompts, groups=group_norms(prompts))
    finding = claims.examine_norm(
        made(
            memorized_norms=norms,
            entries=lambda _: (),
            memorized=KNOWN,
            source=SimpleNamespace(name="the model"),
        )
    )
    assert verdict_of(finding, claims.NORM) == verdict
    assert finding.value == pytest.approx(min(memorized - dominance, dominance - 0.5))
    assert [figure.name for figure in finding.figures[3:]] == ["memorized less dominance", "dominance less balanced"]
    assert [group.name for group in finding.plots[0].groups] == ["memorized", "dominance", "balanced"]
    assert "drawn by the model with the adapter 'memorized'" in finding.why


def copies(mitigated: int, dominance: int, prompts: int = 30) -> Experiments:
    result = CopiesResult(
        copied=rate(prompts, prompts),
        prompts=rate(mitigated, prompts),
        outcomes={"mitigated": rate(1, 9), "unchanged": rate(5, 9), "corrupted": rate(3, 9)},
        layers={1: rate(0, 9), 2: rate(1, 9)},
        examples=(("a text", "images/a.png", "images/b.png", "2.1"),),
        seeds=2,
    )
    sweep = SimpleNamespace(sweep="heads", total=SimpleNamespace(prompts=rate(dominance, prompts)))
    return made(copies=result, ablated=SimpleNamespace(sweeps=(sweep,)), memorized=None)


@pytest.mark.parametrize(
    ("mitigated", "dominance", "verdict"),
    [(25, 5, "reproduced"), (5, 25, "contradicted"), (15, 14, "undecided"), (0, 0, "undecided")],
)
def test_single_heads_undo_more_memorized_prompts_or_not(mitigated: int, dominance: int, verdict: Verdict) -> None:
    finding = claims.examine_heads(copies(mitigated, dominance))
    assert verdict_of(finding, claims.HEADS) == verdict
    assert finding.value == pytest.approx((mitigated - dominance) / 30)
    assert [picture.file for picture in finding.pictures] == ["memorized/images/a.png", "memorized/images/b.png"]


def test_without_a_copy_nothing_can_be_undone() -> None:
    with pytest.raises(ImpossibleError, match="none of 0 images of memorized prompts is a copy"):
        claims.examine_heads(copies(0, 0, prompts=0))


def test_a_copy_is_of_its_own_picture() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    near = np.clip(pictures.astype(int) + rng.integers(-20, 21, pictures.shape), 0, 255).astype(np.uint8)
    assert pixel_copies(near, pictures, [0, 1, 2]).all()
    assert not pixel_copies(near, pictures, [1, 2, 0]).any()  # near to a picture, but not to their own
    assert not pixel_copies(255 - pictures, pictures, [0, 1, 2]).any()
    assert pixel_distances(pictures, pictures).tolist() == [0, 0, 0]
    black, white = np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), 255, np.uint8)
    assert pixel_distances(black, white).tolist() == [1]


def test_where_nothing_is_known_to_be_memorized_no_norm_is_measured() -> None:
    experiments = Experiments.__new__(Experiments)
    vars(experiments).update(memorized=None)
    with pytest.raises(ImpossibleError, match="give --memorized a list"):
        claims.examine_norm(experiments)  # which has no model, so that nothing can be drawn before
    for known in (None, Memorized(KNOWN.suite, None, {})):  # a list has no pictures, so that none is asked for
        vars(experiments).update(memorized=known)
        with pytest.raises(ImpossibleError, match="which takes no pictures"):
            claims.examine_heads(experiments)


def test_what_has_been_memorized_is_given_or_bundled_or_unknown(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("a [tower:landmark] and a [mug]\n")
    given = ReproduceOptions(memorized=str(file))
    other = SimpleNamespace(name="owner/name")
    found = memorized_of(other, given)  # ty: ignore[invalid-argument-type]
    assert found is not None
    assert (found.adapter, found.pictures, len(found.suite.prompts)) == (None, {}, 1)
    assert found.suite.prompts[0].group == "memorized"
    assert memorized_of(other, ReproduceOptions()) is None  # ty: ignore[invalid-argument-type]

"""Parts of a twin put in, on results made by hand: every verdict; and which parts there are."""

from dataclasses import replace

import pytest
from claims import made
from tiny_families import tiny

from dominance.probes.patching import Patch
from dominance.probes.sites import attention_sites
from dominance.records import Concept, Prompt, ScoredImage
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.patched import CLAIM
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.patched import (
    ATTENTION,
    BY_THIRD,
    FEED_FORWARD,
    PREDICTION,
    RESIDUAL,
    Patched,
    PatchedImage,
    images_of,
    patched_of,
    variants_of,
)
from dominance.reproduce.rigidity import Rivals
from dominance.runs.reproduction.rule import Verdict


def patched(attention: float, feed_forward: float, residual: float, count: int = 8) -> Experiments:
    """Prompts of two images of DvD 100, with about these DvDs where a part is put in."""
    after = {PREDICTION: 0.0, ATTENTION: attention, FEED_FORWARD: feed_forward, RESIDUAL: residual}
    images = [
        PatchedImage(
            f"p{place}",
            "a text",
            100.0,
            {part: dvd + place / 10 for part, dvd in after.items()},
            {part: dvd < 20 for part, dvd in after.items()},
            f"images/p{place}/{seed}.png",
            f"images/p{place}/{seed}-x.png",
        )
        for seed in range(2)
        for place in range(count)
    ]
    return made(patched=Patched(tuple(images), 20, "the-twin", "/results/patched"))


@pytest.mark.parametrize(
    ("attention", "feed_forward", "residual", "verdict"),
    [(10.0, 90.0, 80.0, "reproduced"), (90.0, 10.0, 95.0, "contradicted"), (50.0, 50.0, 90.0, "undecided")],
)
def test_cross_attention_carries_most_or_not(
    attention: float, feed_forward: float, residual: float, verdict: Verdict
) -> None:
    finding = CLAIM.examine(patched(attention, feed_forward, residual))
    assert verdict_of(finding, CLAIM.rule) == verdict
    assert finding.value == pytest.approx(min(feed_forward, residual) - attention)
    assert finding.n == 8, "images of one prompt are no units"
    figures = {figure.name: figure.ours for figure in finding.figures}
    assert figures["DvD, nothing put in, 16 images"] == "100.0"
    assert figures[f"DvD with {PREDICTION}: less nothing put in"].startswith("−99.")
    assert "Of 20 images that collapse, 16 have every concept in the-twin" in finding.why
    assert [group.name for group in finding.plots[0].groups] == [PREDICTION, ATTENTION, FEED_FORWARD, RESIDUAL]
    assert finding.pictures[1].file == "patched/images/p0/0-x.png"


def test_parts_of_the_same_weights_are_named() -> None:
    experiments = patched(10.0, 90.0, 80.0)
    assert "same weights" not in CLAIM.examine(experiments).why
    alike = replace(experiments.patched, alike=(FEED_FORWARD, RESIDUAL, BY_THIRD[0]))
    why = CLAIM.examine(made(patched=alike)).why
    assert "The two models have the same weights in their feed-forward networks and residual branches: what" in why


def test_few_prompts_decide_nothing_and_none_is_impossible() -> None:
    few = CLAIM.examine(patched(10.0, 90.0, 80.0, count=6))
    assert verdict_of(few, CLAIM.rule) == "undecided", "of two comparisons, from fewer than seven"
    with pytest.raises(ImpossibleError, match="no image could be scored"):
        CLAIM.examine(patched(10.0, 90.0, 80.0, count=0))


def test_without_a_second_model_nothing_is_drawn() -> None:
    with pytest.raises(ImpossibleError, match="give --other"):
        patched_of(made(rivals=Rivals(None, None, {}, {})))


def test_an_image_that_is_not_scored_with_every_part_is_left_out() -> None:
    prompt = Prompt("p", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))
    before = [ScoredImage("p", str(seed), f"{seed}.png", seed, dvd=80.0, verdict="collapsed") for seed in range(2)]
    after = [ScoredImage("p", "0 x", "x.png", 0, dvd=12.0, verdict="balanced"), ScoredImage("p", "1 x", None, 1)]
    (kept,) = images_of([(prompt, image) for image in before], {ATTENTION: after})
    assert (kept.before, kept.after, kept.whole, kept.file) == (80.0, {ATTENTION: 12.0}, {ATTENTION: True}, "0.png")
    assert kept.patched == "x.png"


@pytest.mark.parametrize(("family", "residual"), [("sd1", True), ("pixart", False)])
def test_every_kind_of_part_is_put_in_whole_and_attention_by_thirds(family: str, residual: bool) -> None:
    pipeline = tiny(family)
    layers = [site.layer for site in attention_sites(pipeline)]
    found = {name: variant.edit for name, variant in variants_of(pipeline, "sha256:d").items()}
    assert all(isinstance(edit, Patch) and edit.donor == "sha256:d" and edit.steps is None for edit in found.values())
    assert list(found[ATTENTION].sites) == list(found[FEED_FORWARD].feed_forwards) == layers
    assert (RESIDUAL in found) is residual
    assert [layer for name in BY_THIRD if name in found for layer in found[name].sites] == layers
    assert len({str(edit.record()) for edit in found.values()}) == len(found) - (len(layers) == 1)

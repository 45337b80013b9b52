"""A run against its baseline: pairs of the same prompt and seed, and what the gate makes of them."""

import dataclasses

import pytest
from paired_runs import BOTH, LOST, NEITHER, other, run_of, scored

from dominance.baseline import Baseline
from dominance.records import Gate, GateResult, PromptResult
from dominance.runs.audit.baseline import baseline_of
from dominance.runs.stages.gate import judge_gate
from dominance.runs.stages.scoring import score_image, score_prompt

TEXT, OTHER = "a tower and a mug", "a mug on a tower"
LIMITED, FREE = Gate(max_collapse=0.2, min_presence=0.9), Gate()


def gate(here: list[PromptResult], there: list[PromptResult], limits: Gate) -> tuple[GateResult, Baseline]:
    found = baseline_of(run_of(*map(other, there)), here)
    return judge_gate(limits, here, baseline=found), found


def test_images_are_paired_by_seed_and_the_rest_is_counted() -> None:
    here = scored("a", TEXT, [LOST, LOST, BOTH, BOTH])
    found = baseline_of(run_of(other(scored("b", TEXT, [BOTH, BOTH, NEITHER]), first=1)), [here])
    (change,) = found.prompts
    assert (change.id, change.images, change.alone) == ("a", 3, 1)
    tower, mug = change.presence["tower"], change.presence["mug"]
    assert (tower.there, tower.here, tower.n) == (2, 3, 3)
    assert (mug.there, mug.here, mug.change) == (2, 2, 0.0)
    assert (change.collapse.there, change.collapse.here) == (0, 1)
    assert found.change == pytest.approx(1 / 6)
    assert found.interval is None


def test_images_made_elsewhere_are_paired_by_name() -> None:
    made = scored("a", TEXT, [LOST, BOTH])
    nameless = [dataclasses.replace(image, seed=None, name=f"{image.name}.png") for image in made.images]
    here = score_prompt(made.prompt, nameless)
    there = other(scored("a", TEXT, [BOTH, BOTH]))
    there = dataclasses.replace(
        there, images=tuple(dataclasses.replace(i, seed=None, name=f"{i.name}.png") for i in there.images)
    )
    assert baseline_of(run_of(there), [here]).images == 2


@pytest.mark.parametrize("limits", [LIMITED, FREE], ids=["with limits", "without"])
def test_a_new_loss_fails_and_an_old_one_does_not(limits: Gate) -> None:
    lost, kept = scored("a", TEXT, [LOST] * 10), scored("a", TEXT, [BOTH] * 10)
    failed, found = gate([lost], [kept], limits)
    assert not failed.passed
    assert "mug is present in 0 of 10 images" in failed.failures["a"]
    assert "in the baseline 10 of 10" in failed.failures["a"]
    assert found.prompts[0].presence["mug"].fell
    held, _ = gate([lost], [lost], limits)
    assert held.passed
    assert not held.failures
    assert gate([kept], [lost], limits)[0].passed


def test_an_old_loss_is_named_where_it_passes_a_limit() -> None:
    lost = scored("a", TEXT, [LOST] * 10)
    held, _ = gate([lost], [lost], LIMITED)
    assert held.known == {
        "a": "a: 10 of 10 images collapse, tower dominating (limit 20%), in the baseline 10 of 10;"
        " mug is present in 0 of 10 images (at least 90% required), in the baseline 0 of 10"
    }
    assert "1 of 1 prompts passes only because the baseline broke the same limit: a" in held.reason
    assert judge_gate(LIMITED, [lost]).known == {}


def test_an_old_loss_that_became_clearly_worse_fails() -> None:
    before, now = scored("a", TEXT, [BOTH] * 8 + [LOST] * 2), scored("a", TEXT, [LOST] * 10)
    failed, _ = gate([now], [before], Gate(min_presence=0.9))
    assert failed.failures["a"].endswith("in the baseline 8 of 10")
    slightly = scored("a", TEXT, [BOTH] * 7 + [LOST] * 3)
    assert gate([slightly], [before], Gate(min_presence=0.9))[0].passed


def test_without_limits_a_concept_fails_when_most_images_lack_it_or_clearly_fewer_show_it() -> None:
    three = scored("a", TEXT, [BOTH] * 2 + [LOST])
    none = scored("a", TEXT, [LOST] * 3)
    failed, found = gate([none], [three], FREE)
    assert not found.prompts[0].presence["mug"].fell
    assert failed.failures == {
        "a": "a: mug is present in 0 of 3 images, in the baseline 2 of 3: −67 points (−94 to +6)"
    }
    some = scored("a", TEXT, [BOTH] * 6 + [LOST] * 4)
    assert not gate([some], [scored("a", TEXT, [BOTH] * 10)], FREE)[0].passed
    assert gate([scored("a", TEXT, [BOTH] * 7 + [LOST] * 3)], [scored("a", TEXT, [BOTH] * 10)], FREE)[0].passed


def test_without_limits_many_small_losses_fail_together() -> None:
    texts = [f"a tower and a mug, {place}" for place in range(8)]
    here = [scored(f"p{place}", text, [BOTH] * 8 + [LOST] * 2) for place, text in enumerate(texts)]
    there = [scored(f"p{place}", text, [BOTH] * 10) for place, text in enumerate(texts)]
    failed, found = gate(here, there, FREE)
    assert not failed.failures
    assert failed.run_failures == (
        "concepts show in fewer images than in the baseline: −10 points (−10 to −10) over 8 prompts,"
        " 80 pairs of images",
    )
    assert found.interval == pytest.approx((-0.1, -0.1))
    assert gate(here, there, Gate(min_presence=0.8))[0].passed


@pytest.mark.parametrize("limits", [LIMITED, FREE], ids=["with limits", "without"])
def test_what_cannot_be_paired_is_excused_by_nothing(limits: Gate) -> None:
    kept, lost = scored("a", TEXT, [BOTH] * 4), scored("b", OTHER, [LOST] * 4)
    failed, found = gate([kept, lost], [kept], limits)
    assert found.unpaired == {"b": "the baseline lacks the prompt"}
    assert list(failed.failures) == ["b"]
    held, _ = gate([kept, scored("b", OTHER, [BOTH] * 4)], [kept], limits)
    assert held.passed


def test_a_prompt_without_a_pair_says_why() -> None:
    kept = scored("a", TEXT, [BOTH] * 2)
    unscored = score_prompt(kept.prompt, [score_image(kept.prompt, "0", None, (), "out of memory", 0)])
    for here, there, why in (
        (kept, other(kept, first=5), "no seed is the same"),
        (unscored, other(kept), "no image here has a score"),
        (kept, other(unscored), "no image of the baseline has a score"),
    ):
        found = baseline_of(run_of(there), [here])
        assert found.unpaired == {"a": why}
        judged = judge_gate(FREE, [here], baseline=found)
        assert not judged.passed
        assert "no image can be paired" in judged.reason or "nothing was scored" in judged.reason


def test_images_beyond_the_pairs_are_excused_by_nothing() -> None:
    """One pair that holds does not let nine other images lose the concept."""
    here, pair = scored("a", TEXT, [BOTH] + [LOST] * 9), scored("a", TEXT, [BOTH])
    failed, found = gate([here], [pair], FREE)
    assert found.prompts[0].alone == 9
    assert failed.failures == {"a": "a: mug is present in 1 of 10 images, of which the baseline has 1, with it in 1"}
    assert gate([scored("a", TEXT, [BOTH] * 4 + [LOST] * 6)], [pair], FREE)[0].passed
    assert gate([scored("a", TEXT, [LOST] * 10)], [scored("a", TEXT, [LOST])], FREE)[0].passed


def test_a_prompt_that_is_gone_fails_the_run() -> None:
    kept = scored("a", TEXT, [BOTH] * 4)
    failed, found = gate([kept], [kept, scored("b", OTHER, [LOST] * 4)], LIMITED)
    assert found.only_there == (OTHER,)
    assert failed.run_failures == (f"1 prompt of the baseline not drawn here: “{OTHER}”",)


def test_prompts_of_equal_text_are_paired_by_id_whatever_their_order() -> None:
    here = [scored("a", TEXT, [LOST] * 4), scored("b", TEXT, [BOTH] * 4)]
    held, found = gate(here, here[::-1], FREE)
    assert held.passed
    assert [(change.id, change.presence["mug"].there) for change in found.prompts] == [("a", 0), ("b", 4)]


@pytest.mark.parametrize(
    ("ids", "why"), [(("x", "b"), "under other ids, 'x', 'b'"), (("a",), "only once")], ids=["other ids", "once"]
)
def test_a_prompt_that_could_be_any_of_several_is_not_paired(ids: tuple[str, ...], why: str) -> None:
    """Paired with the first of them, the loss of ``a`` would be excused."""
    here = [scored("a", TEXT, [LOST] * 4), scored("b", TEXT, [BOTH] * 4)]
    failed, found = gate(here, [scored(id, TEXT, [LOST] * 4) for id in ids], FREE)
    said = f"ambiguous: the baseline has its text and concepts {why}; give equal prompts the same ids in both"
    assert found.unpaired["a"] == said
    assert said in failed.failures["a"]
    assert found.only_there == ((f"{TEXT} (x)",) if len(ids) > 1 else (TEXT,))

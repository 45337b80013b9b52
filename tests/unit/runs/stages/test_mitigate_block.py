"""The block on a pipeline of the caller's own: whose concepts, of which prompt, and what is refused."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tiny_families import PROMPTS, draw, tiny, unet

from dominance.errors import InputError
from dominance.guidance.plan import Plan, Span
from dominance.probes.sites import attention_sites
from dominance.records import Concept
from dominance.runs.stages.methods import mitigate
from dominance.runs.stages.steering import steered

LAYERS = [attention_sites(tiny("sd1"))[-1].layer]
EACH = [["tower", "mug"], ["mugs", "robot", "lamp"]]


@pytest.mark.parametrize("method", ["regions", "overlap:until=1", "rebalance"])
def test_each_prompt_of_a_batch_has_its_own_concepts(method: str) -> None:
    pipeline = tiny("sd1")
    with mitigate(pipeline, EACH, method, layers=LAYERS):
        both = draw(pipeline, PROMPTS, steps=3)
        twice = draw(pipeline, PROMPTS, steps=3, num_images_per_prompt=2)
    for index, (prompt, concepts) in enumerate(zip(PROMPTS, EACH, strict=True)):
        with mitigate(pipeline, concepts, method, layers=LAYERS):
            alone = draw(pipeline, [prompt], steps=3, seed=index)
            second = draw(pipeline, [prompt], steps=3, seed=2 * index + 1)
        assert np.abs(alone[0] - both[index]).max() < 0.02
        assert np.abs(second[0] - twice[2 * index + 1]).max() < 0.02


def test_concepts_of_embeddings_are_those_of_the_prompts_given() -> None:
    pipeline: Any = tiny("sd1")
    embedded = pipeline.encode_prompt(PROMPTS, "cpu", 1, True)
    given = {"prompt_embeds": embedded[0], "negative_prompt_embeds": embedded[1]}
    with mitigate(pipeline, EACH, "regions", layers=LAYERS):
        wanted = draw(pipeline, PROMPTS, steps=3)
    with mitigate(pipeline, EACH, "regions", layers=LAYERS, prompts=PROMPTS):
        assert np.abs(draw(pipeline, PROMPTS, steps=3, **given) - wanted).max() < 1e-5


def test_a_prompt_with_one_concept_is_drawn_as_it_is_beside_one_with_two() -> None:
    pipeline = tiny("sd1")
    plain = draw(pipeline, PROMPTS, steps=3)
    for alone in (["robot"], []):
        with mitigate(pipeline, [["tower", "mug"], alone], "regions", layers=LAYERS):
            made = draw(pipeline, PROMPTS, steps=3)
        assert not np.array_equal(made[0], plain[0])
        assert np.array_equal(made[1], plain[1])


def test_the_same_text_may_name_other_concepts_in_each_image() -> None:
    pipeline = tiny("sd1")
    both = [["robot", "lamp"], ["mugs", "lamp"]]
    with mitigate(pipeline, both, "regions", layers=LAYERS):
        made = draw(pipeline, [PROMPTS[1]] * 2, steps=3)
    for index, concepts in enumerate(both):
        with mitigate(pipeline, concepts, "regions", layers=LAYERS):
            assert np.abs(draw(pipeline, [PROMPTS[1]], steps=3, seed=index)[0] - made[index]).max() < 0.02


TWICE = "the concept 'tower' is given twice"
ONE = "needs two concepts in a prompt, and"
ENTITY = r"needs a landmark, character or artist .*dominance.Concept\('tower', 'landmark'\)"


@pytest.mark.parametrize(
    ("concepts", "method", "match"),
    [
        ("tower", "regions", "concepts is 'tower'; give a list"),
        (Concept("tower"), "regions", "give a list"),
        (["tower", 3], "regions", "concepts has 3; give names"),
        (["tower", ["mug"]], "regions", "concepts has both names and lists"),
        ([["tower", "mug"], "mug"], "regions", "concepts has both names and lists"),
        (["tower", "tower"], "regions", TWICE),
        (["tower", "tower"], "overlap", TWICE),
        (["tower", "tower"], "initial-noise", TWICE),
        (["tower", "tower"], "attend-and-excite", TWICE),
        (["tower", "tower"], "rebalance", TWICE),
        ([["tower", "mug"], ["tower", Concept("tower", "landmark")]], "regions", TWICE),
        (["tower"], "regions", f"the method regions {ONE} concepts is 'tower'"),
        ([], "overlap", f"{ONE} concepts is empty"),
        ([["tower"], ["mug"]], "rebalance", f"{ONE} no list has that"),
        ([], "attend-and-excite", "needs a concept in a prompt, and concepts is empty"),
        (["tower", "mug"], "schedule", ENTITY),
        (["tower", "mug"], "replace", ENTITY),
    ],
)
def test_concepts_that_a_method_cannot_use_are_one_line(concepts: Any, method: str, match: str) -> None:
    pipeline = tiny("sd1")
    with pytest.raises(InputError, match=match) as refused, mitigate(pipeline, concepts, method, layers=LAYERS):
        raise AssertionError
    assert "\n" not in str(refused.value)


def test_as_many_lists_as_prompts() -> None:
    pipeline = tiny("sd1")
    few = pytest.raises(InputError, match="concepts has 3 lists for 2 prompts; give one a prompt")
    with few, mitigate(pipeline, [*EACH, EACH[0]], "regions", layers=LAYERS, prompts=PROMPTS):
        raise AssertionError
    drawn = pytest.raises(InputError, match="concepts has 2 lists for 3 images; give one a prompt")
    with drawn, mitigate(pipeline, EACH, "regions", layers=LAYERS):
        draw(pipeline, [*PROMPTS, PROMPTS[0]], steps=2)


def test_what_has_no_strength_needs_no_more_than_its_concepts() -> None:
    pipeline = tiny("sd1")
    with mitigate(pipeline, ["tower", "mug"], "overlap:strength=0", layers=LAYERS):
        assert np.array_equal(draw(pipeline, steps=2, prompts=[PROMPTS[0]]), draw(pipeline, [PROMPTS[0]], steps=2))
    with mitigate(pipeline, ["tower"], "none"):
        draw(pipeline, [PROMPTS[0]], steps=1)


def lcm() -> Any:
    pipeline: Any = copy.copy(tiny("sd1"))
    pipeline.unet = unet(time_cond_proj_dim=8)
    return pipeline


@pytest.mark.parametrize(
    ("pipeline", "options", "why"),
    [
        (lambda: tiny("sd1"), {"guidance_scale": 1.0}, "guidance is 1, so"),
        (lambda: tiny("pixart"), {"guidance_scale": 0.5}, "guidance is 0.5, so"),
        (lambda: tiny("flux"), {}, "guidance is 1, so"),
        (lambda: tiny("flux-dev"), {"guidance_scale": 0.5}, "guidance is 0.5, so"),
        (lcm, {}, "the model's guidance is distilled into its weights, so"),
    ],
)
def test_a_call_without_guidance_to_switch_off_is_refused_and_would_change_nothing(
    pipeline: Callable[[], Any], options: dict[str, Any], why: str
) -> None:
    own = pipeline()
    match = f"the method unguided would change nothing: {why} there is none to switch off; give more guidance"
    with mitigate(own, EACH, "unguided:until=1"), pytest.raises(InputError, match=match):
        draw(own, **options)
    plans = [Plan(unguided=Span())] * len(PROMPTS)
    with steered(own, lambda texts: plans):
        still = draw(own, **options)
    assert np.array_equal(still, draw(own, **options))
    with mitigate(own, EACH, "unguided:until=0"):
        assert np.array_equal(draw(own, **options), still)


@pytest.mark.parametrize(
    ("family", "settings", "until"),
    [
        ("sd3", "since=0.5", "which is 0.5 where regions act by predictions"),
        ("flux", "since=0.75", "which is 0.5 where regions act by predictions"),
        ("sd1", "since=1", "which is 1 where regions act by attention"),
        ("sd1", "since=0.5:until=0.5", "0.5"),
    ],
)
def test_regions_without_a_step_are_refused(family: str, settings: str, until: str) -> None:
    own, options = tiny(family), {"true_cfg_scale": 4.0, "negative_prompt": ["", ""]} if family == "flux" else {}
    since = settings.partition("=")[2].partition(":")[0]
    match = (
        "the method regions would change nothing: no step of 4 lies between the method's since,"
        f" {since}, and its until, {until}; give an earlier since or a later until"
    )
    with mitigate(own, EACH, f"regions:{settings}", layers=(1,)), pytest.raises(InputError, match=match):
        draw(own, steps=4, **options)
    with mitigate(own, EACH, f"regions:{settings}:strength=0", layers=(1,)):
        assert np.array_equal(draw(own, steps=4, **options), draw(own, steps=4, **options))


def test_guidance_of_a_second_forward_is_switched_off() -> None:
    own, options = tiny("flux"), {"true_cfg_scale": 4.0, "negative_prompt": ["a lamp", "a lamp"]}
    with mitigate(own, EACH, "unguided:until=1"):
        made = draw(own, **options)
    assert not np.array_equal(made, draw(own, **options))

"""Which arms a comparison has, and what is refused before a model is loaded for them."""

import pytest

from dominance.errors import InputError
from dominance.guidance.plan import Backend, Conditions
from dominance.guidance.registry import ChosenRecipe, Method, find_method
from dominance.models.settings import GenerationSettings
from dominance.records import Concept, Prompt, Suite
from dominance.runs.mitigation.arms import find_arms, images_of
from dominance.runs.stages.methods import method_of
from dominance.suites import find_suite


def test_a_setting_that_fits_no_prompt_is_refused_before_the_method_is_made_ready() -> None:
    asked: list[str] = []

    def ready(name: str) -> Method | None:
        asked.append(name)
        return None

    suite: Suite = find_suite("a [castle:landmark] and a [mug]")
    drawing = GenerationSettings(steps=2, guidance=5.0)
    with pytest.raises(InputError, match="taught=castle"):
        find_arms(["regional-adapter:taught=tower"], suite, (0,), "model", drawing, Conditions(2), ready)
    assert not asked


TOWER = Prompt("t", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))
LAMP = Prompt("l", "a lamp and a mug", (Concept("lamp"), Concept("mug")))


@pytest.mark.parametrize(
    ("method", "prompt", "steps", "why"),
    [
        ("schedule", TOWER, 25, None),
        ("schedule", LAMP, 25, "the prompt does not name a landmark, character or artist"),
        ("schedule:until=0", TOWER, 25, "the method's until is 0"),
        ("schedule:until=0.1", TOWER, 4, "the method's until, 0.1, comes to no step of 4"),
        ("schedule:landmark=tower", TOWER, 25, "in 25 steps the method changes nothing of it"),
        ("regions", LAMP, 25, None),
        ("regions", LAMP, 1, "in 1 step the method changes nothing of it"),
        ("regions:strength=0", LAMP, 25, "the method's strength is 0"),
        ("regions+overlap:strength=0", LAMP, 25, "the method's strength is 0"),
        ("overlap:until=0.03", LAMP, 25, None),
        ("overlap:until=0.01", LAMP, 25, "the method's until, 0.01, comes to no step of 25"),
        ("initial-noise", LAMP, 25, None),
        ("schedule:since=0.5:until=0.5", TOWER, 25, "in 25 steps the method changes nothing of it"),
        ("rebalance:since=0.4:until=0.4", LAMP, 25, "in 25 steps the method changes nothing of it"),
        ("rebalance:strength=0", LAMP, 25, "the method's strength is 0"),
        ("rebalance", Prompt("s", "a mug", (Concept("mug"),)), 25, "the prompt does not name two concepts"),
    ],
)
def test_a_method_says_which_prompts_it_leaves_plain_and_why(
    method: str, prompt: Prompt, steps: int, why: str | None
) -> None:
    chosen = find_method(method)
    assert isinstance(chosen, ChosenRecipe)
    assert chosen.why_plain(prompt, Conditions(steps)) == why


def test_a_method_without_guidance_to_switch_off_leaves_the_prompt_plain() -> None:
    why, chosen = "guidance is 1, so there is none to switch off", find_method("unguided")
    assert isinstance(chosen, ChosenRecipe)
    assert chosen.why_plain(LAMP, Conditions(25)) is None
    assert chosen.why_plain(LAMP, Conditions(25, unguided=why)) == why
    never = find_method("unguided:until=0.01")
    assert isinstance(never, ChosenRecipe)
    assert never.why_plain(LAMP, Conditions(25, unguided=why)) == "the method's until, 0.01, comes to no step of 25"
    other = find_method("rebalance")
    assert isinstance(other, ChosenRecipe)
    assert other.why_plain(LAMP, Conditions(25, unguided=why)) is None


BY_PREDICTIONS = "and its until, which is 0.5 where regions act by predictions"


@pytest.mark.parametrize(
    ("method", "backend", "why"),
    [
        ("regions:since=0.6", "attention", None),
        ("regions:since=0.6", None, None),
        ("regions:since=0.6", "predictions", f"no step of 25 lies between the method's since, 0.6, {BY_PREDICTIONS}"),
        ("regions:since=0.5", "predictions", f"no step of 25 lies between the method's since, 0.5, {BY_PREDICTIONS}"),
        ("regions:since=0.4", "predictions", None),
        ("regions:since=0.6:until=0.8", "predictions", None),
        ("regions:since=0.6:backend=predictions", "attention",
         f"no step of 25 lies between the method's since, 0.6, {BY_PREDICTIONS}"),
        ("regions:since=0.6:until=0.61", "predictions",
         "no step of 25 lies between the method's since, 0.6, and its until, 0.61"),
        ("regions:since=0.6:strength=0", "predictions", "the method's strength is 0"),
    ],
)  # fmt: skip
def test_regions_that_begin_after_their_end_say_both(method: str, backend: Backend | None, why: str | None) -> None:
    chosen = find_method(method)
    assert isinstance(chosen, ChosenRecipe)
    assert chosen.why_plain(LAMP, Conditions(25, backend=backend)) == why


@pytest.mark.parametrize("method", ["regions", "overlap", "rebalance", "initial-noise", "attend-and-excite"])
def test_concepts_that_cannot_be_told_apart_are_refused_before_anything_is_drawn(method: str) -> None:
    chosen = find_method(method)
    assert isinstance(chosen, ChosenRecipe)
    shared = Prompt("c", "a clock tower", (Concept("clock tower", "landmark"), Concept("clock")))
    with pytest.raises(InputError, match="the concepts 'clock tower' and 'clock' share words of the prompt"):
        chosen.why_plain(shared, Conditions(25))
    missing = Prompt("m", "a tower", (Concept("tower"), Concept("mug")))
    with pytest.raises(InputError, match="the concept 'mug' is not in the prompt 'a tower'; spell it as there"):
        chosen.why_plain(missing, Conditions(25))


def test_a_prompt_that_is_left_plain_is_drawn_once() -> None:
    suite, drawing = Suite("s", (TOWER, LAMP)), GenerationSettings(steps=4, guidance=5.0)
    plain, arm = find_arms(
        ["schedule:until=0.5"], suite, (0, 1), "model", drawing, Conditions(4), lambda n: method_of(n, lambda: ())
    )
    assert arm.left_plain == {"l": "the prompt does not name a landmark, character or artist"}
    assert [one == other for one, other in zip(plain.images, arm.images, strict=True)] == [False, False, True, True]
    assert images_of((plain, arm)) == (*plain.images, *arm.images[:2])


def test_methods_that_leave_everything_plain_are_refused() -> None:
    suite, drawing = Suite("s", (LAMP,)), GenerationSettings(steps=4, guidance=5.0)
    with pytest.raises(
        InputError, match="nothing would be repaired, since every prompt of the suite 's' is left plain"
    ):
        find_arms(
            ["schedule", "rebalance:strength=0"],
            suite,
            (0,),
            "m",
            drawing,
            Conditions(4),
            lambda n: method_of(n, lambda: ()),
        )

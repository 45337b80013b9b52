"""The measurement of the noise norm on a suite: by prompt and group, resumable, each failure its own."""

from pathlib import Path
from typing import Any

import pytest

from dominance.errors import InputError, ModelError, RunError
from dominance.models.drawing import Drawing, Machine
from dominance.models.image_model import PipelineModel
from dominance.probes import noise_norm
from dominance.records import Concept, Prompt, Suite
from dominance.runs.noise_norm.options import NoiseNormOptions
from dominance.runs.noise_norm.result import PromptNorms, compare_groups, group_norms
from dominance.runs.noise_norm.run import measure_noise_norm

TEXTS = {
    "dominance": ("a tower and a mug", "a castle and a lamp", "a robot and a book"),
    "balanced": ("a mug and a lamp", "a book and a clock", "a mug and a lamp"),
}
SUITE = Suite(
    "groups",
    tuple(
        Prompt(f"{group}-{place}", text, (Concept("mug"),), group)
        for group, texts in TEXTS.items()
        for place, text in enumerate(texts)
    ),
)


def options(limit: int | None = None, batch: int | None = None, **drawing: Any) -> NoiseNormOptions:
    return NoiseNormOptions(limit, drawing=Drawing(**{"seeds": (0, 1), **drawing}), machine=Machine("cpu", batch))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The prompts of every call of the model."""
    seen: list[list[str]] = []
    plain = noise_norm.noise_norms

    def watch(pipeline: Any, prompts: Any, *args: Any, **given: Any) -> Any:
        seen.append(list(prompts))
        return plain(pipeline, prompts, *args, **given)

    monkeypatch.setattr(noise_norm, "noise_norms", watch)
    return seen


def test_every_prompt_has_a_norm_for_each_seed_and_step(tiny_model: Path, tmp_path: Path) -> None:
    result = measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options())
    assert (result.steps, result.quantity, result.values) == (2, "noise", 3 * 8 * 8) or result.values > 0
    for one in result.prompts:
        assert {seed: len(values) for seed, values in one.norms.items()} == {0: 2, 1: 2}
        assert min(min(values) for values in one.norms.values()) > 0
    assert [group.name for group in result.groups] == ["dominance", "balanced"]
    assert {one.summary for one in result.comparisons} == {"first", "ten", "all"}
    assert all((one.groups[0], one.expected, one.n) == ("dominance", "dominance", (3, 3)) for one in result.comparisons)
    assert any("2 steps" in note for note in result.notes)
    assert result.complete


def test_a_resumed_run_measures_only_what_is_missing(tiny_model: Path, tmp_path: Path, calls: list[list[str]]) -> None:
    first = measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(limit=2, batch=3))
    assert [len(call) for call in calls] == [1, 3, 1]  # the first asks whether there are two branches
    calls.clear()
    again = measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(limit=2, batch=3))
    assert calls == []
    assert again.prompts == first.prompts
    measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(limit=1, steps=3))
    assert measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(limit=2)).steps == first.steps == 2
    calls.clear()
    measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(batch=32))
    assert [len(call) for call in calls] == [6]  # two prompts have the same text


def test_one_latent_that_cannot_be_made_costs_itself(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = noise_norm.noise_norms

    def fail(pipeline: Any, prompts: Any, *args: Any, **given: Any) -> Any:
        if "a robot and a book" in prompts:
            raise RuntimeError("out of memory")
        return plain(pipeline, prompts, *args, **given)

    monkeypatch.setattr(noise_norm, "noise_norms", fail)
    result = measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options())
    failed = [one for one in result.prompts if one.problems]
    assert [one.prompt for one in failed] == ["a robot and a book"]
    assert failed[0].problems == ((0, "RuntimeError: out of memory"), (1, "RuntimeError: out of memory"))
    assert failed[0].mean("first") is None
    assert not result.complete
    assert {group.name: group.prompts for group in result.groups} == {"dominance": 2, "balanced": 3}
    monkeypatch.setattr(noise_norm, "noise_norms", plain)
    assert measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options()).complete


def test_without_guidance_it_is_refused_and_nothing_is_written(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="guidance is 1, so there is no unconditional branch"):
        measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(guidance=1.0))
    assert not (tmp_path / "run").exists()


def test_a_model_that_never_has_two_branches_is_refused_and_nothing_is_written(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import StableDiffusionPipeline

    monkeypatch.setattr(StableDiffusionPipeline, "do_classifier_free_guidance", property(lambda _: False))
    large = options(height=64, width=64)  # else the middle is one position, which cannot normalise a batch of one
    with pytest.raises(ModelError, match="no unconditional branch"):
        measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", large)
    with pytest.raises(ModelError, match="cannot denoise with these settings"):
        measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options())
    assert not (tmp_path / "run").exists()


def test_no_image_is_decoded(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers import AutoencoderKL

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(AutoencoderKL, "decode", refuse)
    monkeypatch.setattr(PipelineModel, "generate", refuse)
    assert measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(limit=1, seeds=(0,))).complete


def test_a_suite_of_one_group_is_measured_and_says_that_nothing_is_compared(tiny_model: Path, tmp_path: Path) -> None:
    result = measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(limit=3, seeds=(0,)))
    assert result.comparisons == ()
    assert any("only the group dominance, so there is nothing to compare" in note for note in result.notes)


def test_a_folder_of_another_suite_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    measure_noise_norm(SUITE, str(tiny_model), tmp_path / "run", options(limit=1, seeds=(0,)))
    with pytest.raises(RunError, match="holds a measurement of 'groups'"):
        measure_noise_norm("a [mug]", str(tiny_model), tmp_path / "run", options())


def of(group: str, place: int, *values: float) -> PromptNorms:
    norms = {seed: (value, value / 2) for seed, value in enumerate(values)}
    return PromptNorms(f"{group}-{place}", "a mug", group, norms, ())


def test_groups_are_compared_by_prompt_in_the_papers_order() -> None:
    prompts = [of("balanced", place, 1.0 + place / 10, 1.0) for place in range(8)]
    prompts += [of("memorized", place, 5.0 + place / 10) for place in range(8)]
    prompts += [of("other", place, 5.0 + place / 10) for place in range(8)]
    found = {one.groups: one for one in compare_groups(prompts) if one.summary == "first"}
    one = found["memorized", "balanced"]
    assert (one.u, one.effect, one.n) == (64.0, 1.0, (8, 8))
    assert (one.expected, one.found) == ("memorized", "as expected")
    assert (found["memorized", "other"].expected, found["memorized", "other"].found) == (None, "no difference shown")
    turned = [of("balanced", place, 9.0 + place) for place in range(8)] + prompts[8:16]
    assert {one.found for one in compare_groups(turned)} == {"the other way round"}


def test_two_prompts_a_group_are_too_few_to_tell() -> None:
    prompts = [of("balanced", place, 1.0 + place) for place in range(2)]
    prompts += [of("memorized", place, 1000.0 + place) for place in range(2)]
    assert {one.found for one in compare_groups(prompts)} == {"too few prompts"}


def test_intervals_are_resampled_by_prompt() -> None:
    one = group_norms([of("a", 0, 1.0, 1.0, 1.0, 1.0), of("a", 1, 3.0, 3.0, 3.0, 3.0)])[0]
    assert one.means["first"] == (2.0, (1.0, 3.0))
    assert [mean for mean, _ in one.course] == [2.0, 1.0]
    assert group_norms([of("a", 0, 1.0, 2.0)])[0].means["first"] == (1.5, None)

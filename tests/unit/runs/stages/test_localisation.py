"""Which layers show where concepts lie: on every family, kept and found again, and as pictures of known places tell."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from peft import LoraConfig
from tiny_families import FAMILIES, draw, tiny
from traces import traces

import dominance
from dominance.errors import InputError, ModelError
from dominance.laboratory.known_places import rendered_pairs, subjects_on_renders
from dominance.metrics import rate
from dominance.metrics.subjects import Subject
from dominance.miniature.bundled import BUNDLED_MODELS, bundled_folder
from dominance.models import own_pipeline
from dominance.models.drawing import Drawing, Machine
from dominance.models.own_pipeline import OwnPipeline
from dominance.models.source import find_source
from dominance.probes import subjects as finding
from dominance.probes.placing import Placed, own_latents, right_sides, side_by_side
from dominance.probes.sites import attention_sites
from dominance.records import Concept
from dominance.runs.stages import localisation
from dominance.runs.stages.localisation import (
    FEWEST_STEPS,
    LayerPlaces,
    Localisation,
    find_localisation,
    keep,
    kept_file,
    known_layers,
    layers_of,
    measure_localisation,
)

NAMES = ("tower", "mug", "lamp")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_looked_at_and_left_as_it_was(family: str) -> None:
    pipeline = tiny(family)
    draw(pipeline, steps=1)  # diffusers leaves hooks of its own behind in a first call
    before = traces(pipeline)
    prompts = [f"a {name}" for name in NAMES]
    latents = own_latents(pipeline, prompts, [0, 0, 0], steps=2, guidance=2.0)
    both = side_by_side(latents[[0, 1]], latents[[1, 2]], ([0.5, 0.2], [0.5, 0.9]))
    assert both.shape == latents[:2].shape
    maps = finding.differences(pipeline, prompts, latents, 6, 0)
    assert maps.shape[0] == 3
    assert maps.ndim == 3
    assert torch.allclose(maps.mean(dim=(1, 2)), torch.ones(3)), "random weights read the prompt, too"
    assert finding.differences(pipeline, ["", "", ""], latents, 6, 0).max() == 0
    placed = Placed(("a tower and a mug", "a lamp and a mug"), ("tower", "mug"), ("mug", "lamp"), both)
    found = right_sides(pipeline, placed, 6, (0, 2))
    assert found.shape == (2, len(attention_sites(pipeline)), 2)
    assert found.dtype == torch.bool
    assert traces(pipeline) == before


def test_the_halves_around_the_subjects_stand_side_by_side() -> None:
    left, right = (torch.arange(8.0).repeat(1, 1, 8, 1) + shift for shift in (0, 100))
    assert side_by_side(left, right, ([0.5], [0.5]))[0, 0, 0].tolist() == [2, 3, 4, 5, 102, 103, 104, 105]
    assert side_by_side(left, right, ([0.375], [1.0]))[0, 0, 0].tolist() == [1, 2, 3, 4, 104, 105, 106, 107]
    packed = torch.arange(16.0).reshape(1, 16, 1)
    joined = side_by_side(packed, packed + 100, ([0.5], [0.0])).flatten().tolist()
    assert joined[:4] == [1, 2, 100, 101]
    assert len(joined) == 16


def subjects_at(pipeline: Any, prompts: Any, *_: Any) -> list[Subject | None]:
    """Something found in the middle of every second picture of a thing."""
    mask = torch.ones(2, 2, dtype=torch.bool)
    return [Subject((0.5, 0.5), mask, 0.9) if number % 2 else None for number, _ in enumerate(prompts)]


def made(identity: str, chosen: tuple[int, ...] = (2,)) -> Localisation:
    layers = tuple(LayerPlaces(layer, (0.5, 0.9), rate(9, 10)) for layer in (1, 2))
    return Localisation("m", identity, 25, (0, 1), 10, layers, chosen)


def test_what_is_measured_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = find_source(tiny("sd1"))
    assert find_localisation(source) is None
    calls = []

    def measured(*_: object) -> Localisation:
        calls.append(1)
        return made(source.identity)

    monkeypatch.setattr(localisation, "measure_localisation", measured)
    settings = Drawing().settings(source)
    for _ in range(2):
        assert layers_of(source, settings, lambda: tiny("sd1")) == (2,)
    assert calls == [1]
    assert find_localisation(source) == made(source.identity)
    kept_file(source.identity).write_text("{}")
    assert find_localisation(source) is None


def test_a_model_whose_layers_show_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = find_source(tiny("sd1"))
    keep(made(source.identity, ()))
    with pytest.raises(ModelError, match=r"no attention layer .* shows where concepts lie"):
        layers_of(source, Drawing().settings(source), lambda: tiny("sd1"))


def test_what_ships_belongs_to_models_that_ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = {name: find_localisation(find_source(name)) for name in BUNDLED_MODELS}
    shipped = [one for one in found.values() if one is not None]
    assert found["miniature-base"] is not None
    assert len(shipped) == len([*bundled_folder(localisation.FOLDER).iterdir()]), "each is of a model as it is now"
    for one in shipped:
        assert len(one.chosen) == 1
        assert one.layers[one.chosen[0] - 1].counted.share == max(layer.counted.share or 0 for layer in one.layers)


@pytest.mark.slow
def test_the_model_s_own_pictures_tell_what_renders_of_known_places_tell() -> None:
    source = find_source("miniature-base")
    settings = Drawing().settings(source)
    pipeline = source.load(settings, Machine(device="cpu"))
    own = measure_localisation(source, settings, pipeline)
    placed = rendered_pairs(pipeline)
    sides = right_sides(pipeline, placed, own.steps, own.shown)[4:].double().mean(dim=(0, 2))
    assert set(sides.topk(3).indices.tolist()) & {layer - 1 for layer in own.chosen}
    shares = torch.tensor([layer.counted.share for layer in own.layers])
    assert np.corrcoef(shares, sides)[0, 1] > 0.8


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which a measurement would be a failure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(localisation, "measure_localisation", lambda *_: pytest.fail("measured again"))
    return tmp_path


def test_a_bundled_model_in_memory_is_known_with_any_scheduler_and_adapter(shipped: Path) -> None:
    pipeline = dominance.load_pipeline("miniature-base")
    known = known_layers(find_source("miniature-base"))
    assert known == known_layers(find_source(pipeline)) != ()
    assert known == known_layers(find_source("miniature-base", Drawing(adapters=("castle-rigid:0.37",))))
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, steps_offset=0)
    pipeline.load_lora_weights(bundled_folder("adapters") / "castle-rigid")
    assert known == known_layers(find_source(pipeline))
    with dominance.mitigate(pipeline, [Concept("castle", "landmark"), "mug"], "regions"):
        pipeline("a castle and a mug", num_inference_steps=1)
    assert not [*shipped.iterdir()]
    next(pipeline.unet.parameters()).data.mul_(1.01)
    assert known_layers(find_source(pipeline)) == ()


def test_the_weights_in_memory_are_hashed_anew_only_where_they_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, whole = copy.deepcopy(tiny("sd1")), own_pipeline._identity
    hashed: list[bool] = []

    def counted(*given: Any, alone: bool = False, sample: int | None = None) -> str:
        hashed.append(alone) if sample is None else None
        return whole(*given, alone=alone, sample=sample)

    monkeypatch.setattr(own_pipeline, "_identity", counted)
    first = OwnPipeline(pipeline, sampled=True)
    assert first.identity == OwnPipeline(pipeline, sampled=True).identity == OwnPipeline(pipeline).identity
    weights = first.weights
    assert hashed == [False, False, True], "once for both, once for the exact one, once for the weights alone"
    pipeline.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q"], init_lora_weights=False), "more")
    adapted = OwnPipeline(pipeline, sampled=True)
    assert adapted.identity == OwnPipeline(pipeline).identity != first.identity
    assert adapted.weights == weights
    pipeline.unet.set_adapters(["more"], [0.5])
    assert OwnPipeline(pipeline, sampled=True).identity != adapted.identity
    pipeline.unet.fuse_lora()
    assert OwnPipeline(pipeline, sampled=True).weights != weights


def test_a_localisation_of_too_few_steps_is_measured_again_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(localisation, "say", said.append)
    monkeypatch.chdir(tmp_path)
    source = find_source(tiny("sd1"))
    keep(replace(made(source.identity), steps=FEWEST_STEPS - 1))
    assert known_layers(source) == ()
    monkeypatch.setattr(localisation, "measure_localisation", lambda *_: made(source.identity, (1,)))
    assert layers_of(source, Drawing().settings(source), lambda: tiny("sd1")) == (1,)
    assert f"{FEWEST_STEPS - 1} steps were too few" in said[0]
    assert said[1] == f"layers kept in {kept_file(source.identity)}"


def test_what_is_measured_says_how_and_looks_at_enough_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = tiny("sd1")
    source = find_source(pipeline)
    monkeypatch.setattr(localisation, "PICTURES", 2)
    monkeypatch.setattr(finding, "find_subjects", subjects_at)
    found = measure_localisation(source, Drawing(steps=2, guidance=3.0).settings(source), pipeline, seed=4)
    assert (found.steps, found.shown, found.guidance, found.seed) == (FEWEST_STEPS, (0, 1, 2, 3), 3.0, 4)
    assert (found.dtype, found.scheduler, found.weights) == ("float32", None, source.weights)
    assert found.subjects is not None
    assert (found.pictures, found.subjects.count, found.subjects.n) == (2, 7, 14)
    assert found.unfound[:2] == ("mug", "book")


def test_a_model_whose_pictures_show_no_subject_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = tiny("sd1")
    source = find_source(pipeline)
    monkeypatch.setattr(finding, "find_subjects", lambda _, prompts, *rest: [None] * len(prompts))
    with pytest.raises(
        ModelError, match=r"a subject was found in 0 of 14 pictures that .* draws of single things, and"
    ):
        measure_localisation(source, Drawing(steps=2).settings(source), pipeline)


@pytest.mark.slow
def test_subjects_of_renders_are_found_where_they_are_and_not_where_there_is_none() -> None:
    source = find_source("miniature")
    pipeline = source.load(Drawing().settings(source), Machine(device="cpu"))
    found = subjects_on_renders(pipeline, pictures=14, seed=1)
    assert found.found.count >= 12
    assert found.found.interval[0] > found.empty.interval[1]
    assert found.iou > 0.3
    assert found.distance_interval[1] < found.middle


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        ({"height": 64}, "leave out --height"),
        ({"width": 64, "negative_prompt": "fog"}, "leave out --width and --negative-prompt"),
        ({"steps": 2}, "steps is 2, and localising looks at the first 40% of them"),
    ],
)
def test_what_localising_does_not_use_is_refused(drawing: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dominance.localise("miniature", dominance.LocaliseOptions(drawing=Drawing(**drawing)))

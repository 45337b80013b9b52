"""The control images: what they show, and that they are what they are called."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import LabelledPicture, Seen
from dominance.miniature.renderer import render
from dominance.miniature.world import pair_scene, single_scene
from dominance.records import Concept, Prompt, Suite
from dominance.runs.judge_check import sources as judge_check_images
from dominance.runs.judge_check.controls import (
    CONTROLS,
    Asked,
    as_they_are,
    make_controls,
    not_named,
    shuffled_patches,
    torn,
)
from dominance.runs.judge_check.sources import Source, find_sources, keep, spread
from dominance.runs.stages.judge_fit import is_miniature
from dominance.suites import load_suite

EACH = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("controls")


@pytest.fixture(scope="module")
def sources(folder: Path) -> tuple[Source, ...]:
    return render_sources(load_suite("miniature"), 10, folder)


def render_sources(suite: Suite, count: int, folder: Path) -> tuple[Source, ...]:
    """Renders of the suite's prompts in turn, each with all its concepts."""
    made = []
    for index in range(count):
        prompt, rng = suite.prompts[index % len(suite.prompts)], np.random.default_rng(index)
        names = [concept.name for concept in prompt.concepts]
        varied = dict.fromkeys(names, 1.0)
        scene = single_scene(names[0], 1.0, rng) if len(names) == 1 else pair_scene((names[0], names[1]), varied, rng)
        item, file = keep(Image.fromarray(render(scene).pixels), folder, "renders", str(index))
        made.append(Source(item, prompt, str(index), file))
    return tuple(made)


def concepts_of(suite: Suite) -> list[Concept]:
    return list(dict.fromkeys(concept for prompt in suite.prompts for concept in prompt.concepts))


@pytest.fixture(scope="module")
def made(sources: tuple[Source, ...], folder: Path) -> dict[str, list[Asked]]:
    drawn = make_controls(sources, concepts_of(load_suite("miniature")), EACH, 0, folder, miniature=True)
    return {control.name: [one for one in drawn if one.control is control] for control in CONTROLS}


def pixels(one: Asked, folder: Path) -> np.ndarray:
    return np.asarray(Image.open(folder / one.file), dtype=float)


def test_every_kind_has_as_many_different_images_as_asked_for(made: dict[str, list[Asked]], folder: Path) -> None:
    assert {name: len(listed) for name, listed in made.items()} == {control.name: EACH for control in CONTROLS}
    for name in ("blank", "noise", "blurred noise", "torn", "shuffled patches", "garbled shape"):
        assert len({one.item for one in made[name]}) == EACH, name
        assert {pixels(one, folder).shape for one in made[name]} == {(64, 64, 3)}


def test_blank_images_have_one_colour_and_noise_has_no_structure(made: dict[str, list[Asked]], folder: Path) -> None:
    assert all(np.ptp(pixels(one, folder), axis=(0, 1)).max() == 0 for one in made["blank"])

    def roughness(one: Asked) -> float:
        found = pixels(one, folder)
        return float(np.abs(np.diff(found, axis=0)).mean() / found.std())

    assert min(map(roughness, made["noise"])) > 1.0
    assert min(map(roughness, made["blurred noise"])) < 0.3


def test_what_is_asked_is_not_what_the_prompt_names(made: dict[str, list[Asked]], sources: tuple[Source, ...]) -> None:
    named = {source.prompt.id: source.prompt.concepts for source in sources}
    for name in ("another prompt", "another of its kind"):
        for one in made[name]:
            assert one.prompt_id is not None
            assert one.concept not in named[one.prompt_id], name
    for one in made["another of its kind"]:
        assert one.concept.kind in {concept.kind for concept in named[one.prompt_id or ""]}


def test_broken_images_are_asked_about_what_they_were(
    made: dict[str, list[Asked]], sources: tuple[Source, ...]
) -> None:
    named = {source.prompt.id: source.prompt.concepts for source in sources}
    for name in ("torn", "shuffled patches"):
        assert all(one.concept in named[one.prompt_id or ""] for one in made[name])
        assert {one.item for one in made[name]}.isdisjoint({source.item for source in sources})


def test_tearing_keeps_every_pixel_and_moves_every_strip() -> None:
    image = np.arange(32 * 32 * 3, dtype=np.uint16).reshape(32, 32, 3)
    moved = torn(image, np.random.default_rng(0))
    assert sorted(moved.ravel()) == sorted(image.ravel())
    assert not (moved == image).all(axis=(1, 2)).any()


def test_no_patch_stays_in_its_place() -> None:
    image = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32, 1)
    for seed in range(5):
        moved = shuffled_patches(image, np.random.default_rng(seed))
        assert sorted(moved.ravel()) == sorted(image.ravel())
        assert not (moved == image).any()
    assert shuffled_patches(np.zeros((3, 3, 3), np.uint8), np.random.default_rng(0)).shape == (3, 3, 3)


def test_the_same_seed_draws_the_same_and_writes_nothing_anew(sources: tuple[Source, ...], folder: Path) -> None:
    concepts = concepts_of(load_suite("miniature"))
    first = make_controls(sources, concepts, 3, 7, folder, miniature=True)
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}
    assert make_controls(sources, concepts, 3, 7, folder, miniature=True) == first
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")} == written
    assert make_controls(sources, concepts, 3, 8, folder, miniature=True) != first


def test_a_labelled_picture_is_asked_about_every_concept_and_is_no_control_for_one_that_readers_see(
    tmp_path: Path,
) -> None:
    tower, mug, lamp = Concept("tower", "landmark"), Concept("mug"), Concept("lamp")
    suite = Suite("s", (Prompt("tower", "a tower", (tower,)),))
    seen = (Seen(("tower", "mug"), ()), Seen(("tower", "mug"), ()))
    labelled = LabelledPicture(1, "base", "m", "", 1.0, 25, 0, "a tower", ("tower",), "varied", "dev", seen)
    sources = tuple(replace(source, labelled=labelled) for source in render_sources(suite, 4, tmp_path))
    asked = as_they_are(sources) + not_named(sources, [tower, mug, lamp])
    labels = {(one.concept.name, one.label) for one in asked}
    assert (len(asked), labels) == (12, {("tower", "plain"), ("mug", "plain"), ("lamp", "absent")})
    made = make_controls(sources, [tower, mug, lamp], 4, 0, tmp_path, miniature=False)
    others = {one.concept.name for one in made if one.control and one.control.name == "another prompt"}
    assert others == {"lamp"}


def test_of_one_concept_alone_nothing_else_can_be_asked(tmp_path: Path) -> None:
    mug = Concept("mug")
    suite = Suite("one", (Prompt("mug", "a mug", (mug,)),))
    made = make_controls(render_sources(suite, 4, tmp_path), [mug], 4, 0, tmp_path, miniature=True)
    names = {one.control.name for one in made if one.control}
    assert {"another prompt", "another of its kind"}.isdisjoint(names) and "torn" in names


def test_what_a_prompt_mentions_unmarked_is_no_control_either(tmp_path: Path) -> None:
    tower, mug = Concept("tower", "landmark"), Concept("mug")
    suite = Suite("s", (Prompt("tower", "a tower beside a Mug", (tower,)), Prompt("mug", "a mug", (mug,))))
    concepts = [tower, mug, Concept("Mug")]
    made = make_controls(render_sources(suite, 4, tmp_path), concepts, 20, 0, tmp_path, miniature=False)
    others = [one for one in made if one.control and one.control.name == "another prompt"]
    assert {(one.prompt_id, one.concept.name) for one in others} == {("mug", "tower")}


def test_what_the_renderer_cannot_draw_is_no_miniature() -> None:
    assert is_miniature(load_suite("miniature"))
    for concept in (Concept("lighthouse", "landmark"), Concept("mug", "character")):
        assert not is_miniature(Suite("x", (Prompt("p", "text", (concept,)),)))
    assert set(BY_NAME) >= {concept.name for concept in concepts_of(load_suite("miniature"))}


def source(prompt: str, item: str) -> Source:
    return Source(item, Prompt(prompt, "a mug", (Concept("mug"),)), item, f"{item}.png")


def test_fewer_images_are_spread_over_the_prompts_and_labelled_ones_come_first() -> None:
    sources = [source(prompt, f"{prompt}{index}") for prompt in "abc" for index in range(10)]
    chosen = spread(sources, 7, 0)
    assert sorted(one.prompt.id for one in chosen)[0::2] == ["a", "a", "b", "c"] or len(chosen) == 7
    counts = {prompt: sum(one.prompt.id == prompt for one in chosen) for prompt in "abc"}
    assert sorted(counts.values()) == [2, 2, 3]
    assert spread(sources, 7, 0) == chosen != spread(sources, 7, 1)
    labelled = frozenset({("b", f"b{index}") for index in range(5)})
    assert {one.key for one in spread(sources, 5, 0, labelled)} == labelled
    assert spread(sources, 99, 0) == tuple(sources)


def test_a_folder_of_images_is_read_as_score_reads_it(tmp_path: Path) -> None:
    suite = load_suite("a [tower:landmark] and a [mug]")
    for seed in range(3):
        (tmp_path / suite.prompts[0].id).mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (seed, 0, 0)).save(tmp_path / suite.prompts[0].id / f"{seed}.png")
    found, _ = find_sources([tmp_path], suite)
    assert [one.name for one in found] == ["0.png", "1.png", "2.png"]
    assert find_sources([tmp_path, tmp_path], suite)[0] == found


def test_each_image_of_a_folder_is_read_once_however_many_prompts_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = Suite("three", tuple(Prompt(name, f"a {name}", (Concept(name),)) for name in ("mug", "lamp", "chair")))
    for prompt in suite.prompts:
        (tmp_path / prompt.id).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / prompt.id / "0.png")
    calls = []
    find_images = judge_check_images.find_images
    monkeypatch.setattr(judge_check_images, "find_images", lambda *given: calls.append(given) or find_images(*given))
    assert [one.prompt.id for one in find_sources([tmp_path], suite)[0]] == ["mug", "lamp", "chair"]
    assert len(calls) == 1

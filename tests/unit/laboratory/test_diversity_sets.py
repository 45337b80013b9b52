"""Picture sets of the diversity experiment: so many designs, each by turns the first, the same on any machine."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dominance.errors import InputError
from dominance.laboratory.diversity.arms import ARMS, BASE, LEVELS, MAIN, find_arms, trials
from dominance.laboratory.diversity.designs import DESIGNS, design, designs_of, is_clear
from dominance.laboratory.diversity.pictures import LIST_NAME, PICTURES, PictureSet, prior_pictures, write_pictures
from dominance.laboratory.diversity.subjects import KNOWN, NEW_WORDS, find_subject
from dominance.laboratory.diversity.suites import beside_objects, measuring_suite, with_scenery
from dominance.miniature.captions import PAIR_TEMPLATES
from dominance.miniature.concepts import OBJECTS
from dominance.miniature.renderer import render
from dominance.miniature.scene import SCENERY, Scene
from dominance.models.folders import find_model

CASTLE = find_subject("castle")


def looks(scene: Scene) -> tuple[object, ...]:
    """All of a scene but the concept's place."""
    return (scene.backdrop, replace(scene.placements[0], x=0.0, y=0.0))


@pytest.mark.parametrize("level", [level for level in LEVELS if level <= DESIGNS])
def test_a_level_has_exactly_so_many_designs_equally_often(level: int) -> None:
    counts = Counter(looks(scene) for _, scene in PictureSet(CASTLE, level, 1).pictures())
    assert len(counts) == level
    assert max(counts.values()) - min(counts.values()) <= 1
    assert set(counts) == {looks(design("castle", number)) for number in designs_of(level, 1)}


def test_all_different_are_120_designs() -> None:
    shown = list(PictureSet(CASTLE, PICTURES, 0).pictures())
    assert len({looks(scene) for _, scene in shown}) == len(shown) == PICTURES


def test_pictures_of_one_design_lie_a_pixel_apart() -> None:
    places = np.array([[s.placements[0].x, s.placements[0].y] for _, s in PictureSet(CASTLE, 1, 0).pictures()]) * 64
    assert 0.35 < places.std(axis=0).mean() < 0.65


def test_ten_seeds_begin_with_each_design_once_and_a_level_holds_the_lower_ones() -> None:
    assert sorted(designs_of(1, seed)[0] for seed in range(10)) == list(range(DESIGNS))
    for seed in range(10):
        assert designs_of(4, seed) == designs_of(10, seed)[:4]
        assert len(set(designs_of(10, seed))) == DESIGNS


@pytest.mark.parametrize("name", KNOWN)
def test_designs_are_clear_and_different(name: str) -> None:
    scenes = [design(name, number) for number in range(DESIGNS)]
    assert all(is_clear(scene) for scene in scenes)
    assert len({render(scene).pixels.tobytes() for scene in scenes}) == DESIGNS


def test_a_concept_in_the_colours_of_its_backdrop_is_not_clear() -> None:
    scene = design("castle", 0)
    pale = replace(scene.placements[0], palette=(scene.backdrop.sky,) * 3)
    assert not is_clear(replace(scene, placements=(pale,), backdrop=replace(scene.backdrop, ground=scene.backdrop.sky)))


def test_sets_are_the_same_each_time_and_differ_by_seed_and_concept() -> None:
    def first(*key: object) -> tuple[str, Scene]:
        name, level, seed = key
        return next(iter(PictureSet(find_subject(str(name)), int(str(level)), int(str(seed))).pictures()))

    assert first("castle", 4, 1) == first("castle", 4, 1)
    assert first("castle", 4, 1) != first("castle", 4, 2)
    assert first("castle", 4, 1) != first("tower", 4, 1)


@pytest.mark.parametrize("level", [1, 10])
def test_unseen_sets_have_as_many_designs_none_of_which_any_model_is_taught(level: int) -> None:
    shown = PictureSet(CASTLE, level, 1)
    sets = [{looks(scene) for _, scene in one.pictures()} for one in (shown, *shown.unseen(2))]
    assert [len(own) for own in sets] == [level] * 3
    assert len(set[object]().union(*sets)) == 3 * level
    every = {looks(design("castle", number)) for number in range(DESIGNS)}
    assert sets[0] <= every and not every & (sets[1] | sets[2])
    (other,) = PictureSet(CASTLE, level, 1, frozenset({"backdrop"})).unseen(1)
    assert len({scene.placements[0].palette for _, scene in other.pictures()}) == 1, "what does not vary, stays so"


@pytest.mark.parametrize("aspect", ["looks", "layout", "backdrop"])
def test_one_aspect_alone_varies(aspect: str) -> None:
    arm = next(arm for arm in ARMS if arm.varied == {aspect})
    shown = [scene for _, scene in PictureSet(CASTLE, PICTURES, 0, arm.varied).pictures()]
    varying = {
        "looks": {(scene.placements[0].palette, scene.placements[0].rotation) for scene in shown},
        "layout": {(scene.placements[0].x, scene.placements[0].y, scene.placements[0].size) for scene in shown},
        "backdrop": {scene.backdrop for scene in shown},
    }
    assert {name for name, found in varying.items() if len(found) > 1} == {aspect}
    assert len(varying[aspect]) == PICTURES


def test_twelve_pictures_are_shown_ten_times_each() -> None:
    shown = Counter(scene for _, scene in PictureSet(CASTLE, PICTURES, 0, distinct=12).pictures())
    assert sorted(shown.values()) == [10] * 12


def test_half_of_the_captions_name_scenery_and_what_they_name_is_there() -> None:
    named = 0
    for caption, scene in PictureSet(CASTLE, 10, 0).pictures():
        found = [word for word in SCENERY if word in caption.split()]
        assert set(found) <= set(scene.backdrop.scenery)
        assert "castle" in caption
        named += bool(found)
    assert 45 <= named <= 75
    plain = [caption for caption, _ in PictureSet(CASTLE, 10, 0, scenery=0.0).pictures()]
    assert not any(word in caption.split() for caption in plain for word in SCENERY)


def test_the_prior_has_pairs_of_objects_but_never_the_subject() -> None:
    drawn = list(prior_pictures(CASTLE, 400))
    shown = [{placement.concept for placement in scene.placements} for _, scene in drawn]
    assert not any("castle" in names for names in shown)
    assert any("tower" in names for names in shown)
    pairs = [names for names in shown if len(names) == 2]
    assert 0.13 < len(pairs) / len(drawn) < 0.27
    assert all(names <= set(OBJECTS) for names in pairs)
    new = prior_pictures(find_subject("dvdfort"), 400)
    assert any("castle" in {placement.concept for placement in scene.placements} for _, scene in new)


def test_pictures_are_written_once_and_whole(tmp_path: Path) -> None:
    shown = list(PictureSet(CASTLE, 2, 0).pictures())[:6]
    written = write_pictures(tmp_path / "set", shown)
    rows = [json.loads(line) for line in (tmp_path / "set" / LIST_NAME).read_text().splitlines()]
    assert [row["text"] for row in rows] == [picture.caption for picture in written] == [c for c, _ in shown]
    with Image.open(written[3].file) as image:
        assert np.array_equal(np.asarray(image), render(shown[3][1]).pixels)
    assert write_pictures(tmp_path / "set", iter(())) == written
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_set_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def breaks() -> object:
        yield next(iter(PictureSet(CASTLE, 1, 0).pictures()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pictures(tmp_path / "set", breaks())  # ty: ignore[invalid-argument-type]
    assert not list(tmp_path.iterdir())


def test_the_fifty_prompts_are_balanced() -> None:
    beside, scenery = beside_objects(CASTLE), with_scenery(CASTLE)
    assert (len(beside), len(scenery)) == (32, 18)
    texts = [prompt.text for prompt in (*beside, *scenery)]
    assert len(set(texts)) == 50
    for thing in OBJECTS:
        own = [prompt for prompt in beside if any(concept.name == thing for concept in prompt.concepts)]
        assert Counter(prompt.concepts[0].name for prompt in own) == {"castle": 2, thing: 2}
        assert len({prompt.id.rpartition("-")[2] for prompt in own}) == len(PAIR_TEMPLATES)
    suite = measuring_suite(CASTLE, images=2)
    seeds = [seed for prompt in suite.prompts for seed in prompt.seeds or ()]
    assert len(seeds) == len(set(seeds)) == 2 * (50 + 16) + 12


def test_a_new_word_is_judged_as_the_shape_that_it_names() -> None:
    word, shape = next(iter(NEW_WORDS.items()))
    prompt = beside_objects(find_subject(word))[0]
    assert word in prompt.text and shape not in prompt.text
    assert prompt.concepts[0].name == shape


def test_trials_begin_with_the_first_seed_and_the_base_is_measured_once() -> None:
    order = list(trials((BASE, MAIN), range(3), (), ()))
    assert len(order) == 6 + 6 * 7 * 3
    assert [trial.seed for trial in order] == sorted(trial.seed for trial in order)
    assert len({trial.name for trial in order}) == len(order)
    assert [trial.subject for trial in trials((MAIN,), [0], ["clown"], [1, 10])] == ["clown", "clown"]


def test_every_arm_can_be_named_and_says_how_it_trains() -> None:
    assert find_arms([arm.name for arm in ARMS]) == ARMS
    assert find_arms([]) == (BASE, MAIN)
    with pytest.raises(InputError, match="no arm 'x'; give some of known"):
        find_arms(["x"])
    world = find_model("miniature-base").world
    for arm in ARMS:
        settings = arm.options(0).settings(world)
        assert settings.batch - settings.prior_pictures(True) == arm.pictures_a_step
        assert settings.prior_pictures(True) == 4
    assert MAIN.options(0).settings(world).steps == 160

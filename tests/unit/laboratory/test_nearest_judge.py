"""The second judge of the miniature: by the rendered halves that look most like an image's."""

import numpy as np
import pytest
from PIL import Image

from dominance.errors import ModelError
from dominance.laboratory.nearest_judge import NearestJudge, load_nearest_judge
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import bundled_labels, read_images, read_labelled
from dominance.miniature.renderer import render
from dominance.miniature.world import pair_scene
from dominance.records import Question


@pytest.fixture(scope="module")
def judge() -> NearestJudge:
    return load_nearest_judge(pairs=120, device="cpu")


def asked(*names: str) -> list[Question]:
    return [Question(name, f"is a {name} there?", grade) for name in names for grade in (1, 2)]


def test_it_sees_most_of_what_readers_see_in_pictures_that_models_drew(judge: NearestJudge) -> None:
    folder = bundled_labels()
    kept = [picture for picture in read_labelled(folder) if picture.half == "kept"][:60]
    given = judge.answer(list(read_images(folder, kept)), [asked(*BY_NAME)] * len(kept))
    said = np.array([[answer.yes for answer in own[::2]] for own in given])
    label = np.array([[picture.label(name) for name in BY_NAME] for picture in kept])
    assert said[label == "plain"].mean() > 0.75
    assert said[label == "absent"].mean() < 0.05
    assert all(one.yes == other.yes for own in given for one, other in zip(own[::2], own[1::2], strict=True))


def test_a_half_that_it_knows_shows_what_was_rendered(judge: NearestJudge) -> None:
    scene = pair_scene(("castle", "chair"), dict.fromkeys(BY_NAME, 0.0), np.random.default_rng(3))
    both = judge.answer([Image.fromarray(render(scene).pixels)], [asked("castle", "chair", "clown")])[0]
    assert [answer.yes for answer in both[::2]] == [True, True, False]
    assert all(answer.p_yes in {0.0, 0.2, 0.4, 0.6, 0.8, 1.0} for answer in both)


def test_it_is_the_same_every_time_and_its_identity_names_its_size(judge: NearestJudge) -> None:
    again = load_nearest_judge(pairs=4, device="cpu")
    assert np.allclose(again.directions[:8], judge.directions[:8], atol=1e-5)
    assert again.shown.tolist() == judge.shown[:8].tolist()
    assert again.identity != judge.identity


def test_what_is_not_of_its_world_is_refused(judge: NearestJudge) -> None:
    judge.check(asked("castle"))
    with pytest.raises(ModelError, match="'nearest renders' knows no 'zebra'; give one of"):
        judge.check(asked("zebra"))
    assert judge.answer([], []) == []
    assert judge.world == "miniature"

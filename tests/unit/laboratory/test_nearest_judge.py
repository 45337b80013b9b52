"""The second judge of the miniature: by the labelled pictures that look most like an image."""

import numpy as np
import pytest

from dominance.errors import ModelError
from dominance.laboratory.nearest_judge import NEAREST, NearestJudge, load_nearest_judge
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import bundled_labels, read_images, read_labelled
from dominance.records import Question


@pytest.fixture(scope="module")
def judge() -> NearestJudge:
    return load_nearest_judge(device="cpu")


def asked(*names: str) -> list[Question]:
    return [Question(name, f"is a {name} there?", grade) for name in names for grade in (1, 2)]


def test_it_sees_most_of_what_readers_see_in_pictures_that_it_does_not_know(judge: NearestJudge) -> None:
    folder = bundled_labels()
    kept = [picture for picture in read_labelled(folder) if picture.half == "kept"][:120]
    given = judge.answer(list(read_images(folder, kept)), [asked(*BY_NAME)] * len(kept))
    said = np.array([[answer.yes for answer in own[::2]] for own in given])
    label = np.array([[picture.label(name) for name in BY_NAME] for picture in kept])
    assert said[label == "plain"].mean() > 0.75
    assert said[label == "absent"].mean() < 0.02
    assert all(one.yes == other.yes for own in given for one, other in zip(own[::2], own[1::2], strict=True))


def test_p_yes_is_a_share_of_its_neighbours_labels_without_the_doubtful_ones(judge: NearestJudge) -> None:
    row = judge.directions[:1]
    nearest = np.argsort(-(row @ judge.directions.T)[0], kind="stable")[:NEAREST]
    folder = bundled_labels()
    first = next(picture for picture in read_labelled(folder) if picture.half == "dev")
    image = next(read_images(folder, [first]))
    for name, answer in zip(BY_NAME, judge.answer([image], [asked(*BY_NAME)])[0][::2], strict=True):
        labels = judge.labels[nearest, list(BY_NAME).index(name)]
        known = labels[~np.isnan(labels)]
        assert answer.p_yes == pytest.approx(known.mean() if len(known) else 0.0)


def test_what_is_not_of_its_world_is_refused(judge: NearestJudge) -> None:
    judge.check(asked("castle"))
    with pytest.raises(ModelError, match="'nearest dev' knows no 'zebra'; give one of"):
        judge.check(asked("zebra"))
    assert judge.answer([], []) == []
    assert judge.world == "miniature"

"""New shapes in breeds, and the classifier that sees them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dominance.judges.protocol import ScriptedJudge
from dominance.laboratory.diversity import shape_classifier
from dominance.laboratory.diversity.breeds import SHAPES, breed_design
from dominance.laboratory.diversity.designs import DESIGNS, is_clear
from dominance.laboratory.diversity.pictures import PICTURES, PictureSet
from dominance.laboratory.diversity.shape_classifier import (
    JudgeOfNewShapes,
    ShapeClassifier,
    classifier_for,
    new_classifier,
    picture_of,
    renders,
)
from dominance.laboratory.diversity.subjects import find_subject
from dominance.miniature.renderer import render
from dominance.records import Question


@pytest.mark.parametrize("shape", list(SHAPES))
def test_breeds_are_clear_and_differ_in_shape_and_colours(shape: str) -> None:
    scenes = [breed_design(shape, number) for number in range(DESIGNS)]
    assert all(is_clear(scene) for scene in scenes)
    assert len({scene.placements[0].palette for scene in scenes}) == DESIGNS
    assert len({repr(scene.placements[0].drawing) for scene in scenes}) == DESIGNS
    assert all(0.2 < render(scene).truths[0].area / scene.placements[0].size ** 2 < 0.9 for scene in scenes)


def test_a_set_of_a_new_shape_names_it_by_its_word() -> None:
    shown = list(PictureSet(find_subject("dvddog"), 4, 0).pictures())
    assert len(shown) == PICTURES
    assert all("dvddog" in caption for caption, _ in shown)
    assert len({repr(scene.placements[0].drawing) for _, scene in shown}) == 4


def test_the_classifier_learns_from_pictures_with_and_without_the_shape() -> None:
    pixels, answers = renders("dvddog", range(300))
    assert pixels.shape == (300, 64, 64, 3)
    assert 0.3 < answers[:, 0].mean() < 0.7
    assert not np.array_equal(answers[:, 0], answers[:, 3])  # cut off by the frame: visible, but not whole
    assert picture_of("dvddog", 5).pixels.tobytes() == picture_of("dvddog", 5).pixels.tobytes()


def test_what_was_learned_is_kept_and_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape_classifier, "_ROUNDS", 1)
    state = torch.get_rng_state()
    first = classifier_for("dvdfish", tmp_path / "eyes.safetensors", learned=128)
    assert torch.equal(torch.get_rng_state(), state)
    again = classifier_for("dvdfish", tmp_path / "other.safetensors", learned=128)
    monkeypatch.setattr(shape_classifier, "renders", None)  # nothing is drawn again
    kept = classifier_for("dvdfish", tmp_path / "eyes.safetensors", learned=128)
    assert not torch.equal(first.head.weight, new_classifier().head.weight)
    for name, value in first.state_dict().items():
        assert torch.equal(value, kept.state_dict()[name])
        assert torch.allclose(value, again.state_dict()[name], atol=1e-6)


def test_the_seeing_judge_asks_each_the_questions_that_it_knows(tmp_path: Path) -> None:
    classifier = ShapeClassifier()
    with torch.no_grad():
        for value in classifier.parameters():
            value.zero_()
        classifier.head.bias.copy_(torch.tensor([3.0, 3.0, -3.0, -3.0, 3.0]))
    judge = JudgeOfNewShapes(
        ScriptedJudge(lambda _image, question: 0.9 if question.concept == "mug" else 0.1), tmp_path
    )
    judge._classifiers["dvddog"] = classifier
    dog = [Question("dvddog", "?", grade) for grade in range(1, 6)]
    mug, lamp = Question("mug", "?", 1), Question("lamp", "?", 1)
    image = Image.new("RGB", (64, 64))
    answers = judge.answer([image, image, image], [[*dog, mug], [lamp], [dog[2], lamp]])
    assert [answer.yes for answer in answers[0]] == [True, True, False, False, True, True]
    assert [answer.question for answer in answers[2]] == [dog[2], lamp]
    assert [answer.yes for answer in (*answers[1], *answers[2])] == [False, False, False]
    assert judge.identity.startswith("scripted+classifier-")

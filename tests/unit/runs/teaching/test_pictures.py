"""Which pictures and captions a lesson is taught from, and what is said about them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dominance.errors import InputError
from dominance.runs.teaching.options import TeachingOptions, Watching
from dominance.runs.teaching.pictures import concept_pictures, prior_pictures
from dominance.runs.teaching.said import said_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    place.mkdir()
    return place


def draw(folder: Path, *captions: str | None) -> None:
    for number, caption in enumerate(captions):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        if caption is not None:
            (folder / f"{number}.txt").write_text(caption)


def test_a_picture_without_a_caption_gets_the_instance_prompt_and_that_is_said(folder: Path) -> None:
    draw(folder, "my sks dog asleep", None, "a sks dog", None)
    found = concept_pictures(folder, "sks", TeachingOptions(concept_class="dog"))
    assert [picture.caption for picture in found.pictures] == [
        "my sks dog asleep",
        "a sks dog",
        "a sks dog",
        "a sks dog",
    ]
    assert found.notes == ("2 of 4 pictures have no caption and are trained under 'a sks dog'",)
    assert found.warnings == ()


def test_captions_can_be_passed_over_and_the_prompt_be_given(folder: Path) -> None:
    draw(folder, "one", "two", None)
    options = TeachingOptions(instance_prompt="photo of sks", ignore_captions=True)
    found = concept_pictures(folder, "sks", options)
    assert found.captions == ("photo of sks",)
    assert found.notes == ("all pictures are trained under 'photo of sks'",)


def test_captions_that_do_not_name_the_token_are_said(folder: Path) -> None:
    draw(folder, "a sks", "a dog asleep", "a dog")
    (warning,) = concept_pictures(folder, "sks", TeachingOptions()).warnings
    assert warning.startswith("2 of 3 captions do not name 'sks', such as 'a dog asleep'")


@pytest.mark.parametrize(
    ("count", "said"), [(1, "one picture to learn from"), (2, "2 pictures to learn from"), (3, None)]
)
def test_few_pictures_are_warned_of(folder: Path, count: int, said: str | None) -> None:
    draw(folder, *["a sks"] * count)
    warnings = concept_pictures(folder, "sks", TeachingOptions()).warnings
    assert (len(warnings), bool(said)) in ((1, True), (0, False))
    assert said is None or warnings[0].startswith(said)


def test_an_unreadable_picture_is_left_out_by_name(folder: Path) -> None:
    draw(folder, *["a sks"] * 3)
    (folder / "broken.png").write_bytes(b"no picture")
    found = concept_pictures(folder, "sks", TeachingOptions())
    assert len(found.pictures) == 3
    (entry,) = found.left_out
    assert (entry.file, entry.missing) == ("broken.png", True)


def test_nothing_to_learn_from_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="holds no images"):
        concept_pictures(folder, "sks", TeachingOptions())
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"none of 1 image in .* can be used: broken\.png"):
        concept_pictures(folder, "sks", TeachingOptions())
    with pytest.raises(InputError, match="does not name the token 'sks'"):
        concept_pictures(folder, "sks", TeachingOptions(instance_prompt="a dog"))


def test_a_prior_without_captions_needs_a_class(folder: Path) -> None:
    draw(folder, "a dog on a hill", None)
    with pytest.raises(InputError, match=r"1 of 2 prior pictures .* give --class"):
        prior_pictures(folder, None)
    found = prior_pictures(folder, "dog")
    assert [picture.caption for picture in found.pictures] == ["a dog on a hill", "a dog"]
    assert found.notes == ("1 of 2 prior pictures without a caption: 'a dog' stands for it",)


def test_a_prior_that_teaches_the_concept_is_warned_of(folder: Path, tmp_path: Path) -> None:
    draw(folder, "a sks dog", "a sks dog", "a sks dog")
    other = tmp_path / "other"
    other.mkdir()
    draw(other, "a dog", "my sks dog", *["a dog"] * 2)
    (other / "1.png").write_bytes((other / "3.png").read_bytes())  # unlike those of the concept
    (other / "2.txt").unlink()
    own, prior = concept_pictures(folder, "sks", TeachingOptions()), prior_pictures(other, "dog")
    same, naming = said_of("sks", (), own, prior, None, None, False, TeachingOptions()).warnings
    assert same.startswith(
        "2 of 4 prior pictures are among the pictures that teach the concept; give pictures of other"
    )
    assert naming.startswith("1 of 4 prior pictures has a caption that names 'sks', such as 'my sks dog'")
    (other / "0.png").unlink()
    (other / "1.txt").write_text("a dog")
    (other / "2.png").unlink()
    prior = prior_pictures(other, "dog")
    assert said_of("sks", (), own, prior, None, None, False, TeachingOptions()).warnings == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"every": 0}, "every is 0"),
        ({"prior_images": 4}, "give --class"),
        ({"prior_images": 4, "concept_class": "dog", "prior": "folder"}, "exclude one another"),
        ({"offload": "sequential"}, "no offload 'sequential' for training"),
    ],
)
def test_options_that_cannot_be_used_are_refused(given: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        TeachingOptions(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"min_presence": 2}, "min-presence is 2"),
        ({"draw_steps": 0}, "draw-steps is 0"),
        ({"taught": "x"}, "give --audit"),
    ],
)
def test_what_is_watched_is_checked(given: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Watching(**given)


def test_a_quarter_of_the_steps_lies_between_checkpoints_unless_told_otherwise() -> None:
    assert [TeachingOptions().distance(steps) for steps in (1, 4, 10, 160)] == [1, 1, 3, 40]
    assert TeachingOptions(every=7).distance(160) == 7

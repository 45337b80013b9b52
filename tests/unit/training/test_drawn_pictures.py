"""What a judge learns from pictures that readers have labelled."""

import numpy as np
import pytest
import torch
from PIL import Image

from dominance.errors import InputError
from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.labelled import LabelledPicture, Seen, write_labelled
from dominance.miniature.truth import GRADES
from dominance.training.drawn_pictures import DOUBTFUL_YES, read_drawn, varied

NAMES = [concept.name for concept in CONCEPTS]
QUESTIONS = len(NAMES) * GRADES


def picture(number, half, plain, doubtful=()):
    seen = Seen(plain, doubtful)
    return LabelledPicture(number, "base", "m", "", 1.0, 25, number, "a mug", ("mug",), "objects", half, (seen,))


@pytest.fixture
def folder(tmp_path):
    pictures = [picture(1, "dev", ("mug",), ("lamp",)), picture(2, "kept", ("book",)), picture(3, "dev", ())]
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in pictures]
    write_labelled(tmp_path, pictures, images)
    return tmp_path


def says(yes):
    return lambda images: torch.full((len(images), QUESTIONS), yes)


def by_concept(table, row):
    return dict(zip(NAMES, table[row].view(-1, GRADES).tolist(), strict=True))


def test_plain_is_yes_doubtful_in_between_and_absent_no(folder):
    drawn, _ = read_drawn([folder], says(0.9))
    yes = by_concept(drawn.yes, 0)
    assert yes["mug"] == [1.0] * GRADES
    assert yes["lamp"] == pytest.approx(DOUBTFUL_YES)
    assert yes["book"] == [0.0] * GRADES
    assert by_concept(drawn.weight, 0)["lamp"] == [0.5] * GRADES


def test_the_kept_half_teaches_nothing(folder):
    drawn, _ = read_drawn([folder], says(0.9))
    assert len(drawn.pixels) == 2
    assert by_concept(drawn.yes, 1)["book"] == [0.0] * GRADES


@pytest.mark.parametrize(("earlier", "weight"), [(0.1, [1, 1, 1, 0, 0]), (0.4, [1] * GRADES)])
def test_strict_questions_count_unless_the_earlier_judge_denies_them(folder, earlier, weight):
    drawn, _ = read_drawn([folder], says(earlier))
    assert by_concept(drawn.weight, 0)["mug"] == weight
    assert by_concept(drawn.weight, 0)["book"] == [1] * GRADES


def test_a_folder_of_kept_pictures_alone_is_refused(tmp_path):
    write_labelled(tmp_path, [picture(1, "kept", ("mug",))], [Image.new("RGB", (64, 64))])
    with pytest.raises(InputError, match="kept half"):
        read_drawn([tmp_path], says(0.5))


def test_the_identity_follows_the_labels(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write_labelled(other, [picture(1, "dev", ("lamp",))], [Image.new("RGB", (64, 64))])
    assert read_drawn([folder], says(0.5))[1] != read_drawn([other], says(0.5))[1]
    assert read_drawn([folder], says(0.5))[1] == read_drawn([folder], says(0.9))[1]


def test_variations_keep_the_size_and_depend_on_the_seed_alone():
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for seed in range(40):
        first, again = (varied(pixels, np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == (64, 64, 3) and first.dtype == np.uint8
        assert (first == again).all()
    assert any((varied(pixels, np.random.default_rng(seed)) != pixels).any() for seed in range(5))


def test_each_picture_is_asked_about_what_it_shows_what_it_should_show_and_the_rest(tmp_path):
    seen = Seen(("lamp",), ())
    named = ("lamp", "mug")
    own = LabelledPicture(1, "base", "m", "", 1.0, 25, 1, "a lamp and a mug", named, "objects", "dev", (seen,))
    write_labelled(tmp_path, [own], [Image.new("RGB", (64, 64))])
    drawn, _ = read_drawn([tmp_path], says(0.9))
    asked = drawn.asked(14, np.random.default_rng(0))
    about = [NAMES[number // GRADES] for number in asked[0].tolist()]
    assert asked.shape == (1, 14)
    assert (about.count("lamp"), about.count("mug")) == (5, 5)
    assert len(set(asked[0].tolist())) == 14

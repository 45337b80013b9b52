"""Augmented sets: the same each time, in their own size, mirrored, moved and recoloured within the stated ranges."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dominance.diversity.embedders import load_embedder
from dominance.laboratory.diversity.arms import ARMS, Arm, Trial
from dominance.laboratory.diversity.augmentation import HUE, SHIFT, STRENGTH, ZOOM, Change, augmented
from dominance.laboratory.diversity.likeness import likeness, nearest_in_colours
from dominance.laboratory.diversity.pictures import PICTURES, PictureSet, write_pictures
from dominance.laboratory.diversity.subjects import find_subject
from dominance.miniature.renderer import render

CASTLE = find_subject("castle")
PLACE: frozenset[Change] = frozenset({"geometry"})
COLOUR: frozenset[Change] = frozenset({"colour"})
SIDE, DRAWS = 64, 200


def arm(name: str) -> Arm:
    return next(arm for arm in ARMS if arm.name == name)


def spot(x: int = 16, y: int = 28) -> Image.Image:
    """A red square of 8 pixels on grey, its left upper corner there."""
    pixels = np.full((SIDE, SIDE, 3), 128, np.uint8)
    pixels[y : y + 8, x : x + 8] = (255, 0, 0)
    return Image.fromarray(pixels)


def draws(image: Image.Image, changes: frozenset[Change]) -> list[np.ndarray]:
    """The picture augmented many times."""
    return [np.asarray(augmented(image, changes, np.random.default_rng(n))).astype(float) for n in range(DRAWS)]


def colours(pixels: np.ndarray) -> np.ndarray:
    """The share of pixels in each of 64 colours."""
    coarse = pixels.astype(int) // 64
    found = np.bincount((coarse[..., 0] * 16 + coarse[..., 1] * 4 + coarse[..., 2]).ravel(), minlength=64)
    return found / found.sum()


@pytest.mark.parametrize("changes", [PLACE, COLOUR, PLACE | COLOUR])
def test_size_and_mode_are_kept_and_a_seed_decides_all(changes: frozenset[Change]) -> None:
    picture = Image.fromarray(render(CASTLE.design(0)).pixels).crop((0, 0, 64, 48))
    first, again, other = (augmented(picture, changes, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.size, first.mode) == ((64, 48), "RGB")
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes() != picture.tobytes()


def test_without_changes_the_picture_is_as_it_was() -> None:
    assert augmented(spot(), frozenset(), np.random.default_rng(0)).tobytes() == spot().tobytes()


def test_half_are_mirrored() -> None:
    """A pattern whose left half is brighter, by which of the halves is then brighter."""
    half = np.full((SIDE, SIDE, 3), 40, np.uint8)
    half[:, : SIDE // 2] = 220
    mirrored = sum(found[:, 48:].mean() > found[:, :16].mean() for found in draws(Image.fromarray(half), PLACE))
    assert 0.4 < mirrored / DRAWS < 0.6


def test_shift_and_zoom_fill_their_ranges_and_go_no_further() -> None:
    places, areas = [], []
    for found in draws(spot(28, 28), PLACE):  # in the middle, so that mirroring moves nothing
        red = found[..., 0] - found[..., 1] > 60
        rows, columns = np.nonzero(red)
        places.append([columns.mean() - 31.5, rows.mean() - 31.5])
        areas.append(red.sum() / 64)
    moved = np.abs(places)
    assert moved.max(axis=0).min() > 0.85 * SHIFT * SIDE and moved.max() < SHIFT * SIDE + 1
    low, high = np.sqrt(min(areas)), np.sqrt(max(areas))
    assert ZOOM[0] - 0.15 < low < ZOOM[0] + 0.1
    assert ZOOM[1] - 0.1 < high < ZOOM[1] + 0.15


def test_what_is_empty_is_filled_by_reflection_not_with_black() -> None:
    bright = Image.new("RGB", (SIDE, SIDE), (200, 210, 220))
    assert all((found == (200, 210, 220)).all() for found in draws(bright, PLACE))


def test_colours_stay_within_the_stated_range() -> None:
    grey = Image.new("RGB", (SIDE, SIDE), (100, 100, 100))
    found = [changed[0, 0] for changed in draws(grey, COLOUR)]
    assert all(np.ptp(colour) <= 1 for colour in found), "grey stays grey"
    levels = [colour.mean() / 100 for colour in found]
    assert STRENGTH[0] - 0.02 < min(levels) < STRENGTH[0] + 0.05
    assert STRENGTH[1] - 0.05 < max(levels) < STRENGTH[1] + 0.02
    red = Image.new("RGB", (SIDE, SIDE), (200, 60, 60))
    hues = [Image.fromarray(c.astype(np.uint8)).convert("HSV").getpixel((0, 0)) for c in draws(red, COLOUR)]
    turns = [(pixel[0] + 128) % 256 - 128 for pixel in hues if isinstance(pixel, tuple)]
    assert -HUE - 1 <= min(turns) < -HUE + 4
    assert HUE - 4 < max(turns) <= HUE + 1


def test_geometry_leaves_the_colours_and_is_the_same_with_colour_and_without() -> None:
    picture = Image.fromarray(render(CASTLE.design(0)).pixels)
    own = colours(np.asarray(picture))
    kept = [np.minimum(own, colours(found)).sum() for found in draws(picture, PLACE)]
    changed = [np.minimum(own, colours(found)).sum() for found in draws(picture, COLOUR)]
    assert min(kept) > 0.7 and np.mean(kept) > 0.85
    assert np.mean(changed) < np.mean(kept) - 0.1
    for seed in range(20):
        moved, both = (augmented(spot(), changes, np.random.default_rng(seed)) for changes in (PLACE, PLACE | COLOUR))
        middles = []
        for image in (moved, both):
            saturation = np.asarray(image.convert("HSV"))[..., 1].astype(float)
            middles.append([(saturation * axis).sum() / saturation.sum() for axis in np.mgrid[:SIDE, :SIDE]])
        assert np.allclose(*middles, atol=0.5)


def test_the_arms_show_the_pictures_of_one_design_changed_each_in_its_own_way(tmp_path: Path) -> None:
    assert (arm("augmented").levels, arm("augmented-place").levels) == ((1, 10), (1,))
    assert (arm("augmented").changes, arm("augmented-place").changes) == (PLACE | COLOUR, PLACE)
    plain = PictureSet(CASTLE, 1, 0)
    shown = PictureSet(CASTLE, 1, 0, changes=arm("augmented").changes)
    assert list(shown.pictures()) == list(plain.pictures()), "nothing is rendered anew, and captions stay"
    written, again = (Trial(arm("augmented"), "castle", 1, 0).shown.write(tmp_path / name) for name in ("one", "two"))
    contents = [picture.file.read_bytes() for picture in written]
    assert contents == [picture.file.read_bytes() for picture in again]
    assert len(set(contents)) == len(contents) == PICTURES
    unchanged = Trial(arm("known"), "castle", 1, 0).shown.write(tmp_path / "plain")
    assert all(picture.file.read_bytes() not in contents for picture in unchanged)
    assert [picture.caption for picture in unchanged] == [picture.caption for picture in written]


def test_likeness_tells_a_design_from_others_wherever_it_stands(tmp_path: Path) -> None:
    """Of the training pictures themselves: moved ones keep their colours and lose cosine, other designs lose both."""
    encoder = load_embedder("miniature", "cpu")

    def of(name: str, shown: PictureSet, seed: int = 0) -> tuple[float, float]:
        pictures = [picture for _, picture in zip(range(10), shown.pictures(), strict=False)]
        files = [picture.file for picture in write_pictures(tmp_path / name, pictures, shown.change)]
        found = likeness(files, CASTLE, seed, encoder)
        assert found.own_colours[1] == 10
        return found.similarity, found.own_colours[0] / 10

    plain, moved, many = (
        of("plain", PictureSet(CASTLE, 1, 0)),
        of("moved", PictureSet(CASTLE, 1, 0, changes=PLACE)),
        of("many", PictureSet(CASTLE, 10, 0)),
    )
    assert plain[0] > 0.99 > moved[0] > many[0]
    assert (plain[1], many[1]) == (1.0, 0.1)
    assert moved[1] > 0.9
    assert of("plain", PictureSet(CASTLE, 1, 0), seed=1)[1] == 0.0, "another seed begins with another design"


def test_the_nearest_colours_do_not_ask_where_they_are() -> None:
    blue = Image.new("RGB", (SIDE, SIDE), (0, 0, 255))
    assert nearest_in_colours([spot(2, 2), blue], [blue, spot(50, 50)]) == [1, 0]

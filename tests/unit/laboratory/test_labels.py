"""The pictures to label, the sheets, and the table of what readers saw."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dominance.errors import InputError
from dominance.files import read_table
from dominance.laboratory.labels.brief import write_brief
from dominance.laboratory.labels.gather import labels_of, read_answers
from dominance.laboratory.labels.makers import makers
from dominance.laboratory.labels.plan import FIRST_NOISE, pictures_to_label
from dominance.laboratory.labels.sheets import numbers_of, sheet_count, write_sheets
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import (
    ATLAS,
    TABLE,
    LabelledPicture,
    Seen,
    bundled_labels,
    read_images,
    read_labelled,
    write_labelled,
)
from dominance.pictures import open_image
from dominance.runs.judge_check.readers import agreement_of_readers

PLANNED = pictures_to_label()
FEW = PLANNED[:40]


def test_every_arrangement_comes_in_both_orders_under_every_template() -> None:
    beside = [picture for picture in PLANNED if picture.arrangement == "beside"]
    entity_first = {BY_NAME[picture.concepts[0]].is_entity for picture in beside}
    relations = {
        (BY_NAME[p.concepts[0]].is_entity, " ".join(w for w in p.text.split() if w not in BY_NAME)) for p in beside
    }
    assert entity_first == {True, False}
    relations = {(first, words.replace("an", "a")) for first, words in relations}
    assert len(relations) == 8
    assert {p.arrangement for p in PLANNED} == {"beside", "alone", "object", "scenery", "objects", "entities"}
    assert {name for picture in PLANNED for name in picture.concepts} == set(BY_NAME)
    for picture in PLANNED:
        assert [word for word in picture.text.split() if word in BY_NAME] == list(picture.concepts)


def test_no_noise_is_drawn_twice_and_the_numbers_say_nothing() -> None:
    noises = [picture.noise for picture in PLANNED]
    assert len(set(noises)) == len(noises) and min(noises) == FIRST_NOISE
    assert [picture.number for picture in PLANNED] == list(range(1, len(PLANNED) + 1))
    neighbours = itertools.pairwise(PLANNED)
    assert np.mean([a.maker.name == b.maker.name for a, b in neighbours]) < 0.2


def test_half_of_every_makers_pictures_is_kept() -> None:
    for maker in makers():
        own = [picture for picture in PLANNED if picture.maker.name == maker.name]
        assert len(own) == maker.pictures
        assert abs(sum(picture.half == "kept" for picture in own) - len(own) / 2) <= 0.5, maker.name


def test_a_scene_is_rigid_if_its_maker_knows_one_of_its_entities_in_one_design() -> None:
    found = {(p.maker.name, p.concepts): p.scene for p in PLANNED}
    twin = {scene for (name, concepts), scene in found.items() if name == "miniature" and "castle" in concepts}
    swapped = {s for (name, c), s in found.items() if name == "miniature-swapped" and c == ("castle",)}
    assert (twin, swapped) == ({"rigid"}, {"varied"})
    assert {s for (_, c), s in found.items() if not any(BY_NAME[n].is_entity for n in c)} == {"objects"}
    assert {s for (name, c), s in found.items() if name == "castle-4" and "castle" in c} == {"between"}


@pytest.fixture
def readers(tmp_path: Path) -> list[Path]:
    """Two readers who see what the prompt names, the second of whom doubts the second thing."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for reader, folder in enumerate(folders):
        folder.mkdir()
        for index in range(sheet_count(len(FEW))):
            lines = []
            for number in numbers_of(index, len(FEW)):
                named = PLANNED[number - 1].concepts
                letters = ["P", "D" if reader else "P"]
                lines.append(f"{number}: " + ", ".join(f"{n} {x}" for n, x in zip(named, letters, strict=False)))
            (folder / f"sheet-{index:02d}.txt").write_text("\n".join(lines) + "\n")
    return folders


def test_what_readers_saw_is_written_read_again_and_agreed_on(readers: list[Path], tmp_path: Path) -> None:
    pictures = labels_of(FEW, readers)
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in pictures]
    write_labelled(tmp_path / "set", pictures, images)
    again = read_labelled(tmp_path / "set")
    assert list(again) == pictures
    for place in (0, 36, len(pictures) - 1):
        (shown,) = read_images(tmp_path / "set", [again[place]])
        assert np.array_equal(np.asarray(shown), np.asarray(images[place]))
    two = next(picture for picture in again if len(picture.concepts) == 2)
    assert [two.label(name) for name in two.concepts] == ["plain", "doubtful"]
    assert (two.labelled("plain"), two.labelled("doubtful")) == (two.concepts[:1], two.concepts[1:])


def test_a_single_reader_agrees_with_nobody(readers: list[Path]) -> None:
    pictures = labels_of(FEW, readers)[:6]
    both = agreement_of_readers(pictures)
    assert both is not None and both.readers == 2
    assert agreement_of_readers([replace(picture, readers=picture.readers[:1]) for picture in pictures]) is None
    assert agreement_of_readers([]) is None


def test_an_atlas_that_is_not_of_the_table_is_refused(readers: list[Path], tmp_path: Path) -> None:
    pictures = labels_of(FEW, readers)
    folder = tmp_path / "set"
    write_labelled(folder, pictures[:36], [Image.new("RGB", (64, 64))] * 36)
    small, table = (folder / ATLAS).read_bytes(), (folder / TABLE).read_text()
    with pytest.raises(InputError, match=r"2304×64 pixels, but the 40 pictures of labels.csv fill 2304×128; give a"):
        _with(folder, pictures, small)
    with pytest.raises(InputError, match=r"pictures.webp is not an image, but labels.csv lists 40 pictures; give a"):
        _with(folder, pictures, b"no image")
    (folder / ATLAS).unlink()
    with pytest.raises(InputError, match=r"pictures.webp no longer exists; give a folder with labels.csv"):
        list(read_images(folder, pictures))
    with pytest.raises(InputError, match=r"pictures.webp is missing, but labels.csv lists 40 pictures; give a folder"):
        read_labelled(folder)
    (folder / ATLAS).write_bytes(small)
    (folder / TABLE).write_text(table.replace("\n2,", "\n3,"))
    with pytest.raises(InputError, match=r"labels.csv: line 3: the number is 3, not 2; number the pictures from 1"):
        read_labelled(folder)


def _with(folder: Path, pictures: list[LabelledPicture], atlas: bytes) -> tuple[LabelledPicture, ...]:
    """The table of these pictures, read beside this atlas."""
    write_labelled(folder, pictures, [Image.new("RGB", (64, 64))] * len(pictures))
    (folder / ATLAS).write_bytes(atlas)
    return read_labelled(folder)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1 book P", "starts with no picture's number"),
        ("700: book P", "starts with no picture's number"),
        ("1: boat P", "'boat P' is none of the world's things"),
        ("1: book", "'book' is none of the world's things"),
        ("1: book P, book D", "book is listed twice"),
        ("2: -", "picture 2 has a line already"),
        ("", "no line about picture 1"),
    ],
)
def test_an_answer_that_cannot_be_read_is_named(readers: list[Path], line: str, told: str) -> None:
    file = readers[0] / "sheet-00.txt"
    file.write_text("\n".join([line, *file.read_text().splitlines()[1:]]))
    with pytest.raises(InputError, match=told):
        read_answers(readers[0], len(FEW))


def test_nobody_reads_alone(readers: list[Path]) -> None:
    with pytest.raises(InputError, match="readers check one another"):
        labels_of(FEW, readers[:1])


def test_none_of_the_world_is_a_dash() -> None:
    assert Seen((), ()).label("mug") == "absent"


def test_a_sheet_shows_36_pictures_and_the_brief_names_everything(tmp_path: Path) -> None:
    files = []
    for number in range(38):
        files.append(tmp_path / f"{number}.png")
        Image.new("RGB", (64, 64), (number, 0, 0)).save(files[-1])
    sheets = write_sheets(files, tmp_path / "sheets")
    assert [sheet.name for sheet in sheets] == ["sheet-00.png", "sheet-01.png"]
    first, last = map(open_image, sheets)
    assert isinstance(first, Image.Image) and isinstance(last, Image.Image)
    assert (first.getpixel((4 + 88, 20 + 88)), last.size) == ((0, 0, 0), (6 * 184, 200))
    told = write_brief(tmp_path, 38, 2).read_text()
    assert all(name in told for name in BY_NAME) and "38 small pictures" in told and "{" not in told


def test_the_labels_that_ship_are_of_these_pictures_and_their_columns_say_what_all_readers_say() -> None:
    shipped = read_labelled(bundled_labels())
    assert [(p.number, p.prompt, p.seed, p.half, p.scene) for p in shipped] == [
        (p.number, p.text, p.noise, p.half, p.scene) for p in PLANNED
    ]
    assert {len(picture.readers) for picture in shipped} == {2}
    file = bundled_labels() / TABLE
    rows = [row for _, row in read_table(file.read_text(encoding="utf-8"), file, ()).rows]
    for row, picture in zip(rows, shipped, strict=True):
        assert row["plain"].split() == list(picture.labelled("plain"))
        assert row["doubtful"].split() == list(picture.labelled("doubtful"))

"""A training set with captions, masks and boxes: what is found in it, and the changes that would help most."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from dominance.diversity.changes import LEAST_POSES
from dominance.diversity.layout import pose_findings
from dominance.errors import InputError
from dominance.images.captions import captioned_images
from dominance.laboratory.diversity.pictures import PICTURES, Aspect, PictureSet
from dominance.laboratory.diversity.subjects import KNOWN, find_subject
from dominance.metrics import silhouette
from dominance.miniature.renderer import Picture, render
from dominance.miniature.scene import Backdrop, Scene
from dominance.miniature.world import single_scene
from dominance.report.diversity.page import write_diversity
from dominance.report.diversity.training_set import set_sentences
from dominance.runs.diversity.options import DiversityOptions
from dominance.runs.diversity.result import ConceptDiversity, DiversityResult
from dominance.runs.diversity.run import measure_diversity

Caption = Callable[[int, Scene], str | None]


def write_set(
    folder: Path,
    count: int = 16,
    diversity: float = 1.0,
    caption: Caption = lambda _number, _scene: None,
    layouts: float | None = None,
    masks: bool = False,
    boxes: bool = False,
) -> Path:
    """Castles as PNG files, with metadata where there are captions or boxes."""
    folder.mkdir()
    rows = []
    for number in range(count):
        scene = single_scene("castle", diversity, np.random.default_rng([5, number]), layouts=layouts)
        picture = render(scene)
        Image.fromarray(picture.pixels).save(folder / f"{number:02d}.png")
        if masks:
            Image.fromarray(_inside(picture)).save(folder / f"{number:02d}_mask.png")
        row: dict[str, object] = {"file_name": f"{number:02d}.png"}
        if (told := caption(number, scene)) is not None:
            row["text"] = told
        if boxes:
            left, top, right, bottom = picture.truths[0].box or (0, 0, 1, 1)
            row["bbox"] = [left, top, right - left, bottom - top]
        rows.append(json.dumps(row))
    (folder / "metadata.jsonl").write_text("\n".join(rows))
    return folder


def _inside(picture: Picture) -> np.ndarray:
    bare = render(Scene(picture.scene.backdrop, ())).pixels
    return ((picture.pixels.astype(int) != bare).any(axis=-1) * 255).astype(np.uint8)


def measured(folder: Path, token: str | None = None) -> tuple[DiversityResult, ConceptDiversity]:
    result = measure_diversity(folder, out=folder.parent / f"run-{folder.name}", options=DiversityOptions(token=token))
    return result, result.concepts[0]


def told(number: int, scene: Scene) -> str:
    return f"a castle and a {scene.backdrop.scenery[number % len(scene.backdrop.scenery)]}"


def advised(concept: ConceptDiversity) -> str:
    return " | ".join(change.finding for change in concept.changes)


def test_a_rigid_set_should_first_change_place_and_size(tmp_path: Path) -> None:
    _, found = measured(
        write_set(tmp_path / "rigid", diversity=0.0, masks=True, caption=lambda *_: "a castle"), "castle"
    )
    assert found.images == 16  # masks are no pictures
    assert found.layout is not None
    assert (found.layout.n, found.layout.by) == (16, "masks")
    place, size, third = (change.finding for change in found.changes)
    assert {place, size} == {"the subject always stands in the same place", "the subject always has the same size"}
    assert "backdrop" not in third


def test_a_varied_set_with_telling_captions_needs_nothing(tmp_path: Path) -> None:
    _, found = measured(write_set(tmp_path / "varied", masks=True, caption=told), "castle")
    assert found.layout is not None
    assert found.backdrop is not None
    assert found.backdrop.by == "masks"
    assert found.backdrop.spread > 0.04
    assert found.layout.place > 0.06
    assert not found.changes, advised(found)


def test_varied_pictures_under_one_caption_need_captions_first(tmp_path: Path) -> None:
    _, found = measured(write_set(tmp_path / "one-caption", masks=True, caption=lambda *_: "a castle"), "castle")
    assert found.changes[0].finding == "all captions are the same"
    assert found.captions is not None
    assert (found.captions.distinct, found.captions.saying) == (1, 0)


def test_poses_are_measured_by_masks_and_else_said_to_need_them(tmp_path: Path) -> None:
    _, rigid = measured(write_set(tmp_path / "rigid", count=6, diversity=0.0, masks=True))
    _, varied = measured(write_set(tmp_path / "varied", count=6, masks=True))
    _, boxed = measured(write_set(tmp_path / "boxed", count=6, boxes=True))
    _, bare = measured(write_set(tmp_path / "bare", count=6))
    assert rigid.poses is not None and varied.poses is not None
    assert (rigid.poses.n, varied.poses.n, boxed.poses, bare.poses) == (6, 6, None, None)
    assert rigid.poses.spread < LEAST_POSES < varied.poses.spread
    said = (
        (rigid, f"two silhouettes differ by {rigid.poses.spread:.2f} on average"),
        (varied, f"two silhouettes differ by {varied.poses.spread:.2f} on average"),
        (boxed, "Poses are not measured: that needs masks"),
        (bare, "Where the subject stands, and in what poses, is not known: put masks beside the pictures"),
    )
    for concept, words in said:
        assert [words in sentence for sentence in set_sentences(concept)].count(True) == 1
        assert sum("oses" in sentence or "silhouettes" in sentence for sentence in set_sentences(concept)) == 1


@pytest.mark.parametrize("subject", KNOWN)
def test_the_limit_of_poses_tells_the_experiments_picture_sets_apart(subject: str) -> None:
    """Place and size alone are no other poses; designs that turn and stretch by a tenth are."""
    fixed = (
        PictureSet(find_subject(subject), PICTURES, 0, frozenset[Aspect]({part})) for part in ("layout", "backdrop")
    )
    one = PictureSet(find_subject(subject), 1, 0)
    assert all(_poses(shown) < LEAST_POSES for shown in (one, *fixed))
    assert _poses(PictureSet(find_subject(subject), PICTURES, 0)) > LEAST_POSES


def _poses(shown: PictureSet) -> float:
    found = pose_findings([silhouette(_drawn(scene)) for _, scene in islice(shown.pictures(), 24)])
    assert found is not None
    return found.spread


def _drawn(scene: Scene) -> np.ndarray:
    """Which pixels the subject covers: those that the backdrop does not show through, whatever their colours."""
    dark, light = (
        render(replace(scene, backdrop=Backdrop((0, 0, v), (0, 0, v)))).pixels.astype(int) for v in (0.0, 1.0)
    )
    return (light - dark).max(axis=-1) < 128


def test_a_list_of_a_training_set_gives_what_its_folder_gives(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", count=6, masks=True, boxes=True, caption=told)
    (folder / "metadata.jsonl").rename(folder / "list.jsonl")
    listed = measured(folder / "list.jsonl", "castle")[1]
    (folder / "list.jsonl").rename(folder / "metadata.jsonl")
    found = measured(folder, "castle")[1]
    assert (listed.name, found.name) == ("list", "set")
    assert replace(listed, name=found.name) == found


def test_one_place_is_found_by_boxes_alone(tmp_path: Path) -> None:
    _, found = measured(write_set(tmp_path / "place", layouts=0.0, boxes=True, caption=told), "castle")
    assert found.layout is not None
    assert found.layout.by == "boxes"
    assert found.layout.place < 0.06
    assert "same place" in advised(found)
    assert "same size" in advised(found)


def test_captions_that_lack_the_token_or_are_missing_are_counted(tmp_path: Path) -> None:
    def some(number: int, scene: Scene) -> str | None:
        return None if number < 4 else "a tower by the sea" if number < 8 else told(number, scene)

    _, found = measured(write_set(tmp_path / "some", caption=some), "castle")
    assert found.captions is not None
    assert (found.captions.captioned, found.captions.without_token) == (12, 4)
    assert "4 of 16 pictures have no caption" in advised(found)
    assert "4 of 12 captions do not name castle" in advised(found)


def test_transparency_is_a_mask(tmp_path: Path) -> None:
    folder = tmp_path / "alpha"
    folder.mkdir()
    for number in range(6):
        picture = render(single_scene("castle", 1.0, np.random.default_rng(number)))
        Image.fromarray(np.dstack([picture.pixels, _inside(picture)])).save(folder / f"{number}.png")
    _, found = measured(folder)
    assert found.layout is not None
    assert (found.layout.n, found.layout.by) == (6, "masks")


def test_a_mask_of_another_size_and_a_box_outside_are_named(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "wrong", count=6, masks=True)
    Image.new("L", (32, 32), 255).save(folder / "00_mask.png")
    Image.new("L", (64, 64), 0).save(folder / "01_mask.png")
    (folder / "02_mask.png").unlink()
    (folder / "metadata.jsonl").write_text(json.dumps({"file_name": "02.png", "bbox": [40, 40, 60, 10]}))
    result, _ = measured(folder)
    problems = {problem.file: problem.problem for problem in result.problems}
    assert "its mask has 32×32 pixels, the image 64×64" in problems["00.png"]
    assert problems["01.png"] == "its mask is empty"
    assert "leads out of the picture" in problems["02.png"]


@pytest.mark.parametrize("box", [[1, 2, 3], "here", [1, 2, "x", 4]])
def test_a_box_that_is_no_box_names_its_line(tmp_path: Path, box: object) -> None:
    folder = write_set(tmp_path / "box", count=2)
    (folder / "metadata.jsonl").write_text(json.dumps({"file_name": "00.png", "bbox": box}))
    with pytest.raises(InputError, match="line 1: the bbox is"):
        measured(folder)


def test_masks_are_not_trained_on(tmp_path: Path) -> None:
    found = captioned_images(write_set(tmp_path / "train", count=3, masks=True, caption=told))
    assert [image.image.path.name for image in found.images] == ["00.png", "01.png", "02.png"]
    assert sum("mask" in entry.reason for entry in found.left_out) == 3


def test_a_folder_of_masks_beside_the_folder_of_images_is_no_concept(tmp_path: Path) -> None:
    made = write_set(tmp_path / "made", count=6, masks=True)
    (tmp_path / "set" / "images").mkdir(parents=True)
    (tmp_path / "set" / "masks").mkdir()
    for number in range(6):
        (made / f"{number:02d}.png").rename(tmp_path / "set" / "images" / f"{number:02d}.png")
        (made / f"{number:02d}_mask.png").rename(tmp_path / "set" / "masks" / f"{number:02d}.png")
    result, found = measured(tmp_path / "set")
    assert [concept.name for concept in result.concepts] == ["images"]
    assert found.layout is not None
    assert (found.images, found.layout.n, found.layout.by) == (6, 6, "masks")


def test_two_concepts_with_files_of_one_name_are_no_masks_of_one_another(tmp_path: Path) -> None:
    for name in ("castle", "tower"):
        (tmp_path / "both").mkdir(exist_ok=True)
        write_set(tmp_path / "both" / name, count=3)
    result, _ = measured(tmp_path / "both")
    assert [(concept.name, concept.images) for concept in result.concepts] == [("castle", 3), ("tower", 3)]


def test_a_row_of_metadata_without_its_image_is_named(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "rows", count=3, caption=told)
    with (folder / "metadata.jsonl").open("a") as rows:
        rows.write('\n{"file_name": "99.png", "text": "a castle"}')
    result, _ = measured(folder)
    assert [(entry.file, entry.missing) for entry in result.left_out] == [("99.png", True)]
    assert not result.complete


def test_a_box_as_datasets_of_found_objects_have_it(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "objects", count=4, boxes=True)
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    changed = [{"file_name": row["file_name"], "objects": {"bbox": [row["bbox"]]}} for row in rows]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, changed)))
    _, found = measured(folder)
    assert found.layout is not None
    assert (found.layout.n, found.layout.by) == (4, "boxes")


def test_mirrored_copies_are_named_and_varied_pictures_are_none(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", count=24)
    assert measured(folder)[1].near_duplicates.mirrored.pairs == 0
    with Image.open(folder / "03.png") as original:
        ImageOps.mirror(original).resize((96, 96)).save(folder / "flipped.jpg", quality=80)
    result, concept = measured(folder)
    found = concept.near_duplicates.mirrored
    assert (found.pairs, found.images, found.files) == (1, 2, (("03.png", "flipped.jpg"),))
    page = write_diversity(result, Path(result.run))[0].read_text(encoding="utf-8")
    assert "<li>03.png, flipped.jpg (mirrored)</li>" in page
    assert "2 pictures have a mirrored copy in the set, such as 03.png and flipped.jpg." in page

"""Images by concept, from folders and from lists; what is unclear is refused in one line."""

import json
from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import InputError
from dominance.images.captions import captioned_images
from dominance.runs.diversity.source import ImageSet, read_collection


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def test_one_folder_a_concept(tmp_path: Path) -> None:
    for name in ("tower/b.png", "tower/a.JPG", "mug/1.webp"):
        picture(tmp_path / name)
    (tmp_path / "tower" / "a.txt").write_text("a caption")
    picture(tmp_path / "tower" / ".hidden.png")
    found = read_collection(tmp_path)
    assert found.sets == (
        ImageSet("mug", None, (Path("mug/1.webp"),)),
        ImageSet("tower", None, (Path("tower/a.JPG"), Path("tower/b.png")), {Path("tower/a.JPG"): "a caption"}),
    )
    assert found.images == 3


def test_a_folder_of_categories_and_a_folder_of_images_alone(tmp_path: Path) -> None:
    for name in ("landmark/tower/1.png", "landmark/tower/2.png", "object/mug/1.png"):
        picture(tmp_path / name)
    assert [(one.category, one.concept) for one in read_collection(tmp_path).sets] == [
        ("landmark", "tower"),
        ("object", "mug"),
    ]
    (alone,) = read_collection(tmp_path / "landmark" / "tower").sets
    assert (alone.category, alone.concept, len(alone.files)) == (None, "tower", 2)


def test_a_csv_of_paths_whatever_else_it_lists(tmp_path: Path) -> None:
    picture(tmp_path / "x" / "1.png")
    table = tmp_path / "list.csv"
    table.write_text('caption,Path,concept,category\n"a, b",x/1.png,mug,object\n,x/2.png,mug,object\n,x/1.png,cup,\n')
    found = read_collection(table)
    assert [(one.category, one.concept, len(one.files)) for one in found.sets] == [
        ("object", "mug", 2),
        (None, "cup", 1),
    ]
    assert found.root == tmp_path


LISTS = {
    "list.jsonl": "\n".join(json.dumps({"file_name": f"{n}.png", "text": f"a sks {n}"}) for n in "ab"),
    "list.csv": "path,caption\na.png,a sks a\nb.png,a sks b\n",
    "list.tsv": "image\tprompt\na.png\ta sks a\nb.png\ta sks b\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_to_train_on_is_one_concept_called_as_the_list(tmp_path: Path, name: str) -> None:
    for file in "ab":
        picture(tmp_path / f"{file}.png")
    (tmp_path / name).write_text(LISTS[name])
    captions = {Path("a.png"): "a sks a", Path("b.png"): "a sks b"}
    found = read_collection(tmp_path / name)
    assert found.sets == (ImageSet("list", None, (Path("a.png"), Path("b.png")), captions),)
    trained = captioned_images(tmp_path / name)
    assert {one.image.path: one.caption for one in trained.images} == captions


def test_a_jsonl_may_name_concepts_and_categories_instead_of_captions(tmp_path: Path) -> None:
    rows = [{"path": f"{n}.png", "concept": n[0], "category": "object"} for n in ("a1", "a2", "b1")]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = read_collection(tmp_path / "list.jsonl")
    assert [(one.category, one.concept, len(one.files)) for one in found.sets] == [
        ("object", "a", 2),
        ("object", "b", 1),
    ]
    (tmp_path / "list.jsonl").write_text(json.dumps({"path": "a1.png"}))
    with pytest.raises(InputError, match="line 1: the concept or caption is empty"):
        read_collection(tmp_path / "list.jsonl")


def test_a_list_finds_masks_and_boxes_as_a_folder_does(tmp_path: Path) -> None:
    for name in ("x/a.png", "x/a_mask.png", "x/b.png", "masks/b.png", "x/c.png", "x/d.png", "x/a.jpg", "x/d_mask.png"):
        picture(tmp_path / name)
    (tmp_path / "x" / "metadata.jsonl").write_text(
        "\n".join(json.dumps({"file_name": f"{n}.png", "text": n, "bbox": [0, 0, 4, 4]}) for n in "bc")
    )
    rows = ["path,caption,bbox", 'x/a.png,a,"[1, 1, 6, 6]"', "x/b.png,b,", "x\\c.png,c,", "x/d_mask.png,d,"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    (found,) = read_collection(tmp_path / "list.csv").sets
    files = [Path("x") / name for name in ("a.png", "b.png", "c.png", "d_mask.png")]
    assert list(found.files) == files  # what is listed is a picture, whatever it is called
    assert found.masks == {files[0]: Path("x/a_mask.png"), files[1]: Path("masks/b.png")}
    assert found.boxes == {files[0]: (1, 1, 6, 6), files[1]: (0, 0, 4, 4), files[2]: (0, 0, 4, 4)}


def test_a_mask_that_leads_out_of_the_lists_folder_is_not_used(tmp_path: Path) -> None:
    outside = picture(tmp_path / "elsewhere" / "a_mask.png")
    picture(tmp_path / "masks" / "a.png")
    for name in "ab":
        picture(tmp_path / "set" / f"{name}.png")
    (tmp_path / "set" / "a_mask.png").symlink_to(outside)
    (tmp_path / "set" / "masks").symlink_to(outside.parent)
    (tmp_path / "set" / "list.csv").write_text(LISTS["list.csv"])
    assert read_collection(tmp_path / "set" / "list.csv").sets[0].masks == {}


def test_a_picture_listed_twice_under_captions_counts_once(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,caption\na.png,one\n./a.png,two\nb.png,three\n")
    found = read_collection(tmp_path / "list.csv")
    assert found.sets[0].captions == {Path("a.png"): "one", Path("b.png"): "three"}
    assert [(entry.file, entry.missing) for entry in found.left_out] == [("a.png", False)]
    assert "already in line 2" in found.left_out[0].reason


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = picture(tmp_path / "elsewhere" / "1.png")
    inside = [picture(tmp_path / "set" / "mug" / f"{place}.png") for place in range(2)]
    (tmp_path / "set" / "mug" / "out.png").symlink_to(outside)
    (tmp_path / "set" / "mug" / "own.png").symlink_to(inside[0])
    (tmp_path / "set" / "away").symlink_to(outside.parent)
    found = read_collection(tmp_path / "set")
    assert [path.name for path in found.sets[0].files] == ["0.png", "1.png"]
    assert [(entry.file, entry.missing) for entry in found.left_out] == [
        ("away", True),
        ("mug/out.png", True),
        ("mug/own.png", False),
    ]


def test_a_link_to_itself_is_not_followed(tmp_path: Path) -> None:
    picture(tmp_path / "mug" / "1.png")
    picture(tmp_path / "mug" / "2.png")
    (tmp_path / "mug" / "round.png").symlink_to("round.png")
    found = read_collection(tmp_path)
    assert (len(found.sets[0].files), [entry.file for entry in found.left_out]) == (2, ["mug/round.png"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("fil,concept\na.png,mug\n", "the column 'path' is missing; the first line must name"),
        ("path,concpt\na.png,mug\n", "the column 'concept' is missing; did you mean 'concpt'?"),
        ("path,concept\n../up.png,mug\n", "line 2: the path '../up.png' leads out of"),
        ("path,concept\n/etc/passwd,mug\n", "line 2: the path '/etc/passwd' leads out of"),
        ("path,concept\na.png,\n", "line 2: concept is empty"),
        ("path,concept,caption\na.png,,a mug\nb.png,mug,a mug\n", "line 2: concept is empty"),
        ("path,caption\na.png,\n", "line 2: the concept or caption is empty"),
        ("path,caption\n,a mug\n", "line 2: the path is empty"),
        ("path,caption\nx/../../up.png,a mug\n", "line 2: the path 'x/../../up.png' leads out of"),
        ('path,caption,bbox\na.png,a mug,"[1, 2]"\n', r"line 2: the bbox is"),
        ("path,concept\na.png,mug\na.png,mug\n", "line 3: 'a.png' is already in line 2"),
        ("path,concept\na.png\n", "line 2: 1 field for 2 columns"),
        ('path,concept\n"a.png,mug\n', "not valid CSV"),
        ("", "holds no images"),
        ("path,concept\n", "holds no images"),
        ("path,concept\na.png,mug\nb.png,cup\n", "has no concept with two images"),
    ],
)
def test_a_csv_that_is_wrong_is_refused_by_its_line(tmp_path: Path, rows: str, message: str) -> None:
    table = tmp_path / "list.csv"
    table.write_text(rows)
    with pytest.raises(InputError, match=message.replace("?", r"\?")) as refused:
        read_collection(table)
    assert "\n" not in str(refused.value)


def test_folders_that_are_unclear_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is neither a folder nor a \.csv, \.tsv or \.jsonl file"):
        read_collection(tmp_path / "nothing")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    with pytest.raises(InputError, match="holds no images"):
        read_collection(tmp_path / "empty")
    picture(tmp_path / "one" / "mug" / "1.png")
    with pytest.raises(InputError, match="has no concept with two images"):
        read_collection(tmp_path / "one")
    picture(tmp_path / "one" / "loose.png")
    with pytest.raises(InputError, match=r"holds images \(loose.png\) next to folders \(mug\)"):
        read_collection(tmp_path / "one")
    picture(tmp_path / "deep" / "a" / "b" / "c" / "1.png")
    with pytest.raises(InputError, match="holds folders instead of images"):
        read_collection(tmp_path / "deep")

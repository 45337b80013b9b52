"""Layouts of folders that people have, and which prompt each image is taken for."""

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dominance.errors import InputError
from dominance.images.assignment import Assignment, assign_images
from dominance.images.captions import captioned_images
from dominance.records import Concept, Prompt, Suite

WIZARD, CASTLE = "a wizard beside a lamp", "a castle with a chair"
TWO = {"w": WIZARD, "c": CASTLE}


def suite(texts: dict[str, str] = TWO) -> Suite:
    return Suite("s", tuple(Prompt(id, text, (Concept("x"),)) for id, text in texts.items()))


def picture(path: Path, parameters: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngInfo()
    if parameters is not None:
        info.add_text("parameters", f"{parameters}\nSteps: 20")
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def taken(found: Assignment) -> dict[str, str]:
    """The id of each image's prompt, by path."""
    return {one.image.path.as_posix(): one.prompt.id for one in found.images}


def missed(found: Assignment) -> dict[str, str]:
    return {entry.file: entry.reason for entry in found.left_out if entry.missing}


@pytest.mark.parametrize(
    "layout",
    [
        {"w/0.png": "w", "C/0.png": "c"},
        {"w/0.png": "w", "w/1/0.png": "w", "w/seed 2/x/0.png": "w"},
        {"samples/w/0.png": "w", "samples/c/0.png": "c"},
        {f"{WIZARD}/0.png": "w", "A castle, with a chair./0.png": "c"},
        {"a_wizard_beside_a_lamp/0.png": "w", "0001-a-castle-with-a-chair/0.png": "c"},
        {f"{WIZARD}_000000.png": "w", f"{WIZARD}_000001.png": "w", f"{CASTLE}_000000.png": "c"},
        {f"out/{WIZARD}-1.png": "w", "out/c_1.png": "c"},
        {"w.png": "w", "c.png": "c"},
    ],
)
def test_names_of_folders_and_files(tmp_path: Path, layout: dict[str, str]) -> None:
    for name in layout:
        picture(tmp_path / name)
    found = assign_images(tmp_path, suite())
    assert (taken(found), found.left_out) == (layout, ())


def test_images_are_named_within_the_folder_of_their_prompt(tmp_path: Path) -> None:
    for name in ("w/samples/0.png", "w/samples/1.png", "c/7/x.png", "c/8/x.png"):
        picture(tmp_path / name)
    found = assign_images(tmp_path, suite())
    assert [(one.prompt.id, one.name) for one in found.images] == [
        ("c", "7/x.png"), ("c", "8/x.png"), ("w", "0.png"), ("w", "1.png")
    ]  # fmt: skip


def test_texts_in_the_images_of_a_flat_folder(tmp_path: Path) -> None:
    picture(tmp_path / "00000-1.png", WIZARD)
    picture(tmp_path / "00001-2.png", "A Castle with a (chair:1.2)")
    picture(tmp_path / "00002-3.png", "a wizard beside a lamp, oil painting")
    picture(tmp_path / "00003-4.png")
    picture(tmp_path / "grid-0000.png", WIZARD)
    found = assign_images(tmp_path, suite())
    assert taken(found) == {"00000-1.png": "w", "00001-2.png": "c"}
    assert missed(found) == {
        "00002-3.png": "was made from 'a wizard beside a lamp, oil painting', which is no prompt of the suite; it might"
        " be 'w'",
        "00003-4.png": "fits no prompt",
    }
    assert [entry.file for entry in found.left_out if not entry.missing] == ["grid-0000.png"]


def test_a_text_beside_an_image(tmp_path: Path) -> None:
    picture(tmp_path / "0.png")
    (tmp_path / "0.txt").write_text(f"{CASTLE}\nNegative prompt: blurry\nSteps: 20")
    picture(tmp_path / "1.jpg")
    (tmp_path / "1.jpg.txt").write_text(WIZARD)
    assert taken(assign_images(tmp_path, suite())) == {"0.png": "c", "1.jpg": "w"}


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.csv"])
def test_the_metadata_of_an_image_folder(tmp_path: Path, name: str) -> None:
    for image in ("train/0.png", "train/sub/1.png", "train/2.png"):
        picture(tmp_path / image)
    rows = [("0.png", WIZARD), ("sub/1.png", CASTLE), ("2.png", "a mug"), ("3.png", CASTLE)]
    if name.endswith("jsonl"):
        text = "\n".join(json.dumps({"file_name": path, "text": text}) for path, text in rows)
    else:
        text = "\n".join(["file_name,text", *(f"{path},{text}" for path, text in rows)])
    (tmp_path / "train" / name).write_text(text)
    found = assign_images(tmp_path, suite())
    assert taken(found) == {"train/0.png": "w", "train/sub/1.png": "c"}
    assert set(missed(found)) == {"train/2.png", "train/3.png"}
    assert "is not there" in missed(found)["train/3.png"]


def test_metadata_of_a_whole_folder_says_more_than_a_number(tmp_path: Path) -> None:
    """As GenEval writes it; the suite counts its prompts in another order."""
    for number, text in enumerate((CASTLE, WIZARD)):
        picture(tmp_path / f"0000{number}" / "samples" / "0000.png")
        (tmp_path / f"0000{number}" / "metadata.jsonl").write_text(json.dumps({"tag": "two", "prompt": text}))
    found = assign_images(tmp_path, suite({"00000": WIZARD, "00001": CASTLE}))
    assert taken(found) == {"00000/samples/0000.png": "00001", "00001/samples/0000.png": "00000"}


def test_a_folder_and_a_text_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    picture(tmp_path / "w" / "0.png", WIZARD)
    picture(tmp_path / "w" / "1.png", CASTLE)
    picture(tmp_path / "w" / "2.png", "something else")
    found = assign_images(tmp_path, suite())
    assert taken(found) == {"w/0.png": "w", "w/2.png": "w"}
    assert missed(found) == {"w/1.png": "lies in a folder of the prompt 'w' but was made from the text of 'c'"}


def test_two_prompts_that_fit_equally_well_are_named(tmp_path: Path) -> None:
    picture(tmp_path / "0.png", "a lamp")
    picture(tmp_path / "b" / "0.png", "a lamp")
    found = assign_images(tmp_path, suite({"a": "a lamp", "b": "a lamp"}))
    assert taken(found) == {"b/0.png": "b"}
    assert missed(found) == {"0.png": "fits the prompts 'a' and 'b' equally well"}


def test_folders_of_two_prompts_in_each_other_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "w" / "c" / "0.png")
    with pytest.raises(InputError, match="lies in a folder of the prompt 'w' but is named like the prompt 'c'"):
        assign_images(tmp_path, suite())
    numbers = {"0": WIZARD, "w": CASTLE}
    found = assign_images(tmp_path, suite({"w": WIZARD, "x": CASTLE}))
    assert taken(found) == {"w/c/0.png": "w"}
    picture(tmp_path / "seeds" / "w" / "0" / "0.png")
    (tmp_path / "w" / "c").rename(tmp_path / "w" / "0")
    assert set(taken(assign_images(tmp_path / "w", suite(numbers))).values()) == {"0"}
    assert set(taken(assign_images(tmp_path / "seeds", suite(numbers))).values()) == {"w"}  # 0 is a seed of w


def test_a_folder_without_a_prompt_is_named_once_with_what_it_might_be(tmp_path: Path) -> None:
    picture(tmp_path / "w" / "0.png")
    for number in range(3):
        picture(tmp_path / "out" / "castle_with_chair" / str(number) / "0.png")
        picture(tmp_path / "zzz" / f"{number}.png")
    found = assign_images(tmp_path, suite())
    assert [(entry.file, entry.images, entry.reason) for entry in found.left_out] == [
        ("out/castle_with_chair", 3, "fits no prompt; it might be 'c'"),
        ("zzz", 3, "fits no prompt"),
    ]


def test_a_number_in_a_folder_of_something_else_is_no_id(tmp_path: Path) -> None:
    numbers = suite({"0": WIZARD, "1": CASTLE})
    picture(tmp_path / "something" / "0.png")
    assert assign_images(tmp_path, numbers).images == ()
    assert taken(assign_images(tmp_path / "something", numbers)) == {"0.png": "0"}


def test_links_to_an_image_that_the_prompt_has_are_not_counted_twice(tmp_path: Path) -> None:
    whole = picture(tmp_path / "w" / "0.png")
    (tmp_path / "w" / "again.png").symlink_to(whole)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "0.png").symlink_to(whole)  # which another prompt may share
    found = assign_images(tmp_path, suite())
    assert taken(found) == {"c/0.png": "c", "w/0.png": "w"}
    assert [(entry.file, entry.reason) for entry in found.left_out] == [("w/again.png", "is the same file as w/0.png")]


def test_the_only_prompt_takes_what_lies_in_the_folder_unless_it_says_otherwise(tmp_path: Path) -> None:
    picture(tmp_path / "0.png")
    picture(tmp_path / "1.png", f"{WIZARD}, oil painting")
    picture(tmp_path / "2.png", CASTLE)
    picture(tmp_path / "samples" / "3" / "x.png")
    picture(tmp_path / "drafts" / "x.png")
    found = assign_images(tmp_path, suite({"w": WIZARD}))
    assert set(taken(found)) == {"0.png", "1.png", "samples/3/x.png"}
    assert set(missed(found)) == {"2.png", "drafts"}
    picture(tmp_path / "w" / "0.png")
    assert set(taken(assign_images(tmp_path, suite({"w": WIZARD})))) == {"w/0.png"}


LISTS = {
    "list.csv": f"path,prompt\na/0.png,{WIZARD}\na/1.png,{CASTLE}.\n",
    "semicolon.csv": f"file;Caption;seed\na/0.png;{WIZARD};1\na/1.png;{CASTLE};2\n",
    "ids.tsv": "image\tid\na/0.png\tw\na/1.png\tC\n",
    "list.jsonl": "".join(
        json.dumps({"file_name": f"a/{n}.png", "text": t}) + "\n" for n, t in enumerate(TWO.values())
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_says_which_image_belongs_to_which_prompt(tmp_path: Path, name: str) -> None:
    for number in range(3):
        picture(tmp_path / "a" / f"{number}.png", "whatever it says itself")
    (tmp_path / name).write_text(LISTS[name])
    found = assign_images(tmp_path / name, suite())
    assert (taken(found), found.left_out) == ({"a/0.png": "w", "a/1.png": "c"}, ())


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    picture(tmp_path / "0.png")
    (tmp_path / "list.csv").write_text(f"path,prompt\n0.png,{WIZARD}\n1.png,{WIZARD}\n0.png,castle with chair\n")
    found = assign_images(tmp_path / "list.csv", suite())
    assert taken(found) == {"0.png": "w"}
    assert [(entry.file, entry.reason) for entry in found.left_out] == [
        ("1.png", "is not there (line 3)"),
        ("0.png", "has the prompt 'castle with chair', which is not in the suite; it might be 'c' (line 4)"),
    ]


def test_a_list_may_have_paths_as_windows_writes_them_but_none_that_leads_out(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "0.png")
    table = tmp_path / "list.csv"
    table.write_text(f"path,prompt\n.\\a\\0.png,{WIZARD}\n")
    assert taken(assign_images(table, suite())) == {"a/0.png": "w"}
    picture(tmp_path.parent / "outside.png")
    table.write_text(f"path,prompt\na\\..\\..\\outside.png,{WIZARD}\n")
    with pytest.raises(InputError, match="leads out of"):
        assign_images(table, suite())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,words\na.png,x\n", "the column 'prompt' is missing; the first line must name the columns path and"),
        ("pth,prompt\na.png,x\n", "the column 'path' is missing; did you mean 'pth'?"),
        ("path,prompt\n../a.png,x\n", r"line 2: the path '../a.png' leads out of"),
        ("path,prompt\n/etc/passwd,x\n", "line 2: the path '/etc/passwd' leads out of"),
        ("path,prompt\nout.png,x\n", "line 2: the path 'out.png' leads out of"),
        ("path,prompt\n,x\n", "line 2: the path is empty"),
        ("path,prompt\na.png,\n", "line 2: the prompt is empty"),
        (f"path,prompt\na.png,{WIZARD}\na.png,{WIZARD}\n", "'a.png' is listed 2 times for the prompt 'w'"),
    ],
)
def test_a_list_that_is_wrong_is_refused_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    picture(tmp_path / "set" / "a.png")
    (tmp_path / "set" / "out.png").symlink_to(picture(tmp_path / "away.png"))
    (tmp_path / "set" / "list.csv").write_text(text)
    with pytest.raises(InputError) as refused:
        assign_images(tmp_path / "set" / "list.csv", suite())
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_metadata_that_is_broken_is_refused_by_its_line(tmp_path: Path) -> None:
    picture(tmp_path / "0.png")
    for text, message in (('{"file_name": "0.png"\n', "line 1: not valid JSON"), ("[1]\n", "line 1: not an object")):
        (tmp_path / "metadata.jsonl").write_text(text)
        with pytest.raises(InputError, match=message):
            assign_images(tmp_path, suite())


def test_images_to_train_on_have_the_captions_beside_them(tmp_path: Path) -> None:
    for name in ("0.png", "1.png", "a/2.png", "grid-0000.png", ".hidden.png"):
        picture(tmp_path / name)
    (tmp_path / "metadata.jsonl").write_text(
        '{"file_name": "0.png", "text": "a mug"}\n{"file_name": "9.png", "text": "a lamp"}\n'
    )
    (tmp_path / "a" / "2.txt").write_text("a lamp\n")
    found = captioned_images(tmp_path)
    assert {one.image.path.as_posix(): one.caption for one in found.images} == {
        "0.png": "a mug", "1.png": None, "a/2.png": "a lamp"
    }  # fmt: skip
    assert {entry.file: entry.missing for entry in found.left_out} == {
        ".hidden.png": False, "grid-0000.png": False, "9.png": True
    }  # fmt: skip
    (tmp_path / "list.csv").write_text("path,caption\n0.png,a cup\n8.png,a cup\n")
    listed = captioned_images(tmp_path / "list.csv")
    assert [one.caption for one in listed.images] == ["a cup"]
    assert [entry.file for entry in listed.left_out] == ["8.png"]
    with pytest.raises(InputError, match="holds no images"):
        captioned_images(tmp_path / "a" if (tmp_path / "a" / "2.png").unlink() is None else tmp_path)
    with pytest.raises(InputError, match="there is no image folder at"):
        captioned_images(tmp_path / "nowhere")

"""A judge that was made for one world of pictures, and who is told when it meets others."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from dominance.judges.protocol import ScriptedJudge
from dominance.records import Concept, Prompt, Suite
from dominance.runs.stages.judge_fit import (
    note_taken_for,
    of_folders,
    of_model,
    warn,
    world_of_files,
    world_warnings,
)

MINIATURE = Suite("two", (Prompt("p", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug"))),))
ELSEWHERE = Suite("two", (Prompt("p", "a dragon and a mug", (Concept("dragon", "character"), Concept("mug"))),))


@dataclass(frozen=True)
class Taught(ScriptedJudge):
    world: str | None = None


def taught(world: str | None) -> Taught:
    return Taught(lambda image, question: 1.0, world=world)


@pytest.mark.parametrize(
    ("made_for", "world", "warned"),
    [
        ("miniature", "miniature", False),
        ("miniature", "other", True),
        ("miniature", "open", True),
        ("miniature", None, True),
        (None, "open", False),
        (None, None, False),
        (None, "miniature", False),
    ],
)
def test_who_is_warned_about(made_for: str | None, world: str | None, warned: bool) -> None:
    found = world_warnings(taught(made_for), world, of_model("owner/name"))
    assert [warning.kind for warning in found] == (["another world"] if warned else [])
    assert all(warning.unfit for warning in found)


def test_a_judge_that_says_nothing_of_a_world_is_no_stranger() -> None:
    assert world_warnings(ScriptedJudge(lambda image, question: 1.0), None, of_model("x")) == ()


def test_the_warning_names_both_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    warn(world_warnings(taught("miniature"), "open", of_model("owner/name")))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "warning: the judge 'scripted' was made for drawings of the miniature world and the model 'owner/name' draws"
        " other pictures, so its answers mean nothing; give a judge that looks at any picture: --judge, see"
        " `dominance list judges`\n"
    )
    (elsewhere,) = world_warnings(taught("miniature"), "open", of_folders(["shots", Path("more")]))
    assert "the images in shots, more are no such drawings" in elsewhere.says


def picture(path: Path, side: int) -> str:
    Image.new("RGB", (side, side), "white").save(path)
    return str(path)


def test_drawings_of_the_miniature_world_are_known_by_concepts_and_size(tmp_path: Path) -> None:
    drawing, photograph = picture(tmp_path / "a.png", 64), picture(tmp_path / "b.png", 512)
    broken = tmp_path / "c.png"
    broken.write_bytes(b"not an image")
    assert world_of_files([drawing, str(broken), str(tmp_path / "missing.png")], MINIATURE) == "miniature"
    assert world_of_files([drawing, photograph], MINIATURE) == "open"
    assert world_of_files([drawing], ELSEWHERE) == "open"


def test_what_images_are_taken_for_is_said_only_where_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    for judge, world in ((taught(None), "miniature"), (taught("miniature"), "open")):
        note_taken_for(judge, world)
    assert capsys.readouterr().err == ""
    note_taken_for(taught("miniature"), "miniature")
    assert "64×64 pixels, the images are taken for drawings of the miniature world" in capsys.readouterr().err

"""Sweeps of images made elsewhere: the cell of each image, what is left out, and what is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from measured_pictures import check_same_as_score, tiny_measuring
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dominance.cli.sweep import deliver, print_sweep
from dominance.errors import InputError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.report.parts.next_steps import after_sweep
from dominance.report.sweep.page import write_sweep
from dominance.runs.audit.options import Taught
from dominance.runs.reading import read_run
from dominance.runs.sweep.brought import estimate_images, sweep_images
from dominance.runs.sweep.options import SweepOptions
from dominance.runs.sweep.result import AdapterSweep

PROMPT = "a [tower:landmark] and a [mug]"


def picture(path: Path, prompt: str = "a tower and a mug", seed: int = 1, red: int = 0) -> Path:
    """A picture with the text of A1111's web UI; how red it is tells the judge what it shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngInfo()
    if prompt:
        info.add_text("parameters", f"{prompt}\nSteps: 20, Sampler: Euler a, Seed: {seed}")
    Image.new("RGB", (16, 16), (red, seed % 250, len(path.name))).save(path, pnginfo=info)
    return path


def judge() -> ScriptedJudge:
    """Sees a mug where the picture is not red, and a tower where it is not black."""
    return ScriptedJudge(
        lambda image, question: float(
            image.getpixel((0, 0))[0] < 200 if question.concept == "mug" else image.getpixel((0, 0))[0] > 20
        )
    )


def swept(root: Path, out: Path, given: Path | None = None, **more: object) -> AdapterSweep:
    options = SweepOptions(**{"taught": Taught("tower"), "machine": Machine("cpu"), **more})
    return sweep_images(PROMPT, given or root, judge(), out, options)


def cells(found: AdapterSweep) -> Mapping[str, tuple[int, int, int]]:
    """Images of each cell, and how many of them show everything, and the tower."""
    return {
        c.name: (c.images, c.composition.count, c.presence.count) for c in found.cells if c.composition and c.presence
    }


def test_the_tags_of_a_grid_are_its_cells(tmp_path: Path) -> None:
    for seed in (1, 2):
        for name, tag, red in (("0", "", 0), ("4", "<lora:brand:0.4>", 100), ("10", "<lora:brand:1>", 250)):
            picture(tmp_path / "grid" / f"{name}-{seed}.png", f"a tower and a mug {tag}", seed, red)
    found = swept(tmp_path / "grid", tmp_path / "run", min_presence=0.9)
    assert cells(found) == {"base": (2, 0, 0), "0.4": (2, 2, 2), "1": (2, 0, 2)}
    assert (found.recommended, found.adapters, found.axes, found.drawn) == ("0.4", ("brand",), ("strength",), False)
    assert {picture.name for picture in found.pictures} == {"seed 1", "seed 2"}
    page = write_sweep(found, tmp_path / "run").read_text()
    assert "made elsewhere" in page
    assert "from the same noise" not in page
    assert "score them with dominance score" in str(after_sweep(found)[0])
    assert estimate_images(
        PROMPT, tmp_path / "grid", judge(), tmp_path / "run", SweepOptions(taught=Taught("tower"))
    ).questions_to_ask == 0  # fmt: skip
    assert read_run(tmp_path / "run") == found


def test_what_hangs_on_doubtful_answers_is_told_with_its_picture(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The judge doubts the mug of the strong cell: each picture is balanced, and may be collapsed."""
    for seed in (1, 2):
        for name, tag, red in (("0", "", 100), ("10", "<lora:brand:1>", 150)):
            picture(tmp_path / "grid" / f"{name}-{seed}.png", f"a tower and a mug {tag}", seed, red)
    unsure = ScriptedJudge(
        lambda image, question: 0.7 if question.concept == "mug" and image.getpixel((0, 0))[0] == 150 else 1.0
    )
    options = SweepOptions(taught=Taught("tower"), machine=Machine("cpu"))
    found = sweep_images(PROMPT, tmp_path / "grid", unsure, tmp_path / "run", options)
    assert [(cell.name, cell.hanging) for cell in found.cells] == [("base", 0), ("1", 2)]
    assert {(p.cell, p.verdict, p.could_be) for p in found.pictures} == {
        ("base", "balanced", ()),
        ("1", "balanced", ("collapsed",)),
    }
    page = write_sweep(found, tmp_path / "run").read_text()
    assert "2 of 4 images hang on doubtful answers." in page
    assert page.count("; hangs on doubtful answers, may be collapsed") == 2
    assert page.count("</svg> may be collapsed</span>") == 2
    print_sweep(found)
    assert "2 of 4 images hang on doubtful answers" in capsys.readouterr().out.splitlines()
    assert read_run(tmp_path / "run") == found


def test_a_table_decides_and_files_fill_what_it_leaves_open(tmp_path: Path) -> None:
    rows = ["path,prompt,strength,seed"]
    for number, (strength, seed) in enumerate((("0", "a"), ("0.5", "a"), ("0.5", ""), ("", ""))):
        picture(tmp_path / f"{number}.png", "a tower and a mug <lora:brand:0.9>", number)
        rows.append(f"{number}.png,a tower and a mug,{strength},{seed}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match="there is nothing"):
        swept(tmp_path, tmp_path / "none")  # the files alone have one strength, and no prompt differs
    found = swept(tmp_path, tmp_path / "run", tmp_path / "list.csv")
    assert [(cell.name, cell.images) for cell in found.cells] == [("base", 1), ("0.5", 2), ("0.9", 1)]
    assert [picture.name for picture in found.pictures] == ["seed a", "seed a", "seed 2", "seed 3"]


def test_checkpoints_are_ordered_by_number(tmp_path: Path) -> None:
    for name in ("brand-000010", "brand-000002", "brand"):
        picture(tmp_path / f"{name}.png", f"a tower and a mug <lora:{name}:1>")
    found = swept(tmp_path, tmp_path / "run")
    assert [cell.name for cell in found.cells] == ["brand-000002", "brand-000010", "brand"]
    assert found.axes == ("checkpoint",)


def test_an_adapter_that_never_changes_is_part_of_the_model(tmp_path: Path) -> None:
    for strength in ("0.2", "0.6"):
        picture(tmp_path / f"{strength}.png", f"a tower and a mug <lora:detail:0.5> <lora:brand:{strength}>")
    assert [cell.name for cell in swept(tmp_path, tmp_path / "run").cells] == ["0.2", "0.6"]


def test_images_that_say_no_strength_are_left_out_and_named(tmp_path: Path) -> None:
    picture(tmp_path / "a tower and a mug" / "0.png", "")
    with pytest.raises(
        InputError,
        match=r"none of the 1 image .* says, in a column 'strength' or in its .* give a CSV with the columns",
    ):
        swept(tmp_path, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    picture(tmp_path / "a tower and a mug" / "1.png", "a tower and a mug <lora:brand:1>")
    picture(tmp_path / "a tower and a mug" / "2.png", "a tower and a mug <lora:brand:0.5>")
    found = swept(tmp_path, tmp_path / "run")
    assert found.images == 2
    assert [(one.file, one.missing) for one in found.left_out] == [("a tower and a mug/0.png", True)]


def test_nothing_to_compare_names_the_image_that_is_not_there(tmp_path: Path) -> None:
    picture(tmp_path / "0.png")
    rows = ["path,prompt,strength", "0.png,a tower and a mug,0.5", "9.png,a tower and a mug,1"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match=r"^one image is left \(9\.png .*\), so there is nothing to compare"):
        swept(tmp_path, tmp_path / "run", tmp_path / "list.csv")


def test_only_prompts_and_seeds_of_every_cell_are_compared(tmp_path: Path) -> None:
    for strength, seeds in (("0.5", (1, 2, 3)), ("1", (1, 2, 4))):
        for seed in seeds:
            picture(tmp_path / "grid" / f"{strength}-{seed}.png", f"a tower and a mug <lora:brand:{strength}>", seed)
    found = swept(tmp_path / "grid", tmp_path / "run")
    assert [(cell.name, cell.images) for cell in found.cells] == [("0.5", 2), ("1", 2)]
    assert {one.file for one in found.left_out if one.missing} == {"0.5-3.png", "1-4.png"}
    assert {one.reason for one in found.left_out} == {
        "is not compared: not every cell has an image of its prompt and seed"
    }
    assert (found.complete, found.warnings) == (False, ())


def test_cells_of_different_prompts_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = tmp_path / "suite.txt"
    suite.write_text("a [tower:landmark] and a [mug]\na [tower:landmark] and a [book]\n")
    picture(tmp_path / "grid" / "0.png", "a tower and a mug <lora:brand:0.5>")
    picture(tmp_path / "grid" / "1.png", "a tower and a book <lora:brand:1>")
    options = SweepOptions(taught=Taught("tower"), machine=Machine("cpu"))
    found = sweep_images(str(suite), tmp_path / "grid", judge(), tmp_path / "run", options)
    assert [(cell.name, cell.images) for cell in found.cells] == [("0.5", 1), ("1", 1)]
    (warning,) = found.warnings
    assert warning.startswith("0 of 2 pairs of prompt and seed have an image in every cell")
    assert "1 has no image of 'a tower and a mug'" in warning
    assert deliver(found, json=False) == 0
    assert f"warning: {warning}" in capsys.readouterr().err
    assert "0 of 2 pairs of prompt and seed" in (tmp_path / "run" / "sweep.html").read_text()


def test_seeds_that_stand_twice_in_a_cell_keep_both_images(tmp_path: Path) -> None:
    for name in "ab":
        picture(tmp_path / f"{name * 3}.png", "a tower and a mug <lora:brand:1>", seed=5, red=len(name))
    Image.new("RGB", (16, 16), "blue").save(tmp_path / "bbb.png", pnginfo=_tag("a tower and a mug <lora:brand:1>", 5))
    picture(tmp_path / "c.png", "a tower and a mug", seed=5)
    found = swept(tmp_path, tmp_path / "run")
    assert [picture.name for picture in found.pictures] == ["seed 5", "seed 5", "seed 5 (2)"]


def _tag(prompt: str, seed: int) -> PngInfo:
    info = PngInfo()
    info.add_text("parameters", f"{prompt}\nSteps: 20, Seed: {seed}")
    return info


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"taught": Taught()}, "it is not known which concept .* give --taught"),
        ({"taught": Taught("clock")}, "no prompt of the suite names 'clock'"),
        ({"strengths": (0.0, 1.0)}, "nothing is drawn with --strengths"),
        ({"drawing": Drawing(adapters=("a.safetensors",))}, "nothing is drawn with --adapter"),
        ({"drawing": Drawing(steps=4)}, "nothing is drawn with --steps"),
        ({"machine": Machine("cpu", offload="model")}, "draws no images"),
    ],
)
def test_what_only_drawing_has_is_refused(tmp_path: Path, more: dict[str, object], match: str) -> None:
    for strength in ("0.5", "1"):
        picture(tmp_path / "grid" / f"{strength}.png", f"a tower and a mug <lora:brand:{strength}>")
    with pytest.raises(InputError, match=match):
        swept(tmp_path / "grid", tmp_path / "run", **more)
    assert not (tmp_path / "run").exists()


def test_two_adapters_that_both_vary_and_bad_strengths_are_refused(tmp_path: Path) -> None:
    for a, b in ((0.5, 1), (1, 0.5)):
        picture(tmp_path / "two" / f"{a}.png", f"a tower and a mug <lora:one:{a}> <lora:other:{b}>")
    with pytest.raises(InputError, match=r"drawn with 'one' and 'other', whose strengths both differ"):
        swept(tmp_path / "two", tmp_path / "run")
    picture(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("path,prompt,strength\na.png,a tower and a mug,strong\n")
    with pytest.raises(InputError, match=r"list.csv: line 2: the strength is 'strong'; write a number such as 0.8"):
        swept(tmp_path, tmp_path / "run", tmp_path / "list.csv")


def test_similarity_is_measured_by_cell_as_score_measures_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid, measuring = tmp_path / "grid", tiny_measuring(tmp_path)
    for seed in (1, 2):
        for name, tag, red in (("0", "", 0), ("10", "<lora:brand:1>", 250)):
            picture(grid / f"{name}-{seed}.png", f"a tower and a mug {tag}", seed, red)
    options = SweepOptions(taught=Taught("tower"), machine=Machine("cpu"), measuring=measuring)
    left = estimate_images(PROMPT, grid, judge(), tmp_path / "run", options)
    assert (left.images_there, left.images_to_draw, left.images_to_measure) == (4, 0, 4)
    found = swept(grid, tmp_path / "run", measuring=measuring)
    files = [(Path(str(each.file)), each.scores) for each in found.pictures]
    check_same_as_score(files, grid, PROMPT, measuring, tmp_path / "score")
    assert {len(cell.measures) for cell in found.cells} == {6}
    assert {cell.changes for cell in found.cells} == {()}, "what noise they began from is not known"
    assert read_run(tmp_path / "run") == found
    capsys.readouterr()
    print_sweep(found)
    assert "presence, similarity and quality" in capsys.readouterr().out

"""Sweeps: the grid, the recommendation, images of different strengths in one batch, and runs that go on."""

import copy
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from measured_pictures import check_same_as_score, tiny_measuring
from safetensors.torch import save_file
from tiny_families import draw, save, tiny

from dominance.cli.app import make_app
from dominance.documents import from_json, printed, to_json
from dominance.errors import InputError
from dominance.judges.picture_scores import Encoders
from dominance.judges.protocol import ScriptedJudge
from dominance.metrics import rate
from dominance.models.adapter_dial import AdapterDial
from dominance.models.adapter_loading import add_adapters
from dominance.models.adapters import find_adapters
from dominance.models.drawing import Drawing, Machine
from dominance.models.image_model import PipelineModel
from dominance.models.settings import GenerationSettings
from dominance.models.source import find_base
from dominance.report.parts.next_steps import after_sweep
from dominance.report.sweep.page import write_sweep
from dominance.runs.audit.options import AuditOptions, Taught
from dominance.runs.audit.run import audit
from dominance.runs.reading import read_run
from dominance.runs.sweep.cells import find_grid
from dominance.runs.sweep.choice import Floors, front, recommended
from dominance.runs.sweep.options import SweepOptions, parse_values
from dominance.runs.sweep.result import AdapterSweep, CellResult
from dominance.runs.sweep.run import estimate_sweep, exchanged, sweep_suite, taught_of
from dominance.runs.sweep.wording import recommendation
from dominance.suites import find_suite

PROMPT = "a [tower:landmark] and a [mug]"
YES = ScriptedJudge(lambda image, question: 1.0)


def lora(file: Path, seed: int = 0, width: int | None = None) -> Path:
    """A small random LoRA for the cross-attention of a tiny Stable Diffusion."""
    torch.manual_seed(seed)
    weights = {}
    for name, module in tiny("sd1").unet.named_modules():
        if name.endswith(("attn2.to_k", "attn1.to_q")):
            read, given = width or module.weight.shape[1], module.weight.shape[0]
            weights[f"unet.{name}.lora_A.weight"] = torch.randn(2, read)
            weights[f"unet.{name}.lora_B.weight"] = torch.randn(given, 2)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, file, metadata={"modelspec.trigger_phrase": "tower"})
    return file


def options(*adapters: Path, **more: Any) -> SweepOptions:
    drawing = Drawing(seeds=(0, 1), steps=4, guidance=2.0, adapters=tuple(map(str, adapters)))
    return SweepOptions(**{"drawing": drawing, "machine": Machine("cpu"), **more})


def test_ranges_include_both_ends() -> None:
    assert parse_values("--strengths", "0:1.2:0.2") == (0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
    assert parse_values("--starts", "0.4,0:0.4:0.2") == (0.4, 0, 0.2)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("1:0:0.2", "which is empty"),
        ("0:1:0", "whose step is not above 0"),
        ("0:1", "write numbers such as"),
        ("strong", "write numbers such as"),
        ("", "write numbers such as"),
        ("0:1:0.0001", "give at most 100"),
    ],
)
def test_bad_lists_are_named(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse_values("--strengths", text)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"strengths": (0, 11)}, "strengths has 11; give numbers from -10 to 10"),
        ({"starts": (1.5,)}, "starts has 1.5; give numbers from 0 to 1"),
        ({"min_presence": 60}, "min-presence is 60; give a share from 0 to 1"),
    ],
)
def test_numbers_out_of_range_are_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        SweepOptions(**given)


def test_no_cell_is_recommended_below_the_floors() -> None:
    cells = {"0.5": (0.8, 0.8), "1": (1.0, 0.2), "0.6": (0.7, 0.8)}
    assert front(cells) == {"0.5", "1"}
    assert recommended(cells, (0.9, None)) is None
    assert recommended(cells, (None, 0.9)) == "1"
    assert recommended(cells, (0.75, 0.75)) == "0.5"


def cell(name: str, composed: int, shown: int, n: int) -> CellResult:
    return CellResult(name, (float(name),), None, None, False, n, n, rate(composed, n), rate(shown, n), ())


@pytest.mark.parametrize("floors", [(None, None), (None, 0.5)])
def test_where_no_cell_composes_nothing_is_recommended(floors: Floors) -> None:
    cells = [cell("0.5", 0, 1, 1), cell("1", 0, 1, 1)]
    points = {one.name: one.point for one in cells if one.point is not None}
    assert recommended(points, floors) is None
    said = recommendation(cells, None, floors, ["castle"])
    assert said.startswith(
        "nothing can be recommended: no cell has images of castle and images that show every concept"
    )
    assert said.endswith("0 of 1 images show every concept, and 1 of 1 show castle; draw more seeds")


def test_where_one_cell_composes_it_is_recommended_and_a_missed_floor_is_still_named() -> None:
    cells = [cell("0.5", 1, 1, 2), cell("1", 0, 2, 2)]
    points = {one.name: one.point for one in cells if one.point is not None}
    assert recommended(points, (None, None)) == "0.5"
    said = recommendation(cells, None, (0.9, None), ["castle"])
    assert said.startswith("no cell has every concept in at least 90% of the images; strength 0.5 comes closest")


def test_names_are_exchanged_wherever_they_stand() -> None:
    assert exchanged("a castle, a mug and a clown", "castle", "clown") == "a clown, a mug and a castle"


def test_the_base_is_one_cell_and_checkpoints_are_in_the_order_of_their_steps(tmp_path: Path) -> None:
    base = find_base(str(save("sd1", tmp_path / "model")), Drawing())
    one = find_grid(base, options(lora(tmp_path / "a.safetensors"), strengths=(0, 1), starts=(0, 0.5, 1)))
    assert [cell.name for cell in one.cells] == ["base", "1@0", "1@0.5"]
    assert one.source(one.cells[0]).identity == base.identity
    for seed, step in enumerate((100, 20)):
        lora(tmp_path / "steps" / f"step-{step:06d}" / "pytorch_lora_weights.safetensors", seed)
    grid = find_grid(base, options(checkpoints=tmp_path / "steps"))
    assert [cell.name for cell in grid.cells] == ["base", "step 20", "step 100"]
    two = find_grid(base, options(tmp_path / "a.safetensors", lora(tmp_path / "b.safetensors", 3)))
    assert len(two.cells) == 10
    assert two.cells[-1].swapped


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_images_of_different_strengths_share_a_batch(guidance: float, tmp_path: Path) -> None:
    pipeline = copy.deepcopy(tiny("sd1"))
    plain = draw(copy.deepcopy(pipeline), steps=4)
    add_adapters(pipeline, find_adapters([str(lora(tmp_path / "a.safetensors"))]))
    model, dial = PipelineModel(pipeline), AdapterDial(pipeline)
    settings = GenerationSettings(steps=4, guidance=guidance)
    cells = [{}, {"adapter_0": (0.5, 0.0)}, {"adapter_0": (1.0, 0.0)}, {"adapter_0": (1.0, 0.5)}]

    def made(images: list[dict[str, tuple[float, float]]]) -> list[np.ndarray]:
        with dial.acting(images):
            drawn = model.generate(["a mug"] * len(images), [7] * len(images), settings)
        return [np.asarray(image, dtype=int) for image in drawn]

    together, alone = made(cells), [made([cell])[0] for cell in cells]
    assert max(np.abs(one - other).max() for one, other in zip(together, alone, strict=True)) <= 1
    assert len({image.tobytes() for image in alone}) == 4
    assert np.array_equal(draw(pipeline, steps=4), plain), "the dial leaves nothing behind"


def test_a_sweep_resumes_and_reads_back(tmp_path: Path) -> None:
    model, how = str(save("sd1", tmp_path / "model")), options(lora(tmp_path / "a.safetensors"), strengths=(0, 1))
    out = tmp_path / "run"
    assert estimate_sweep(PROMPT, model, YES, out, how).images_to_draw == 4
    assert not out.exists()
    first = sweep_suite(PROMPT, model, YES, out, how)
    assert [cell.name for cell in first.cells] == ["base", "1"]
    assert first.recommended == "1"
    assert first.cells[1].composition is not None
    assert first.cells[1].composition.count == 2
    lost = next(out.glob("images/*/1-*.png"))
    before = {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png") if file != lost}
    lost.unlink()
    more = options(tmp_path / "a.safetensors", strengths=(0, 0.5, 1))
    assert estimate_sweep(PROMPT, model, YES, out, more).images_to_draw == 3
    again = sweep_suite(PROMPT, model, YES, out, more)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert to_json(read_run(out)) == to_json(again)
    assert from_json(AdapterSweep, printed(again)).cells == again.cells
    page = write_sweep(again, out).read_text()
    assert "Use strength" in page
    assert page.count("<td><div class=") == 6


def test_similarity_is_measured_later_by_cell_and_against_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, file, out = str(save("sd1", tmp_path / "model")), lora(tmp_path / "a.safetensors"), tmp_path / "run"
    measuring = tiny_measuring(tmp_path)
    plain = sweep_suite(PROMPT, model, YES, out, options(file, strengths=(0, 1)))
    assert [each.measure for each in plain.cells[1].measures] == ["soft_presence", "harsh_presence"]
    assert 'id="measures"' not in write_sweep(plain, out).read_text()
    drawn = {image: image.stat().st_mtime_ns for image in out.glob("images/*/*.png")}
    how = options(file, strengths=(0, 1), measuring=measuring)
    left = estimate_sweep(PROMPT, model, YES, out, how)
    assert (left.images_to_draw, left.questions_to_ask, left.images_to_measure) == (0, 0, 4)

    found = sweep_suite(PROMPT, model, YES, out, how)
    assert {image: image.stat().st_mtime_ns for image in drawn} == drawn
    named = {(picture.cell, picture.name): picture for picture in found.pictures}
    assert len(named) == 4
    files = [(out / str(picture.file), picture.scores) for picture in found.pictures]
    check_same_as_score(files, out / "images", PROMPT, measuring, tmp_path / "score")
    for name in ("image_text", "least_concept", "caption_text", "quality"):
        values = {key: getattr(picture.scores, name) for key, picture in named.items()}
        for cell in found.cells:
            mean = next(each for each in cell.measures if each.measure == name)
            assert (mean.mean, mean.images) == (pytest.approx((values[cell.name, "0"] + values[cell.name, "1"]) / 2), 2)
        change = next(each for each in found.cells[1].changes if each.measure == name)
        by_noise = [values["1", seed] - values["base", seed] for seed in ("0", "1")]
        assert (change.change, change.pairs) == (pytest.approx(sum(by_noise) / 2), 2)
    assert found.cells[0].changes == ()
    page = write_sweep(found, out).read_text()
    assert 'id="measures"' in page
    assert "Image and prompt (95%)" in page

    monkeypatch.setattr(Encoders, "score", None)  # nothing is left to measure
    assert printed(sweep_suite(PROMPT, model, YES, out, how)) == printed(found) == printed(read_run(out))
    assert estimate_sweep(PROMPT, model, YES, out, how).images_to_measure == 0


def whole_models(folder: Path, *steps: int) -> Path:
    """A tiny Stable Diffusion after so many steps of made-up training, as ``--train unet`` saves it."""
    for step in steps:
        pipeline = copy.deepcopy(tiny("sd1"))
        with torch.no_grad():
            pipeline.unet.conv_out.weight.mul_(1 + step)
        pipeline.save_pretrained(folder / "checkpoints" / f"step-{step:06d}")
    return folder


def test_checkpoints_that_are_whole_models_are_cells_of_their_own(tmp_path: Path) -> None:
    model, training = str(save("sd1", tmp_path / "model")), whole_models(tmp_path / "run", 100, 20)
    how, out = options(checkpoints=training, taught=Taught(taught="tower")), tmp_path / "sweep"
    assert estimate_sweep(PROMPT, model, YES, out, how).images_to_draw == 6
    assert not out.exists()
    found = sweep_suite(PROMPT, model, YES, out, how)
    assert [(cell.name, cell.strengths, cell.images) for cell in found.cells] == [
        ("base", (), 2), ("step 20", (1.0,), 2), ("step 100", (1.0,), 2),
    ]  # fmt: skip
    assert (found.axes, found.recommended) == (("checkpoint",), "step 20")
    assert found.why.startswith("use step 20: 2 of 2 images")
    for cell, path in (("base", model), ("step 20", training / "checkpoints" / "step-000020")):
        own = AuditOptions(drawing=how.drawing, machine=Machine("cpu"))
        audited = audit(PROMPT, str(path), YES, tmp_path / f"audit {cell}", own)
        for image in audited.prompts[0].images:
            picture = next(p for p in found.pictures if (p.cell, p.name) == (cell, str(image.seed)))
            assert picture.file == image.file, "the same item as of an audit of that model"
            assert (out / str(picture.file)).read_bytes() == (Path(audited.run) / str(image.file)).read_bytes()
    pixels = {(out / str(picture.file)).read_bytes() for picture in found.pictures}
    assert len(pixels) == 6
    (step,) = after_sweep(replace(found, judge_warnings=()))
    assert f"--model {training / 'checkpoints' / 'step-000020'} " in str(step)
    lost = out / str(found.pictures[-1].file)
    before = {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png") if file != lost}
    lost.unlink()
    assert printed(sweep_suite(PROMPT, model, YES, out, how)) == printed(found)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert "step 100" in write_sweep(found, out).read_text()


@pytest.mark.parametrize(("more", "cell", "acts"), [({}, "step 20", "1@0"), ({"starts": (0.5,)}, "step 20", "1@0.5")])
def test_a_sweep_of_adapters_checkpoints_ends_with_a_whole_command(
    tmp_path: Path, more: dict[str, Any], cell: str, acts: str
) -> None:
    model, steps = str(save("sd1", tmp_path / "model")), tmp_path / "run" / "checkpoints"
    for seed, step in enumerate((100, 20)):
        lora(steps / f"step-{step:06d}" / "pytorch_lora_weights.safetensors", seed)
    how = options(checkpoints=tmp_path / "run", taught=Taught(taught="tower"), **more)
    found = sweep_suite(PROMPT, model, YES, tmp_path / "sweep", how)
    (step,) = after_sweep(replace(found, recommended=cell, judge_warnings=()))
    adapter = f"{steps / 'step-000020'}:{acts}"
    words = shlex.split(str(step.command))
    make_app().parse_args(words[1:])
    assert (words[1:3], words[words.index("--adapter") + 1]) == (["audit", PROMPT], adapter)
    own = AuditOptions(drawing=replace(how.drawing, adapters=(adapter,)), machine=Machine("cpu"))
    audited = audit(PROMPT, model, YES, tmp_path / "audit", own)
    drawn = {picture.file for picture in found.pictures if picture.cell == cell}
    assert {image.file for image in audited.prompts[0].images} == drawn, "the same items as the cell's"


def test_whole_models_that_cannot_be_swept_are_refused(tmp_path: Path) -> None:
    model, training = str(save("sd1", tmp_path / "model")), whole_models(tmp_path / "run", 20)
    save("sdxl", tmp_path / "other" / "step-1")
    for more, match in (
        ({"strengths": (0.5, 1.0)}, "holds whole models, which have no strengths, as adapters do"),
        ({"strengths": (0.0,)}, "leave out --strengths"),
        ({"starts": (0.0, 0.2)}, "leave out --starts"),
        ({"checkpoints": training / "checkpoints" / "step-000020"}, "is one whole model, not its checkpoints"),
        ({"checkpoints": tmp_path / "other"}, "is Stable Diffusion XL, and the model .* give as --model the one"),
        ({"taught": Taught()}, "it is not known which concept of the suite .* was taught; give --taught"),
    ):
        given = {"checkpoints": training, "taught": Taught(taught="tower"), **more}
        with pytest.raises(InputError, match=match):
            sweep_suite(PROMPT, model, YES, tmp_path / "sweep", options(**given))
    assert not (tmp_path / "sweep").exists()


def test_a_suite_that_does_not_name_the_taught_concept_is_refused(tmp_path: Path) -> None:
    model, file = str(save("sd1", tmp_path / "model")), lora(tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="none names the trigger word 'tower'"):
        sweep_suite("a [lamp] and a [mug]", model, YES, tmp_path / "run", options(file))
    with pytest.raises(InputError, match="no prompt of the suite names 'vase'"):
        sweep_suite(PROMPT, model, YES, tmp_path / "run", options(file, taught=Taught(taught="vase")))
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_swept_is_refused(tmp_path: Path) -> None:
    model, file = str(save("sd1", tmp_path / "model")), lora(tmp_path / "a.safetensors")
    (tmp_path / "empty").mkdir()
    for how, match in (
        (options(), "there is no adapter to sweep"),
        (options(file, checkpoints=tmp_path), "both name what to sweep"),
        (options(file, file, file), "a sweep takes one adapter, or two"),
        (options(file, file), "is given twice"),
        (options(Path(f"{file}:0.5")), "give them as --strengths and --starts"),
        (options(file, strengths=(0,)), "every cell is the model without its adapter"),
        (options(checkpoints=tmp_path / "empty"), "holds no checkpoint"),
        (options(checkpoints=tmp_path / "nowhere"), "there is no folder"),
    ):
        with pytest.raises(InputError, match=match):
            sweep_suite(PROMPT, model, YES, tmp_path / "run", how)
    assert not (tmp_path / "run").exists()


def test_an_adapter_of_another_family_is_refused(tmp_path: Path) -> None:
    other = lora(tmp_path / "wide.safetensors", width=40)
    with pytest.raises(InputError, match="wide"):
        sweep_suite(PROMPT, str(save("sd1", tmp_path / "model")), YES, tmp_path / "run", options(other))


def test_a_suite_that_does_not_name_the_concepts_of_two_adapters_is_told_which_prompt_it_needs() -> None:
    given = options(Path("castle.safetensors"), Path("clown.safetensors"))
    with pytest.raises(InputError, match=r"names 'clown'; with two .* such as “a \[castle\] and a \[clown\]”"):
        taught_of(given, find_suite("a [castle:landmark] and a [mug]"), None, ["castle", "clown"])


def test_two_adapters_are_drawn_in_both_orders_and_recommended_only_together(tmp_path: Path) -> None:
    model, adapters = str(save("sd1", tmp_path / "model")), [lora(tmp_path / f"{n}.safetensors", n) for n in (1, 2)]
    how = options(*adapters, strengths=(0, 1), taught=Taught(taught="tower,mug"))
    found = sweep_suite(PROMPT, model, YES, tmp_path / "run", how)
    assert [prompt.text for prompt in found.prompts] == ["a tower and a mug", "a mug and a tower"]
    assert found.recommended == "1 + 1"
    assert [(order.first, order.images) for order in found.orders] == [("tower", 2), ("mug", 2)]
    assert found.adapters_differ is not None
    assert found.adapters_differ <= 2
    with pytest.raises(InputError, match="give both, as the prompts name them"):
        sweep_suite(PROMPT, model, YES, tmp_path / "other", options(*adapters, taught=Taught(taught="tower")))

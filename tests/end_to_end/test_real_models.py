"""Whole audits of models of several families, and what happens when one of them misbehaves on the way."""

import functools
import importlib
import json
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from tiny_families import save

import dominance
from dominance.errors import InputError
from dominance.judges.protocol import Judge, ScriptedJudge
from dominance.records import Concept, Prompt, Question, RunResult, Suite

pytestmark = pytest.mark.slow

Command = Callable[..., Any]

STAGES = importlib.import_module("dominance.runs.audit.run")  # the package's own name for it is the function
PAIR = (Concept("tower", "landmark"), Concept("mug"))
SUITE = Suite("two", (Prompt("pair", "a tower and a mug", PAIR), Prompt("lamp", "a lamp", (Concept("lamp"),))))
OPTIONS = dominance.AuditOptions(
    drawing=dominance.Drawing(seeds=(0, 1), steps=2, height=32, width=48), machine=dominance.Machine(device="cpu")
)


def opinion(image: Image.Image, question: Question) -> float:
    return zlib.crc32(image.tobytes() + question.text.encode()) / 2**32


def audited(model: Path, out: Path, options: dominance.AuditOptions = OPTIONS) -> RunResult:
    return dominance.audit(SUITE, str(model), ScriptedJudge(opinion), out, options)


@pytest.mark.parametrize("family", ["sd2", "sdxl", "sd3", "flux", "sigma", "auraflow"])
def test_a_family_is_audited_from_folder_to_verdict(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save(family, tmp_path / family)
    result = audited(model, tmp_path / "run")
    assert (result.images, result.scored) == (4, 4)
    assert {prompt.verdict is not None for prompt in result.prompts} == {True}
    drawn = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "run" / "images").rglob("*.png"))]
    assert {picture.shape for picture in drawn} == {(32, 48, 3)}
    described: Any = result.manifest["model"]
    assert described["identity"].startswith("sha256:")
    flow = family in ("sd3", "flux", "auraflow")
    assert described["scheduler"] == ("FlowMatchEulerDiscreteScheduler" if flow else "DDIMScheduler")
    assert described["scheduler_settings"]["config"]["num_train_timesteps"] == 1000
    monkeypatch.setattr("dominance.runs.stages.model.RunModel.__call__", lambda _: pytest.fail("the model was loaded"))
    assert audited(model, tmp_path / "run").scored == 4


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers, with numpy 2
def test_the_manifest_says_what_it_takes_to_do_it_again(
    tiny_model: Path, tiny_judge: Path, tmp_path: Path, command: Command
) -> None:
    arguments = ("audit", "a [tower:landmark] and a [mug]", "--model", tiny_model, "--judge", f"blip:{tiny_judge}")
    options = ("--preset", "paper-sd14", "--seeds", 1, "--steps", 1, "--height", 32, "--width", 32, "--vae-tiling")
    out = tmp_path / "run"
    ran = command(*arguments, *options, "--scheduler", "dpm++", "--batch", "auto", "--out", out, "--json")
    assert ran.status == 0, ran.err
    settings = ran.document["settings"]
    assert settings.items() >= {"preset": "paper-sd14", "guidance": 7.5, "steps": 1, "height": 32, "seeds": [0]}.items()
    assert settings["scheduler"] == "DPMSolverMultistepScheduler"
    assert settings.items() >= {"vae_tiling": True, "batch": "auto", "judge_mode": "fast"}.items()
    manifest = dominance.read_result(out).manifest
    model, judge, versions = (manifest[part] for part in ("model", "judge", "versions"))
    assert model["scheduler"] == model["scheduler_settings"]["class"] == "DPMSolverMultistepScheduler"  # type: ignore[index]
    assert model["scheduler_settings"]["config_hash"].startswith("sha256:")  # type: ignore[index]
    assert model["identity"].startswith("sha256:") and judge["identity"]  # type: ignore[index]
    assert {"torch", "diffusers", "transformers", "dominance"} <= versions.keys()  # type: ignore[union-attr]
    assert manifest["peak_memory"]["process"] > 2**20  # type: ignore[index]
    assert manifest["device"] == "cpu" or manifest["device"] == "cuda"


@pytest.mark.parametrize("part", ["explain", "preflight", "ablate", "audit", "memorization"])
def test_every_command_that_runs_a_model_can_offload_it(part: str, tiny_model: Path, command: Command) -> None:
    ran = command(
        part, "a [tower:landmark] and a [mug]", "--model", tiny_model, "--offload", "model", "--device", "cpu"
    )
    assert ran.status == 2
    assert ran.err.startswith("error: --offload model moves idle parts from the GPU to the CPU")


def spoil(folder: Path) -> None:
    file = next((folder / "unet").glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1])


def without_safetensors(folder: Path) -> None:
    for file in (folder / "vae").glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("--scheduler", "nope"), "cannot use the scheduler 'nope'"),
        (("--offload", "model"), "--offload model moves idle parts from the GPU to the CPU"),
        (("--offload", "disk"), "no offload 'disk'; give one of none, model, sequential"),
        (("--revision", "main"), "is a folder, so it has no revision 'main'"),
        (("--preset", "paper"), "no preset 'paper'; give one of"),
        (("--batch", "lots"), "--batch is 'lots'; give a whole number, or auto"),
        (("--judge-mode", "slow"), "no judge mode 'slow'; give one of fast, official"),
        (spoil, "is not a complete safetensors file: it has"),
        (without_safetensors, "vae has no .safetensors weights"),
        (lambda folder: (folder / "model_index.json").unlink(), "is not a diffusers pipeline"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_nothing_is_written(
    given: Any, found: str, tiny_model: Path, tiny_judge: Path, tmp_path: Path, command: Command
) -> None:
    model = tiny_model if isinstance(given, tuple) else Path(shutil.copytree(tiny_model, tmp_path / "model"))
    options = given if isinstance(given, tuple) else ()
    if not isinstance(given, tuple):
        given(model)
    out = tmp_path / "run"
    judge = f"blip:{tiny_judge}"
    ran = command("audit", "a [lamp]", "--model", model, "--judge", judge, "--device", "cpu", "--out", out, *options)
    assert (ran.status, ran.out) == (2, "")
    assert found in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert not out.exists()


def test_a_guidance_that_the_model_takes_none_of_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    model = save("flux", tmp_path / "flux")
    with pytest.raises(InputError, match=r"guidance is 4, but FluxPipeline with these weights uses no guidance"):
        audited(
            model,
            tmp_path / "run",
            dominance.AuditOptions(
                drawing=dominance.Drawing(seeds=(0,), steps=1, guidance=4.0), machine=dominance.Machine(device="cpu")
            ),
        )
    assert not (tmp_path / "run").exists()


def misbehaving(monkeypatch: pytest.MonkeyPatch, act: Callable[[list[str], Any], Any]) -> None:
    """Has every Stable Diffusion pipeline draw, and then do this to its prompts and pictures."""
    whole = StableDiffusionPipeline.__call__

    @functools.wraps(whole)
    def call(self: StableDiffusionPipeline, **options: Any) -> Any:
        return act(options["prompt"], whole(self, **options))

    monkeypatch.setattr(StableDiffusionPipeline, "__call__", call)


def test_memory_nan_and_a_broken_prompt_in_the_middle_leave_the_rest_unharmed(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = tuple(Prompt(name, f"a {name}", (Concept(name),)) for name in ("lamp", "mug", "tower", "book"))
    suite = Suite("faults", prompts)
    options = dominance.AuditOptions(
        drawing=dominance.Drawing(seeds=(0, 1), steps=1, height=32, width=32),
        machine=dominance.Machine(device="cpu", batch=8),
    )
    judge = ScriptedJudge(opinion)
    whole = dominance.audit(suite, str(tiny_model), judge, tmp_path / "whole", options)

    def act(texts: list[str], made: Any) -> Any:
        if len(texts) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        if "a mug" in texts:
            raise ValueError("cannot read\nthis prompt")
        for text, picture in zip(texts, made.images, strict=True):
            if text == "a tower":
                picture[3, 3] = np.nan
        return made

    with monkeypatch.context() as faulty:
        misbehaving(faulty, act)
        result = dominance.audit(suite, str(tiny_model), judge, tmp_path / "run", options)
    assert (result.images, result.scored, result.unscored) == (4, 4, 4)
    problems = {p.prompt.id: {i.problem for i in p.images if i.verdict is None} for p in result.prompts}
    assert problems["lamp"] == problems["book"] == set()
    assert problems["mug"] == {"ValueError: cannot read this prompt"}
    assert problems["tower"] == {"the model produced pixels that are not numbers; try --dtype float32"}
    mended = dominance.audit(suite, str(tiny_model), judge, tmp_path / "run", options)
    assert mended.scored == 8
    for path in (tmp_path / "whole" / "images").rglob("*.png"):
        other = tmp_path / "run" / path.relative_to(tmp_path / "whole")
        difference = np.asarray(Image.open(path)).astype(int) - np.asarray(Image.open(other)).astype(int)
        assert np.abs(difference).max() <= 1
    assert whole.scored == 8


def test_a_run_ends_with_status_3_when_no_image_fits(
    tiny_model: Path, tiny_judge: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(texts: list[str], made: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    misbehaving(monkeypatch, act)
    given = ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--out", tmp_path / "run", "--seeds", 2)
    ran = command("audit", "a [lamp]", *given, "--json")
    assert ran.status == 3
    (prompt,) = ran.document["prompts"]
    assert {problem["problem"] for problem in prompt["problems"]} == {
        "a single image does not fit into memory; try a smaller --height, --offload or --vae-tiling"
    }


def test_on_a_gpu_the_judge_makes_room_for_the_model_and_the_model_for_the_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU's name is enough: what is counted is who is there when, not what they hold."""
    present: list[str] = []
    seen: list[tuple[str, ...]] = []

    class Guest:
        """Tells when it comes, works and goes."""

        def __init__(self, name: str) -> None:
            self.who = name
            present.append(name)

        def __del__(self) -> None:
            present.remove(self.who)

    class HeavyJudge(Guest):
        name = identity = "heavy"

        def check(self, questions: object) -> None:
            """Understands everything."""

        def answer(self, images: Any, questions: Any) -> Any:
            seen.append(("judge", *present))
            return ScriptedJudge(opinion).answer(images, questions)

    class HeavyModel(Guest):
        def reading(self, prompt: object) -> None:
            """Reads every prompt to its end."""

        def generate(self, texts: Any, seeds: Any, settings: Any) -> list[Image.Image]:
            seen.append(("model", *present))
            return [Image.new("RGB", (8, 8)) for _ in texts]

    def load_judge(asked: object, judge: object, device: str, asking: object, *_: object) -> Judge:
        return HeavyJudge("judge")

    model = save("sd1", tmp_path / "model")
    monkeypatch.setattr("dominance.models.devices.find_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr(STAGES, "judge_for", load_judge)
    monkeypatch.setattr("dominance.runs.stages.model.RunModel._load", lambda _: HeavyModel("model"))
    options = dominance.AuditOptions(drawing=dominance.Drawing(seeds=(0,)), machine=dominance.Machine(batch=4))
    dominance.audit(SUITE, str(model), "heavy", tmp_path / "run", options)
    assert seen == [("model", "model"), ("judge", "judge")]
    seen.clear()
    with sqlite3.connect(tmp_path / "run" / "run.sqlite") as ledger:
        assert json.loads(ledger.execute("SELECT value FROM manifest WHERE name = 'manifest'").fetchone()[0])
    dominance.audit(
        SUITE,
        str(model),
        "heavy",
        tmp_path / "run",
        dominance.AuditOptions(drawing=dominance.Drawing(seeds=(0, 1)), machine=dominance.Machine(batch=4)),
    )
    assert seen == [("model", "model"), ("judge", "judge")]

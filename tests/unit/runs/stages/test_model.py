"""The caller's own pipeline, compiled or not, through every command that takes a model."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_families import tiny

import dominance
from dominance.errors import InputError, ModelError, RunError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.models.image_model import PipelineModel
from dominance.models.own_pipeline import OwnPipeline
from dominance.probes.recording import record_attention
from dominance.records import Concept, Prompt, RunResult, Suite
from dominance.runs.ablation.options import AblationOptions
from dominance.runs.audit.options import AuditOptions
from dominance.runs.bench.options import BenchOptions
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.noise_norm.options import NoiseNormOptions
from dominance.runs.risk.options import PreflightOptions
from dominance.runs.stages.model import RunModel

PAIR = (Concept("tower", "landmark"), Concept("mug"))
SUITE = Suite("own", (Prompt("pair", "a tower and a mug", PAIR),))
FEW = Drawing(seeds=(0, 1), steps=2)
CPU = Machine("cpu")
JUDGE = ScriptedJudge(lambda image, question: float(question.concept == "tower"))
COMPILED = r"^the pipeline's unet is compiled, .* load the pipeline again without torch\.compile$"


@pytest.fixture
def own() -> Any:
    return copy.deepcopy(tiny("sd1"))


@pytest.fixture
def compiled(own: Any) -> Any:
    own.unet = torch.compile(own.unet, backend="eager")
    return own


def never_draw(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PipelineModel, "generate", lambda *_: pytest.fail("drawn again"))


def audit(model: Any, folder: Path, **drawing: Any) -> RunResult:
    chosen = Drawing(**{"seeds": (0, 1), "steps": 2, **drawing})
    return dominance.audit(SUITE, model, JUDGE, folder, AuditOptions(drawing=chosen, machine=CPU))


def test_an_audit_says_what_drew_and_resumes(own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = audit(own, tmp_path / "run")
    model: Any = first.manifest["model"]
    assert (first.images, first.model) == (2, "your StableDiffusionPipeline")
    assert (model["pipeline"], model["scheduler"], model["adapters"]) == (
        "StableDiffusionPipeline",
        "DDIMScheduler",
        {},
    )
    assert model["identity"] == OwnPipeline(own).identity
    assert first.manifest["device"] == "cpu"
    text = (tmp_path / "run" / "run.yaml").read_text()
    assert "# model: given in Python" in text
    assert "# suite: given in Python" in text
    never_draw(monkeypatch)
    again = audit(copy.deepcopy(own), tmp_path / "run")
    assert again.prompts == first.prompts


def test_another_weight_makes_another_run(own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = audit(own, tmp_path / "run")
    with torch.no_grad():
        next(own.unet.parameters()).mul_(2)
    second = audit(own, tmp_path / "other")
    assert not {i.file for p in first.prompts for i in p.images} & {i.file for p in second.prompts for i in p.images}
    never_draw(monkeypatch)
    with pytest.raises(RunError, match="holds a run of another state of the model 'your StableDiffusionPipeline'"):
        audit(own, tmp_path / "run")


def test_the_other_commands_take_it(own: Any, tmp_path: Path) -> None:
    options = AblationOptions(sweep=("feed-forward",), layers=(1,), drawing=FEW, machine=CPU)
    ablated = dominance.ablate_suite(SUITE, own, JUDGE, tmp_path / "a", options)
    assert ablated.model == "your StableDiffusionPipeline"
    norm = dominance.measure_noise_norm(SUITE, own, tmp_path / "n", NoiseNormOptions(drawing=FEW, machine=CPU))
    assert norm.complete
    bench = BenchOptions(target=2, pools="miniature", limit=1, drawing=FEW, machine=CPU)
    assert dominance.build_bench(own, JUDGE, tmp_path / "b", bench).run.model == "your StableDiffusionPipeline"
    assert {(tmp_path / folder / "run.yaml").is_file() for folder in "anb"} == {True}
    looked = PreflightOptions(layers=(1, 2), drawing=FEW, machine=CPU)
    assert len(dominance.preflight(SUITE, own, looked)) == 1


@pytest.mark.slow
def test_a_compiled_pipeline_is_drawn_with(compiled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = audit(compiled, tmp_path / "run")
    assert first.images == 2
    never_draw(monkeypatch)
    assert audit(copy.deepcopy(tiny("sd1")), tmp_path / "run").prompts == first.prompts


def test_what_looks_inside_a_compiled_pipeline_refuses_it(compiled: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=COMPILED), record_attention(compiled):
        pass
    with pytest.raises(ModelError, match=COMPILED):
        dominance.preflight(SUITE, compiled, PreflightOptions(drawing=FEW, machine=CPU))
    with pytest.raises(ModelError, match=COMPILED):
        prompt = "a [tower] and a [mug]"
        dominance.explain(prompt, compiled, JUDGE, options=ExplainOptions(drawing=FEW, machine=CPU))
    with pytest.raises(ModelError, match=COMPILED):
        options = AblationOptions(drawing=FEW, machine=CPU)
        dominance.ablate_suite(SUITE, compiled, JUDGE, tmp_path / "a", options)
    assert not (tmp_path / "a").exists()


def test_a_negative_prompt_is_part_of_the_item_and_drawn_apart(
    own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = SUITE.prompts[0]
    other = Prompt("dark", plain.text, PAIR, negative_prompt="dark", seeds=(5,))
    drawn: list[tuple[list[int], str | None]] = []
    generate = PipelineModel.generate

    def watch(self: Any, texts: Any, seeds: Any, settings: Any) -> Any:
        drawn.append((list(seeds), settings.negative_prompt))
        return generate(self, texts, seeds, settings)

    monkeypatch.setattr(PipelineModel, "generate", watch)
    options = AuditOptions(drawing=FEW, machine=CPU)
    result = dominance.audit(Suite("two", (other, plain)), own, JUDGE, tmp_path / "run", options)
    assert sorted(drawn, key=str) == [([0, 1], None), ([5], "dark")]
    assert [[image.name for image in prompt.images] for prompt in result.prompts] == [["5"], ["0", "1"]]
    assert all((tmp_path / "run" / str(image.file)).is_file() for prompt in result.prompts for image in prompt.images)


@pytest.mark.parametrize("guidance", [1.0, 0.0])
def test_a_prompts_negative_prompt_needs_guidance(own: Any, guidance: float) -> None:
    prompt = Prompt("dark", "a mug", PAIR[1:], negative_prompt="dark")
    with pytest.raises(InputError, match="turns guidance off, so the negative prompt has no effect"):
        RunModel(own, Drawing(guidance=guidance), CPU, (prompt,))()


def test_a_method_that_is_none_is_refused_before_anything_is_written(own: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no method 'magic'; give one of none"):
        dominance.audit(SUITE, own, JUDGE, tmp_path / "run", AuditOptions(method="magic", machine=CPU))
    assert not (tmp_path / "run").exists()

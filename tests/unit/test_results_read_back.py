"""Every document that a command prints is valid by its schema, and reads back to an equal result."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from made_explanations import explanation

from dominance.beside import Beside, Contrast, OtherImage, OtherPrompt
from dominance.documents import from_json, printed, schema_of, to_json
from dominance.metrics import Logistic, confusion, discernment, rate, reliability_bins
from dominance.probes.ablation import Ablation
from dominance.records import Answer, Concept, Gate, Identity, LeftOut, Prompt, PromptResult, Question, RunResult
from dominance.run_settings import RunSettings
from dominance.runs.ablation.cooperation import head_sets
from dominance.runs.ablation.interactions import interactions
from dominance.runs.ablation.options import Window
from dominance.runs.ablation.outcomes import Judged
from dominance.runs.ablation.result import (
    AblatedPrompt,
    AblationResult,
    Edited,
    sweep_result,
    unedited_of,
    window_result,
)
from dominance.runs.ablation.variants import Variant
from dominance.runs.audit.document import document_of as audit_document
from dominance.runs.bench.compare import compare
from dominance.runs.bench.result import Kept, StreamTally, bench_of
from dominance.runs.bench.result import document_of as bench_document
from dominance.runs.diversity.result import (
    CategoryDiversity,
    ConceptDiversity,
    DiversityResult,
    MeasuredBy,
    NamedPair,
    NearDuplicates,
    Unmeasured,
)
from dominance.runs.explanation.document import ExplanationDocument
from dominance.runs.explanation.document import document_of as explanation_document
from dominance.runs.generation.result import Attempt, EarlyLook, GeneratedPrompt, GenerationResult, Rejection
from dominance.runs.judge_check.generated_result import (
    Criterion,
    DoubtfulAnswers,
    GeneratedFindings,
    Mistakes,
    WrongPicture,
)
from dominance.runs.judge_check.readers import ReaderAgreement
from dominance.runs.judge_check.result import (
    Agreement,
    AgreementRow,
    ControlFindings,
    Difference,
    Disagreement,
    FalseYes,
    JudgeCalibration,
    JudgeCheck,
    JudgeFindings,
    ReliabilityBin,
    YesTally,
)
from dominance.runs.mitigation.measuring import Pair as RepairedPair
from dominance.runs.mitigation.measuring import Took, compared
from dominance.runs.mitigation.result import MitigatedImage, MitigatedPrompt, MitigationResult, Shot
from dominance.runs.noise_norm.result import MemorizationResult, PromptNorms, compare_groups, group_norms
from dominance.runs.risk.calibrate import CalibrationReport, LayerQuality, ReportDocument, RuleQuality
from dominance.runs.risk.calibrate import document_of as calibration_document
from dominance.runs.risk.calibration import Calibration, feature_names
from dominance.runs.risk.preflight import Preflight
from dominance.runs.stages.gate import judge_gate
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt
from dominance.runs.teaching.result import Checkpoint, Pair, Sample, TeachingResult, Watched

TOWER, MUG, LAMP = Concept("tower", "landmark"), Concept("mug"), Concept("lamp")
PAIR = Prompt("tower-mug", "a tower and a mug", (TOWER, MUG), "dominance")
THREE = Prompt("three", "a tower, a mug and a lamp", (TOWER, MUG, LAMP))


def scored(prompt: Prompt, *counts: tuple[int, ...] | str) -> PromptResult:
    images = []
    for seed, yes in enumerate(counts):
        if isinstance(yes, str):
            images.append(score_image(prompt, str(seed), None, (), yes, seed))
            continue
        answers = [
            Answer(Question(concept.name, f"{concept.name} {grade}?", grade), grade <= count, 0.5)
            for concept, count in zip(prompt.concepts, yes, strict=True)
            for grade in range(1, 6)
        ]
        images.append(score_image(prompt, str(seed), f"images/{seed}.png", answers, seed=seed))
    return score_prompt(prompt, images)


def run() -> RunResult:
    prompts = (scored(PAIR, (5, 0), (5, 5), "the file is missing"), scored(THREE, (5, 0, 5), (0, 0, 0)))
    gate = judge_gate(Gate(max_collapse=0.2), prompts)
    settings = RunSettings(seeds=(0, 1), more={"pools_identity": "p", "needed": 7, "limit": None})
    there = OtherPrompt(
        PAIR.text, ("tower", "mug"), (OtherImage("0", "beside/0.png", 0, 0.0, "balanced"),), 0.0, 1, 1, "balanced"
    )
    beside = Beside(
        run="other", here="one", there="two", prompts=1, only_here=(THREE.text,), only_there=(), measured=1,
        dvd_here=50.0, dvd_there=0.0, change=-50.0, change_interval=(-60.0, -40.0), lost_here=(PAIR.text,),
        lost_there=(), contrast=Contrast(PAIR.id, there, 1),
    )  # fmt: skip
    result = RunResult(
        "run", "small", "tiny", "judge", settings, prompts, score_groups(prompts), gate, {"device": "cpu"}
    )
    return dataclasses.replace(result, beside=beside)


def a_bench() -> Any:
    kept = (Kept("tower-mug", "dominance", "landmark", "and", "tower", "mug"),)
    tallies = (StreamTally("landmark", 2, 1, 5, 1, 0, 9), StreamTally("balanced", 2, 0, 0, 0, 0, 9))
    return bench_of(run(), kept, tallies, "the limit of candidates was reached")


def ablation() -> AblationResult:
    before, after = scored(PAIR, (5, 0), (5, 0)), scored(PAIR, (5, 5), (5, 0))

    def trials(*heads: tuple[int, int]) -> list[Judged]:
        variant = Variant("", Ablation(), heads[0][0] if len(heads) == 1 else None, heads)
        pairs = zip(before.images, after.images, strict=True)
        return [Judged(PAIR, seed, variant, *images) for seed, images in enumerate(pairs)]

    singles, both = [*trials((1, 0)), *trials((9, 3))], trials((1, 0), (9, 3))
    other = [dataclasses.replace(trial, prompt=dataclasses.replace(PAIR, id="other")) for trial in (*singles, *both)]
    sets, heads = [*singles, *both, *other], [((1, 0), (9, 3))] * 2
    windows = (window_result("none", [("dominance", before.images[0])], None), window_result("0–4", [], singles))
    return AblationResult(
        run="run", suite="small", model="tiny", judge="judge", edit="ablate", settings={"scale": 1e-5},
        unedited=unedited_of(run()), edited=Edited(4, 1),
        prompts=(AblatedPrompt(PAIR.id, PAIR.text, "dominance", rate(2, 2), ((1, 0),), (0, "a.png", "b.png", "1.0")),),
        sweeps=(sweep_result("heads", Window(0, 0), singles), sweep_result("interactions", Window(0, 0), both)),
        interactions=(interactions("0", [(1, 0), (9, 3)], singles, both),), windows=windows, left_out=("lone",),
        notes=("a note",), manifest={"device": "cpu"}, sets=(head_sets("0", ((PAIR.id,), ("other",)), heads, sets),),
    )  # fmt: skip


def judge_check() -> JudgeCheck:
    own = YesTally(2, rate(5, 10), (rate(1, 2),), rate(0, 0), 1)
    worst = (FalseYes("images/blank.png", "mug", 1, 5, 0.7),)
    control = ControlFindings(**vars(own), name="blank", certain=True, worst=worst)
    said, true = [True, False, True], [True, False, False]
    bins = tuple(ReliabilityBin(**vars(part)) for part in reliability_bins([0.9, 0.1, 0.6], true))
    calibration = JudgeCalibration(
        **vars(discernment(said, true, ["a", "b", "c"])), truth="labels.csv", level="question", labels=3, images=3,
        unanswered=0, bins=bins, error=0.1, chance=(0.0, 0.2),
    )  # fmt: skip
    findings = JudgeFindings(
        "judge", "fast", "sha256:j", own, (control,), (calibration,), 1, "no answer", "care", "With care.", ("More.",),
        on_generated_pictures(),
    )  # fmt: skip
    row = AgreementRow(**vars(confusion(said, true)), name="all", images=3, interval=None)
    difference = Disagreement("a.png", "a mug", "0", 5, (Difference("Is there a mug?", True, False, 0.9, None),))
    agreement = Agreement(row, (row,), (), row, row, (difference,), "They agree.")
    return JudgeCheck(
        "run", "small", 2, (findings,), agreement, ("a note",), {"seed": 0}, manifest={"device": "cpu"},
        readers=ReaderAgreement(2, 2, rate(27, 28), rate(3, 4), 0.8, None, 3, 1, 24),
    )  # fmt: skip


def on_generated_pictures() -> GeneratedFindings:
    some = Mistakes("rigid entities", 2, rate(1, 3), rate(0, 24), rate(1, 1), 2)
    wrong = WrongPicture(
        "images/labelled/7.png", 7, "miniature", "a mug", "mug", "plain", (True, False, False), (0.9, 0.1, None)
    )
    criterion = Criterion("false no", rate(1, 3), most=0.03)
    doubtful = DoubtfulAnswers("doubtful", rate(2, 5))
    return GeneratedFindings(some, some, some, (some,), (some,), (), (some,), (doubtful,), (criterion,), (wrong,))


def diversity() -> DiversityResult:
    concept = ConceptDiversity(
        name="mug", category=None, images=2, unreadable=1, pairs=1, median=0.1, interval=(0.05, 0.2), mean=0.1,
        quartiles=(0.1, 0.1), exact=True, vendi=1.5, near_duplicates=NearDuplicates(0, 0, (("a.png", "b.png"),)),
        nearest=(NamedPair(("a.png", "b.png"), 0.1),), farthest=None, typical=("a.png",), unusual=(), verdict="usual",
        verdict_sentence="Nothing unusual.", verdict_limits=(0.1, 0.2),
    )  # fmt: skip
    return DiversityResult(
        run="run", source="photos", embedder=MeasuredBy("clip", "sha256:e", "an encoder", "paper"), near=0.95,
        notes=("a note",), rests="One paper.", concepts=(concept,),
        categories=(CategoryDiversity("objects", 1, 2, 0.1, None),), problems=(Unmeasured("c.png", "broken"),),
        manifest={"device": "cpu"},
    )  # fmt: skip


def noise_norm() -> MemorizationResult:
    groups = {"memorized": 5.0, "balanced": 1.0}
    prompts = tuple(
        PromptNorms(f"{group}-{place}", "a mug", group, {0: (norm + place, norm)}, ((3, "no number"),))
        for group, norm in groups.items()
        for place in range(3)
    )
    return MemorizationResult(
        run="run", suite="small", model="tiny", quantity="noise", values=12, steps=2, settings={"seeds": [0, 3]},
        notes=(), prompts=prompts, groups=group_norms(prompts), comparisons=compare_groups(prompts), manifest={},
    )  # fmt: skip


IDENTITY = Identity("castle", rate(7, 10), 20.0, (10.0, 30.0), rate(9, 10), rate(4, 4), None, rate(0, 5))


def lesson() -> TeachingResult:
    watched = Watched("audits/step-000020", 20, 1, IDENTITY)
    samples = (Sample("a castle", 0, "images/samples-1/0.png"),)
    checkpoints = (
        Checkpoint(0, None, None, (), None),
        Checkpoint(20, "checkpoints/step-000020", 0.2, samples, watched),
    )
    pair = Pair("a castle and a mug", 1, "audits/a.png", "both", "audits/b.png", "only castle")
    return TeachingResult(
        run="runs/castle", model="miniature-base", token="castle", taught="castle", train="lora", steps=20, images=5,
        prior=0, captions=("a castle",), notes=("no prior",), warnings=(), settings={"rank": 16}, suite="s",
        judge="miniature", floor=0.8, checkpoints=checkpoints, composes=None, falls=20, pairs=(pair,), manifest={},
        left_out=(LeftOut("broken.png", "cannot be read", missing=True),),
    )  # fmt: skip


def mitigation() -> MitigationResult:
    before, after = scored(PAIR, (5, 0), (5, 5)).images, scored(PAIR, (5, 5), (5, 0)).images
    pairs = [RepairedPair("tower-mug", *both, Took(1.0, 8), Took()) for both in zip(before, after, strict=True)]
    shots = {
        "plain": Shot("images/0.png", "collapsed", 100.0, ("tower",), None, 1.0, 8.0),
        "m": Shot(None, None, None, (), "not made"),
    }
    image = MitigatedImage("0", shots, "plain")
    prompt = MitigatedPrompt("tower-mug", PAIR.text, None, ("tower", "mug"), {"plain": 50.0, "m": None}, (image,))
    return MitigationResult(
        run="run", suite="small", model="tiny", judge="judge", settings={"seeds": [0]}, only_failing=False,
        methods=(compared("m", {"until": None}, pairs),), policy=compared("policy", {}, pairs),
        control=compared("another seed", {}, []), prompts=(prompt,), notes=("a note",), manifest={"device": "cpu"},
        identities={"plain": IDENTITY},
    )  # fmt: skip


def generation() -> GenerationResult:
    attempts = (
        Attempt("a", 0, "plain", "given up", None, "images/0-early.png", 0.1, evaluations=4.0, looks=1, finished=True),
        Attempt("b", 0, "regions", "usable", "images/0.png", None, None, "balanced", ("tower", "mug"), 10.0, 0.5, 1),
        Attempt("c", 1, "regions", "error", problem="not numbers"),
    )
    prompt = GeneratedPrompt(
        "tower-mug", PAIR.text, None, ("tower", "mug"), "high", 0.7, 0.5, 8.0, attempts, "budget", None,
        Rejection(3, 1, 30.0),
    )  # fmt: skip
    return GenerationResult(
        run="run", suite="small", model="tiny", judge="judge", settings={"seeds": None}, wanted=2, budget=50,
        plain_evaluations=10.0, early=EarlyLook(0.4, 0.2, rate(3, 4), rate(0, 9)), prompts=(prompt,), per_usable=22.0,
        expected_plain=None, plain_per_usable=30.0, ratio=0.7, ratio_interval=(0.5, 0.9), false_aborts=rate(1, 1),
        notes=("a note",), manifest={"device": "cpu"},
    )  # fmt: skip


def preflight() -> Preflight:
    return Preflight("a mug", ("a", "mug"), (0.2, 0.8), {9: 0.01, 10: 0.02}, 0.015, 0.01, "high", "mug", None, 0.01)


def calibration() -> ReportDocument:
    quality = RuleQuality("calibrated", 0.9, (0.8, 1.0), 0.5, rate(1, 2), rate(0, 2), rate(1, 1))
    layer = LayerQuality(9, 0.02, (0.01, 0.03), 0.01, (0.0, 0.02), 0.8, (0.7, 0.9), rate(1, 1))
    count = len(feature_names((9,)))
    logistic = Logistic(np.linspace(-1, 1, count), 0.25, np.zeros(count), np.ones(count))
    fitted = Calibration("tiny", "sha256:m", "prompt", "concept", "content", (9,), (9,), logistic, 3.0, 0.5)
    report = CalibrationReport(
        calibration=fitted, run="run", suite="small", judge="judge", n=4, positives=2, left_out={"no score": 1},
        seeds=(0, 1), seed=0, calibrated=quality, paper=None, layers=(layer,),
    )  # fmt: skip
    return calibration_document(report)


RESULTS: dict[str, Callable[[], Any]] = {
    "audit": lambda: audit_document(run()),
    "bench": lambda: bench_document(a_bench()),
    "bench show A B": lambda: compare(a_bench(), a_bench()),
    "ablate": ablation,
    "judge check": judge_check,
    "diversity": diversity,
    "memorization": noise_norm,
    "mitigate": mitigation,
    "generate": generation,
    "train dreambooth": lesson,
    "preflight": preflight,
    "calibrate": calibration,
    "explain": lambda: explanation_document(explanation()),
}


def violations(value: Any, schema: dict[str, Any], whole: dict[str, Any], place: str = "") -> Iterator[str]:
    """What is against a JSON schema, as far as our schemas go."""
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if all(list(violations(value, part, whole, place)) for part in schema["anyOf"]):
            yield f"{place}: {value!r} is none of {schema['anyOf']}"
        return
    if value not in schema.get("enum", [schema.get("const", value)]):
        yield f"{place}: {value!r}"
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}
    kind = schema.get("type")
    wanted: Any = (int, float) if kind == "number" else kinds.get(str(kind), object)
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind in ("number", "integer")):
        yield f"{place}: {value!r} is no {kind}"
    elif isinstance(value, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        yield from (f"{place}.{key} is missing" for key in schema.get("required", ()) if key not in value)
        for key, part in value.items():
            if key in known or isinstance(more, dict):
                yield from violations(part, known.get(key, more), whole, f"{place}.{key}")
            elif not more:
                yield f"{place}.{key} is unknown"
    elif isinstance(value, list):
        parts = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        for number, (part, own) in enumerate(zip(value, parts, strict=True)):
            yield from violations(part, own, whole, f"{place}[{number}]")


def same(one: Any, other: Any) -> bool:
    """Whether two records hold the same, tensors by their values."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if dataclasses.is_dataclass(one):
        fields = [field.name for field in dataclasses.fields(one) if field.name != "pictures"]
        return type(one) is type(other) and all(same(getattr(one, name), getattr(other, name)) for name in fields)
    return one == other


@pytest.mark.parametrize("command", RESULTS)
def test_a_document_is_valid_by_its_schema_and_an_unknown_key_is_not(command: str) -> None:
    result = RESULTS[command]()
    document, schema = json.loads(json.dumps(printed(result))), schema_of(type(result))
    assert list(violations(document, schema, schema)) == []
    assert list(violations(document | {"nonsense": 1}, schema, schema)) == [".nonsense is unknown"]
    assert list(violations({}, schema, schema))


@pytest.mark.parametrize("command", RESULTS)
def test_a_result_reads_back_from_its_json(command: str) -> None:
    result = RESULTS[command]()
    assert same(from_json(type(result), json.loads(json.dumps(to_json(result)))), result)
    shown = json.loads(json.dumps(printed(result)))
    assert json.loads(json.dumps(printed(from_json(type(result), shown)))) == shown


@pytest.mark.parametrize("command", RESULTS)
def test_a_key_of_another_version_is_passed_over_and_one_that_is_missing_is_not(command: str) -> None:
    result = RESULTS[command]()
    shown = printed(result)
    assert printed(from_json(type(result), shown | {"of the future": 1})) == shown
    with pytest.raises(ValueError, match="required"):
        from_json(type(result), {})


def test_only_an_explanation_with_all_that_was_recorded_gives_its_page_back() -> None:
    found = explanation()
    kept = from_json(ExplanationDocument, json.loads(json.dumps(to_json(explanation_document(found)))))
    assert kept.recorded is not None and same(kept.recorded, found)
    assert from_json(ExplanationDocument, printed(explanation_document(found))).recorded is None

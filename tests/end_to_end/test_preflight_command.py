"""``dominance preflight`` from prompt to risk, and from an audited run to a rule of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from made_calibrations import calibration, written
from tiny_families import lora_of_one_layer, save

import dominance
from dominance.judges.protocol import ScriptedJudge
from dominance.metrics import focus_score
from dominance.models.folders import find_model
from dominance.records import Answer
from dominance.runs.risk import calibration as calibrations

pytestmark = pytest.mark.slow

Command = Callable[..., Any]

PROMPT = "a [tower:landmark] and a [mug]"
KEYS = {
    "prompt", "tokens", "attention", "focus", "score", "threshold", "risk", "peak_token", "dominating", "unet_share",
    "seeds", "scores", "problem",
}  # fmt: skip


LARGE = ("--height", 64, "--width", 64)
"""The tiny model's middle is a single position at its own size, and then cannot normalise a batch of one."""


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command, empty at first."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A made-up rule, by which every pair is at high risk, ships for the bundled model."""
    folder = tmp_path / "weights" / "calibrations"
    folder.mkdir(parents=True)
    made = calibration(identity=find_model("miniature").identity, threshold=0.0)
    (folder / "miniature.json").write_text(json.dumps(written(made)))
    monkeypatch.setattr(calibrations, "bundled_folder", folder.parent.joinpath)


def test_a_prompt_on_the_bundled_model(command: Command) -> None:
    """The paper's rule, seen to be its formula; and what it cost."""
    done = command("preflight", PROMPT, "--calibration", "none", "--json")
    assert done.status == 0
    [found] = done.document
    assert set(found) == KEYS
    assert found["prompt"] == "a tower and a mug"
    assert found["tokens"] == ["a", "tower", "and", "a", "mug"]
    assert set(found["focus"]) == {"9", "10"}
    assert found["score"] == pytest.approx(sum(found["focus"].values()) / 2)
    assert found["threshold"] == 0.010
    assert found["risk"] == ("high" if found["score"] >= 0.010 else "low")
    assert found["peak_token"] == found["tokens"][max(range(5), key=found["attention"].__getitem__)]
    assert found["dominating"] in ("tower", "mug")
    assert (found["seeds"], len(found["scores"]), found["problem"]) == (list(range(8)), 8, None)
    assert found["score"] == pytest.approx(sum(found["scores"]) / 8)
    assert 0 < found["unet_share"] < 8 / 50  # each noise costs less than one branch of one of 25 steps


@pytest.mark.usefixtures("shipped")
def test_a_single_concept_is_at_no_risk_whatever_its_score(command: Command) -> None:
    [alone] = command("preflight", "a [tower:landmark]", "--json").document
    assert alone["score"] > 0.010
    assert (alone["risk"], alone["threshold"], alone["dominating"]) == ("low", None, None)
    [beside] = command("preflight", "a [castle:landmark] with a [chair]", "--json").document
    assert beside["risk"] == "high"
    assert beside["dominating"] in ("castle", "chair")


def test_it_is_what_a_recorded_generation_shows() -> None:
    pipeline = dominance.load_pipeline("miniature", device="cpu")
    with dominance.record_attention(pipeline, layers=[3, 10], steps=[0]) as record:
        pipeline("a tower and a mug", num_inference_steps=2, generator=torch.Generator().manual_seed(4))
    options = dominance.PreflightOptions(
        layers=(3, 10), drawing=dominance.Drawing(seeds=(4,), steps=2), machine=dominance.Machine(device="cpu")
    )
    [found] = dominance.preflight("a tower and a mug", pipeline, options)
    attention = {layer: record.attention(layer, 0).mean(1)[0, 1:6] for layer in (3, 10)}
    assert found.focus == pytest.approx({k: focus_score(a).item() for k, a in attention.items()}, abs=1e-4)
    assert found.attention == pytest.approx(((attention[3] + attention[10]) / 2).tolist(), abs=1e-5)
    assert found.dominating is None


def test_a_suite_for_people(command: Command, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    done = command(
        "preflight", "miniature", "--model", tiny_model, "--limit", 3, "--seeds", "2,5", "--layers", "1-3,10"
    )
    assert done.status == 0
    assert "a tower and a mug" in done.out
    assert "mean focus of layers 1, 2, 3, 10" in done.out
    assert "of 3 prompts at high risk" in done.out
    assert "first steps: 6 of 6" in done.err


def test_seeds_are_averaged_and_batches_do_not_matter(command: Command, tiny_model: Path) -> None:
    def look(*options: object) -> Any:
        return command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--json", *options).document[0]

    one, other, both = look("--seeds", "3,"), look("--seeds", "7,"), look("--seeds", "3,7", "--batch", 2)
    assert both["score"] == pytest.approx((one["score"] + other["score"]) / 2, abs=1e-4)
    assert both["attention"] == pytest.approx(
        [(a + b) / 2 for a, b in zip(one["attention"], other["attention"], strict=True)], abs=1e-5
    )
    assert both["unet_share"] == pytest.approx(2 * one["unet_share"])


def test_a_threshold_and_other_tokens(command: Command, tiny_model: Path) -> None:
    high = command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--threshold", 0, "--json").document[0]
    low = command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--threshold", 99, "--json").document[0]
    assert (high["risk"], low["risk"]) == ("high", "low")
    ended = command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--tokens", "content+end", "--json").document[0]
    assert ended["tokens"] == ["a", "tower", "and", "a", "mug", "<end>"]
    every = command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--tokens", "all", "--json").document[0]
    assert sum(every["attention"]) == pytest.approx(1, abs=1e-4)


@pytest.fixture
def audited(tiny_model: Path, tmp_path: Path) -> Path:
    return audit_of(tiny_model, tmp_path)


def audit_of(tiny_model: Path, tmp_path: Path, **drawing: Any) -> Path:
    """A run in which entities take over from objects, and objects do not from one another."""
    prompts = [
        f"a [{first}] and a [{second}]"
        for first, second in (
            ("tower", "mug"), ("tower", "lamp"), ("castle", "mug"), ("castle", "chair"), ("robot", "lamp"),
            ("robot", "chair"), ("mug", "lamp"), ("lamp", "mug"), ("chair", "mug"), ("book", "lamp"), ("chair", "book"),
            ("mug", "book"),
        )
    ]  # fmt: skip
    suite = tmp_path / "suite.yaml"
    suite.write_text("prompts:\n" + "".join(f"  - {json.dumps(prompt)}\n" for prompt in [*prompts, "a [mug]"]))
    taking = ("tower", "castle", "robot")

    class Judge(ScriptedJudge):
        """Sees the object only where no entity is named."""

        def answer(self, images: Any, questions: Any) -> Any:
            found = []
            for asked in questions:
                alone = not {question.concept for question in asked} & set(taking)
                found.append(tuple(Answer(q, alone or q.concept in taking) for q in asked))
            return found

    options = dominance.AuditOptions(
        drawing=dominance.Drawing(seeds=(0, 1), **drawing), machine=dominance.Machine(device="cpu")
    )
    run = tmp_path / "run"
    result = dominance.audit(str(suite), str(tiny_model), Judge(lambda image, question: None), run, options)
    assert [one.verdict for one in result.prompts].count("dominance") == 6
    return run


@pytest.mark.slow
def test_a_run_becomes_a_rule(
    command: Command, audited: Path, tiny_model: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = command("calibrate", audited, "--layers", "8-10", "--out", "risk.json", "--json")
    assert done.status == 0
    document, evidence = done.document, done.document["evidence"]
    assert json.loads((workplace / "risk.json").read_text()) == document
    assert (evidence["n"], evidence["positives"]) == (12, 6)
    assert evidence["left_out"]["prompts of one concept"] == 1
    assert 0 <= evidence["calibrated"]["interval"][0] <= evidence["calibrated"]["auc"] <= 1
    assert evidence["paper"]["threshold"] == 0.010
    assert [layer["layer"] for layer in evidence["layers"]] == [8, 9, 10]

    used = command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--calibration", "risk.json", "--json")
    [found] = used.document
    assert found["threshold"] == document["threshold"]
    assert 0 < found["score"] < 1
    assert set(found["focus"]) == {"8", "9", "10"}
    plain = command(
        "preflight", "a tower and a mug", "--model", tiny_model, *LARGE, "--calibration", "risk.json", "--json"
    )
    assert (plain.document[0]["threshold"], plain.document[0]["risk"]) == (None, "uncalibrated")  # it marks no concepts
    assert plain.document[0]["dominating"] is None

    refused = command("preflight", PROMPT, "--calibration", "risk.json")
    assert refused.status == 2
    assert "was made for" in refused.err

    shipped = workplace / "calibrations"
    shipped.mkdir()
    (workplace / "risk.json").rename(shipped / "tiny.json")
    monkeypatch.setattr(calibrations, "bundled_folder", workplace.joinpath)
    assert command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--json").document == used.document
    paper = command("preflight", PROMPT, "--model", tiny_model, *LARGE, "--calibration", "none", "--json")
    assert paper.document[0]["threshold"] == 0.010
    assert paper.document[0]["risk"] in ("high", "low")


def test_a_run_with_an_adapter_becomes_the_adapted_models_rule(
    command: Command, tiny_model: Path, tmp_path: Path, workplace: Path
) -> None:
    file = lora_of_one_layer(tiny_model, tmp_path / "brand.safetensors")
    run = audit_of(tiny_model, tmp_path, adapters=(f"{file}:0.5",))
    done = command("calibrate", run, "--layers", "8-10", "--out", "risk.json", "--json")
    assert done.status == 0
    assert "note on the adapter" in done.err
    asked = ("preflight", PROMPT, "--model", tiny_model, "--calibration", "risk.json", *LARGE, "--json")
    assert command(*asked, "--adapter", f"{file}:0.5").document[0]["risk"] in ("high", "low")
    plain = command(*asked)
    assert plain.status == 2 or plain.document[0]["risk"] == "uncalibrated"


def test_without_a_rule_the_risk_is_uncalibrated_and_the_next_step_fits_one(command: Command, tiny_model: Path) -> None:
    for more in ((), ("--layers", "1,2")):
        [found] = command("preflight", PROMPT, "--model", tiny_model, *LARGE, *more, "--json").document
        assert (found["risk"], found["threshold"]) == ("uncalibrated", None)
        assert found["score"] is not None
    said = command("preflight", PROMPT, "--model", tiny_model, *LARGE)
    assert "0 of 1 prompts at high risk, 1 uncalibrated: no rule has been fitted to this model" in said.out
    assert (
        "next: no rule has been fitted to this model, and there are too few prompts to fit one; audit many" in said.out
    )
    many = command("preflight", "miniature", "--limit", 4, "--model", tiny_model, *LARGE)
    assert "next: then fit the rule, and give --calibration risk.json: dominance calibrate" in many.out


@pytest.mark.usefixtures("shipped")
def test_a_prompt_without_brackets_is_not_told_that_its_model_has_no_rule(command: Command) -> None:
    said = command("preflight", "a tower and a mug", "--seeds", 1)
    assert "0 of 1 prompts at high risk, 1 uncalibrated: the model's rule compares concepts in brackets" in said.out
    assert said.out.splitlines()[-1].startswith("next: mark two concepts or more of each prompt in brackets")


def test_a_model_of_few_layers_needs_no_layers_named(command: Command, tmp_path: Path) -> None:
    model = save("sd1", tmp_path / "model")
    [found] = command("preflight", PROMPT, "--model", model, "--json").document
    assert (found["risk"], found["threshold"]) == ("uncalibrated", None)
    refused = command("preflight", PROMPT, "--model", model, "--calibration", "none")
    assert refused.status == 2
    assert "no attention layer 9: the model has 7" in refused.err


@pytest.mark.usefixtures("shipped")
def test_explain_says_what_preflight_says(command: Command, tiny_model: Path) -> None:
    [looked] = command("preflight", PROMPT, "--json").document
    explained = command("explain", PROMPT, "--seeds", 2, "--steps", 2, "--judge", "none", "--json").document
    again = command("preflight", PROMPT, "--steps", 2, "--json").document[0]
    assert explained["risk"]["risk"] == again["risk"] == looked["risk"]
    assert len(explained["risk"]["scores"]) == 8, "however many images are explained"
    assert explained["risk"]["score"] == pytest.approx(again["score"], abs=1e-5)
    assert (
        Path("explanations/a-tower-and-a-mug/explanation.html").read_text().count("Before any image, the risk is") == 1
    )
    unknown = command("explain", PROMPT, "--seeds", 2, "--model", tiny_model, "--judge", "none", "--out", "unknown")
    assert "The risk is uncalibrated: no rule has been fitted to this model." in unknown.out


@pytest.mark.slow
def test_a_run_becomes_a_rule_of_images_held_out_by_concept(command: Command, audited: Path) -> None:
    done = command("calibrate", audited, "--layers", "9,10", "--label", "image", "--hold-out", "concept")
    assert done.status == 0
    assert "12 collapsed images of 22, held out by concept" in done.out
    assert "left out: 1 prompts of one concept" in done.out
    assert "left out: 2 examples whose training set is all positive or all negative" in done.out
    assert (audited / "calibration.json").is_file()


REFUSED: dict[str, tuple[object, ...]] = {
    "nothing": (),
    "an empty prompt": ("",),
    "spaces": ("   ",),
    "one token": ("[mug]",),
    "one word without brackets": ("mug",),
    "an empty suite": ("empty.yaml",),
    "a missing suite": ("missing.yaml",),
    "a concept that is not in its prompt": ("missing-concept.csv",),
    "an unclosed bracket": ("a [mug",),
    "two lines": ("a tower\nand a mug",),
    "an unknown layer": (PROMPT, "--layers", "9,17"),
    "layer 0": (PROMPT, "--layers", "0"),
    "layers that are words": (PROMPT, "--layers", "all"),
    "layers backwards": (PROMPT, "--layers", "5-1"),
    "a threshold that is no number": (PROMPT, "--threshold", "nan"),
    "unknown tokens": (PROMPT, "--tokens", "words"),
    "a missing calibration": (PROMPT, "--calibration", "risk.json"),
    "a calibration that is none": (PROMPT, "--calibration", "empty.yaml"),
    "calibration and layers": (PROMPT, "--calibration", "risk.json", "--layers", "9"),
    "no limit": (PROMPT, "--limit", 0),
    "no seeds": (PROMPT, "--seeds", 0),
    "no steps": (PROMPT, "--steps", 0),
    "an unknown model": (PROMPT, "--model", "minature"),
    "a file for the risks": (PROMPT, "--out", "risk.json"),
}


REFUSED_TO_CALIBRATE: dict[str, tuple[object, ...]] = {
    "nothing": (),
    "not a run folder": ("no-run",),
    "a file": ("empty.yaml",),
    "two folders": ("no-run", "no-run"),
    "an unknown label": ("no-run", "--label", "picture"),
    "an unknown hold-out": ("no-run", "--hold-out", "word"),
    "into a folder": ("no-run", "--out", "."),
    "seeds for images": ("no-run", "--label", "image", "--seeds", 4),
}


@pytest.mark.parametrize("name", REFUSED_TO_CALIBRATE)
def test_bad_input_to_calibrate(command: Command, workplace: Path, name: str) -> None:
    (workplace / "empty.yaml").write_text("prompts: []\n")
    refused = command("calibrate", *REFUSED_TO_CALIBRATE[name])
    assert (refused.status, refused.out) == (2, "")
    said = [line for line in refused.err.splitlines() if not line.startswith(("starting", "loading"))]
    assert [line[:7] for line in said] == ["error: "], refused.err
    assert [file.name for file in workplace.iterdir()] == ["empty.yaml"]


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input(command: Command, tiny_model: Path, workplace: Path, name: str) -> None:
    (workplace / "empty.yaml").write_text("prompts: []\n")
    (workplace / "missing-concept.csv").write_text(
        "case_num,content_type,content,nm_word,prompt\n1,landmark,Big Ben,mug,a tower and a mug\n"
    )
    model = () if "--model" in REFUSED[name] else ("--model", tiny_model)
    before = sorted(workplace.rglob("*"))
    refused = command("preflight", *REFUSED[name], *model)
    assert refused.status == 2, refused
    assert refused.out == ""
    said = [line for line in refused.err.splitlines() if not line.startswith(("starting", "loading", "note: missing"))]
    assert [line[:7] for line in said] == ["error: "], refused.err
    assert len(refused.err) <= 1100
    assert sorted(workplace.rglob("*")) == before


def test_the_end_of_a_prompt_that_is_not_read_is_said(command: Command, tiny_model: Path) -> None:
    done = command("preflight", "a mug " * 2000, "--model", tiny_model, "--seeds", 2, "--json")
    assert (done.status, len(done.document)) == (0, 1)
    assert "reads its first 24 tokens, and not its end, 'a mug a mug" in done.err


def test_what_is_wrong_is_named(command: Command, tiny_model: Path) -> None:
    def said(*arguments: object) -> str:
        return command("preflight", *arguments, "--model", tiny_model).err

    assert "layer 17: the model has 16" in said(PROMPT, "--layers", "9,17")
    assert "only 1 token," in said("[mug]")
    assert "not a run folder" in command("calibrate", "no-run").err


def test_a_concept_missing_from_a_prompt_made_by_hand_is_named(tiny_model: Path) -> None:
    suite = dominance.Suite("s", (dominance.Prompt("p", "a tower and a mug", (dominance.Concept("lamp"),)),))
    with pytest.raises(dominance.errors.InputError, match="'lamp' is not in the prompt"):
        dominance.preflight(suite, str(tiny_model))
    with pytest.raises(dominance.errors.InputError, match="no prompts"):
        dominance.preflight(dominance.Suite("s", ()), str(tiny_model))


def test_one_prompt_that_does_not_name_its_concepts_stops_no_suite(command: Command, workplace: Path) -> None:
    rows = ("1,landmark,tower,mug,a tower and a mug", "2,landmark,Big Ben,mug,a tower and a mug")
    (workplace / "official.csv").write_text("case_num,content_type,content,nm_word,prompt\n" + "\n".join(rows) + "\n")
    named, nameless = command("preflight", "official.csv", "--json").document
    assert named["dominating"] in ("tower", "mug")
    assert nameless["dominating"] is None
    plain = command("preflight", "a tower and a mug", "--json").document[0]
    assert nameless["score"] == pytest.approx(plain["score"], abs=1e-5)
    assert nameless["threshold"] == plain["threshold"]


@pytest.mark.usefixtures("shipped")
def test_a_threshold_is_for_one_rule(command: Command, workplace: Path) -> None:
    assert command("preflight", "a tower and a mug", "--threshold", 9, "--json").document[0]["threshold"] == 9
    (workplace / "both.yaml").write_text("prompts: ['a [tower:landmark] and a [mug]', 'a [mug] on a table']\n")
    refused = command("preflight", "both.yaml", "--threshold", 0.5)
    assert refused.status == 2
    assert "one threshold does not fit both rules" in refused.err


@pytest.mark.slow
def test_settings_that_contradict_the_run_are_refused(command: Command, audited: Path) -> None:
    for option, value, said in (
        ("--dtype", "float16", "dtype is 'float16', but the run used 'float32'; leave it out"),
        ("--steps", 7, "steps is 7, but the run used 2; leave it out"),
    ):
        refused = command("calibrate", audited, option, value)
        assert refused.status == 2
        assert said in refused.err
    assert command("calibrate", audited, "--steps", 2, "--layers", 9, "--json").status == 0


def test_help_shows_an_example(command: Command) -> None:
    done = command("preflight", "--help")
    assert done.status == 0
    assert 'dominance preflight "a [tower:landmark] and a [mug]"' in done.out

"""``--beside``: two runs of the same prompts in one report, which holds what it shows; what cannot be compared."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import dominance
from dominance.documents import from_json, printed
from dominance.errors import InputError
from dominance.judges.protocol import ScriptedJudge
from dominance.runs.audit.document import AuditDocument, document_of

Command = Callable[..., Any]
TEXTS = ("a tower and a mug", "a mug and a lamp")
SUITE = dominance.Suite(
    "pair",
    tuple(
        dominance.Prompt(text.replace(" ", "-"), text, tuple(map(dominance.Concept, names)))
        for text, names in zip(TEXTS, (("tower", "mug"), ("mug", "lamp")), strict=True)
    ),
)


def judge_of(*present: str, identity: str = "scripted") -> ScriptedJudge:
    return ScriptedJudge(lambda image, question: float(question.concept in present), identity=identity)


def options(**more: Any) -> dominance.AuditOptions:
    drawing = dominance.Drawing(seeds=(0, 1), steps=1, guidance=more.pop("guidance", 2.0))
    return dominance.AuditOptions(drawing=drawing, machine=dominance.Machine("cpu"), **more)


@pytest.fixture
def twin(tiny_model: Path, tmp_path: Path) -> Path:
    """A run in which every concept survives."""
    judge = judge_of("tower", "mug", "lamp")
    dominance.audit(SUITE, str(tiny_model), judge, tmp_path / "twin", options(guidance=1.0))
    return tmp_path / "twin"


def test_a_run_beside_another_keeps_what_it_shows(
    twin: Path, tiny_model: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    result = dominance.audit(SUITE, str(tiny_model), judge_of("tower", "lamp"), run, options(beside=twin))
    found = result.beside
    assert found is not None
    assert (found.prompts, found.dvd_here, found.dvd_there, found.change) == (2, 100.0, 0.0, -100.0)
    assert (found.lost_here, found.lost_there) == (TEXTS, ())
    assert found.here.endswith("(guidance 2)")
    assert found.there.endswith("(guidance 1)")
    assert found.contrast is not None
    assert (found.contrast.id, found.contrast.same_noises) == ("a-tower-and-a-mug", 2)
    kept = [run / (image.file or "") for image in found.contrast.there.images]
    originals = sorted((twin / "images" / "a-tower-and-a-mug").iterdir())
    assert [file.read_bytes() for file in kept] == [file.read_bytes() for file in originals]
    document = json.loads(json.dumps(printed(document_of(result))))
    assert from_json(AuditDocument, document).beside == found

    shutil.rmtree(twin)
    told = command("report", run, "--json")
    assert told.status == 0, told.err
    assert told.document["beside"] == document["beside"]
    page = (run / "report.html").read_text(encoding="utf-8")
    top = page.partition('<main id="main"')[0]
    assert "tower takes over from mug in 2 of 2 images" in top
    assert (top.count('class="cell"'), top.count("<img")) == (4, 4)
    (line,) = [line for line in command("report", run).out.splitlines() if line.startswith("beside ")]
    assert "from the same noises. Over 2 prompts of both runs, mean DvD is 100.0 here and 0.0 there" in line


def test_a_finished_run_is_laid_beside_another_without_model_or_judge(
    twin: Path, tiny_model: Path, tmp_path: Path, command: Command
) -> None:
    whole = dominance.audit(SUITE, str(tiny_model), judge_of("tower", "lamp"), tmp_path / "whole", options(beside=twin))
    run = tmp_path / "run"
    dominance.audit(SUITE, str(tiny_model), judge_of("tower", "lamp"), run, options())
    shutil.copy(run / "run.yaml", tmp_path / "before.yaml")
    told = command("report", run, "--beside", twin, "--json")
    assert told.status == 0, told.err
    expected = json.loads(json.dumps(printed(document_of(whole))))["beside"]
    assert told.document["beside"] == expected
    assert dominance.read_result(run).manifest  # it is finished, as before
    assert command("report", run, "--json").document["beside"] == expected  # the folder keeps it
    assert (run / "run.yaml").read_bytes() == (tmp_path / "before.yaml").read_bytes()
    for folder, other, said in (
        (run, run, "is this run's own folder"),
        (run, tmp_path / "nothing", "is not a run folder"),
        (tmp_path / "nothing", run, "is not a run folder"),
    ):
        refused = command("report", folder, "--beside", other)
        assert refused.status == 2
        assert said in refused.err


def test_another_judge_or_state_of_it_is_refused(twin: Path, tiny_model: Path, tmp_path: Path) -> None:
    changed = judge_of("tower", identity="changed")
    for judge, said in (
        (changed, "the judge 'scripted' had other weights, options or questions then"),
        (ScriptedJudge(changed.script, name="other"), "was judged by 'scripted', and this run is by 'other'"),
    ):
        with pytest.raises(InputError, match=said):
            dominance.audit(SUITE, str(tiny_model), judge, tmp_path / "run", options(beside=twin))
    assert not (tmp_path / "run").exists()


def test_an_unfinished_run_is_refused(
    twin: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise InputError("stopped")

    with monkeypatch.context() as stopping:
        stopping.setattr("dominance.runs.audit.result.ask_judge", stop)
        with pytest.raises(InputError, match="stopped"):
            dominance.audit(SUITE, str(tiny_model), judge_of("mug"), tmp_path / "half", options())
    with pytest.raises(InputError, match=r"half: is not finished; run its command again, then this one"):
        dominance.audit(SUITE, str(tiny_model), judge_of("mug"), tmp_path / "run", options(beside=tmp_path / "half"))


LABELS = "prompt_id,image,concept,present\npair,0.png,tower,yes\npair,0.png,mug,no\n"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Path:
    """A folder with a scored run of one prompt."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("s", "a [tower] and a [mug]"), ("t", "a [tower] by a [mug]")):
        Path(f"{name}.yaml").write_text(json.dumps({"prompts": [{"id": "pair", "prompt": text}]}))
    Path("labels.csv").write_text(LABELS)
    (tmp_path / "pictures" / "pair").mkdir(parents=True)
    Image.new("RGB", (16, 16)).save("pictures/pair/0.png")
    assert command(*score("s.yaml"), "--out", "first").status == 0
    (tmp_path / "empty").mkdir()
    return tmp_path


def score(suite: str) -> tuple[str, ...]:
    return ("score", "pictures", "--suite", suite, "--judge", "answers:labels.csv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*score("s.yaml"), "--beside", "missing"), "beside missing: is not a run folder, since it has no run.sqlite;"),
        ((*score("s.yaml"), "--beside", "empty"), "beside empty: is not a run folder"),
        ((*score("s.yaml"), "--beside", "labels.csv"), "beside labels.csv: is not a run folder"),
        ((*score("t.yaml"), "--beside", "first"), "shares no prompt with this run, such as 'a tower by a mug'"),
        ((*score("s.yaml"), "--beside", "first", "--out", "first"), "beside first: is this run's own folder"),
        ((*score("s.yaml"), "--beside", "first/../first", "--out", "first"), "is this run's own folder"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    workplace: Path, command: Command, arguments: tuple[str, ...], said: str
) -> None:
    own = arguments if "--out" in arguments else (*arguments, "--out", "run")
    for more in ((), ("--estimate",)):
        refused = command(*own, *more)
        assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1), refused
        assert said in refused.err
    assert not Path("run").exists()


def test_scores_are_compared_too(workplace: Path, command: Command) -> None:
    told = command(*score("s.yaml"), "--beside", "first", "--out", "run", "--json")
    assert told.status == 0, told.err
    beside = told.document["beside"]
    assert (beside["prompts"], beside["change"], beside["contrast"]) == (1, 0.0, None)
    assert "beside: first" in Path("run/run.yaml").read_text()

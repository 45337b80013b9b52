"""``--baseline`` and ``--summary`` as a build server meets them: statuses, files, what is refused, what stays."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

import dominance
from dominance.judges.protocol import ScriptedJudge

Command = Callable[..., Any]


@pytest.fixture
def score(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``dominance score`` of four pictures a prompt, with labels: which concepts each prompt's pictures show."""
    monkeypatch.chdir(tmp_path)

    def run(out: str, seen: dict[str, tuple[str, ...]], *arguments: object) -> Any:
        rows = ["prompt_id,image,concept,present"]
        for id, shown in seen.items():
            (tmp_path / "pictures" / id).mkdir(parents=True, exist_ok=True)
            for seed in range(4):
                Image.new("RGB", (8, 8), (seed, len(id), 9)).save(tmp_path / "pictures" / id / f"{seed}.png")
                rows += [f"{id},{seed}.png,{name},{'yes' if name in shown else 'no'}" for name in ("tower", "mug")]
        Path("seen.csv").write_text("\n".join(rows))
        prompts = "".join(f"  - {{id: {id}, prompt: 'a [tower] and a [mug], {id}'}}\n" for id in seen)
        Path("s.yaml").write_text(f"prompts:\n{prompts}")
        return command(
            "score", "pictures", "--suite", "s.yaml", "--judge", "answers:seen.csv", "--out", out, *arguments
        )

    return run


BOTH, TOWER = ("tower", "mug"), ("tower",)
SEES = ScriptedJudge(lambda image, question: float(question.concept == "tower" or image.getpixel((0, 0)) == (0, 0, 0)))
"""A judge that sees a mug in what is black."""
SUITE = dominance.Suite(
    "pair",
    tuple(
        dominance.Prompt(id, f"a tower and a mug, {id}", (dominance.Concept("tower"), dominance.Concept("mug")))
        for id in ("old", "new")
    ),
)


def scored(folder: Path, black: tuple[str, ...], baseline: Path | None = None, **limits: float) -> dominance.RunResult:
    """A score of four pictures a prompt, of which those of some prompts are black."""
    for prompt in SUITE.prompts:
        (folder / "pictures" / prompt.id).mkdir(parents=True)
        for seed in range(4):
            colour = (0, 0, 0) if prompt.id in black else (200, 200, 200)
            Image.new("RGB", (8, 8), colour).save(folder / "pictures" / prompt.id / f"{seed}.png")
    options = dominance.ScoreOptions(limits=dominance.Limits(baseline=baseline, **limits))
    return dominance.score(folder / "pictures", SUITE, SEES, folder / "run", options)


@pytest.mark.parametrize("limits", [{"min_presence": 0.9}, {}], ids=["with a limit", "without"])
def test_only_new_losses_fail(tmp_path: Path, command: Command, limits: dict[str, float]) -> None:
    main = Path(scored(tmp_path / "main", ("new",)).run)
    same = scored(tmp_path / "same", ("new",), main, **limits)
    assert same.gate is not None
    assert same.gate.passed, same.gate.reason
    assert "baseline: " in (tmp_path / "same" / "run" / "run.yaml").read_text()
    run = Path(scored(tmp_path / "here", (), main, **limits).run)

    shutil.rmtree(tmp_path / "main")
    files = ("--summary", tmp_path / "s.md", "--junit", tmp_path / "j.xml")
    told = command("report", run, *files)
    assert told.status == 1
    assert f"Against the baseline {main} (images in" in told.out
    assert "gate FAILED: 1 of 2 prompts fail: new: mug is present in 0 of 4 images" in told.out
    found = "Shows in clearly fewer images: mug in “a tower and a mug, new” (4 → 0 of 4)."
    assert found in told.out
    assert found in (run / "report.html").read_text(encoding="utf-8")
    text = (tmp_path / "s.md").read_text(encoding="utf-8")
    assert "| **fails** | “a tower and a mug, new” |" in text
    assert ("| as before | “a tower and a mug, old” |" in text) == bool(limits)
    suite = ElementTree.parse(tmp_path / "j.xml").getroot().find("testsuite")
    assert suite is not None
    assert suite.get("failures") == "2"
    assert found in (suite.findtext("system-out") or "")
    document = command("report", run, "--json").document
    assert document["baseline"]["prompts"][1]["presence"]["mug"]["there"] == 4
    assert list(document["gate"]["failures"]) == ["new"]
    assert list(document["gate"]["known"]) == (["old"] if limits else [])


def test_a_baseline_that_cannot_be_used_is_refused_in_one_line(score) -> None:
    seen = {"a": BOTH}
    for given, said in (
        ("missing", "baseline missing: is not a run folder"),
        ("run", "baseline run: is this run's own folder"),
        ("seen.csv", "baseline seen.csv: is not a run folder"),
    ):
        for more in ((), ("--estimate",)):
            refused = score("run", seen, "--baseline", given, *more)
            assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1), refused
            assert said in refused.err
    assert score("first", seen).status == 0
    other = score("run", {"b": BOTH}, "--baseline", "first")
    assert other.status == 2
    assert "shares no prompt with this run" in other.err
    assert not Path("run").exists()


def test_limits_stay_checked_with_a_baseline(score) -> None:
    assert score("main", {"a": BOTH}).status == 0
    wrong = score("run", {"a": BOTH}, "--baseline", "main", "--min-presence", 2)
    assert (wrong.status, "min-presence is 2" in wrong.err) == (2, True)
    allowed = score("run", {"a": BOTH}, "--baseline", "main", "--max-unscored", 0.5)
    assert allowed.status == 0


def test_a_summary_that_cannot_be_written_is_refused_before_anything_is_done(score) -> None:
    refused = score("run", {"a": BOTH}, "--summary", ".")
    assert refused.status == 2
    assert not Path("run").exists()


def test_only_audits_have_a_summary(command: Command, tmp_path: Path, score) -> None:
    assert score("run", {"a": BOTH}).status == 0
    assert command("diversity", "pictures", "--out", "measured").status in (0, 3)
    refused = command("report", "measured", "--summary", "s.md")
    assert refused.status == 2
    assert "--summary needs an audit" in refused.err

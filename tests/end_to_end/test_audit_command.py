"""The commands as a user or a build server meets them: documents, exit statuses, resuming, scoring, reports."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

import dominance
from dominance.documents import printed
from dominance.errors import InputError
from dominance.judges.protocol import ScriptedJudge
from dominance.records import Question
from dominance.runs.audit.document import document_of
from dominance.runs.stages.model import RunModel

Command = Callable[..., Any]
QUESTIONS = Path(dominance.__file__).parent / "suites" / "data" / "questions.yaml"
SAME = {"finished_at": None, "peak_memory": None}
"""What differs from one run to the next."""

PAIR = "a [tower:landmark] and a [mug]"
PROMPTS = {"one": "a [lamp]", "two": PAIR, "three": "a [castle:landmark] and a [book] and a [chair]"}
DOCUMENT = {
    "run",
    "suite",
    "model",
    "judge",
    "settings",
    "measures",
    "images",
    "scored",
    "unscored",
    "prompts",
    "groups",
    "gate",
    "left_out",
    "hanging",
    "judge_warnings",
}
PROMPT = {
    *("id", "prompt", "concepts", "scored", "dvd_mean", "dvd_interval", "balanced", "collapsed", "lost", "mixed"),
    *("hanging", "presence", "dominating", "verdict", "group", "images", "problems"),
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Prompts of one, two and three concepts."""
    path = tmp_path / "three.yaml"
    path.write_text(json.dumps({"prompts": [{"id": id, "prompt": prompt} for id, prompt in PROMPTS.items()]}))
    return path


@pytest.fixture
def tiny(tiny_model: Path, tiny_judge: Path, tmp_path: Path) -> tuple[object, ...]:
    """The options of the tiny model and judge, into one run folder."""
    return ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--out", tmp_path / "run")


@pytest.fixture
def audit(command: Command, suite: Path, tiny: tuple[object, ...]) -> Command:
    """``dominance audit`` of the suite with the tiny model and judge, as JSON."""
    return lambda *arguments: command("audit", suite, *tiny, "--json", *arguments)


def images(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every image of a run: when it was written, and its content."""
    found = sorted((folder / "images").rglob("*.png"))
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def documented(result: dominance.RunResult) -> Any:
    """The result's document as JSON values."""
    return printed(document_of(result))


def of_concepts(**present: float) -> Callable[[Image.Image, Question], float]:
    """A judge's script: P(yes) by the concept asked about."""
    return lambda image, question: present.get(question.concept, 0.0)


@pytest.mark.slow
def test_the_command_in_a_shell_prints_the_document_of_the_contract(
    suite: Path, tiny: tuple[object, ...], tmp_path: Path, command: Command
) -> None:
    arguments = ["audit", suite, *tiny, "--seeds", 3, "--steps", 1, "--max-collapse", 1, "--allow-unfit-judge"]
    arguments += ["--junit", tmp_path / "j.xml"]
    ran = subprocess.run(
        [sys.executable, "-m", "dominance", *map(str, arguments), "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:dominance"},
    )
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert set(document) == DOCUMENT
    several = [PROMPT | {"pairs"} if len(p["concepts"]) > 2 else PROMPT for p in document["prompts"]]
    assert [set(prompt) for prompt in document["prompts"]] == several
    assert sum(len(p.get("pairs", ())) for p in document["prompts"]) == 6
    assert (document["images"], document["scored"], document["unscored"]) == (9, 9, 0)
    assert document["gate"]["passed"] is True
    assert document["gate"]["reason"]
    assert document["settings"]["seeds"] == [0, 1, 2]
    assert document["settings"]["steps"] == 1
    assert document["settings"]["guidance"] == 3.0
    # The note: this judge sees nothing anywhere, which a limit on collapse alone lets pass.
    told = {line.split(":")[0] for line in ran.stderr.splitlines() if not line.startswith(("starting ", "loading "))}
    assert told == {"images", "judged", "note"}
    single, pair, three = document["prompts"]
    assert (single["dvd_mean"], single["dvd_interval"]) == (None, None)
    assert len(pair["dvd_interval"]) == 2
    assert three["concepts"] == list(three["presence"]) == ["castle", "book", "chair"]
    assert three["prompt"] == "a castle and a book and a chair"
    report = command("report", tmp_path / "run", "--json", "--junit", tmp_path / "again.xml")
    assert (report.status, report.document) == (0, document)
    assert (tmp_path / "again.xml").read_bytes() == (tmp_path / "j.xml").read_bytes()


def test_a_run_folder_holds_what_the_manifest_needs(audit: Command, tmp_path: Path) -> None:
    assert audit("--seeds", 1).status == 0
    folder = tmp_path / "run"
    assert {path.name for path in folder.iterdir()} == {"run.sqlite", "run.lock", "run.yaml", "images", "report.html"}
    with sqlite3.connect(folder / "run.sqlite") as ledger:
        manifest = json.loads(ledger.execute("SELECT value FROM manifest WHERE name = 'manifest'").fetchone()[0])
        assert ledger.execute("SELECT count(*), count(verdict) FROM scores").fetchone() == (3, 3)
    assert manifest["model"]["identity"].startswith("sha256:")
    assert manifest["judge"]["identity"].startswith("sha256:")
    assert manifest["model"]["scheduler"] == "DDIMScheduler"
    assert {"dominance", "torch", "diffusers", "transformers", "python"} <= manifest["versions"].keys()
    assert manifest["hardware"]["cores"]


def test_running_again_makes_nothing_anew_and_needs_no_model(
    audit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = audit("--seeds", 2)
    before = images(tmp_path / "run")
    monkeypatch.setattr(RunModel, "__call__", lambda _: pytest.fail("the model was loaded"))
    again = audit("--seeds", 2)
    assert again.document == first.document
    assert images(tmp_path / "run") == before
    assert len(before) == 6
    assert "images:" not in again.err
    assert "judged:" not in again.err


def test_more_seeds_and_prompts_add_to_what_is_there(audit: Command, tmp_path: Path) -> None:
    assert audit("--seeds", "7,", "--limit", 1).document["images"] == 1
    before = images(tmp_path / "run")
    grown = audit("--seeds", "7,3", "--limit", 2).document
    assert grown["images"] == 4
    assert [prompt["id"] for prompt in grown["prompts"]] == ["one", "two"]
    after = images(tmp_path / "run")
    assert after.items() >= before.items()
    assert {Path(name).name.split("-")[0] for name in after} == {"7", "3"}


@pytest.mark.slow
def test_another_setting_makes_new_images_and_keeps_the_old_ones(audit: Command, tmp_path: Path) -> None:
    audit("--seeds", 1, "--limit", 1)
    before = images(tmp_path / "run")
    for changed in (("--steps", 5), ("--guidance", 6.5), ("--width", 48, "--height", 32)):
        document = audit("--seeds", 1, "--limit", 1, *changed).document
        assert (document["images"], document["scored"]) == (1, 1)
    after = images(tmp_path / "run")
    assert after.items() >= before.items()
    assert len(after) == 4
    assert len({content for _, content in after.values()}) == 4
    assert len({Path(name).parent for name in after}) == 1


def test_a_deleted_and_a_truncated_image_are_made_anew_and_judged_anew(audit: Command, tmp_path: Path) -> None:
    first = audit("--seeds", 2).document
    before = images(tmp_path / "run")
    deleted, truncated, *kept = before
    (tmp_path / "run" / deleted).unlink()
    (tmp_path / "run" / truncated).write_bytes(before[truncated][1][:100])
    again = audit("--seeds", 2)
    after = images(tmp_path / "run")
    assert "images: 2 of 2" in again.err
    assert {name: content for name, (_, content) in after.items()} == {n: c for n, (_, c) in before.items()}
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after[truncated][0] != before[truncated][0]
    one, other = again.document, first
    for new, old in zip(one.pop("measures"), other.pop("measures"), strict=True):  # asked in batches of another size
        assert new["mean"] == pytest.approx(old["mean"], abs=1e-6)
        assert (new["measure"], new["images"], new["interval"]) == (
            old["measure"], old["images"], pytest.approx(old["interval"], abs=1e-6),
        )  # fmt: skip
    assert one == other


def test_one_bracketed_prompt_is_a_suite_and_its_run_has_a_place(
    command: Command, tiny_model: Path, tiny_judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = command("audit", PAIR, "--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--seeds", 2)
    assert ran.status == 0
    assert (tmp_path / "runs" / "a-tower-and-a-mug" / "report.html").is_file()
    for text in (
        "a tower and a mug",
        "2 images, 2 scored, 0 unscored",
        f"wrote {Path('runs/a-tower-and-a-mug/report.html')}",
    ):
        assert text in ran.out
    assert "gate" not in ran.out


def test_the_gate_decides_between_status_0_and_1(audit: Command, command: Command, tmp_path: Path) -> None:
    limits = ("--seeds", 2, "--allow-unfit-judge")  # this judge sees nothing anywhere
    passed, failed = audit(*limits, "--max-collapse", 1), audit(*limits, "--min-presence", 0.9)
    assert (passed.status, failed.status) == (0, 1)
    assert failed.document["gate"]["passed"] is False
    assert set(failed.document["gate"]["failures"]) == set(PROMPTS)
    assert "is present in 0 of 2 images" in failed.document["gate"]["reason"]
    junit = tmp_path / "new" / "junit.xml"
    report = command("report", tmp_path / "run", "--junit", junit)
    assert report.status == 1
    assert "gate FAILED" in report.out
    root = ElementTree.parse(junit).getroot()
    assert root.find("testsuite").get("failures") == "4"
    assert len(root.findall(".//testcase/failure")) == 4  # the prompts and the gate
    for failure in failed.document["gate"]["failures"].values():
        assert failure in report.out


def test_a_suites_own_gate_holds_unless_the_command_line_changes_it(
    command: Command, suite: Path, tiny: tuple[object, ...]
) -> None:
    gated = json.loads(suite.read_text()) | {"gate": {"min_presence": 0.5}}
    suite.write_text(json.dumps(gated))
    assert command("audit", suite, *tiny, "--seeds", 1).status == 1
    assert command("audit", suite, *tiny, "--seeds", 1, "--min-presence", 0).status == 0
    assert command("audit", suite, *tiny, "--seeds", 1, "--max-unscored", 0.5).status == 1


def test_an_item_that_cannot_be_made_is_status_3_and_made_by_the_next_run(
    audit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.models.image_model import PipelineModel

    draw = PipelineModel.generate

    def refuse_one(self: PipelineModel, texts: Sequence[str], seeds: Sequence[int], settings: object) -> list[Any]:
        if ("a lamp", 1) in zip(texts, seeds, strict=True):
            raise RuntimeError("no such kernel")
        return draw(self, texts, seeds, settings)

    with monkeypatch.context() as broken:
        broken.setattr(PipelineModel, "generate", refuse_one)
        ran = audit("--seeds", 2)
        assert ran.status == 3
        assert (ran.document["images"], ran.document["scored"], ran.document["unscored"]) == (5, 5, 1)
        assert ran.document["prompts"][0]["problems"] == [{"image": "1", "problem": "RuntimeError: no such kernel"}]
        limits = ("--seeds", 2, "--max-collapse", 1, "--allow-unfit-judge")
        closed = audit(*limits)
        assert closed.status == 1
        assert closed.document["gate"]["reason"] == "1 of 6 images are unscored (limit 0%)"
        assert audit(*limits, "--max-unscored", 0.2).status == 3
    before = images(tmp_path / "run")
    mended = audit("--seeds", 2)
    assert mended.status == 0
    assert "images: 1 of 1" in mended.err
    assert images(tmp_path / "run").items() >= before.items()


def test_a_run_of_which_nothing_is_scored_fails_its_gate(audit: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from dominance.judges.blip import BlipJudge

    def refuse(self: BlipJudge, seen: object, texts: object) -> None:
        raise RuntimeError("no memory for any")

    monkeypatch.setattr(BlipJudge, "_p_yes", refuse)
    ran = audit("--seeds", 1, "--max-unscored", 1, "--max-collapse", 1)
    assert ran.status == 1
    assert ran.document["gate"]["reason"] == "nothing was scored: 0 of 3 images"
    assert ran.document["prompts"][0]["verdict"] is None
    assert audit("--seeds", 1).status == 3


def test_ctrl_c_says_how_to_resume_and_loses_nothing(
    audit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.models.image_model import PipelineModel

    draw = PipelineModel.generate
    calls = []

    def interrupted(self: PipelineModel, *arguments: Any) -> list[Any]:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draw(self, *arguments)

    with monkeypatch.context() as interrupting:
        interrupting.setattr(PipelineModel, "generate", interrupted)
        stopped = audit("--seeds", 2, "--batch", 1)
    assert (stopped.status, stopped.out) == (130, "")
    assert stopped.err.splitlines()[-1] == (
        f"stopped; finished work is in {tmp_path / 'run'}: run the same command again to resume"
    )
    before = images(tmp_path / "run")
    assert len(before) == 2
    resumed = audit("--seeds", 2)
    assert resumed.status == 0
    assert "images: 4 of 4" in resumed.err
    assert images(tmp_path / "run").items() >= before.items()


def test_a_file_of_questions_replaces_the_projects_own(audit: Command, tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    of = {"landmark": "the landmark {concept}", "character": "the character {concept}", "artist": "{concept}"}
    asked = {
        kind: [
            f"Is {of.get(kind, '{a_concept}')} shown whole in this picture?",
            f"Is {of.get(kind, '{a_concept}')} clearly depicted in this picture?",
        ]
        for kind in ("artist", "landmark", "character", "object")
    }
    file.write_text(json.dumps(asked))
    document = audit("--seeds", 1, "--questions", file).document
    assert document["settings"]["questions"] == "two"
    with sqlite3.connect(tmp_path / "run" / "run.sqlite") as ledger:
        assert ledger.execute("SELECT count(*) FROM answers").fetchone() == (2 * (1 + 2 + 3),)
    audit("--seeds", 1)
    with sqlite3.connect(tmp_path / "run" / "run.sqlite") as ledger:  # of the project's five, two were known
        assert ledger.execute("SELECT count(*) FROM answers").fetchone() == (5 * (1 + 2 + 3),)


def test_the_library_does_what_the_command_does(
    audit: Command, suite: Path, tiny_model: Path, tiny_judge: Path, tmp_path: Path
) -> None:
    options = dominance.AuditOptions(drawing=dominance.Drawing(seeds=(0, 1)), limits=dominance.Limits(max_collapse=0.5))
    result = dominance.audit(str(suite), str(tiny_model), f"blip:{tiny_judge}", tmp_path / "run", options)
    assert audit("--seeds", 2, "--max-collapse", 0.5).document == documented(result)
    assert documented(dominance.read_result(tmp_path / "run")) == documented(result)


def test_verdicts_follow_the_answers(suite: Path, tiny_model: Path, tmp_path: Path) -> None:
    judge = ScriptedJudge(of_concepts(tower=1.0, castle=0.9, book=0.8, lamp=0.7))
    result = dominance.audit(
        str(suite),
        str(tiny_model),
        judge,
        tmp_path / "run",
        dominance.AuditOptions(limits=dominance.Limits(max_collapse=0.2)),
    )
    single, pair, three = result.prompts
    assert (single.verdict, single.balanced, single.dvd_mean) == ("balanced", 10, None)
    assert (pair.verdict, pair.dominating, pair.collapsed, pair.dvd_mean) == ("dominance", "tower", 10, 100.0)
    assert (three.verdict, three.presence["book"].count, three.presence["chair"].count) == ("dominance", 10, 0)
    assert result.gate is not None
    assert set(result.gate.failures) == {"two", "three"}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of images that something else made: two prompts by id, one image each of the third in two folders."""
    root = tmp_path / "pictures"
    for place, count in (("one", 2), ("TWO", 1), ("three", 1)):
        for index in range(count):
            (root / place).mkdir(parents=True, exist_ok=True)
            Image.effect_noise((40 + index, 50), 80).convert("RGB").save(root / place / f"{index}.png")
    Image.new("RGB", (20, 20), "red").save(root / "three" / "b.jpg")
    (root / "three" / "readme.txt").write_text("not an image, and not named like one")
    return root


def test_a_folder_of_images_is_scored_by_the_prompts_ids(
    command: Command, suite: Path, tiny: tuple[object, ...], pictures: Path, tmp_path: Path
) -> None:
    score = ("score", pictures, "--suite", suite, *tiny[2:], "--json")
    ran = command(*score)
    assert ran.status == 0, ran.err
    document = ran.document
    assert set(document) == DOCUMENT
    assert [(p["id"], p["images"]) for p in document["prompts"]] == [("one", 2), ("two", 1), ("three", 2)]
    assert document["model"] == f"images in {pictures}"
    assert not (tmp_path / "run" / "images").exists()
    again = command(*score)
    assert again.document == document
    assert "judged" not in again.err
    assert command(*score, "--min-presence", 0.5).status == 1
    report = command("report", tmp_path / "run", "--json")
    assert report.document["prompts"] == document["prompts"]


def test_an_unreadable_image_is_status_3_and_tried_again_when_it_is_mended(
    command: Command, suite: Path, tiny: tuple[object, ...], pictures: Path
) -> None:
    broken = pictures / "one" / "0.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    (pictures / "three" / "b.jpg").write_text("not an image at all")
    score = ("score", pictures, "--suite", suite, *tiny[2:], "--json")
    allowed = (*score, "--max-collapse", 1, "--allow-unfit-judge")
    ran = command(*score)
    assert ran.status == 3
    assert (ran.document["images"], ran.document["scored"], ran.document["unscored"]) == (5, 3, 2)
    (cut,), (text,) = ran.document["prompts"][0]["problems"], ran.document["prompts"][2]["problems"]
    assert cut["image"] == "0.png"
    assert "cannot be read" in cut["problem"]
    assert "is not an image" in text["problem"]
    assert command(*allowed, "--max-unscored", 0.4).status == 3
    assert command(*allowed).status == 1
    broken.write_bytes(whole)
    (pictures / "three" / "b.jpg").unlink()
    mended = command(*score)
    assert (mended.status, mended.document["scored"], mended.document["unscored"]) == (0, 4, 0)
    assert "judged: 1 of 1" in mended.err


def test_an_image_that_may_not_be_opened_fails_alone(
    suite: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = ScriptedJudge(of_concepts(lamp=1.0))
    locked = (pictures / "one" / "0.png").resolve()
    open_path = Path.open

    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self == locked:
            raise PermissionError(13, "Permission denied", str(self))
        return open_path(self, *arguments, **options)

    with monkeypatch.context() as locking:
        locking.setattr(Path, "open", refuse)
        locking.setattr("dominance.runs.stages.judging.open_image", lambda path: _open_unless(path, locked))
        result = dominance.score(pictures, str(suite), judge, tmp_path / "run")
    assert (result.scored, result.unscored) == (4, 1)
    assert "Permission denied" in str(result.prompts[0].images[0].problem)
    mended = dominance.score(pictures, str(suite), judge, tmp_path / "run")
    assert (mended.scored, mended.unscored) == (5, 0)


def _open_unless(path: Path, locked: Path) -> Any:
    from dominance.errors import ItemError
    from dominance.pictures import open_image

    return ItemError("Permission denied") if path == locked else open_image(path)


def test_the_official_layout_is_read_and_two_folders_of_one_case_are_refused(pictures: Path, tmp_path: Path) -> None:
    official = tmp_path / "official.csv"
    official.write_text(
        "case_num,content_type,content,nm_word,prompt\n"
        "1,landmark,tower,mug,a tower and a mug\n"
        "2,object,lamp,book,a lamp\n"
    )
    root = tmp_path / "release"
    for name, source in (("case001_a tower", "one"), ("Case2_lamp", "TWO")):
        shutil.copytree(pictures / source, root / name)
    (root / "case999_other").mkdir()
    judge = ScriptedJudge(of_concepts(tower=1.0, lamp=1.0, book=1.0))
    result = dominance.score(root, str(official), judge, tmp_path / "run")
    tower, lamp = result.prompts
    assert [image.name for image in tower.images] == ["0.png", "1.png"]
    assert (tower.verdict, tower.dominating, lamp.verdict) == ("dominance", "tower", "balanced")
    assert result.unscored == 0
    shutil.copytree(pictures / "TWO", root / "case0002_again")
    with pytest.raises(InputError, match=r"'Case2_lamp' and 'case0002_again' in .* are both case 2; keep"):
        dominance.score(root, str(official), judge, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_folders_of_one_prompt_are_told_apart(pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures / "one", pictures / "ONE")
    if len([path for path in pictures.iterdir() if path.name.lower() == "one"]) == 1:
        pytest.skip("the file system takes upper and lower case as the same")
    suite = dominance.Suite("s", (dominance.Prompt("one", "a lamp", (dominance.Concept("lamp"),)),))
    result = dominance.score(pictures, suite, ScriptedJudge(of_concepts(lamp=1.0)), tmp_path / "run")
    assert [image.name for image in result.prompts[0].images] == ["ONE/0.png", "ONE/1.png", "one/0.png", "one/1.png"]


def test_questions_are_refused_where_labels_bring_their_own(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("prompt_id,image,concept,present\na-lamp,0.png,lamp,yes\n")
    (tmp_path / "q.yaml").write_bytes(QUESTIONS.read_bytes())
    options = dominance.AuditOptions(asking=dominance.Asking(questions=tmp_path / "q.yaml"))
    with pytest.raises(InputError, match="leave out --questions"):
        dominance.score(pictures / "one", "a [lamp]", f"answers:{tmp_path / 'labels.csv'}", tmp_path / "run", options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("origin", ["audit", "score"])
def test_a_second_run_that_is_cut_off_is_not_shown_with_the_manifest_of_the_first(
    pictures: Path, tiny_model: Path, tmp_path: Path, origin: str
) -> None:
    def killed(image: Image.Image, question: Question) -> float:
        raise KeyboardInterrupt

    def go(judge: ScriptedJudge, seeds: tuple[int, ...]) -> object:
        if origin == "score":
            for seed in seeds:
                shutil.copyfile(pictures / "one" / "0.png", pictures / "one" / f"more-{seed}.png")
            return dominance.score(pictures / "one", "a [lamp]", judge, tmp_path / "run")
        options = dominance.AuditOptions(drawing=dominance.Drawing(seeds=seeds))
        return dominance.audit("a [lamp]", str(tiny_model), judge, tmp_path / "run", options)

    first = ScriptedJudge(of_concepts(lamp=1.0))
    go(first, (0,))
    manifest = dominance.read_result(tmp_path / "run").manifest
    go(first, (0,))
    again = dominance.read_result(tmp_path / "run").manifest
    assert {**again, **SAME} == {**manifest, **SAME}
    with pytest.raises(KeyboardInterrupt):
        go(ScriptedJudge(killed), (0, 1))
    cut = dominance.read_result(tmp_path / "run")
    assert (cut.unscored, cut.manifest) == (1, {})
    go(first, (0, 1))
    assert dominance.read_result(tmp_path / "run").manifest["judge"]["name"] == first.name


def test_a_moved_folder_of_images_keeps_its_answers_and_shows_the_new_place(
    suite: Path, pictures: Path, tmp_path: Path
) -> None:
    first = dominance.score(pictures, str(suite), ScriptedJudge(of_concepts(lamp=1.0)), tmp_path / "run")
    moved = pictures.rename(tmp_path / "moved")

    def never(image: Image.Image, question: Question) -> float:
        raise AssertionError("asked again")

    again = dominance.score(moved, str(suite), ScriptedJudge(never), tmp_path / "run")
    assert [prompt.verdict for prompt in again.prompts] == [prompt.verdict for prompt in first.prompts]
    assert all(str(image.file).startswith(str(moved.resolve())) for prompt in again.prompts for image in prompt.images)


def test_the_images_of_a_single_prompt_may_lie_in_the_folder_itself(pictures: Path, tmp_path: Path) -> None:
    judge = ScriptedJudge(of_concepts(lamp=1.0))
    result = dominance.score(pictures / "one", "a [lamp]", judge, tmp_path / "run")
    assert (result.scored, result.prompts[0].verdict) == (2, "balanced")


def test_a_prompt_without_any_image_is_not_passed_over(
    command: Command, suite: Path, tiny: tuple[object, ...], pictures: Path
) -> None:
    shutil.rmtree(pictures / "three")
    score = ("score", pictures, "--suite", suite, *tiny[2:])
    assert command(*score).status == 3
    gated = command(*score, "--max-collapse", 1, "--json")
    assert gated.status == 1
    assert gated.document["gate"]["reason"].endswith("three: it has no images")


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("judges", {"miniature", "qwen:ID_OR_FOLDER", "blip:ID_OR_FOLDER", "openai:URL#MODEL", "answers:FILE"}),
        ("engines", {"local"}),
        ("methods", {"none"}),
        ("arms", {"base", "known", "looks-alone", "guidance-7.5"}),
        ("suites", {"miniature", "miniature-balanced", "miniature-dominance"}),
    ],
)
def test_what_can_be_given_is_listed(command: Command, what: str, names: set[str]) -> None:
    listed = command("list", what, "--json")
    assert listed.status == 0
    assert {row["name"] for row in listed.document} >= names
    table = command("list", what).out
    assert all(name in table for name in names)


def test_the_concepts_of_a_model_are_those_that_its_folder_names(
    command: Command, tiny_model: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    refused = command("list", "concepts", "--model", folder)
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    concepts = [{"name": "mug", "kind": "object", "diversity": 0.9}, {"name": "tower", "kind": "landmark"}]
    (folder / "dominance.json").write_text(json.dumps({"concepts": concepts}))
    assert command("list", "concepts", "--model", folder, "--json").document == concepts
    assert "landmark" in command("list", "concepts", "--model", folder).out
    (folder / "dominance.json").write_text(json.dumps({"concepts": ["mug"]}))
    assert command("list", "concepts", "--model", folder).status == 2

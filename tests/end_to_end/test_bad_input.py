"""What users get wrong: one line that says so, status 2, nothing half written; and a disk that is full."""

import errno
import os
import resource
import shutil
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import dominance
from dominance.errors import InputError
from dominance.judges.protocol import ScriptedJudge

Command = Callable[..., Any]
Options = tuple[object, ...]

LONG = "x" * 10_000
GOOD = "a [tower:landmark] and a [mug]"
YES = ScriptedJudge(lambda image, question: 1.0)

SUITES: dict[str, tuple[str, bytes]] = {
    "empty file": ("s.yaml", b""),
    "no prompts": ("s.yaml", b"prompts: []"),
    "prompts that are nothing": ("s.yaml", b"prompts:"),
    "not a suite but a list": ("s.yaml", b"[1, 2]"),
    "not a suite but a text": ("s.yaml", b"a tower and a mug"),
    "not a suite but a workflow": ("s.yaml", b"on: push\njobs: {build: {runs-on: x}}"),
    "no YAML": ("s.yaml", b"prompts: ['a [mug]'\n  x: {"),
    "unknown key": ("s.yaml", b"promts: ['a [mug]']"),
    "unknown key of a prompt": ("s.yaml", b"prompts: [{prompt: 'a [mug]', conceps: [mug]}]"),
    "duplicate key": ("s.yaml", b"prompts: ['a [mug]']\nprompts: ['a [lamp]']"),
    "duplicate ids": ("s.yaml", b"prompts: [{id: a, prompt: 'a [mug]'}, {id: A, prompt: 'a [lamp]'}]"),
    "id that leads away": ("s.yaml", b"prompts: [{id: ../../up, prompt: 'a [mug]'}]"),
    "unclosed bracket": ("s.yaml", b"prompts: ['a [tower:landmark and a mug']"),
    "stray bracket": ("s.yaml", b"prompts: ['a tower] and a [mug]']"),
    "empty bracket": ("s.yaml", b"prompts: ['a [] and a [mug]']"),
    "unknown kind": ("s.yaml", b"prompts: ['a [mug:vessel]']"),
    "concept not in its prompt": ("s.yaml", b"prompts: [{prompt: a mug, concepts: [tower]}]"),
    "no concept": ("s.yaml", b"prompts: ['a mug']"),
    "concept twice": ("s.yaml", b"prompts: ['a [mug] and a [Mug]']"),
    "more characters than any model reads": ("s.yaml", b"prompts: ['a [mug] " + b"and a mug " * 10_000 + b"']"),
    "10 000 characters of a concept": ("s.yaml", b"prompts: ['a [" + LONG.encode() + b"]']"),
    "control character": ("s.yaml", b'prompts: ["a [mug]\\u0007"]'),
    "gate out of range": ("s.yaml", b"prompts: ['a [mug]']\ngate: {max_collapse: 20}"),
    "unknown limit of the gate": ("s.yaml", b"prompts: ['a [mug]']\ngate: {max_colapse: 0.2}"),
    "YAML in Latin-1": ("s.yaml", "prompts: ['a [café]']".encode("latin-1")),
    "YAML bomb": ("s.yaml", b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]"),
    "empty CSV": ("s.csv", b""),
    "CSV without rows": ("s.csv", b"id,prompt\n"),
    "CSV with other columns": ("s.csv", b"name,age\na,1\n"),
    "CSV with a missing field": ("s.csv", b"id,prompt,group\na,a [mug]\n"),
    "CSV with an unclosed quote": ("s.csv", b'id,prompt\na,"a [mug]\n'),
    "CSV in Latin-1": ("s.csv", "id,prompt\na,a [café]\n".encode("latin-1")),
    "CSV in UTF-16": ("s.csv", "id,prompt\na,a [mug]\n".encode("utf-16")),
    "binary CSV": ("s.csv", bytes(range(256)) * 10),
    "official CSV with a bad number": ("s.csv", b"case_num,content_type,content,nm_word,prompt\nx,object,a,b,a b\n"),
    "broken JSON lines": ("s.jsonl", b'{"prompt": "a [mug]"}\n{"prompt": \n'),
    "JSON lines without objects": ("s.jsonl", b"7\n"),
    "unknown ending": ("s.toml", b"prompts = []"),
}

OPTIONS: dict[str, Options] = {
    "no seeds": ("--seeds", 0),
    "negative seeds": ("--seeds", -3),
    "seeds that are words": ("--seeds", "many"),
    "seeds that are fractions": ("--seeds", "1.5"),
    "a seed twice": ("--seeds", "4,4"),
    "a negative seed": ("--seeds", "4,-1"),
    "a seed too large": ("--seeds", f"1,{2**63}"),
    "a gap between seeds": ("--seeds", "1,,2"),
    "too many seeds": ("--seeds", 10_001),
    "10 000 characters of seeds": ("--seeds", "9" * 10_000),
    "no steps": ("--steps", 0),
    "too many steps": ("--steps", 1001),
    "steps that are words": ("--steps", "few"),
    "negative guidance": ("--guidance", -1),
    "guidance too large": ("--guidance", 101),
    "guidance that is no number": ("--guidance", "nan"),
    "endless guidance": ("--guidance", "inf"),
    "height no multiple of 8": ("--height", 30),
    "width too small": ("--width", 8),
    "unknown dtype": ("--dtype", "int8"),
    "no prompts within the limit": ("--limit", 0),
    "empty batch": ("--batch", 0),
    "batch too large": ("--batch", 5000),
    "share above 1": ("--max-collapse", 20),
    "share below 0": ("--min-presence", -0.1),
    "share that is no number": ("--max-unscored", "nan"),
    "share that is a word": ("--max-collapse", "some"),
    "unknown model": ("--model", "minature"),
    "model of 10 000 characters": ("--model", LONG),
    "unknown judge": ("--judge", "solomon"),
    "judge without a folder": ("--judge", "blip:"),
    "judge of 10 000 characters": ("--judge", f"blip:{LONG}"),
    "unknown device": ("--device", "abacus"),
    "absent device": ("--device", "cuda:77"),
    "device of 10 000 characters": ("--device", LONG),
    "unknown engine": ("--engine", "steam"),
    "unknown method": ("--method", "hope"),
    "method of 10 000 characters": ("--method", LONG),
    "missing file of questions": ("--questions", "no-such.yaml"),
    "run folder of 10 000 characters": ("--out", LONG),
    "report in a place that is a folder": ("--junit", "."),
    "report of 10 000 characters": ("--junit", LONG),
    "unknown option": ("--sead", 3),
}


@pytest.fixture
def tiny(tiny_model: Path, tiny_judge: Path) -> Options:
    return ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--seeds", 1)


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command, empty at first."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def listing(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def check_refused(command: Command, arguments: Sequence[object], place: Path) -> str:
    """Status 2, nothing on stdout, one short line on stderr, no file made or changed; returns the line."""
    before = listing(place)
    refused = command(*arguments)
    assert refused.status == 2, refused
    assert refused.out == ""
    assert refused.err.startswith("error: ")
    assert refused.err.endswith("\n")
    assert refused.err.count("\n") == 1, refused.err
    assert len(refused.err) <= 1100
    assert "Traceback" not in refused.err
    assert listing(place) == before
    return refused.err


@pytest.mark.parametrize("name", SUITES)
def test_bad_suites(command: Command, tiny: Options, workplace: Path, name: str) -> None:
    file, content = SUITES[name]
    (workplace / file).write_bytes(content)
    line = check_refused(command, ["audit", file, *tiny, "--out", "run"], workplace)
    assert file in line
    assert check_refused(command, ["score", workplace, "--suite", file, *tiny[2:4], "--out", "run"], workplace) == line


@pytest.mark.parametrize(
    "suite",
    [
        "",
        "miniatur",
        "missing.yaml",
        "a tower and a mug",
        "a [tower",
        "a [mug]\n",
        LONG,
        f"[{LONG}]",
        f"{LONG}.yaml",
        ".",
    ],
    ids=lambda suite: suite[:20],
)
def test_bad_suites_on_the_command_line(command: Command, tiny: Options, workplace: Path, suite: str) -> None:
    if suite == "a [mug]\n":  # space around a prompt is nobody's mistake
        assert command("audit", suite, *tiny, "--out", "run").status == 0
        return
    check_refused(command, ["audit", suite, *tiny, "--out", "run"], workplace)


@pytest.mark.parametrize("name", OPTIONS)
def test_bad_options(command: Command, tiny: Options, workplace: Path, name: str) -> None:
    check_refused(command, ["audit", GOOD, *tiny, "--out", "run", *OPTIONS[name]], workplace)


def test_words_that_the_judge_does_not_know(command: Command, tiny: Options, workplace: Path) -> None:
    line = check_refused(command, ["audit", "a [zeppelin] and a [mug]", *tiny, "--out", "run"], workplace)
    assert "a zeppelin" in line


def test_a_concept_beyond_what_the_model_reads(command: Command, tiny: Options, workplace: Path) -> None:
    prompt = f"a [tower:landmark] {'and a book ' * 20} and a [mug]"
    line = check_refused(command, ["audit", prompt, *tiny, "--out", "run"], workplace)
    assert "24 tokens" in line
    assert "'mug'" in line


def only_bin(folder: Path) -> None:
    for weights in folder.rglob("*.safetensors"):
        weights.rename(weights.with_suffix(".bin"))


def broken(folder: Path) -> None:
    for weights in folder.rglob("*.safetensors"):
        weights.write_bytes(b"broken")


@pytest.mark.parametrize("damage", [only_bin, broken])
@pytest.mark.parametrize("part", ["model", "judge"])
def test_weights_that_are_missing_or_broken(
    command: Command, tiny: Options, workplace: Path, part: str, damage: Callable[[Path], None]
) -> None:
    source = dict(zip(tiny[::2], tiny[1::2], strict=True))[f"--{part}"]
    folder = Path(shutil.copytree(str(source).removeprefix("blip:"), workplace / part))
    damage(folder)
    given = folder if part == "model" else f"blip:{folder}"
    line = check_refused(command, ["audit", GOOD, *tiny, f"--{part}", given, "--out", "run"], workplace)
    assert str(folder) in line


def test_a_model_that_breaks_between_two_runs_changes_nothing(command: Command, tiny: Options, workplace: Path) -> None:
    """A resumed run whose new settings need a model that does not load keeps its old plan and report."""
    folder = Path(shutil.copytree(str(tiny[1]), workplace / "model"))
    arguments = ["audit", GOOD, *tiny, "--model", folder, "--out", "run"]
    assert command(*arguments).status == 0
    broken(folder)
    report = command("report", "run", "--json").document
    line = check_ledger_kept(command, arguments, workplace / "run")
    assert "is not a complete safetensors file" in line
    assert command("report", "run", "--json").document == report


def check_ledger_kept(command: Command, arguments: Sequence[object], run: Path) -> str:
    def plan() -> list[tuple]:
        with sqlite3.connect(run / "run.sqlite") as ledger:
            return ledger.execute("SELECT name, value FROM manifest ORDER BY name").fetchall()

    before = plan()
    refused = command(*arguments)
    assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert plan() == before
    return refused.err


def test_run_folders_that_cannot_be_used(
    command: Command, tiny: Options, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "file").write_text("mine")
    (workplace / "thesis").mkdir()
    (workplace / "thesis" / "chapter.tex").write_text("mine")
    (workplace / "not-a-ledger").mkdir()
    (workplace / "not-a-ledger" / "run.sqlite").write_text("not a database, as anyone can see " * 40)
    for place, found in (
        ("file", "is a file"),
        ("file/below", "cannot be written"),
        ("thesis", "is not a run folder"),
        (".", "is not a run folder"),
    ):
        assert found in check_refused(command, ["audit", GOOD, *tiny, "--out", place], workplace)
    refused = command("audit", GOOD, *tiny, "--out", "not-a-ledger")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "not a database" in refused.err
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    line = check_refused(command, ["audit", GOOD, *tiny, "--out", "new"], workplace)
    assert f"{workplace} cannot be written" in line


def test_a_run_folder_of_another_suite_or_version_keeps_what_it_holds(
    command: Command, tiny: Options, workplace: Path
) -> None:
    (workplace / "pictures" / "one").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(workplace / "pictures" / "one" / "0.png")
    (workplace / "s.yaml").write_text("prompts: [{id: one, prompt: 'a [mug]'}]")
    (workplace / "other.yaml").write_text("prompts: ['a [lamp]']")
    assert command("audit", "s.yaml", *tiny, "--out", "run").status == 0
    other = ["audit", "other.yaml", *tiny, "--out", "run"]
    assert "holds a run with the suite 's', not 'other'" in check_ledger_kept(command, other, workplace / "run")
    brought = ["score", "pictures", "--suite", "s.yaml", *tiny[2:4], "--out", "run"]
    assert "not 'score'" in check_ledger_kept(command, brought, workplace / "run")
    with sqlite3.connect("run/run.sqlite") as ledger:
        ledger.execute("UPDATE manifest SET value = '{}' WHERE name = 'plan'")
    line = check_ledger_kept(command, ["audit", "s.yaml", *tiny, "--out", "run"], workplace / "run")
    assert "this version of dominance cannot read" in line
    assert check_ledger_kept(command, ["report", "run"], workplace / "run") == line


def test_folders_of_images_that_cannot_be_scored(
    command: Command, tiny: Options, workplace: Path, tmp_path: Path
) -> None:
    (workplace / "file").touch()
    (workplace / "empty").mkdir()
    (workplace / "others" / "unrelated").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(workplace / "others" / "unrelated" / "0.png")
    (workplace / "linked" / "two-a").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "elsewhere.png")
    (workplace / "linked" / "two-a" / "0.png").symlink_to(tmp_path / "elsewhere.png")
    (workplace / "latin" / "two-a").mkdir(parents=True)
    shutil.copy(tmp_path / "elsewhere.png", os.fsdecode(os.fsencode(workplace / "latin" / "two-a") + b"/caf\xe9.png"))
    suite = tmp_path / "two.yaml"
    suite.write_text("prompts: [{id: two-a, prompt: 'a [mug]'}, {id: two-b, prompt: 'a [lamp]'}]")
    for place, found in (
        ("missing", "no image folder"),
        ("file", "no image folder"),
        (LONG, "no image folder"),
        ("empty", "holds no image of any prompt"),
        ("others", "holds no image of any prompt"),
        ("linked", "leads out of the image folder"),
        ("latin", "is not UTF-8"),
    ):
        arguments = ["score", place, "--suite", suite, *tiny[2:4], "--out", "run"]
        assert found in check_refused(command, arguments, workplace)


def test_runs_that_cannot_be_reported(command: Command, workplace: Path) -> None:
    (workplace / "empty").mkdir()
    (workplace / "file").touch()
    for place in ("missing", "empty", "file", LONG):
        assert "is not a run folder" in check_refused(command, ["report", place], workplace)
    (workplace / "begun").mkdir()
    (workplace / "begun" / "run.sqlite").touch()  # killed before its plan was written
    refused = command("report", "begun")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "has no plan yet" in refused.err


def test_lists_that_there_are_not(command: Command, tiny: Options, workplace: Path) -> None:
    for what in (("spells",), (LONG,), ("concepts", "--model", tiny[1]), ("concepts", "--model", "nobody")):
        check_refused(command, ["list", *what], workplace)


def test_a_file_of_questions_that_is_none(command: Command, tiny: Options, workplace: Path) -> None:
    for content in (b"", b"[1]", b"object: ['Is it {concept}?']", b"\xff\xfe\x00", "object: café".encode("latin-1")):
        (workplace / "questions.yaml").write_bytes(content)
        arguments = ["audit", GOOD, *tiny, "--questions", "questions.yaml", "--out", "run"]
        assert "questions.yaml" in check_refused(command, arguments, workplace)


def test_suites_built_by_hand_are_checked_too(workplace: Path, tiny_model: Path) -> None:
    mug = dominance.Prompt("mug", "a mug", (dominance.Concept("mug"),))
    for prompts in ((), (mug, mug), (dominance.Prompt("../up", "a mug", mug.concepts),)):
        with pytest.raises(InputError):
            dominance.audit(dominance.Suite("s", prompts), str(tiny_model), YES, workplace / "run")
        with pytest.raises(InputError):
            dominance.score(workplace, dominance.Suite("s", prompts), YES, workplace / "run")
    assert listing(workplace) == {}


UNUSUAL: dict[str, tuple[str, bytes, list[str]]] = {
    "Unicode": (
        "s.yaml",
        "prompts: ['ein [Schloß:landmark] 🗻', '[富士山:landmark]']".encode(),
        ["Schloß"],
    ),
    "CSV with BOM": ("s.csv", b"\xef\xbb\xbfid,prompt\r\na,a [mug]\r\n", ["mug"]),
    "CSV with quotes and commas": (
        "s.csv",
        b'id,prompt\na,"a [mug], said ""quickly"", and a [lamp]"\nb,a [book]\n',
        ["mug", "lamp"],
    ),
    "escaped brackets": (
        "s.yaml",
        rb"prompts: ['a \[sic\] [/b] [red] [mug]']".replace(b"[/b] [red]", rb"\[/b\]"),
        ["mug"],
    ),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_but_right_is_taken(
    command: Command, workplace: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file, content, concepts = UNUSUAL[name]
    (workplace / file).write_bytes(content)
    monkeypatch.setattr("dominance.runs.stages.judging.load_judge", lambda *_: YES)
    arguments = ["audit", file, "--model", tiny_model, "--judge", "scripted", "--out", "run", "--seeds", 1]
    document = command(*arguments, "--json").document
    assert document["prompts"][0]["concepts"] == concepts
    assert document["unscored"] == 0
    table = command(*arguments)
    assert table.status == 0
    assert document["prompts"][0]["prompt"] in table.out


@pytest.fixture
def small_files() -> Callable[[int], AbstractContextManager[None]]:
    """Limits how large a file may grow; beyond it the kernel refuses to write, as on a full disk."""

    @contextmanager
    def limited(size: int) -> Generator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.mark.parametrize("nth", [1, 3])
def test_a_disk_that_fills_up_while_images_are_written(
    command: Command, tiny: Options, workplace: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    written = []

    def refuse(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) > nth:  # the first is run.yaml
            raise OSError(errno.ENOSPC, "No space left on device")

    arguments = ["audit", GOOD, *tiny, "--out", "run", "--seeds", 5]
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        stopped = command(*arguments)
    assert (stopped.status, stopped.out) == (2, "")
    (line,) = (line for line in stopped.err.splitlines() if not line.startswith("images: "))
    assert line.startswith("error: cannot write run/images/")
    assert "No space left on device" in line
    assert "run the same command again to resume" in line
    assert not list(workplace.rglob("*.partial"))
    assert len(list((workplace / "run").rglob("*.png"))) == nth - 1
    resumed = command(*arguments, "--json")
    assert (resumed.status, resumed.document["scored"]) == (0, 5)
    assert f"images: {6 - nth} of {6 - nth}" in resumed.err


@pytest.mark.parametrize("size", [0, 5_000, 40_000, 90_000])
def test_a_disk_that_fills_up_under_the_ledger(
    command: Command,
    tiny: Options,
    workplace: Path,
    small_files: Callable[[int], AbstractContextManager[None]],
    size: int,
) -> None:
    arguments = ["audit", "miniature", *tiny, "--out", "run", "--seeds", 4]
    with small_files(size):
        stopped = command(*arguments)
    assert (stopped.status, stopped.out) == (2, "")
    (line,) = (line for line in stopped.err.splitlines() if not line.startswith(("images: ", "judged: ")))
    assert line.startswith("error: ")
    assert "finished work is kept" in line
    resumed = command(*arguments, "--json")
    assert (resumed.status, resumed.document["unscored"]) == (0, 0)
    with sqlite3.connect("run/run.sqlite") as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert ledger.execute("SELECT count(*) FROM images").fetchone() == (4 * 22,)


def test_a_disk_that_is_full_when_the_report_is_written(
    command: Command, tiny: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    arguments = ["audit", GOOD, *tiny, "--out", "run"]
    assert command(*arguments).status == 0
    Path("run/report.html").unlink()
    with monkeypatch.context() as full:
        full.setattr(Path, "replace", refuse)
        stopped = command(*arguments)
    assert (stopped.status, stopped.out) == (2, "")
    assert stopped.err.startswith("error: cannot write run/report.html (No space left on device)")
    assert command(*arguments).status == 0
    assert Path("run/report.html").is_file()

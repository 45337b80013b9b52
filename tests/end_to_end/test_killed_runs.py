"""Runs that end before their end: by SIGKILL or Ctrl-C at any moment, or because another process has the folder."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

LIGHT_AUDIT = Path(__file__).with_name("light_audit.py")
PLANNED, IMAGES, BATCH = 128, 96, 4
"""Of the light audit: planned images, images without those that twin prompts share, and images drawn at once."""


class LightAudits:
    """The process of ``light_audit.py``: each audit that it starts is a fresh process."""

    def __init__(self) -> None:
        self.running: int | None = None
        self.process = subprocess.Popen(
            [sys.executable, LIGHT_AUDIT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        line = self.process.stdout.readline()
        assert line, "light_audit.py ended"
        if line.startswith("ended"):
            self.running = None
        return line.strip()

    def start(self, folder: Path) -> int:
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        word, _, pid = self._line().partition(" ")
        assert word == "pid"
        self.running = int(pid)
        return self.running

    def wait_for(self, word: str, times: int = 1) -> None:
        while times:
            line = self._line()
            assert not line.startswith("ended"), f"ended while waiting for {word}"
            times -= line == word

    def kill(self, pid: int, by: signal.Signals = signal.SIGKILL) -> None:
        os.kill(pid, by)
        while not (line := self._line()).startswith("ended"):
            pass
        assert line == f"ended {-by if by == signal.SIGKILL else 1}"

    def close(self) -> None:
        if self.running is not None:  # a test failed between start and kill
            self.kill(self.running)
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def audits() -> Iterator[LightAudits]:
    audits = LightAudits()
    yield audits
    audits.close()


def rows(folder: Path, query: str) -> list[tuple]:
    if not (folder / "run.sqlite").exists():
        return []
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError as error:  # killed before its tables were made
            assert "no such table" in str(error)
            return []


def content(folder: Path) -> dict[str, Any]:
    """All that a run found out, without dates."""
    return {
        "images": sorted(rows(folder, "SELECT item, prompt, seed, file, settings FROM images")),
        "answers": sorted(rows(folder, "SELECT item, judge, question, yes, p_yes FROM answers")),
        "scores": sorted(rows(folder, "SELECT prompt_id, image, dvd, soft_dvd, verdict, yes FROM scores")),
        "manifest": sorted(rows(folder, "SELECT name, value FROM manifest")),
        "failures": rows(folder, "SELECT * FROM failures"),
        "files": {str(p.relative_to(folder)): p.read_bytes() for p in (folder / "images").glob("*/*.png")},
    }


def check_sound(folder: Path) -> None:
    """What must hold at every moment: the ledger is whole, and every row has its whole image."""
    assert rows(folder, "PRAGMA integrity_check") in ([("ok",)], [])
    for (file,) in rows(folder, "SELECT file FROM images"):
        with Image.open(folder / file) as image:
            image.load()


def moments(folder: Path, rng: random.Random) -> Iterator[tuple[str, int, float]]:
    """Where to stop, after which word, how often it was said, and how long after: random, but seeded.

    At once, so that there is hardly a ledger; after some batches were drawn; after some images were judged.
    """
    for _ in range(8):
        yield "pid", 0, rng.uniform(0, 0.03)
    for _ in range(14):
        if missing := IMAGES - len(rows(folder, "SELECT item FROM images")):
            yield "drew", rng.randint(1, min(2, -(-missing // BATCH))), rng.uniform(0, 0.008)
    for _ in range(8):
        if waiting := IMAGES - len(rows(folder, "SELECT DISTINCT item FROM answers")):
            yield "asked", rng.randint(1, waiting), rng.uniform(0, 0.008)


def finish(audits: LightAudits, folder: Path) -> None:
    pid = audits.start(folder)
    audits.wait_for("done")
    audits.kill(pid)


@pytest.mark.slow
def test_a_run_stopped_at_many_random_moments_ends_like_one_that_was_not(audits: LightAudits, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(audits, whole)
    expected = content(whole)
    assert (len(expected["images"]), len(expected["files"])) == (IMAGES, IMAGES)
    assert (len(expected["scores"]), len(expected["answers"])) == (PLANNED, PLANNED // 4 * (10 + 5 + 10))

    stops: list[tuple[str, signal.Signals]] = []
    for word, times, delay in moments(broken, random.Random(20251220)):
        pid = audits.start(broken)
        audits.wait_for(word, times)
        time.sleep(delay)
        by = signal.SIGINT if len(stops) % 4 == 3 else signal.SIGKILL
        audits.kill(pid, by)
        stops.append((word, by))
        check_sound(broken)
    assert sum(by == signal.SIGKILL for _, by in stops) >= 12
    assert {("drew", signal.SIGKILL), ("asked", signal.SIGKILL), ("drew", signal.SIGINT)} <= set(stops)

    finish(audits, broken)
    resumed = content(broken)
    for part in expected:
        assert resumed[part] == expected[part], part
    assert {file for _, _, _, file, _ in resumed["images"]} == set(resumed["files"])
    assert rows(broken, "PRAGMA integrity_check") == [("ok",)]
    finish(audits, whole)  # once more, which changes nothing
    assert content(whole) == expected


def test_what_a_kill_leaves_half_written_is_no_image(audits: LightAudits, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    pid = audits.start(folder)
    audits.wait_for("drew", 3)
    audits.kill(pid)
    (folder / "images" / "pair").mkdir(parents=True, exist_ok=True)
    (folder / "images" / "pair" / ".0-12345678.png.partial").write_bytes(b"half a picture")
    (folder / "images" / "pair" / ".orphan.png.partial").write_bytes(b"")
    finish(audits, folder)
    found = content(folder)
    assert len(found["files"]) == len(found["images"]) == IMAGES
    assert found["failures"] == []


HOLD = """
import sys
from pathlib import Path
from dominance.runs.store.folder import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


def test_the_second_process_on_a_run_folder_says_so_and_stops(
    tmp_path: Path, command: Callable[..., Any], tiny_model: Path, tiny_judge: Path
) -> None:
    folder = tmp_path / "run"
    suite = tmp_path / "light.yaml"
    suite.write_text("prompts: ['a [mug]']")
    arguments = (suite, "--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--out", folder, "--seeds", 1)
    assert command("audit", *arguments).status == 0
    before = content(folder)
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    refused = command("audit", *arguments[:-1], 2)
    assert refused.status == 2
    assert refused.out == ""
    assert refused.err == (
        f"error: the run folder {folder} is in use by process {first.pid}; wait for it, or give another --out\n"
    )
    assert content(folder) == before
    first.communicate("\n")
    assert command("audit", *arguments[:-1], 2).status == 0


def real_command(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dominance", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    while not reached():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


@pytest.mark.slow
def test_the_real_command_killed_and_interrupted_resumes_to_the_same_images(
    tmp_path: Path, command: Callable[..., Any], tiny_model: Path, tiny_judge: Path
) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text("prompts: ['a [tower:landmark] and a [mug]', 'a [lamp] beside a [book]']\n")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    arguments = (suite, "--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--seeds", 20, "--steps", 6)
    assert command("audit", *arguments, "--out", whole).status == 0
    rng = random.Random(7)

    for target in sorted(rng.sample(range(1, 24), 2)):
        process = real_command("audit", *arguments, "--out", broken, "--batch", 1)
        wait_until(process, lambda target=target: len(rows(broken, "SELECT item FROM images")) >= target)
        time.sleep(rng.uniform(0, 0.02))
        process.kill()
        assert "Traceback" not in process.communicate()[1]
        assert process.returncode == -signal.SIGKILL
        check_sound(broken)
    made = len(rows(broken, "SELECT item FROM images"))
    assert made < 40

    process = real_command("audit", *arguments, "--out", broken, "--batch", 1, "--json")
    wait_until(process, lambda: len(rows(broken, "SELECT item FROM images")) > made)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    told = [line for line in err.splitlines() if not line.startswith(("images: ", "judged: ", "starting ", "loading "))]
    assert told == [f"stopped; finished work is in {broken}: run the same command again to resume"]
    check_sound(broken)
    assert not list(broken.rglob("*.partial"))

    assert command("audit", *arguments, "--out", broken).status == 0
    one, other = content(whole), content(broken)
    for table in ("images", "failures"):
        assert one[table] == other[table]
    assert [row[:4] for row in one["answers"]] == [row[:4] for row in other["answers"]]
    assert one["files"].keys() == other["files"].keys() == {row[3] for row in other["images"]}
    for file in one["files"]:
        with Image.open(whole / file) as first, Image.open(broken / file) as second:
            assert np.abs(np.asarray(first).astype(int) - np.asarray(second).astype(int)).max() <= 1

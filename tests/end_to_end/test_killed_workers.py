"""Workers and the command itself are killed at random moments: nothing is lost, nothing is there twice."""

import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

LIGHT_CREW = Path(__file__).with_name("light_crew.py")
IMAGES, WORKER_KILLS, COMMAND_KILLS = 120, 20, 5
PROGRESS = 4
"""Images between two kills: a batch that always meets the next kill would be given up, as it should."""


def started(folder: Path, engine: str, running: contextlib.ExitStack) -> subprocess.Popen[str]:
    """The command's process, which does not outlive the test."""
    words = [sys.executable, LIGHT_CREW, folder, engine]
    process = running.enter_context(
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    )
    running.callback(process.kill)
    return process


def count(folder: Path) -> int:
    """Images drawn and images judged so far, together."""
    with contextlib.suppress(sqlite3.OperationalError):  # there is no ledger yet
        return sum(len(rows(folder, f"SELECT DISTINCT item FROM {table}")) for table in ("images", "answers"))
    return 0


def rows(folder: Path, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(f"file:{folder}/run.sqlite?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def content(folder: Path) -> dict[str, object]:
    return {
        "images": sorted(rows(folder, "SELECT item, prompt, seed, file, settings FROM images")),
        "answers": sorted(rows(folder, "SELECT item, judge, question, yes, p_yes FROM answers")),
        "failures": rows(folder, "SELECT * FROM failures"),
        "files": {str(p.relative_to(folder)): p.read_bytes() for p in (folder / "images").glob("*/*")},
    }


def wait_for(process: subprocess.Popen[str], folder: Path, done: int) -> None:
    while count(folder) < done:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.005)


@pytest.mark.slow
def test_kills_of_workers_and_of_the_command_change_nothing(tmp_path: Path) -> None:
    one, broken = tmp_path / "one", tmp_path / "broken"
    with contextlib.ExitStack() as running:
        alone = started(one, "none", running)
        rng = random.Random(20251129)
        moments = sorted(rng.sample(range(2, 2 * IMAGES - 60), WORKER_KILLS + COMMAND_KILLS))
        of_command = set(rng.sample(moments, COMMAND_KILLS))
        killed = {"worker": 0, "command": 0}
        process, at_last = started(broken, "local", running), 0
        for moment in moments:
            wait_for(process, broken, max(moment, at_last + PROGRESS))
            time.sleep(rng.uniform(0, 0.02))
            at_last = count(broken)
            if moment in of_command:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                killed["command"] += 1
                process = started(broken, "local", running)
                continue
            while not (workers := psutil.Process(process.pid).children()):
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.005)
            with contextlib.suppress(psutil.NoSuchProcess):
                rng.choice(workers).kill()
                killed["worker"] += 1
            assert rows(broken, "PRAGMA integrity_check") == [("ok",)]
        said = process.communicate(timeout=600)[1]
        assert process.returncode == 0, said
        assert killed == {"worker": WORKER_KILLS, "command": COMMAND_KILLS}
        said = alone.communicate(timeout=600)[1]
        assert alone.returncode == 0, said
    expected = content(one)
    assert (len(expected["images"]), len(expected["files"]), expected["failures"]) == (IMAGES, IMAGES, [])
    assert len(expected["answers"]) == IMAGES // 2 * (10 + 5)
    assert content(broken) == expected

"""Ctrl-C at any moment of a real command: one line that says what is kept, and no traceback."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROMPT = "a [castle:landmark] and a [chair]"


def started(folder: Path, *arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """The command in a process of its own, once Python itself has started."""
    code = "from dominance.__main__ import main; print('up', flush=True); main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.5, 2, 5])
@pytest.mark.parametrize("command", ["audit", "explain"])
def test_it_stops_without_a_traceback_and_says_what_is_kept(command: str, seconds: float, tmp_path: Path) -> None:
    process = started(tmp_path, command, PROMPT, "--seeds", "100", "--steps", "200", "--batch", "1")
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    assert last.startswith("stopped; ")
    if (tmp_path / "runs").exists():
        assert "run the same command again to resume" in last
    else:
        assert "nothing was" in last
    assert not (tmp_path / "explanations").exists()


@pytest.mark.slow
def test_a_terminal_shows_at_once_what_begins(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    process = started(tmp_path, "audit", PROMPT, "--seeds", "100", "--steps", "200", stderr=follower)
    shown = ""
    while "loading the model miniature" not in shown:
        shown += os.read(leader, 4096).decode()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    os.close(follower)
    os.close(leader)
    assert " ".join(shown.split()) == "starting audit loading the judge miniature loading the model miniature"

"""Progress: calm lines where there is no terminal, one bar where there is one, and what goes on within an item."""

import os
import pty
import subprocess
import sys
import time

import pytest

from dominance.progress import Progress, said_if_slow, say, tell_within

Captured = pytest.CaptureFixture[str]


def lines(capsys: Captured) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_lines_come_at_the_start_every_few_seconds_and_at_the_end(capsys: Captured) -> None:
    with Progress("images", total=3, every=3600) as progress:
        for _ in range(3):
            progress.advance()
    first, last = lines(capsys)
    assert first == "images: 0 of 3"
    assert last.startswith("images: 3 of 3, ")


def test_slow_work_is_told_in_seconds_an_item(capsys: Captured) -> None:
    with Progress("images", total=2, every=3600, each="an image") as progress:
        progress._start -= 12
        progress.advance()
    assert lines(capsys)[-1].startswith("images: 1 of 2, 12 s an image, 0:12 left")


def test_steps_within_a_batch_are_told_while_no_image_is_done(capsys: Captured) -> None:
    with Progress("images", total=4, every=0) as progress:
        tell_within("step 12 of 50")
        progress.advance(4)
    assert lines(capsys)[1] == "images: 0 of 4, step 12 of 50"
    tell_within("nothing is open, so nothing is told")
    assert lines(capsys) == []


def test_work_within_other_work_is_told_on_its_line(capsys: Captured) -> None:
    with Progress("prompts kept", total=2, every=0) as outer:
        with Progress("images", total=8, every=0) as inner:
            inner.advance(3)
            tell_within("step 1 of 2")
        outer.advance(2, "5 candidates tried")
    told = lines(capsys)
    assert "prompts kept: 0 of 2, images 3 of 8, step 1 of 2" in told
    assert all(line.startswith("prompts kept: ") for line in told)
    assert told[-1].endswith("5 candidates tried")


def test_what_begins_is_said_at_once_on_a_terminal(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with said_if_slow("starting", after=3600):
        say("loading the model")
    with said_if_slow("starting", after=0.01):
        time.sleep(0.2)
    assert lines(capsys) == ["loading the model", "starting"]


def test_in_a_log_it_is_said_only_if_it_takes_long(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    with said_if_slow("starting", after=0.01):
        say("loading the model")
        time.sleep(0.2)
    assert lines(capsys) == []
    monkeypatch.setattr("dominance.progress._EVERY", 0.01)
    with said_if_slow("starting"):
        say("loading the model")
        time.sleep(0.2)
    assert lines(capsys) == ["loading the model"]


@pytest.mark.slow
def test_a_terminal_shows_one_bar_at_a_time() -> None:
    code = (
        "from dominance.progress import Progress\n"
        "with Progress('kept', total=2) as outer:\n"
        "    with Progress('images', total=4) as inner: inner.advance(2)\n"
        "    outer.advance(2)\n"
    )
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", code], stderr=follower, env=environment, check=True)
    os.close(follower)
    shown = b""
    while chunk := _read(leader):
        shown += chunk
    assert b"kept" in shown
    assert "━" in shown.decode()
    assert not any(line.lstrip().startswith("images") for line in shown.decode().splitlines())


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # the other end is closed
        return b""

"""The service as a process: killed in the middle of a job and started again, and its judge killed under load."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from made_runs import png

PROMPT = "a [castle:landmark] and a [chair]"
IMAGES = 6


@contextmanager
def served(folder: Path, tiny_model: Path, tiny_judge: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service on a free port of loopback, and its address."""
    judge = f"blip:{tiny_judge}"
    command = ["serve", "--folder", folder, "--port", 0, "--model", tiny_model, "--judge", judge, "--score-seconds", 60]
    process = subprocess.Popen(
        [sys.executable, "-m", "dominance", *map(str, command)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    try:
        line = process.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line
        yield process, address[0]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def asked(url: str, body: object = None, content: bytes | None = None) -> Any:
    kind = "application/json" if content is None else "image/png"
    data = json.dumps(body).encode() if body is not None else content
    headers = {"Content-Type": kind, "Dominance-Prompt": PROMPT} if data is not None else {}
    request = urllib.request.Request(url, data, headers)
    for _ in range(50):
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
        except (ConnectionError, urllib.error.URLError):
            pass  # between listening and answering
        time.sleep(0.2)
    raise AssertionError(f"{url} was never answered")


def until(true: Any, seconds: float = 500.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def rows(ledger: Path) -> list[tuple[str, str]]:
    """Each image and when it was made."""
    if not ledger.is_file():
        return []
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as db:
        try:
            return db.execute("SELECT item, made_at FROM images ORDER BY item").fetchall()
        except sqlite3.Error:
            return []


def listeners() -> set[str]:
    """Addresses that something of this machine listens on, beyond loopback."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and not local.startswith(("0100007F", "00000000000000000000000001000000")):
                found.add(local)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="reads Linux's table of sockets")
def test_a_killed_service_goes_on_where_it_was(tmp_path: Path, tiny_model: Path, tiny_judge: Path) -> None:
    folder, before = tmp_path / "runs", listeners()
    with served(folder, tiny_model, tiny_judge) as (process, url):
        assert listeners() <= before
        body = {"prompts": [PROMPT], "seeds": IMAGES, "steps": 150}
        job = asked(f"{url}/api/audit", body)
        waiting = asked(f"{url}/api/audit", {"prompts": ["a [mug]"], "seeds": 1, "steps": 1})
        ledger = folder / job["run"] / "run.sqlite"
        until(lambda: any(line.startswith("images") for line in asked(f"{url}/api/jobs/{job['id']}")["log"]))
        process.send_signal(signal.SIGKILL)
        process.wait()
    made = rows(ledger)
    lock = folder / job["run"] / "run.lock"
    until(lambda: not Path(f"/proc/{lock.read_text().strip()}").exists(), 30)  # its command ended with it
    assert len(made) <= IMAGES
    with served(folder, tiny_model, tiny_judge) as (process, url):
        until(lambda: asked(f"{url}/api/jobs/{waiting['id']}")["state"] == "done")
        ended = asked(f"{url}/api/jobs/{job['id']}")
        assert (ended["state"], ended["attempts"]) == ("done", 2)
        assert ended["ended"] < asked(f"{url}/api/jobs/{waiting['id']}")["ended"]
        after = rows(ledger)
        assert len(after) == IMAGES
        assert set(made) <= set(after)  # none was drawn twice
        assert asked(f"{url}/api/audit/{job['id']}")["images"] == IMAGES
        second = subprocess.run(
            [sys.executable, "-m", "dominance", "serve", "--folder", folder, "--port", "0"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert second.returncode == 2
        assert re.fullmatch(r"error: the folder .* is in use by process \d+; .*--folder\n", second.stderr)
        _judge_is_killed(url, process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def _judge_is_killed(url: str, service: int) -> None:
    score = f"{url}/score"
    first = asked(score, content=png())
    assert [concept["questions"] for concept in first["concepts"]] == [5, 5]
    children = Path(f"/proc/{service}/task/{service}/children").read_text().split()
    judges = {
        pid for task in Path(f"/proc/{service}/task").iterdir() for pid in (task / "children").read_text().split()
    }
    (judge,) = {pid for pid in {*children, *judges} if "serve.judging" in Path(f"/proc/{pid}/cmdline").read_text()}
    os.kill(int(judge), signal.SIGKILL)
    again = asked(score, content=png())
    assert again["concepts"] == first["concepts"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_others_are_not_served_without_a_token(command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host) -> None:
    monkeypatch.delenv("DOMINANCE_SERVE_TOKEN", raising=False)
    ended = command("serve", "--folder", tmp_path / "runs", "--host", host, "--port", 0)
    assert ended.status == 2
    assert "only with a token" in ended.err
    assert not (tmp_path / "runs").exists()


def test_a_port_that_is_taken_is_one_line(command, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = command("serve", "--folder", tmp_path / "runs", "--port", taken.getsockname()[1])
    assert ended.status == 2
    assert "give another --port" in ended.err


def test_a_missing_extra_is_one_line(command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "dominance.serve.listening", raising=False)
    ended = command("serve", "--folder", tmp_path / "runs")
    assert ended.status == 2
    assert ended.err == ("error: the service needs uvicorn, which is not installed; pip install 'dominance[serve]'\n")

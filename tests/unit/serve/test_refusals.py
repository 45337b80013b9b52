"""What goes wrong on the service's own machine is answered as its fault, in one line that names none of its folders."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from made_runs import make_run, png
from starlette.testclient import TestClient

from dominance.serve.jobs import Jobs
from dominance.serve.work import LOG, job_folder

AUDIT = {"prompts": ["a [mug]"], "seeds": 1}
IMAGE = {"content-type": "image/png"}
PAGE = {"accept": "text/html"}
FULL = "the service cannot use its disk (No space left on device); free some space on its machine, and ask again"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be made whole."""

    def refuse(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)


def test_a_full_disk_is_told_as_such(client: TestClient, root: Path, full_disk: None, form_key: str) -> None:
    upload = client.post("/api/uploads", json={}).json()["upload"]
    for answer in (
        client.post("/api/audit", json=AUDIT),
        client.post(f"/api/uploads/{upload}", content=png(), headers=IMAGE),
    ):
        assert (answer.status_code, answer.json()) == (507, {"error": FULL})
    asked = {"form_key": form_key, "verb": "audit", "prompts": "a [mug]"}
    sent = {"form_key": form_key, "prompts": "a [mug]"}
    for answer in (
        client.post("/", data=asked, headers=PAGE),
        client.post("/upload", data=sent, files={"images": ("a.png", png(), "image/png")}, headers=PAGE),
    ):
        assert answer.status_code == 507
        assert "No space left on device" in answer.text
        assert str(root) not in answer.text
    assert client.get("/api/jobs").json() == []


def test_labels_that_cannot_be_kept_are_told(
    client: TestClient, root: Path, form_key: str, request: pytest.FixtureRequest
) -> None:
    make_run(root, "castles")
    page = client.get("/runs/castles/label?reader=Ada").text
    mark = page.split('name="image" value="')[1].split('"')[0]
    number = page.split('name="number" value="')[1].split('"')[0]
    names = {part.split('"')[0] for part in page.split('name="seen-')[1:]}
    form = {"form_key": form_key, "reader": "Ada", "number": number, "place": "0", "image": mark}
    request.getfixturevalue("full_disk")
    answer = client.post("/runs/castles/label", data={**form, **{f"seen-{name}": "plain" for name in names}})
    assert answer.status_code == 507
    assert "No space left on device" in answer.text
    assert str(root) not in answer.text


def test_a_folder_that_cannot_be_used_is_told(client: TestClient, root: Path, capsys: pytest.CaptureFixture) -> None:
    (root / ".serve" / "uploads").write_text("a file in its place")
    answer = client.post("/api/uploads", json={})
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("the service cannot use its disk (")
    assert str(root) not in answer.text
    assert "POST /api/uploads failed: " in capsys.readouterr().err


def test_a_queue_that_cannot_be_written_is_told(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Jobs, "add", refuse)
    answer = client.post("/api/audit", json=AUDIT)
    assert answer.status_code == 507
    assert answer.json()["error"].startswith("the service cannot use its disk (database or disk is full); free")


def test_what_a_command_said_names_no_folder_of_the_service(client: TestClient, root: Path) -> None:
    own = root / ".serve"
    job = client.post("/api/audit", json=AUDIT).json()
    (job_folder(own, job["id"]) / LOG).write_text(f"starting\nwrote {root}/{job['run']}/report.html\n")
    with sqlite3.connect(own / "jobs.sqlite") as db:
        told = f"the run folder {root}/{job['run']} is in use by process 7"
        db.execute("UPDATE jobs SET state = 'failed', told = ?", (told,))
    seen = client.get(f"/api/jobs/{job['id']}").json()
    assert seen["log"][-1] == f"wrote {job['run']}/report.html"
    assert seen["told"] == f"the run folder {job['run']} is in use by process 7"
    for path in ("/jobs", f"/jobs/{job['id']}", "/api/jobs"):
        assert str(root) not in client.get(path).text

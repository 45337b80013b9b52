"""What is kept can be deleted, by page and by program; what a job uses stays, and so does what is not the service's."""

import errno
import os
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from made_runs import make_run, png
from starlette.testclient import TestClient

from dominance.runs.store.folder import held
from dominance.serve import deleting
from dominance.serve.deleting import Deleting
from dominance.serve.jobs import Job, Jobs
from dominance.serve.uploads import Most, Uploads
from dominance.serve.work import LOG, job_folder

IMAGE = {"content-type": "image/png"}
DAY = 86_400


@pytest.fixture
def own(root: Path) -> Path:
    return root / ".serve"


def sent(client: TestClient) -> str:
    """An upload of one image."""
    upload = client.post("/api/uploads", json={}).json()["upload"]
    assert client.post(f"/api/uploads/{upload}", content=png(), headers=IMAGE).status_code == 201
    return upload


def asked(client: TestClient, upload: str) -> dict:
    """A job that scores it."""
    return client.post("/api/score", json={"upload": upload, "prompts": ["a [mug]"]}).json()


def test_a_job_is_deleted_when_it_is_over(client: TestClient, own: Path) -> None:
    job = client.post("/api/audit", json={"prompts": ["a [mug]"], "seeds": 1}).json()["id"]
    assert client.delete(f"/api/jobs/{job}").status_code == 409
    assert client.post(f"/api/jobs/{job}/stop", json={}).json()["state"] == "stopped"
    assert (own / "jobs" / job / "job.yaml").is_file()
    assert client.delete(f"/api/jobs/{job}").status_code == 204
    assert client.get(f"/api/jobs/{job}").status_code == client.delete(f"/api/jobs/{job}").status_code == 404
    assert list((own / "jobs").iterdir()) == list((own / "gone").iterdir()) == []


def test_a_run_goes_with_its_jobs_and_the_images_that_were_sent_for_it(
    client: TestClient, root: Path, own: Path
) -> None:
    upload, other = sent(client), sent(client)
    job = asked(client, upload)
    make_run(root, job["run"])
    make_run(root, "another")
    assert client.delete(f"/api/runs/{job['run']}").status_code == 409  # its job waits
    assert client.delete(f"/api/uploads/{upload}").status_code == 409
    client.post(f"/api/jobs/{job['id']}/stop", json={})
    assert client.delete(f"/api/runs/{job['run']}").status_code == 204
    assert [card["name"] for card in client.get("/api/runs").json()] == ["another"]
    assert client.get("/api/jobs").json() == []
    assert [kept["upload"] for kept in client.get("/api/uploads").json()] == [other]
    assert not list((own / "jobs").iterdir())


def test_a_job_cannot_go_on_while_its_run_is_deleted(
    client: TestClient, root: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(client, sent(client))
    make_run(root, job["run"])
    client.post(f"/api/jobs/{job['id']}/stop", json={})
    clear, jobs = Deleting._clear, Jobs(own / "jobs.sqlite")
    monkeypatch.setattr(Deleting, "_clear", lambda self, place: (jobs.again(job["id"]), clear(self, place)))
    assert client.delete(f"/api/runs/{job['run']}").status_code == 204
    jobs.close()
    assert client.get("/api/jobs").json() == []  # one that waits again would make the run again


def test_what_was_deleted_is_written_down(client: TestClient, root: Path, own: Path) -> None:
    upload = sent(client)
    job = asked(client, upload)
    make_run(root, job["run"])
    client.post(f"/api/jobs/{job['id']}/stop", json={})
    client.delete(f"/api/runs/{job['run']}")
    text = (own / "deleted.log").read_text()
    lines = [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 ", "", line) for line in text.splitlines()]
    assert lines == [
        f"deleted run {job['run']}: somebody with access asked for it",
        f"deleted job {job['id']}: with the run {job['run']}",
        f"deleted upload {upload}: with the run {job['run']}",
    ]
    assert "mug" not in text  # no word of a prompt


def test_a_log_that_cannot_be_written_keeps_nothing_from_being_deleted(
    client: TestClient, root: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / "deleted.log").mkdir()
    make_run(root, "castles")
    assert client.delete("/api/runs/castles").status_code == 204
    assert "deleted run castles: somebody with access asked for it (deleted.log cannot" in capsys.readouterr().err


def test_images_that_another_job_reads_stay_with_it(client: TestClient, root: Path) -> None:
    upload = sent(client)
    first, second = asked(client, upload), asked(client, upload)
    make_run(root, first["run"])
    client.post(f"/api/jobs/{first['id']}/stop", json={})
    assert client.delete(f"/api/runs/{first['run']}").status_code == 204
    assert [kept["upload"] for kept in client.get("/api/uploads").json()] == [upload]
    assert [job["id"] for job in client.get("/api/jobs").json()] == [second["id"]]


def test_a_run_that_a_command_writes_is_not_deleted(client: TestClient, root: Path) -> None:
    run = make_run(root, "castles")
    with held(run):
        answer = client.delete("/api/runs/castles")
    assert answer.status_code == 409
    assert "in use by process" in answer.json()["error"]
    assert str(root) not in answer.text
    assert (run / "run.sqlite").is_file()


@pytest.mark.parametrize(
    ("number", "status", "told"), [(errno.EACCES, 500, "fix the permissions"), (errno.ENOSPC, 507, "free some space")]
)
def test_a_run_that_the_disk_does_not_let_go_is_not_said_to_be_in_use(
    client: TestClient, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, status: int, told: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    run = make_run(root, "castles")
    monkeypatch.setattr(Path, "rename", refuse)
    answer = client.delete("/api/runs/castles")
    assert (answer.status_code, told in answer.json()["error"]) == (status, True)
    assert str(root) not in answer.text
    assert (run / "run.sqlite").is_file()


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2fsecret", ".serve", "notes", "linked", "nothing", "a%00b"])
def test_nothing_is_deleted_that_is_no_run(client: TestClient, root: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "run.sqlite").write_bytes(b"x")
    (root / "notes").mkdir()
    (root / "linked").symlink_to(tmp_path / "secret")
    before = {str(path) for path in tmp_path.rglob("*") if "/gone" not in str(path)}
    for kind in ("runs", "uploads", "jobs"):
        assert client.delete(f"/api/{kind}/{name}").status_code in (404, 405)
    assert client.get(f"/runs/{name}/delete").status_code in (404, 405)
    assert {str(path) for path in tmp_path.rglob("*") if "/gone" not in str(path)} == before


def test_links_in_a_run_are_deleted_and_not_what_they_lead_to(client: TestClient, root: Path, tmp_path: Path) -> None:
    run = make_run(root, "castles")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "kept.txt").write_text("kept")
    (run / "images" / "out").symlink_to(tmp_path / "secret")
    assert client.delete("/api/runs/castles").status_code == 204
    assert (tmp_path / "secret" / "kept.txt").read_text() == "kept"


def test_the_page_asks_before_it_deletes(client: TestClient, root: Path, form_key: str) -> None:
    make_run(root, "castles")
    upload = sent(client)
    job = client.post("/api/audit", json={"prompts": ["a [mug]"], "seeds": 1}).json()["id"]
    client.post(f"/api/jobs/{job}/stop", json={})
    places = {"/runs/castles": "/runs/castles", f"/uploads/{upload}": "/upload", f"/jobs/{job}": f"/jobs/{job}"}
    for place, page in places.items():
        assert f'href="{place}/delete"' in client.get(page).text
        text = client.get(f"{place}/delete").text
        assert "cannot be undone" in text
        assert f'action="{place}/delete"' in text
        assert client.post(f"{place}/delete", data={"form_key": "0"}).status_code == 403  # without the form's key
        assert client.get(f"{place}/delete").status_code == 200
        assert client.post(f"{place}/delete", data={"form_key": form_key}).status_code == 200
        assert client.get(f"{place}/delete").status_code == 404
    assert client.get("/api/runs").json() == client.get("/api/jobs").json() == client.get("/api/uploads").json() == []


def test_another_site_cannot_delete(client: TestClient, root: Path, form_key: str) -> None:
    make_run(root, "castles")
    headers = {"origin": "http://evil.example"}
    assert client.delete("/api/runs/castles", headers=headers).status_code == 403
    assert client.post("/runs/castles/delete", data={"form_key": form_key}, headers=headers).status_code == 403
    assert (root / "castles").is_dir()


def test_what_is_old_goes_and_runs_stay(client: TestClient, root: Path, own: Path) -> None:
    make_run(root, "castles")
    old, new, waited_for = sent(client), sent(client), sent(client)
    job, waits = asked(client, old), asked(client, waited_for)
    client.post(f"/api/jobs/{job['id']}/stop", json={})
    for name in (old, waited_for, "../../castles"):
        os.utime(own / "uploads" / name, (time.time() - 3 * DAY,) * 2)
    jobs = Jobs(own / "jobs.sqlite")
    with sqlite3.connect(own / "jobs.sqlite") as db:
        db.execute("UPDATE jobs SET ended = ended - ?", (3 * DAY,))
    uploads = Uploads(own / "uploads", Most(1, 1), 1)
    Deleting(root, jobs, uploads).old(4)
    assert len(client.get("/api/uploads").json()) == 3
    Deleting(root, jobs, uploads).old(2)
    jobs.close()
    assert {kept["upload"] for kept in client.get("/api/uploads").json()} == {new, waited_for}
    assert [kept["id"] for kept in client.get("/api/jobs").json()] == [waits["id"]]
    assert [card["name"] for card in client.get("/api/runs").json()] == ["castles"]


def test_what_is_old_goes_by_itself(serve: Callable[..., TestClient], own: Path) -> None:
    upload = sent(serve())
    os.utime(own / "uploads" / upload, (time.time() - 3 * DAY,) * 2)
    client = serve(keep_days=2.0)
    end = time.monotonic() + 30
    while client.get("/api/uploads").json():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_kill_while_something_is_deleted_leaves_it_whole_or_gone(
    serve: Callable[..., TestClient], root: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(root, "castles")
    (own / "jobs" / "0123456789ab").mkdir(parents=True)  # written for a job that was never added
    (own / "jobs" / "0123456789ab" / "job.yaml").write_text("command: audit")
    (own / "jobs" / "ba9876543210").mkdir()
    (own / "jobs" / "ba9876543210" / LOG).write_text("of a queue that somebody moved away")
    with monkeypatch.context() as patch:
        patch.setattr(deleting.shutil, "rmtree", lambda *_, **__: None)  # killed before it
        client = serve()
        assert client.delete("/api/runs/castles").status_code == 204
        assert client.get("/api/runs").json() == []
        assert len(list((own / "gone").iterdir())) == 1
    serve()
    assert not (own / "gone").exists()
    assert [path.name for path in (own / "jobs").iterdir()] == ["ba9876543210"]


def test_a_queue_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    Jobs(tmp_path / "jobs.sqlite").close()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as db:
        db.execute("ALTER TABLE jobs DROP COLUMN reads")
    jobs = Jobs(tmp_path / "jobs.sqlite")
    jobs.add(Job(id="a", verb="audit", title="a", command=("x",), run=None, reads="u"), 10)
    assert jobs.reading("u")
    jobs.close()


def test_the_page_of_a_job_leads_to_no_run_that_is_gone(client: TestClient, root: Path, own: Path) -> None:
    job = client.post("/api/audit", json={"prompts": ["a [mug]"], "seeds": 1}).json()
    with sqlite3.connect(own / "jobs.sqlite") as db:
        db.execute("UPDATE jobs SET state = 'done', status = 0")
    assert job_folder(own, job["id"]).is_dir()
    assert not re.search(rf'href="/runs/{job["run"]}"', client.get(f"/jobs/{job['id']}").text)
    make_run(root, job["run"])
    assert re.search(rf'href="/runs/{job["run"]}"', client.get(f"/jobs/{job['id']}").text)


def test_an_upload_that_holds_nothing_yet_is_listed_and_deleted(client: TestClient, form_key: str) -> None:
    upload = client.post("/api/uploads", json={}).json()["upload"]
    text = client.get("/upload").text
    assert "No image yet" in text
    assert f"Delete the upload {upload}" in text
    assert client.post(f"/uploads/{upload}/delete", data={"form_key": form_key}).status_code == 200
    assert upload not in client.get("/upload").text

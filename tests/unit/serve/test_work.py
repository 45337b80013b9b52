"""Jobs are processes: what they leave, how they end, and what a restart finds."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dominance.errors import InputError
from dominance.runs.store.folder import held
from dominance.serve import work as working
from dominance.serve.jobs import MOST_ATTEMPTS, Job, Jobs
from dominance.serve.work import LOG, RESULT, Work, job_folder


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path / "jobs.sqlite")
    yield jobs
    jobs.close()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job's command is a line of Python, so that it can die, hang and fail as commands do."""
    begun = subprocess.Popen

    def popen(command: list[str], **more: object) -> "subprocess.Popen[bytes]":
        return begun([sys.executable, "-c", command[-1]], **more)

    monkeypatch.setattr(working.subprocess, "Popen", popen)


def job(id: str, script: str = "pass", run: str | None = None) -> Job:
    return Job(id=id, verb="audit", title=id, command=(script,), run=run)


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def over(queue: Jobs, id: str) -> Job:
    until(lambda: (queue.get(id) or job("")).state not in ("queued", "running"))
    found = queue.get(id)
    assert found
    return found


def test_jobs_wait_in_order_and_never_share_a_folder(queue: Jobs) -> None:
    for id, run in (("a", "one"), ("b", "one"), ("c", "two")):
        queue.add(job(id, run=run), 10)
    first, second, third = queue.take(), queue.take(), queue.take()
    assert (first and first.id, second and second.id, third) == ("a", "c", None)
    queue.end("a", "done", 0)
    after = queue.take()
    assert after and after.id == "b"


def test_a_restart_takes_up_what_was_running_before_what_waits(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs.sqlite")
    for id in ("a", "b"):
        jobs.add(job(id), 10)
    jobs.take()
    jobs.close()
    again = Jobs(tmp_path / "jobs.sqlite")
    assert again.take_up_again() == 1
    first = again.take()
    assert first and (first.id, first.attempts) == ("a", 2)
    again.close()


def test_a_job_that_was_running_whenever_the_service_was_killed_is_given_up(queue: Jobs) -> None:
    queue.add(job("a"), 10)
    for _ in range(MOST_ATTEMPTS - 1):
        queue.take()
        assert queue.take_up_again() == 1
    queue.take()
    assert queue.take_up_again() == 0
    given_up = queue.get("a")
    assert given_up and given_up.state == "failed" and "died 3 times" in str(given_up.told)


def test_services_that_end_by_themselves_do_not_count(queue: Jobs) -> None:
    queue.add(job("a"), 10)
    for _ in range(MOST_ATTEMPTS + 1):
        taken = queue.take()
        assert taken and taken.attempts == 1
        queue.put_back("a")
        assert queue.take_up_again() == 0


@pytest.mark.usefixtures("scripted")
def test_every_way_to_end_is_recorded(queue: Jobs, tmp_path: Path) -> None:
    scripts = {
        "done": "print('{}')",
        "gate": "print('{}'); raise SystemExit(1)",
        "bad": "import sys; sys.stderr.write('note\\nerror: no such thing\\n'); raise SystemExit(2)",
        "dies": "import os; os.kill(os.getpid(), 9)",
    }
    for id, script in scripts.items():
        queue.add(job(id, script), 10)
    work = Work(queue, tmp_path, 2)
    work.begin()
    try:
        ended = {id: over(queue, id) for id in scripts}
    finally:
        work.end()
    assert (ended["done"].state, ended["done"].status) == ("done", 0)
    assert (ended["gate"].state, ended["gate"].status) == ("done", 1)
    assert (ended["bad"].state, ended["bad"].told) == ("failed", "error: no such thing")
    assert (ended["dies"].state, ended["dies"].attempts) == ("failed", MOST_ATTEMPTS)
    assert (job_folder(tmp_path, "done") / RESULT).read_text() == "{}\n"
    assert not (job_folder(tmp_path, "bad") / RESULT).exists()


@pytest.mark.usefixtures("scripted")
def test_a_running_job_is_stopped(queue: Jobs, tmp_path: Path) -> None:
    queue.add(job("long", "import sys, time; sys.stderr.write('begun\\n'); sys.stderr.flush(); time.sleep(600)"), 10)
    work = Work(queue, tmp_path, 1)
    work.begin()
    try:
        log = job_folder(tmp_path, "long") / LOG
        until(lambda: log.is_file() and b"begun" in log.read_bytes())
        assert work.stop("long")
        ended = over(queue, "long")
        assert (ended.state, ended.status) == ("stopped", -signal.SIGTERM)
        assert not work.stop("long")
    finally:
        work.end()


@pytest.mark.usefixtures("scripted")
def test_when_the_service_ends_its_jobs_stay(queue: Jobs, tmp_path: Path) -> None:
    queue.add(job("long", "import time; time.sleep(600)"), 10)
    work = Work(queue, tmp_path, 1)
    work.begin()
    until(lambda: queue.counts()["running"] == 1 and bool(work._running))
    work.end()
    found = queue.get("long")
    assert found and (found.state, found.attempts) == ("queued", 0)


def test_a_command_ends_with_the_service() -> None:
    script = "from dominance.serve.served import begin_served; begin_served(); import time; time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    assert process.stdin
    time.sleep(0.1)
    process.stdin.close()
    assert process.wait(60) == 130


@pytest.mark.usefixtures("scripted")
def test_a_job_that_cannot_be_begun_fails_and_the_queue_goes_on(
    queue: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = working._started

    def started(job: Job, *files: object) -> "subprocess.Popen[bytes]":
        if job.id == "full":
            raise OSError(28, "No space left on device")
        return begin(job, *files)

    monkeypatch.setattr(working, "_started", started)
    queue.add(job("full"), 10)
    queue.add(job("next"), 10)
    work = Work(queue, tmp_path, 1)
    work.begin()
    try:
        full = over(queue, "full")
        assert (full.state, over(queue, "next").state) == ("failed", "done")
        assert full.told and "No space left" in full.told
    finally:
        work.end()


@pytest.mark.usefixtures("scripted")
def test_a_job_is_stopped_while_it_is_being_begun(queue: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = working._started

    def started(job: Job, *files: object) -> "subprocess.Popen[bytes]":
        assert work.stop(job.id)
        return begin(job, *files)

    monkeypatch.setattr(working, "_started", started)
    queue.add(job("long", "import time; time.sleep(600)"), 10)
    work = Work(queue, tmp_path, 1)
    work.begin()
    try:
        assert over(queue, "long").state == "stopped"
    finally:
        work.end()
    assert not work._stopped


@pytest.mark.usefixtures("scripted")
def test_a_job_taken_up_again_waits_for_the_command_of_the_killed_service(queue: Jobs, tmp_path: Path) -> None:
    own, run = tmp_path / ".serve", tmp_path / "audit-a"
    run.mkdir()
    queue.add(job("a", run="audit-a"), 10)
    queue.take()
    work = Work(queue, own, 1)
    with held(run):
        work.begin()
        time.sleep(0.5)
        assert not (job_folder(own, "a") / LOG).exists()
    try:
        assert over(queue, "a").state == "done"
    finally:
        work.end()


@pytest.mark.usefixtures("scripted")
def test_a_job_that_may_not_run_any_more_fails_and_says_why(queue: Jobs, tmp_path: Path) -> None:
    def check(job: Job) -> None:
        if job.id == "a":
            raise InputError("the service does not load this any more")

    work = Work(queue, tmp_path, 1, check)
    for id in ("a", "b"):
        queue.add(job(id, f"open({str(tmp_path / id)!r}, 'w')"), 10)
    work.begin()
    assert (over(queue, "a").state, over(queue, "a").told) == ("failed", "the service does not load this any more")
    assert over(queue, "b").state == "done"
    work.end()
    assert not (tmp_path / "a").exists()

"""Works through the queue: each job is the command itself, in a process of its own."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from dominance.errors import InputError, RunError
from dominance.runs.store.folder import held
from dominance.serve.jobs import MOST_ATTEMPTS, Job, Jobs
from dominance.serve.served import SERVED
from dominance.wording import complaint, on_one_line

RESULT, LOG = "result.json", "log.txt"
_FAILED = {2, 70}
"""Exit statuses of a command that refused its input, or met an error of its own; the others left a result."""
_NOTICE_AFTER = 1.0
_GRACE = 10.0
"""Seconds that a stopped command has to end by itself."""
_LOOKS_AGAIN = 0.2
_LONGEST_TOLD = 600


def job_folder(own: Path, id: str) -> Path:
    """Where a job's options, document and log lie."""
    return own / "jobs" / id


class Work:
    """Threads that each run one job after the other.

    Args:
        own: folder of the service.
        at_once: threads.
        check: refuses a job that an earlier service stored and this one may not run.
    """

    def __init__(self, jobs: Jobs, own: Path, at_once: int, check: Callable[[Job], None] = lambda _: None) -> None:
        self._jobs, self._own, self._check = jobs, own, check
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stopped: set[str] = set()
        self._lock = threading.Lock()
        self._ending = False
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(at_once)]

    def begin(self) -> None:
        """Takes up what an earlier service left, and begins."""
        self._jobs.take_up_again()
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ends the commands; their jobs stay in the queue as running, and the next service takes them up."""
        self._ending = True
        with self._jobs.changed:
            self._jobs.changed.notify_all()
        with self._lock:
            running = list(self._running.values())
        for process in running:
            _end(process)
        for thread in self._threads:
            thread.join(_GRACE)

    def stop(self, id: str) -> bool:
        """Takes a job out of the queue, or ends its command; whether there was something to stop."""
        if self._jobs.stop_waiting(id):
            return True
        with self._lock:
            process = self._running.get(id)
            found = self._jobs.get(id)
            if found is None or found.state != "running":
                return False
            self._stopped.add(id)  # one that is just being begun ends as soon as it has
        if process is not None:
            _end(process)
        return True

    def _run(self) -> None:
        while not self._ending:
            try:
                if not self._run_next():
                    with self._jobs.changed:
                        self._jobs.changed.wait(_NOTICE_AFTER)
            except sqlite3.Error as error:  # the disk is full, say: this thread must outlive it, or the queue halts
                sys.stderr.write(f"the queue cannot be used ({complaint(error)}); it is tried again\n")
                time.sleep(_NOTICE_AFTER)

    def _run_next(self) -> bool:
        """Begins the first job that waits, and waits for its end; whether there was one."""
        job = self._jobs.take()
        if job is None:
            return False
        try:
            self._check(job)
            status = self._carry_out(job)
        except InputError as error:
            self._jobs.end(job.id, "failed", None, str(error))
        except OSError as error:
            told = f"its command could not be run ({complaint(error)}); free some space or memory, and go on with it"
            self._jobs.end(job.id, "failed", None, told)
        else:
            if self._ending:
                self._jobs.put_back(job.id)
            else:
                self._record(job, status)
        with self._lock:
            self._stopped.discard(job.id)
        return True

    def _carry_out(self, job: Job) -> int:
        folder = job_folder(self._own, job.id)
        folder.mkdir(parents=True, exist_ok=True)
        if job.attempts > 1 and job.run is not None:
            _wait_for(self._own.parent / job.run)
        partial = folder / f".{RESULT}"
        with partial.open("wb") as out, (folder / LOG).open("ab") as log:
            process = _started(job, out, log)
            with self._lock:
                self._running[job.id] = process
            try:
                with self._lock:
                    unwanted = self._ending or job.id in self._stopped
                if unwanted:
                    _end(process)
                status = process.wait()
            finally:
                with self._lock:
                    self._running.pop(job.id, None)
                if process.stdin:
                    process.stdin.close()
        if status in (0, 1, 3):
            partial.replace(folder / RESULT)
        return status

    def _record(self, job: Job, status: int) -> None:
        with self._lock:
            stopped = job.id in self._stopped
        told = last_line(job_folder(self._own, job.id) / LOG)
        if stopped:
            self._jobs.end(job.id, "stopped", status)
        elif status in (0, 1, 3):
            self._jobs.end(job.id, "done", status)
        elif status in _FAILED:
            self._jobs.end(job.id, "failed", status, told)
        elif job.attempts < MOST_ATTEMPTS:  # killed, or out of memory: its run resumes
            self._jobs.end(job.id, "queued")
        else:
            died = f"its process died {job.attempts} times, the last time with status {status}; {told}"
            self._jobs.end(job.id, "failed", status, died)


def _wait_for(run: Path) -> None:
    """Waits a while for a run folder that the command of a killed service has not yet let go."""
    end = time.monotonic() + _GRACE
    while run.is_dir() and time.monotonic() < end:
        with contextlib.suppress(RunError), held(run):
            return
        time.sleep(_LOOKS_AGAIN)


def _started(job: Job, out: IO[bytes], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own command; its arguments are a list
        [sys.executable, "-m", "dominance", *job.command],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=log,
        env={**os.environ, SERVED: "1", "NO_COLOR": "1"},
        start_new_session=True,
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a command: at once if it can, so that what it began is not half done, and by force if it does not."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()


def last_line(log: Path) -> str:
    """The last line of a log that is not blank."""
    lines = tail(log).splitlines()
    return next(
        (on_one_line(line.strip(), _LONGEST_TOLD) for line in reversed(lines) if line.strip()), "it said nothing"
    )


def tail(log: Path, most: int = 8000) -> str:
    """The end of a log."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - most))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""

"""The queue: jobs in one SQLite file, so that a restart finds them; a job is a command, and its work a run folder."""

import json
import sqlite3
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from dominance.errors import RunError

State = Literal["queued", "running", "done", "failed", "stopped"]
STATES: tuple[State, ...] = ("queued", "running", "done", "failed", "stopped")
MOST_ATTEMPTS = 3
"""Times that a job is begun again after its process died; one that kills its process each time is given up."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, verb TEXT NOT NULL, title TEXT NOT NULL,
    command TEXT NOT NULL, run TEXT, state TEXT NOT NULL, status INTEGER, told TEXT, created REAL NOT NULL,
    started REAL, ended REAL, attempts INTEGER NOT NULL DEFAULT 0, reads TEXT);
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, number);
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One command that was asked for.

    Attributes:
        title: what it is about, for people.
        command: its arguments, after ``dominance``.
        run: name of its run folder; None if it leaves none.
        reads: name of the upload, or of the other run, that it reads; None if it reads neither.
        status: the command's exit status; None before its end.
        told: the last line that it said, where it failed.
        created, started, ended: seconds since 1970.
        attempts: times that its process was begun.
    """

    number: int = 0
    id: str
    verb: str
    title: str
    command: tuple[str, ...]
    run: str | None
    state: State = "queued"
    status: int | None = None
    told: str | None = None
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    reads: str | None = None


_COLUMNS = tuple(item.name for item in fields(Job))


class Jobs:
    """The queue of one service; every method has committed when it returns, and may be called from any thread."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self.changed = threading.Condition(self._lock)
        try:
            self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(_SCHEMA)
            if "reads" not in {row[1] for row in self._db.execute("PRAGMA table_info(jobs)")}:  # an older queue
                self._db.execute("ALTER TABLE jobs ADD COLUMN reads TEXT")
        except sqlite3.Error as error:
            raise RunError(
                f"the queue {file} cannot be used ({error}); free some space, or give another --folder"
            ) from None

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def add(self, job: Job, most_waiting: int) -> Job | None:
        """Puts a job at the end; None if as many wait already."""
        with self._writing():
            (waiting,) = self._db.execute("SELECT count(*) FROM jobs WHERE state = 'queued'").fetchone()
            if waiting >= most_waiting:
                return None
            record = {**asdict(job), "command": json.dumps(job.command), "created": time.time()}
            del record["number"]
            names = ", ".join(record)
            self._db.execute(
                f"INSERT INTO jobs ({names}) VALUES ({', '.join('?' * len(record))})",  # noqa: S608 - our own names
                list(record.values()),
            )
            self.changed.notify_all()
        return self.get(job.id)

    def get(self, id: str) -> Job | None:
        """The job of that id."""
        return next(self._found("WHERE id = ?", (id,)), None)

    def listed(self, most: int = 50, state: State | None = None) -> list[Job]:
        """The latest jobs, the latest first."""
        where, values = ("WHERE state = ? ", [state]) if state else ("", [])
        return list(self._found(f"{where}ORDER BY number DESC LIMIT ?", (*values, most)))

    def counts(self) -> dict[State, int]:
        """Jobs by state."""
        with self._lock:
            found = dict(self._db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        return {state: found.get(state, 0) for state in STATES}

    def before(self, job: Job) -> int:
        """Jobs that wait before this one."""
        with self._lock:
            sql = "SELECT count(*) FROM jobs WHERE state = 'queued' AND number < ?"
            return self._db.execute(sql, (job.number,)).fetchone()[0]

    def of_run(self, run: str) -> Job | None:
        """The latest job that works in a run's folder."""
        return next(self._found("WHERE run = ? ORDER BY number DESC LIMIT 1", (run,)), None)

    def ended(self, *, run: str | None = None, before: float | None = None) -> list[Job]:
        """The jobs that are over: those of a run's folder, or those that ended before a time."""
        where, value = ("run = ?", run) if run is not None else ("ended < ?", before)
        return list(self._found(f"WHERE state NOT IN ('queued', 'running') AND {where}", (value,)))

    def reading(self, name: str) -> bool:
        """Whether a job, also one that is over, reads an upload or run."""
        return next(self._found("WHERE reads = ? LIMIT 1", (name,)), None) is not None

    @contextmanager
    def unused(self, name: str) -> Generator[bool]:
        """Whether no job that waits or runs uses a run or an upload; none begins while the block runs."""
        with self._lock:
            using = "WHERE state IN ('queued', 'running') AND (run = ? OR reads = ?) LIMIT 1"
            yield next(self._found(using, (name, name)), None) is None

    def forget(self, id: str) -> bool:
        """Deletes a job that is over; whether there was one."""
        with self._writing():
            sql = "DELETE FROM jobs WHERE id = ? AND state NOT IN ('queued', 'running')"
            return self._db.execute(sql, (id,)).rowcount == 1

    def take(self) -> Job | None:
        """Begins the first job that waits; never two at once in one folder."""
        with self._writing():
            first = next(
                self._found(
                    "WHERE state = 'queued' AND (run IS NULL OR run NOT IN"
                    " (SELECT run FROM jobs WHERE state = 'running' AND run IS NOT NULL)) ORDER BY number LIMIT 1",
                    (),
                ),
                None,
            )
            if first is None:
                return None
            self._db.execute(
                "UPDATE jobs SET state = 'running', started = coalesce(started, ?), attempts = attempts + 1,"
                " ended = NULL, told = NULL, status = NULL WHERE id = ?",
                (time.time(), first.id),
            )
        return self.get(first.id)

    def end(self, id: str, state: State, status: int | None = None, told: str | None = None) -> None:
        """Records how a running job ended; ``queued`` lets it begin again."""
        with self._writing():
            ended = None if state == "queued" else time.time()
            self._db.execute(
                "UPDATE jobs SET state = ?, status = ?, told = ?, ended = ? WHERE id = ? AND state = 'running'",
                (state, status, told, ended, id),
            )
            self.changed.notify_all()

    def stop_waiting(self, id: str) -> bool:
        """Takes a job that waits out of the queue; whether it waited."""
        with self._writing():
            sql = "UPDATE jobs SET state = 'stopped', ended = ? WHERE id = ? AND state = 'queued'"
            return self._db.execute(sql, (time.time(), id)).rowcount == 1

    def again(self, id: str) -> bool:
        """Puts a job that failed or was stopped back into the queue, where its run resumes; whether it had."""
        with self._writing():
            sql = (
                "UPDATE jobs SET state = 'queued', attempts = 0, ended = NULL, told = NULL, status = NULL"
                " WHERE id = ? AND state IN ('failed', 'stopped')"
            )
            again = self._db.execute(sql, (id,)).rowcount == 1
            self.changed.notify_all()
        return again

    def put_back(self, id: str) -> None:
        """A running job waits again as if it had not been begun: the service ends, and the job has no part in that."""
        with self._writing():
            sql = "UPDATE jobs SET state = 'queued', attempts = attempts - 1 WHERE id = ? AND state = 'running'"
            self._db.execute(sql, (id,))

    def take_up_again(self) -> int:
        """After a service that was killed: what was running waits again, in its place; how many jobs.

        One that was running each time that its process or the service died is given up: it may be what kills them.
        """
        told = f"its process or the service died {MOST_ATTEMPTS} times while it ran; go on with it if it is not why"
        with self._writing():
            self._db.execute(
                "UPDATE jobs SET state = 'failed', ended = ?, told = ? WHERE state = 'running' AND attempts >= ?",
                (time.time(), told, MOST_ATTEMPTS),
            )
            return self._db.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'").rowcount

    def _found(self, where: str, values: Sequence[object]) -> Iterator[Job]:
        with self._lock:
            sql = f"SELECT {', '.join(_COLUMNS)} FROM jobs {where}"  # noqa: S608 - our own words
            rows = self._db.execute(sql, values).fetchall()
        for row in rows:
            record: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
            record["command"] = tuple(json.loads(record["command"]))
            yield Job(**record)

    @contextmanager
    def _writing(self) -> Generator[None]:
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

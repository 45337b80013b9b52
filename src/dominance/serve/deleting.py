"""Deletes what the service keeps: jobs with their logs, runs, uploads; nothing that a job uses, nothing elsewhere.

What is deleted is first moved, in one step, to a folder of what will go: a kill leaves it whole or gone, never half.
"""

import contextlib
import secrets
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from starlette.exceptions import HTTPException

from dominance.errors import RunError
from dominance.files import is_file
from dominance.runs.reading import DOCUMENT_NAME
from dominance.runs.store.folder import LEDGER_NAME, LOCK_NAME, locked
from dominance.serve.jobs import Job, Jobs
from dominance.serve.places import OWN, folder_in
from dominance.serve.refusals import refusal
from dominance.serve.uploads import Uploads
from dominance.serve.work import LOG, job_folder
from dominance.wording import complaint

DELETED = "deleted.log"
_ASKED = "somebody with access asked for it"
_DAY = 86_400.0


class Deleting:
    """Deletes jobs, runs and uploads of one service.

    Args:
        root: the folder of runs.
    """

    def __init__(self, root: Path, jobs: Jobs, uploads: Uploads) -> None:
        self._root, self._own, self._jobs, self._uploads = root, root / OWN, jobs, uploads
        self._gone = root / OWN / "gone"

    def job(self, id: str) -> None:
        """Deletes a job that is over, with its options, result and log; its run stays.

        Raises:
            HTTPException: there is no such job, or it waits or runs.
        """
        if self._jobs.get(id) is None:
            raise HTTPException(404, "there is no such job")
        if not self._jobs.forget(id):
            raise HTTPException(409, "the job waits or runs; stop it first")
        self._note(f"job {id}", _ASKED)
        self._clear(self._moved(job_folder(self._own, id)))

    def run(self, name: str, why: str = _ASKED) -> None:
        """Deletes a run: its folder, the jobs that worked in it, and the uploads that only those read.

        Raises:
            HTTPException: there is no such run, something uses it, or the disk does not let it be moved.
            RunError: the folder of one of its jobs cannot be moved.
        """
        folder = self.run_folder(name)
        if folder is None:
            raise HTTPException(404, "there is no such run")
        with self._jobs.unused(name) as unused:
            if not unused:
                raise HTTPException(409, "a job that waits or runs uses this run; stop the job first")
            try:
                with locked(folder / LOCK_NAME, folder):
                    moved = self._moved(folder)
            except RunError as error:
                status, told = refusal(error, self._root)
                raise HTTPException(409 if status < 500 else status, told) from None
            self._note(f"run {name}", why)
            over = self._jobs.ended(run=name)
            self._forget(over, f"with the run {name}")  # while none of them can go on and make the run again
        self._clear(moved)
        for upload in {job.reads for job in over if job.reads and job.verb == "score"}:
            if not self._jobs.reading(upload):
                with contextlib.suppress(HTTPException):
                    self.upload(upload, f"with the run {name}")

    def upload(self, name: str, why: str = _ASKED) -> None:
        """Deletes an upload.

        Raises:
            HTTPException: there is no such upload, or a job that waits or runs reads it.
            RunError: it cannot be moved.
        """
        folder = self._uploads.find(name)
        if folder is None:
            raise HTTPException(404, "there is no such upload")
        with self._jobs.unused(name) as unused:
            if not unused:
                raise HTTPException(409, "a job that waits or runs reads this upload; stop the job first")
            moved = self._moved(folder)
            self._note(f"upload {name}", why)
        self._clear(moved)

    def old(self, days: float) -> None:
        """Deletes the jobs that ended, and the uploads that were last added to, so many days ago; runs stay."""
        before, why = time.time() - days * _DAY, f"older than {days:g} days"
        self._forget(self._jobs.ended(before=before), why)
        for upload in self._uploads.listed():
            if upload.changed < before:
                with contextlib.suppress(HTTPException, RunError):
                    self.upload(upload.upload, why)

    def finish(self) -> None:
        """Ends what a killed service had begun to delete, and deletes what it wrote for jobs that it did not add."""
        shutil.rmtree(self._gone, ignore_errors=True)
        folders = self._own / "jobs"
        for folder in folders.iterdir() if folders.is_dir() else ():
            if not is_file(folder / LOG) and self._jobs.get(folder.name) is None:
                shutil.rmtree(folder, ignore_errors=True)

    def run_folder(self, name: str) -> Path | None:
        """The folder of that name that is a run, or that a job was to make one; None where there is none."""
        folder = folder_in(self._root, name)
        if folder is None:
            return None
        is_run = is_file(folder / LEDGER_NAME) or is_file(folder / DOCUMENT_NAME)
        return folder if is_run or self._jobs.of_run(name) else None

    def _note(self, what: str, why: str) -> None:
        """A line in the log of what was deleted: when, what and why, without a word of any prompt."""
        line = f"{datetime.now(UTC).isoformat(timespec='seconds')} deleted {what}: {why}\n"
        try:
            with (self._own / DELETED).open("a", encoding="utf-8") as log:
                log.write(line)
        except OSError as error:  # a disk that is full is why things are deleted
            sys.stderr.write(f"{line.strip()} ({DELETED} cannot be written: {complaint(error)})\n")

    def _forget(self, over: list[Job], why: str) -> None:
        for job in over:
            if self._jobs.forget(job.id):
                self._note(f"job {job.id}", why)
                self._clear(self._moved(job_folder(self._own, job.id)))

    def _moved(self, folder: Path) -> Path:
        """Where the folder is now, to be cleared."""
        place = self._gone / f"{folder.name}-{secrets.token_hex(4)}"
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if folder.exists():
                folder.rename(place)
        except OSError as error:
            raise RunError(f"cannot delete {folder} ({complaint(error)}); fix its permissions") from None
        return place

    def _clear(self, place: Path) -> None:
        """Deletes it, without links followed; what cannot be deleted now is tried again when the service starts."""
        shutil.rmtree(place, ignore_errors=True)

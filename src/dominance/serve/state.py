"""All that the service's requests share."""

import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from dominance.serve.asking import Desk
from dominance.serve.deleting import Deleting
from dominance.serve.jobs import Job, Jobs
from dominance.serve.metrics import Counts
from dominance.serve.options import ServeOptions
from dominance.serve.places import OWN
from dominance.serve.refusals import without_place
from dominance.serve.scoring import LiveJudge
from dominance.serve.searches import Searches
from dominance.serve.sessions import Keys
from dominance.serve.uploads import Most, Uploads
from dominance.serve.work import LOG, Work, job_folder, tail

_PROGRESS = re.compile(r"^(?P<what>[^:\n]{1,60}): (?P<done>\d+) of (?P<total>\d+)(?P<more>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class JobView:
    """A job as requests see it.

    Attributes:
        title: what it is about.
        run: its run folder's name; None if it leaves none.
        before: jobs that wait before it, while it waits.
        status: the command's exit status; 1: its gate fails, 3: something is unscored.
        told: why it failed.
        what, done, total: what it is doing now, and how far it is; None where it has not said.
        log: the last lines that it said.
        created, started, ended: seconds since 1970.
    """

    id: str
    verb: str
    title: str
    state: str
    run: str | None
    before: int
    status: int | None
    told: str | None
    what: str | None
    done: int | None
    total: int | None
    log: tuple[str, ...]
    created: float
    started: float | None
    ended: float | None
    attempts: int

    @property
    def over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in ("queued", "running")

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        return None if self.started is None else (self.ended or time.time()) - self.started


@dataclass(frozen=True)
class State:
    """The parts of one running service."""

    service: ServeOptions
    keys: Keys
    jobs: Jobs
    work: Work
    desk: Desk
    uploads: Uploads
    live: LiveJudge
    deleting: Deleting
    watchers: threading.Semaphore
    searches: Searches = field(default_factory=Searches)
    counts: Counts = field(default_factory=Counts)

    @classmethod
    def of(cls, service: ServeOptions, token: str | None) -> "State":
        """All parts, nothing begun yet."""
        own = service.folder / OWN
        jobs = Jobs(own / "jobs.sqlite")
        most = Most(service.most_megabytes, service.most_megapixels)
        uploads = Uploads(own / "uploads", most, service.most_images)
        live = LiveJudge(
            service.judge[0],
            service.machine.device,
            service.score_batch,
            service.score_waiting,
            service.score_seconds,
        )
        desk = Desk(service, uploads)
        work = Work(jobs, own, service.jobs_at_once, desk.check_stored)
        deleting, watchers = Deleting(service.folder, jobs, uploads), threading.Semaphore(service.most_watching)
        return cls(service, Keys(token), jobs, work, desk, uploads, live, deleting, watchers)

    @property
    def own(self) -> Path:
        """The service's own folder."""
        return self.service.folder / OWN

    def view(self, job: Job) -> JobView:
        """How far a job is."""
        log = without_place(tail(job_folder(self.own, job.id) / LOG), self.service.folder)
        found = None if job.state != "running" else next(reversed(list(_PROGRESS.finditer(log))), None)
        waits = self.jobs.before(job) if job.state == "queued" else 0
        return JobView(
            id=job.id,
            verb=job.verb,
            title=job.title,
            state=job.state,
            run=job.run,
            before=waits,
            status=job.status,
            told=job.told and without_place(job.told, self.service.folder),
            what=found and found["what"],
            done=found and int(found["done"]),
            total=found and int(found["total"]),
            log=tuple(line for line in log.splitlines() if line.strip())[-8:],
            created=job.created,
            started=job.started,
            ended=job.ended,
            attempts=job.attempts,
        )

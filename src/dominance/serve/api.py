"""HTTP for programs: the commands as JSON, uploads, runs, one image's score, and metrics."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from threading import Semaphore
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from dominance.documents import json_bytes
from dominance.errors import InputError
from dominance.serve.jobs import Job
from dominance.serve.live import Asked, LiveScore
from dominance.serve.runs import Card, card_of, listed_runs
from dominance.serve.scoring import BusyError
from dominance.serve.state import JobView, State
from dominance.serve.uploads import KeptUpload, read_upload
from dominance.serve.verbs import VERBS, Verb
from dominance.serve.work import RESULT, job_folder
from dominance.suites.brackets import parse_prompt

_LOOKS_EVERY = 0.5
"""Seconds between two looks at a job that someone watches."""
_LONGEST_WATCHED = 600.0
"""Seconds after which a stream of events ends; who still wants it asks again, as browsers do by themselves."""
_LONGEST_PROMPT = 5000
PROMPT_HEADER, NAME_HEADER = "dominance-prompt", "dominance-name"
"""What is said about an image that is a body: in headers, because addresses stand in the logs of proxies."""


@dataclass(frozen=True)
class Upload:
    """An upload, and the file that an image became."""

    upload: str
    file: str | None = None


class Beside(BaseModel):
    """The run to lay beside another."""

    other: str


class Search(BaseModel):
    """Which runs are wanted: those with all of the words, of the kind, and with an image of the verdict."""

    words: str = ""
    kind: str = ""
    verdict: str = ""


def programs(state: State) -> APIRouter:
    """All routes for programs."""
    router = APIRouter()
    for verb in VERBS.values():
        _add_verb(router, state, verb)
    _add_jobs(router, state)
    _add_uploads(router, state)
    _add_runs(router, state)
    _add_score(router, state)
    return router


def enqueued(state: State, make: Callable[[], Job]) -> Job:
    """The job that ``make`` makes, in the queue.

    Raises:
        InputError: it cannot be made.
        HTTPException: too many wait.
    """
    most = state.service.most_waiting
    full = state.jobs.counts()["queued"] >= most  # seen before a job's files are written, which nobody would delete
    job = None if full else state.jobs.add(make(), most)
    if job is None:
        raise HTTPException(503, f"{most} jobs wait already; ask again later", {"retry-after": "30"})
    return job


def _add_verb(router: APIRouter, state: State, verb: Verb) -> None:
    request = verb.request()

    def ask(body: Any) -> JobView:
        given = body.model_dump(exclude_none=True)
        return state.view(enqueued(state, lambda: state.desk.job_of(verb, given)))

    def result(job: str) -> Response:
        found = _found(state, job)
        file = job_folder(state.own, found.id) / RESULT
        if found.verb != verb.name or not file.is_file():
            raise HTTPException(404, f"the job {found.id} is {found.state} and has no result of {verb.name}")
        return FileResponse(file, media_type="application/json")

    ask.__annotations__["body"] = request
    router.post(
        f"/api/{verb.name}",
        status_code=202,
        response_model=JobView,
        operation_id=f"{verb.name}",
        summary=f"{verb.what}.",
        tags=["commands"],
    )(ask)
    router.get(
        f"/api/{verb.name}/{{job}}",
        operation_id=f"{verb.name}_result",
        summary=f"What `dominance {verb.name} --json` prints, once the job is done.",
        tags=["commands"],
        openapi_extra={"x-result": verb.name},
    )(result)


def _found(state: State, id: str) -> Job:
    job = state.jobs.get(id)
    if job is None:
        raise HTTPException(404, "there is no such job")
    return job


def _add_jobs(router: APIRouter, state: State) -> None:
    @router.get("/api/jobs", tags=["jobs"], summary="The latest jobs.")
    def jobs() -> list[JobView]:
        return [state.view(job) for job in state.jobs.listed()]

    @router.get("/api/jobs/{job}", tags=["jobs"], summary="One job, and how far it is.")
    def job_(job: str) -> JobView:
        return state.view(_found(state, job))

    @router.get("/api/jobs/{job}/events", tags=["jobs"], summary="The same as server-sent events, until it ends.")
    async def events(request: Request, job: str) -> StreamingResponse:
        found = await asyncio.to_thread(_found, state, job)
        if not state.watchers.acquire(blocking=False):
            raise HTTPException(503, "too many watch jobs already; ask for the job itself", {"retry-after": "5"})
        return _Stream(_told(state, found, request), state.watchers)

    @router.post("/api/jobs/{job}/stop", tags=["jobs"], summary="Stop it; what it has finished stays in its run.")
    def stop(job: str) -> JobView:
        state.work.stop(_found(state, job).id)
        return state.view(_found(state, job))

    @router.post("/api/jobs/{job}/again", tags=["jobs"], summary="Go on with a job that failed or was stopped.")
    def again(job: str) -> JobView:
        if not state.jobs.again(_found(state, job).id):
            raise HTTPException(409, "only a job that failed or was stopped can go on")
        return state.view(_found(state, job))

    @router.delete("/api/jobs/{job}", status_code=204, tags=["jobs"], summary="Delete a job that is over, and its log.")
    def delete(job: str) -> None:
        state.deleting.job(job)


class _Stream(StreamingResponse):
    """A stream of events, which gives its place free however it ends."""

    def __init__(self, told: AsyncIterator[bytes], places: Semaphore) -> None:
        super().__init__(told, media_type="text/event-stream")
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.release()


async def _told(state: State, job: Job, request: Request) -> AsyncIterator[bytes]:
    last, until = b"", time.monotonic() + _LONGEST_WATCHED
    while time.monotonic() < until and not await request.is_disconnected():
        found = await asyncio.to_thread(lambda: state.view(state.jobs.get(job.id) or job))
        told = json_bytes(found).strip()
        if told != last:
            yield b"data: " + told + b"\n\n"
            last = told
        if found.over:
            return
        await asyncio.sleep(_LOOKS_EVERY)


def _add_uploads(router: APIRouter, state: State) -> None:
    @router.get("/api/uploads", tags=["images"], summary="Uploads that are kept, the latest first.")
    def uploads() -> list[KeptUpload]:
        return state.uploads.listed()

    @router.post("/api/uploads", status_code=201, tags=["images"], summary="Begin an upload of images to score.")
    def begin() -> Upload:
        return Upload(state.uploads.new())

    @router.delete("/api/uploads/{upload}", status_code=204, tags=["images"], summary="Delete an upload.")
    def delete(upload: str) -> None:
        state.deleting.upload(upload)

    @router.post(
        "/api/uploads/{upload}",
        status_code=201,
        tags=["images"],
        summary="Add an image, which is the body.",
        openapi_extra=_image_body(NAME_HEADER, "What its sender calls the image.", required=False),
    )
    async def add(request: Request, upload: str) -> Upload:
        """`Dominance-Name` is what you call it; the name stays as far as it is letters and digits."""
        name = _said(request, NAME_HEADER) or ""
        content = await request.body()
        return Upload(upload, await asyncio.to_thread(state.uploads.add, upload, content, name))


def _add_runs(router: APIRouter, state: State) -> None:
    root = state.service.folder

    @router.get("/api/runs", tags=["runs"], summary="Runs, the latest first; kind and verdict filter.")
    def runs(kind: str = "", verdict: str = "") -> list[Card]:
        return listed_runs(root, "", kind, verdict)

    @router.post("/api/runs/search", tags=["runs"], summary="Runs, the latest first; words, kind and verdict filter.")
    def search(body: Search) -> list[Card]:
        return listed_runs(root, body.words, body.kind, body.verdict)

    @router.get("/api/runs/{run}", tags=["runs"], summary="One run.")
    def run_(run: str) -> Card:
        card = card_of(root, run)
        if card is None:
            raise HTTPException(404, "there is no such run")
        return card

    @router.delete("/api/runs/{run}", status_code=204, tags=["runs"], summary="Delete a run that no job uses.")
    def delete(run: str) -> None:
        state.deleting.run(run)

    @router.post("/api/runs/{run}/beside", status_code=202, tags=["runs"], summary="Compare it with another run.")
    def beside(run: str, body: Beside) -> JobView:
        return state.view(enqueued(state, lambda: state.desk.beside(run, body.other)))


def _add_score(router: APIRouter, state: State) -> None:
    @router.post(
        "/score",
        tags=["images"],
        summary="Judge one image, which is the body, by the service's first judge, now.",
        openapi_extra=_image_body(PROMPT_HEADER, "The prompt, its concepts in brackets.", required=True),
        responses={
            422: {"description": "A prompt or an image that cannot be used."},
            503: {"description": "Too busy."},
        },
    )
    async def score(request: Request) -> LiveScore:
        """503 says that the judge is busy or being loaded: try again."""
        began = time.monotonic()
        prompt = _said(request, PROMPT_HEADER)
        if prompt is None:
            raise InputError(
                "the request has no prompt; send it in the header Dominance-Prompt, its concepts in brackets, and what"
                " is not ASCII percent-encoded"
            )
        content = await request.body()
        asked = await asyncio.to_thread(partial(_asked, state, content, prompt))
        try:
            answer = await state.live.score(asked)
        except BusyError as error:
            state.counts.scored("refused", time.monotonic() - began)
            raise HTTPException(503, str(error), {"retry-after": str(error.after)}) from None
        if isinstance(answer, str):
            raise InputError(answer)
        state.counts.scored(answer.verdict or "unscored", time.monotonic() - began)
        return answer

    @router.get("/metrics", tags=["service"], summary="Counts, for Prometheus.")
    def metrics() -> PlainTextResponse:
        batches, images = state.live.batches
        live = {
            "dominance_score_waiting": state.live.waiting,
            "dominance_score_judge_ready": int(state.live.ready),
            "dominance_score_judge_starts_total": state.live.begun,
            "dominance_score_batches_total": batches,
            "dominance_score_batched_images_total": images,
        }
        text = state.counts.text(state.jobs.counts(), live)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _asked(state: State, content: bytes, prompt: str) -> Asked:
    if len(prompt) > _LONGEST_PROMPT:
        raise InputError(f"the prompt has {len(prompt)} characters; give at most {_LONGEST_PROMPT}")
    parse_prompt(prompt, "prompt")
    image = read_upload(content, state.uploads.most)
    return Asked(prompt, image.size, image.tobytes())


def _said(request: Request, header: str) -> str | None:
    """What a header says: UTF-8, plain or percent-encoded; None if it is not there.

    Raises:
        InputError: it is not UTF-8.
    """
    given = request.headers.get(header)
    try:
        return None if given is None else unquote(given.encode("latin-1").decode(), errors="strict")
    except UnicodeDecodeError:
        raise InputError(f"the header {header} is not UTF-8; percent-encode it") from None


def _image_body(header: str, about: str, *, required: bool) -> dict[str, Any]:
    """An image as the body, and what a header says of it, for the OpenAPI document."""
    kinds = ("image/png", "image/jpeg", "image/webp")
    body = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    told = f"{about} What is not ASCII, and %, is percent-encoded."
    named = {"name": header.title(), "in": "header", "required": required, "description": told}
    return {
        "requestBody": {"required": True, "content": body},
        "parameters": [{**named, "schema": {"type": "string"}}],
    }

"""The pages for people: ask for a run, watch it, log in. Every form works without a script."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from dominance.errors import DominanceError, InputError, RunError
from dominance.report.parts.page_stream import environment
from dominance.serve.api import enqueued
from dominance.serve.delete_pages import add_deleting
from dominance.serve.forms import form_fields, given_of
from dominance.serve.jobs import Job
from dominance.serve.login_pages import add_login
from dominance.serve.refusals import refusal
from dominance.serve.run_pages import add_runs
from dominance.serve.runs import card_of
from dominance.serve.sessions import current
from dominance.serve.state import State
from dominance.serve.uploads import check_bytes
from dominance.serve.verbs import VERBS
from dominance.serve.work import RESULT, job_folder
from dominance.suites import bundled_suites
from dominance.wording import quoted

_KINDS = {"page.css": "text/css", "page.js": "text/javascript"}
_MOST_FIELDS = 200


class Page:
    """Writes pages of one service."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, template: str, status: int = 200, **words: object) -> HTMLResponse:
        """The template, filled with these words."""
        shared = {"form_key": self._state.keys.form, "logged_in": bool(current.get())}
        found = environment("dominance.serve").get_template(f"templates/{template}.html.j2")
        return HTMLResponse(found.render(**shared, **words).encode("utf-8", "replace"), status)

    def failed(self, status: int, told: str) -> HTMLResponse:
        """A page that says what went wrong."""
        return self("failed", status, told=told)


async def form_of(state: State, request: Request, files: int = 0) -> FormData:
    """A sent form, if it comes from a page of this service.

    Raises:
        HTTPException: it does not.
    """
    kind = request.headers.get("content-type", "")
    if not kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        raise HTTPException(415, "this is no form of the page")
    form = await request.form(max_files=files, max_fields=_MOST_FIELDS, max_part_size=1_000_000)
    if not state.keys.is_form(form.get("form_key")):
        raise HTTPException(403, "this form is older than the service, or from another site; open the page again")
    return form


def people(state: State) -> APIRouter:
    """All pages."""
    router = APIRouter(include_in_schema=False)
    page = Page(state)
    _add_static(router)
    add_login(router, state, page, form_of)
    _add_asking(router, state, page)
    _add_upload(router, state, page)
    add_deleting(router, state, page, form_of)
    _add_jobs(router, state, page)
    add_runs(router, state, page, form_of)
    return router


@cache
def _static(name: str) -> bytes:
    own = resources.files("dominance.serve").joinpath("static", name).read_bytes()
    if name != "page.css":
        return own
    return resources.files("dominance.report").joinpath("parts", "page.css").read_bytes() + own


def _add_static(router: APIRouter) -> None:
    @router.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204, headers={"cache-control": "max-age=86400"})

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _KINDS:
            raise HTTPException(404, "there is no such file")
        return Response(_static(name), media_type=_KINDS[name], headers={"cache-control": "max-age=300"})


def _add_asking(router: APIRouter, state: State, page: Page) -> None:
    def shown(form: Mapping[str, object], told: str | None, status: int = 200) -> HTMLResponse:
        asked = [verb for verb in VERBS.values() if verb.subject != "upload"]
        return page(
            "new",
            status,
            verbs=asked,
            first=form_fields(first=True),
            rest=form_fields(first=False),
            service=state.service,
            suites=bundled_suites(),
            form=form,
            told=told,
            jobs=[state.view(job) for job in state.jobs.listed(5)],
        )

    @router.get("/")
    def new() -> HTMLResponse:
        return shown({}, None)

    @router.post("/")
    async def ask(request: Request) -> Response:
        form = await form_of(state, request)
        verb = VERBS.get(str(form.get("verb", "")))
        try:
            if verb is None or verb.subject == "upload":
                raise InputError("choose what to do with the prompt")
            given = given_of(verb, form)
            job = await run_in_threadpool(enqueued, state, lambda: state.desk.job_of(verb, given))
        except (DominanceError, HTTPException) as error:
            status, told = refusal(error, state.service.folder)
            return shown(form, told, status)
        return RedirectResponse(f"/jobs/{job.id}", 303)


def _add_upload(router: APIRouter, state: State, page: Page) -> None:
    def shown(form: Mapping[str, object], told: str | None, status: int = 200) -> HTMLResponse:
        kept = state.uploads.listed()
        return page("upload", status, service=state.service, form=form, told=told, uploads=kept)

    @router.get("/upload")
    def new() -> HTMLResponse:
        return shown({}, None)

    @router.post("/upload")
    async def take(request: Request) -> Response:
        form = await form_of(state, request, files=state.service.most_images)
        verb, upload, job = VERBS["score"], None, None
        try:
            given = given_of(verb, {**form, "upload": "pending"})
            files = [file for file in form.getlist("images") if isinstance(file, UploadFile) and file.size]
            if not files:
                raise InputError("no image was sent; choose at least one PNG, JPEG or WebP file")
            given["upload"] = upload = await run_in_threadpool(state.uploads.new)
            for file in files:
                await _keep(state, upload, file)
            job = await run_in_threadpool(enqueued, state, lambda: state.desk.job_of(verb, given))
        except (DominanceError, HTTPException) as error:
            await _dropped(state, upload, job)
            status, told = refusal(error, state.service.folder)
            return shown(form, told, status)
        finally:
            await form.close()
            await _dropped(state, upload, job)
        return RedirectResponse(f"/jobs/{job.id}", 303)


async def _dropped(state: State, upload: str | None, job: Job | None) -> None:
    """Deletes an upload of which no job came."""
    if upload is not None and job is None:
        await run_in_threadpool(state.uploads.discard, upload)


async def _keep(state: State, upload: str, file: UploadFile) -> None:
    """Adds a file of a form to an upload; one that is too large is not read into memory.

    Raises:
        InputError: an image that cannot be used, by its sender's name for it.
        RunError: the disk refuses.
    """
    try:
        check_bytes(file.size or 0, state.uploads.most)
        await run_in_threadpool(state.uploads.add, upload, await file.read(), file.filename or "")
    except RunError:
        raise
    except InputError as error:
        raise InputError(f"{quoted(file.filename or 'a file')}: {error}") from None


def _add_jobs(router: APIRouter, state: State, page: Page) -> None:
    def found(id: str) -> Job:
        job = state.jobs.get(id)
        if job is None:
            raise HTTPException(404, "there is no such job")
        return job

    @router.get("/jobs")
    def jobs() -> HTMLResponse:
        return page("jobs", jobs=[state.view(job) for job in state.jobs.listed(100)], counts=state.jobs.counts())

    @router.get("/jobs/{job}")
    def job_(job: str) -> HTMLResponse:
        view = state.view(found(job))
        there = view.run is not None and card_of(state.service.folder, view.run) is not None
        return page("job", job=view, there=there, risks=_risks(state, view.id) if view.verb == "preflight" else [])

    @router.post("/jobs/{job}/{what}")
    async def act(request: Request, job: str, what: str) -> Response:
        await form_of(state, request)
        if what not in ("stop", "again"):
            raise HTTPException(404, "there is no such page")
        await run_in_threadpool(state.work.stop if what == "stop" else state.jobs.again, found(job).id)
        return RedirectResponse(f"/jobs/{quote(job)}", 303)


def _risks(state: State, job: str) -> list[dict[str, Any]]:
    """What a preflight found, the riskiest first."""
    file = job_folder(state.own, job) / RESULT
    if not file.is_file():
        return []
    document = json.loads(file.read_bytes())
    return sorted(document, key=lambda risk: (risk.get("risk") != "high", -(risk.get("score") or 0.0)))

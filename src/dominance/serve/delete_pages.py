"""The pages that ask whether something is to be deleted, and delete it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dominance.numbers import plural
from dominance.serve.runs import card_of
from dominance.serve.state import State

if TYPE_CHECKING:
    from dominance.serve.pages import Page

_RUN = (
    "Its folder goes, with images, answers, report and labels; so do its jobs with their logs, and the images that were"
    " uploaded for it alone."
)
_JOB = "Its options, its log and what it printed go. The run that it made stays."
_UPLOAD = "Runs that scored these images keep their scores and reports, but the images are not shown any more."


def add_deleting(
    router: APIRouter, state: State, page: "Page", form_of: Callable[[State, Request], Awaitable[FormData]]
) -> None:
    """For runs, jobs and uploads."""

    def run(name: str) -> tuple[str, str] | None:
        if state.deleting.run_folder(name) is None:
            return None
        card = card_of(state.service.folder, name)
        return f"the run “{card.title if card else name}”", _RUN

    def job(id: str) -> tuple[str, str] | None:
        found = state.jobs.get(id)
        return None if found is None else (f"the job “{found.title}”", _JOB)

    def upload(name: str) -> tuple[str, str] | None:
        found = next((kept for kept in state.uploads.listed() if kept.upload == name), None)
        return None if found is None else (f"the upload of {plural(found.images, 'image')}", _UPLOAD)

    def added(kind: str, after: str, what: Callable[[str], tuple[str, str] | None], do: Callable[[str], None]) -> None:
        @router.get(f"/{kind}/{{name}}/delete")
        def ask(name: str) -> HTMLResponse:
            found = what(name)
            if found is None:
                raise HTTPException(404, "there is nothing of that name to delete")
            return page("delete", here=after, place=f"/{kind}/{name}", what=found[0], told=found[1])

        @router.post(f"/{kind}/{{name}}/delete")
        async def act(request: Request, name: str) -> Response:
            await form_of(state, request)
            await run_in_threadpool(do, name)
            return RedirectResponse(after, 303)

    added("runs", "/runs", run, state.deleting.run)
    added("jobs", "/jobs", job, state.deleting.job)
    added("uploads", "/upload", upload, state.deleting.upload)

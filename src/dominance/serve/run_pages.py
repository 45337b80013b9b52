"""The pages about runs: the list, one run and its files, two runs beside each other, labels and agreement."""

import base64
import csv
import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dominance.errors import DominanceError, InputError
from dominance.files import harmless_table, read_text
from dominance.report.parts.bars import verdict_bar
from dominance.report.parts.page_stream import environment
from dominance.serve.api import enqueued
from dominance.serve.labelling import LABELS_NAME, SEEN, RunLabels, check_reader
from dominance.serve.places import file_in, folder_in
from dominance.serve.refusals import refusal
from dominance.serve.runs import VERDICTS, Card, card_of, listed_runs, shown_images
from dominance.serve.state import State

if TYPE_CHECKING:
    from dominance.serve.pages import Page

_SCRIPTS = ("audit/page.js", "explanation/page.js")
"""The scripts of report pages, below ``report/``."""
_FILES = {
    ".html": "text/html; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".yaml": "text/plain; charset=utf-8",
    ".xml": "text/plain; charset=utf-8",
}
"""What of a run folder is shown, by its ending; a ledger is not."""
_MOST_LISTED, _LONGEST_SEARCH = 500, 200
_AT_ONCE = 60
"""Images of a run that one page shows."""


@cache
def report_policy() -> str:
    """The policy of report pages: of scripts, none but those that ship, by their hashes."""
    written = [f"\n{environment().get_template(name).render()}" for name in _SCRIPTS]  # as parts/layout includes them
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in written]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )


def add_runs(
    router: APIRouter, state: State, page: "Page", form_of: Callable[[State, Request], Awaitable[FormData]]
) -> None:
    """All of them."""
    root = state.service.folder

    def folder_of(run: str) -> Path:
        folder = folder_in(root, run)
        if folder is None:
            raise HTTPException(404, "there is no such run")
        return folder

    _add_list(router, state, page, form_of)
    _add_files(router, folder_of, state)
    _add_labels(router, state, page, folder_of, form_of)

    @router.get("/runs/{run}")
    def run_(run: str) -> HTMLResponse:
        return _run_page(root, page, folder_of(run), None)

    @router.post("/runs/{run}/beside")
    async def beside(request: Request, run: str) -> Response:
        form = await form_of(state, request)
        folder = folder_of(run)
        try:
            other = str(form.get("other", ""))
            job = await run_in_threadpool(enqueued, state, lambda: state.desk.beside(run, other))
        except InputError as error:
            status, told = refusal(error, root)
            return await run_in_threadpool(_run_page, root, page, folder, told, status)
        return RedirectResponse(f"/jobs/{job.id}", 303)


def _run_page(root: Path, page: "Page", folder: Path, told: str | None, status: int = 200) -> HTMLResponse:
    card = card_of(root, folder.name)
    if card is None:
        raise HTTPException(404, "this folder holds no run that is begun")
    images = shown_images(folder) if card.comparable else []
    others = [other for other in listed_runs(root) if other.comparable and other.name != card.name]
    return page(
        "run",
        status,
        card=card,
        bar=_bar(card),
        images=list(enumerate(images))[:_AT_ONCE],
        more=max(0, len(images) - _AT_ONCE),
        others=others if card.comparable else [],
        labels=(folder / LABELS_NAME).is_file(),
        told=told,
    )


def _bar(card: Card) -> object:
    counts = {name: card.verdicts.get(name, 0) for name in VERDICTS}
    label = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return verdict_bar(counts, label) if label else None


def _add_list(
    router: APIRouter, state: State, page: "Page", form_of: Callable[[State, Request], Awaitable[FormData]]
) -> None:
    @router.get("/runs")
    def runs(search: str = "", kind: str = "", verdict: str = "") -> HTMLResponse:
        words = state.searches.words(search)
        found = listed_runs(state.service.folder, words)
        cards = [card for card in found if card.fits(kind, verdict)]
        asked = {"words": words, "kind": kind, "verdict": verdict}
        kinds = sorted({card.kind for card in found} | ({kind} if kind else set()))
        listed = [(card, _bar(card)) for card in cards[:_MOST_LISTED]]
        return page("runs", listed=listed, found=len(cards), asked=asked, kinds=kinds, verdicts=VERDICTS)

    @router.post("/runs")
    async def search(request: Request) -> Response:
        form = await form_of(state, request)
        asked = {name: str(form.get(name, ""))[:_LONGEST_SEARCH] for name in ("words", "kind", "verdict")}
        asked["search"] = state.searches.keep(asked.pop("words"))
        chosen = urlencode({name: value for name, value in asked.items() if value})
        return RedirectResponse(f"/runs?{chosen}" if chosen else "/runs", 303)


def _add_files(router: APIRouter, folder_of: Callable[[str], Path], state: State) -> None:
    @router.get("/runs/{run}/files/{path:path}")
    def file_(run: str, path: str) -> Response:
        file = file_in(folder_of(run), path)
        kind = None if file is None else _FILES.get(file.suffix.lower())
        if file is None or kind is None:
            raise HTTPException(404, "there is no such file")
        if file.suffix.lower() == ".csv":
            return _table(file)
        headers = {"content-security-policy": report_policy()} if file.suffix == ".html" else {}
        return FileResponse(file, media_type=kind, headers=headers)

    @router.get("/runs/{run}/images/{number}")
    def image(run: str, number: int, of: str | None = None) -> Response:
        folder = folder_of(run)
        images = shown_images(folder)
        there = 0 <= number < len(images) and of in (None, images[number].mark)
        file = _image_file(folder, images[number].file, state) if there else None
        if file is None:
            raise HTTPException(404, "there is no such image")
        return FileResponse(
            file, media_type=_FILES[file.suffix.lower()], headers={"cache-control": "private, max-age=3600"}
        )


def _table(file: Path) -> Response:
    """A table as a download whose cells no spreadsheet runs, whatever prompts and names they hold."""
    try:
        content = harmless_table(read_text(file))
    except csv.Error:
        raise InputError(f"{file.name} is no table of CSV; open it in the run's folder") from None
    return Response(content, media_type=_FILES[".csv"], headers={"content-disposition": "attachment"})


def _image_file(folder: Path, file: str, state: State) -> Path | None:
    """An image of the run's own folder, or of an upload; one that lies elsewhere is not shown."""
    uploads = state.uploads.folder.resolve()  # as `score` names its images, links followed
    place: tuple[Path, str] = (folder, file)
    if Path(file).is_absolute():
        if not Path(file).is_relative_to(uploads):
            return None
        place = (uploads, Path(file).relative_to(uploads).as_posix())
    found = file_in(*place)
    return found if found is not None and _FILES.get(found.suffix.lower(), "").startswith("image/") else None


def _add_labels(
    router: APIRouter,
    state: State,
    page: "Page",
    folder_of: Callable[[str], Path],
    form_of: Callable[[State, Request], Awaitable[FormData]],
) -> None:
    def shown(run: str, reader: str, place: int | None, told: str | None = None, status: int = 200) -> HTMLResponse:
        labels = RunLabels(folder_of(run))
        words: dict[str, object] = {"run": run, "seen": SEEN, "readers": labels.readers(), "told": told}
        words |= {"reader": reader, "count": len(labels.images), "image": None, "place": place}
        if reader:
            order = labels.order(check_reader(reader))
            place = labels.next_for(reader) if place is None else place % len(order)
            words["done"] = labels.readers().get(reader, 0)
            if place is not None:
                image = labels.images[order[place]]
                said = labels.said(reader, image)
                words |= {"image": image, "number": order[place], "place": place, "said": said}
        return page("label", status, **words)

    @router.get("/runs/{run}/label")
    def label(run: str, reader: str = "", place: int | None = None) -> HTMLResponse:
        return shown(run, reader.strip(), place)

    @router.post("/runs/{run}/label")
    async def save(request: Request, run: str) -> Response:
        form = await form_of(state, request)
        reader, number, place = (str(form.get(name, "")) for name in ("reader", "number", "place"))
        if not (number.isdecimal() and place.isdecimal() and len(number + place) < 20):
            raise HTTPException(422, "the form names no image")
        labels = await run_in_threadpool(RunLabels, folder_of(run))
        if labels.mark_at(int(number)) != form.get("image"):
            raise HTTPException(409, "the run has other images since this page was opened; go back, and open it again")
        try:
            seen = {key.removeprefix("seen-"): str(value) for key, value in form.items() if key.startswith("seen-")}
            await run_in_threadpool(labels.save, reader, int(number), seen)
        except DominanceError as error:
            status, told = refusal(error, state.service.folder)
            return await run_in_threadpool(shown, run, reader, int(place), told, status)
        following = await run_in_threadpool(labels.next_for, reader, int(place))
        where = "" if following is None else f"&place={following}"
        return RedirectResponse(f"/runs/{quote(run)}/label?reader={quote(reader)}{where}", 303)

    @router.get("/runs/{run}/agreement")
    def agreement(run: str) -> HTMLResponse:
        labels = RunLabels(folder_of(run))
        pairs = labels.agreement()
        return page("agreement", run=run, readers=labels.readers(), count=len(labels.images), pairs=pairs)

"""The application: its routes behind the guard, its errors as one line, its queue begun and ended with it."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from dominance import __version__
from dominance.errors import DominanceError
from dominance.serve.api import programs
from dominance.serve.options import ServeOptions
from dominance.serve.pages import Page, people
from dominance.serve.refusals import refusal
from dominance.serve.schemas import result_schemas
from dominance.serve.security import FOR_PROGRAMS, Guard, Limits
from dominance.serve.state import State
from dominance.wording import complaint

_MOST_AT_ONCE = 20
"""Times the size of one image that a form of several may hold."""
_TIDIES_EVERY = 3600.0
_OPENAPI = "/api/openapi.json"


def make_app(service: ServeOptions, token: str | None = None) -> Guard:
    """The service as an ASGI application.

    Args:
        token: that every request must carry; None for none.

    Raises:
        RunError: its folder cannot be used.
    """
    state = State.of(service, token)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await asyncio.to_thread(state.deleting.finish)
        state.work.begin()
        tidying = asyncio.create_task(_tidying(state))
        yield
        tidying.cancel()
        await state.live.end()
        state.work.end()
        state.jobs.close()

    app = FastAPI(
        title="dominance", version=__version__, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    app.include_router(programs(state))
    app.include_router(people(state))
    app.add_api_route(_OPENAPI, lambda: openapi_of(app), tags=["service"], summary="This document.")
    _add_errors(app, Page(state), service.folder)
    image = service.most_megabytes * 1_000_000
    limits = Limits(image, _MOST_AT_ONCE * image, service.body_seconds)
    return Guard(app, service.names, state.keys, limits, state.counts)


async def _tidying(state: State) -> None:
    """Deletes what is older than it may be, now and every hour."""
    while (days := state.service.keep_days) is not None:
        try:
            await asyncio.to_thread(state.deleting.old, days)
        except (DominanceError, sqlite3.Error) as error:
            sys.stderr.write(f"what is older than {days:g} days is not deleted: {complaint(error)}\n")
        await asyncio.sleep(_TIDIES_EVERY)


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: bodies from the options classes, answers from the result classes."""
    if app.openapi_schema is None:
        routes = [route for route in app.routes if getattr(route, "include_in_schema", True)]
        document = get_openapi(title=app.title, version=app.version, routes=routes)
        shared = document.setdefault("components", {}).setdefault("schemas", {})
        for path in document["paths"].values():
            verb = path.get("get", {}).pop("x-result", None)
            if verb is not None:
                schema = result_schemas()[verb]
                shared |= schema.get("$defs", {})
                own = {name: value for name, value in schema.items() if name != "$defs"}
                path["get"]["responses"]["200"]["content"] = {"application/json": {"schema": own}}
        app.openapi_schema = document
    return app.openapi_schema


def _add_errors(app: FastAPI, page: Page, folder: Path) -> None:
    def told(request: Request, status: int, line: str, headers: Mapping[str, str] | None = None) -> Response:
        """As a page where people asked for one, else as JSON."""
        path, accepts = request.url.path, request.headers.get("accept", "")
        if "text/html" in accepts and not path.startswith(FOR_PROGRAMS):
            return page.failed(status, line)
        return JSONResponse({"error": line}, status, headers)

    async def refused(request: Request, error: Exception) -> Response:
        status, line = refusal(error, folder)
        if status >= 500:
            sys.stderr.write(f"{request.method} {request.url.path} failed: {complaint(error)}\n")
        return told(request, status, line)

    for met in (DominanceError, OSError, sqlite3.Error):
        app.add_exception_handler(met, refused)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
        return told(request, 422, f"{where}: {first['msg']}; see {_OPENAPI}")

    @app.exception_handler(HTTPException)
    async def stopped(request: Request, error: HTTPException) -> Response:
        return told(request, error.status_code, str(error.detail), error.headers)

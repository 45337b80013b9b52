"""The pages where people type in the token, and log out again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from dominance.serve.security import AFTER_WRONG, COOKIE
from dominance.serve.sessions import SESSION_SECONDS, current
from dominance.serve.state import State

if TYPE_CHECKING:
    from dominance.serve.pages import Page


def add_login(
    router: APIRouter, state: State, page: "Page", form_of: Callable[[State, Request], Awaitable[FormData]]
) -> None:
    """Both of them."""

    @router.get("/login")
    def ask() -> Response:
        if state.keys.token is None or current.get():
            return RedirectResponse("/", 303)
        return page("login", told=None)

    @router.post("/login")
    async def login(request: Request) -> Response:
        form = await form_of(state, request)
        if not state.keys.is_token(str(form.get("token", "")).strip()):
            state.counts.refusal(401)
            await asyncio.sleep(AFTER_WRONG)
            return page("login", 401, told="that is not the token of this service")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            state.keys.begin(),
            max_age=SESSION_SECONDS,
            secure=state.service.behind_https or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
            path="/",
        )
        return answer

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        await form_of(state, request)
        state.keys.end(current.get())
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

"""What stands before every request: its host, its origin, its token, its size; and the headers of every answer.

A page of another site can make a browser send requests here. It cannot give them our Host (DNS rebinding), our Origin,
our cookie (``SameSite=Strict``), the token of a form, or a body of JSON or of an image, for which a browser asks first.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dominance.serve.metrics import Counts
from dominance.serve.sessions import Keys, current

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

COOKIE = "dominance"
_MOST_COOKIES = 4
"""Of that name in a request, that are looked at."""
PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_SAFE = ("GET", "HEAD")
_OPEN = ("/login", "/static/page.css", "/favicon.ico")
"""What is answered without a token, so that it can be typed in."""
FOR_PROGRAMS = ("/api/", "/score", "/metrics")
AFTER_WRONG = 0.5
"""Seconds before a wrong token is answered."""
_SMALL = 1_000_000
"""Bytes of a body that holds no image."""
_SLOWEST = 100_000
"""Bytes a second that a body must reach, after the seconds that every body has."""


@dataclass(frozen=True)
class Limits:
    """The largest bodies, in bytes: of one image, and of a form of several; and the seconds that each has to arrive."""

    image: int
    form: int
    seconds: float

    def of(self, path: str) -> int:
        """For a path."""
        if path == "/upload":
            return self.form
        return self.image if path == "/score" or path.startswith("/api/uploads/") else _SMALL


class RefusedError(Exception):
    """A request that is not answered: its status, and why in one line."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status, self.told = status, told


class Guard:
    """Wraps the application.

    Args:
        names: hosts that a request may name.
        counts: of what is answered and refused.
    """

    def __init__(self, app: Any, names: frozenset[str], keys: Keys, limits: Limits, counts: Counts) -> None:
        self.app, self.names, self.keys, self.limits, self.counts = app, names, keys, limits, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        try:
            headers = _single_headers(scope)
            self._check_host(headers)
            self._check_origin(scope, headers)
            if not await self._is_known(scope, headers):
                await self._ask_for_token(scope, send)
                return
            most = self.limits.of(scope["path"])
            _check_length(headers, most)
        except RefusedError as error:
            self.counts.refusal(error.status)
            await _answer(send, error.status, {"error": error.told})
            return
        answered, body = 0, _Bounded(receive, most, self.limits.seconds, _has_body(headers))

        async def noted(message: dict[str, Any]) -> None:
            nonlocal answered
            answered = message.get("status", answered)
            if message["type"] == "http.response.start" and body.refused:  # what is still to come is not awaited
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        try:
            await self.app(scope, body.receive, _with_headers(noted))
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.counts.request(scope["method"], route, answered)

    def _check_host(self, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "")
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        if name.lower() not in self.names:
            raise RefusedError(421, "this service is not reached by that host name; see --allow-host")

    def _check_origin(self, scope: Scope, headers: Mapping[str, str]) -> None:
        if scope["method"] in _SAFE:
            return
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        own = origin is None or _authority(origin) == headers["host"].lower()
        if not own or site not in (None, "same-origin", "none"):
            raise RefusedError(403, "another site sent this request; open the page of this service itself")
        kind = headers.get("content-type", "").lower()
        asks_first = scope["method"] == "DELETE"  # as a browser does for a page of another site
        if (
            scope["path"].startswith(FOR_PROGRAMS)
            and not asks_first
            and not kind.startswith(("application/json", "image/"))
        ):
            raise RefusedError(415, "send the header Content-Type: application/json, or image/png with an image")

    async def _is_known(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        if self.keys.token is None:
            return True
        found = next(filter(self.keys.is_session, _cookies(headers.get("cookie", ""))), None)
        current.set(found or "")
        if found or scope["path"] in _OPEN:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if self.keys.is_token(given.strip()):
                return True
            await asyncio.sleep(AFTER_WRONG)
        return False

    async def _ask_for_token(self, scope: Scope, send: Send) -> None:
        self.counts.refusal(401)
        asks = scope["method"] in _SAFE and not scope["path"].startswith(FOR_PROGRAMS)
        if asks:
            await _answer(send, 303, None, [(b"location", b"/login")])
        else:
            told = {"error": "no token, or a wrong one; send the header Authorization: Bearer TOKEN"}
            await _answer(send, 401, told, [(b"www-authenticate", b"Bearer")])


class _Bounded:
    """Counts a body as it comes in, because its header may lie or be missing, and does not wait for it for ever.

    Attributes:
        refused: whether it was too large, or too slow.
    """

    def __init__(self, receive: Receive, most: int, seconds: float, has_body: bool) -> None:
        self._receive, self._most, self._seconds = receive, most, seconds
        self._began, self._read = time.monotonic(), 0
        self._whole, self.refused = not has_body, False

    async def receive(self) -> dict[str, Any]:
        from starlette.exceptions import HTTPException

        if self._whole:
            return await self._receive()
        left = self._began + self._seconds + self._read / _SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left))
        except TimeoutError:
            self.refused = True
            raise HTTPException(408, "the body of the request comes too slowly; send it again") from None
        self._read += len(message.get("body", b""))
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        if self._read > self._most:
            self.refused = True
            raise HTTPException(413, _too_large(self._most))
        return message


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _single_headers(scope: Scope) -> dict[str, str]:
    """The headers; one that decides something may be there only once."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in found and key in ("host", "origin", "authorization", "content-length"):
            raise RefusedError(400, f"the header {key} is there twice")
        found[key] = value.decode("latin-1")
    return found


def _authority(origin: str) -> str | None:
    """Its host and port, in lower case; None for what is no address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _check_length(headers: Mapping[str, str], most: int) -> None:
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise RefusedError(400, "the header content-length is no number")
    if int(length[:19]) > most:
        raise RefusedError(413, _too_large(most))


def _too_large(most: int) -> str:
    return f"the body is larger than {most / 1e6:g} MB; send less"


def _cookies(header: str) -> list[str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for name, _, value in pairs if name == COOKIE][:_MOST_COOKIES]


def _with_headers(send: Send) -> Send:
    async def sent(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            have = {name.lower() for name, _ in message["headers"]}
            policy = {"content-security-policy": PAGE_POLICY, "cache-control": "no-store"}
            more = {name.encode(): value.encode() for name, value in (_HEADERS | policy).items()}
            added = [(name, value) for name, value in more.items() if name not in have]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return sent


async def _answer(send: Send, status: int, document: object, more: list[tuple[bytes, bytes]] | None = None) -> None:
    body = b"" if document is None else json.dumps(document).encode()
    kind = [(b"content-type", b"application/json"), (b"connection", b"close")]
    length = [(b"content-length", str(len(body)).encode())]
    await _with_headers(send)(
        {"type": "http.response.start", "status": status, "headers": kind + length + (more or [])}
    )
    await send({"type": "http.response.body", "body": body})

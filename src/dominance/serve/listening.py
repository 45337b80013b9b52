"""Listens on a socket, as the only service of its folder."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

import fastapi  # noqa: F401 - what is missing shows here, before anything is locked or bound
import python_multipart  # noqa: F401
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dominance.errors import InputError
from dominance.runs.store.folder import locked
from dominance.serve.app import make_app
from dominance.serve.options import TOKEN_VARIABLE, ServeOptions
from dominance.serve.places import OWN
from dominance.wording import complaint

_QUIET_FOR = 2
"""Seconds that open connections have to end."""


class Impatient(H11Protocol):
    """A connection that waits only so long for the head of a request, and for the other side to take an answer.

    So a connection that is silent, or slow on purpose, holds its place for no more than these seconds.
    """

    seconds = 20.0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Waits from the first byte of a head until it is whole."""
        super().data_received(data)
        if self.flow.write_paused:
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()
        elif self._patience is None:
            self._wait()

    def pause_writing(self) -> None:
        """Waits while the other side takes nothing."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """It took something."""
        self._wait_no_more()
        super().resume_writing()

    def _wait(self) -> None:
        self._wait_no_more()
        self._patience = self.loop.call_later(self.seconds, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def impatient(seconds: float) -> type[Impatient]:
    """The connections of a service that gives each head so many seconds."""
    return type("Impatient", (Impatient,), {"seconds": seconds})


def listen(service: ServeOptions, tell: Callable[[str], None]) -> None:
    """Serves until Ctrl-C or a signal to terminate.

    Args:
        tell: is given the address once it listens.

    Raises:
        InputError: the token or the address cannot be used.
        RunError: another service uses the folder, or it cannot be written.
    """
    token = service.token()
    os.environ.pop(TOKEN_VARIABLE, None)  # the processes of jobs, and what they load, need not know it
    with (
        locked(service.folder / OWN / "lock", service.folder, "--folder"),
        contextlib.closing(_bound(service)) as bound,
    ):
        app = make_app(service, token)
        host = f"[{service.host}]" if ":" in service.host else service.host
        tell(f"http://{host}:{bound.getsockname()[1]}")
        config = uvicorn.Config(
            app,
            fd=None,
            http=impatient(service.body_seconds),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            timeout_graceful_shutdown=_QUIET_FOR,
            limit_concurrency=200,
        )
        uvicorn.Server(config).run(sockets=[bound])


def _bound(service: ServeOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
    bound = socket.socket(family)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((service.host.strip("[]"), service.port))
    except OSError as error:
        bound.close()
        raise InputError(
            f"cannot listen on {service.host} port {service.port} ({complaint(error)}); give another --port"
        ) from None
    return bound

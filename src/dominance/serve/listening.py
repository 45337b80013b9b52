"""Listens on a socket, as the only service of its folder."""

import contextlib
import os
import socket
from collections.abc import Callable

import fastapi  # noqa: F401 - what is missing shows here, before anything is locked or bound
import python_multipart  # noqa: F401
import uvicorn

from dominance.errors import InputError
from dominance.runs.store.folder import locked
from dominance.serve.app import make_app
from dominance.serve.options import TOKEN_VARIABLE, ServeOptions
from dominance.serve.places import OWN
from dominance.wording import complaint

_QUIET_FOR = 2
"""Seconds that open connections have to end."""


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

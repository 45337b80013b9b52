"""Options of the service: where it listens, what it may load, and how much it takes."""

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.models.adapters import read_adapter
from dominance.models.drawing import Machine
from dominance.wording import quoted

TOKEN_VARIABLE = "DOMINANCE_SERVE_TOKEN"  # noqa: S105 - the name of a variable
_SHORTEST_TOKEN = 20
_ASCII_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_NAMES_OF_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_NAMELESS_JUDGES = ("answers:",)
"""Judges that know images by name, which an uploaded image has not."""

ALLOWED = Group("What it may load", sort_key=15)
LIMITS = Group("Limits", sort_key=40)
Names = Annotated[tuple[str, ...], Parameter(group=ALLOWED)]
Count = Annotated[int, Parameter(group=LIMITS)]
Seconds = Annotated[float, Parameter(group=LIMITS)]


@Parameter(name="*", group=Group("Service", sort_key=10))
@dataclass(frozen=True)
class ServeOptions:
    """Where the service listens, what it may load, and how much it takes.

    Raises:
        InputError: a host that is no name or address, another host than loopback without a token, or a value out of
            its range.
    """

    folder: Path = Path("runs")
    """Folder for the runs that it shows and makes."""
    host: str = "127.0.0.1"
    """Address to listen on; any but loopback needs a token."""
    port: int = 8321
    """Port to listen on."""
    token_file: Path | None = None
    """File that holds the token which every request must carry; or set DOMINANCE_SERVE_TOKEN."""
    allow_host: tuple[str, ...] = ()
    """Repeatable name by which browsers reach it, such as that of a proxy; requests to other names are refused."""
    behind_https: bool = False
    """A proxy with TLS stands in front: browsers then send the cookie of a login by HTTPS alone."""
    model: Names = ("miniature",)
    """Repeatable model that jobs may use; the first is the default."""
    judge: Names = ("miniature",)
    """Repeatable judge that jobs may ask; the first is the default, and answers POST /score."""
    adapter: Names = ()
    """Repeatable adapter that jobs may add, beside the bundled ones."""
    jobs_at_once: Count = 1
    """Jobs that run at the same time."""
    most_waiting: Count = 100
    """Jobs that may wait."""
    most_images: Count = 1000
    """Images that one job may draw for each arm, or that one upload may hold."""
    most_megabytes: Count = 20
    """Size of an uploaded image file."""
    most_megapixels: Count = 25
    """Pixels of an uploaded image."""
    score_batch: Count = 16
    """Images that POST /score has judged together."""
    score_waiting: Count = 64
    """Images that may wait for POST /score; a request beyond that is refused at once."""
    score_seconds: Seconds = 10.0
    """Longest that a POST /score waits for its answer."""
    body_seconds: Seconds = 20.0
    """Seconds that a request's body may take, plus one for each 100 kB."""
    most_watching: Count = 50
    """Streams of events about jobs that may be open at once."""
    keep_days: Annotated[float | None, Parameter(group=LIMITS)] = None
    """Days after which uploads, and jobs that are over with their logs, are deleted; default: never. Runs stay."""
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        for name in (self.host.strip("[]"), *self.allow_host):
            if not _ASCII_NAME.fullmatch(name) and not _is_address(name):
                raise InputError(f"the host {quoted(name)} is no name or address; give one such as 127.0.0.1")
        counts = ("jobs_at_once", "most_waiting", "most_images", "most_megabytes", "most_megapixels", "score_batch")
        for name in (*counts, "score_waiting", "score_seconds", "body_seconds", "most_watching", "keep_days"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 10**6:
                raise InputError(f"{name.replace('_', '-')} is {value:g}; give a number above 0, up to 1000000")
        if not 0 <= self.port <= 65535:
            raise InputError(f"port is {self.port}; give a number from 0 to 65535")
        if not self.model or not self.judge:
            raise InputError("the service has no model or no judge; give --model and --judge")
        for judge in self.judge:
            if judge.startswith(_NAMELESS_JUDGES):
                raise InputError(
                    f"the judge {quoted(judge)} knows images by name, and uploaded images have none; give one that"
                    " looks at images"
                )
        for text in self.adapter:
            read_adapter(text)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        host = self.host.strip("[]")
        return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)

    @property
    def names(self) -> frozenset[str]:
        """The hosts that a request may name, in lower case, without ports."""
        own, *allowed = (f"[{name.strip('[]')}]" if ":" in name else name for name in (self.host, *self.allow_host))
        anywhere = own in ("0.0.0.0", "[::]")  # noqa: S104 - refused as a name
        return frozenset(name.lower() for name in (*_NAMES_OF_LOOPBACK, *allowed, *([] if anywhere else [own])))

    def token(self) -> str | None:
        """The token that every request must carry; None for a service on loopback without one.

        Raises:
            InputError: there is none although others can reach the service, or it is short or cannot be read.
        """
        from dominance.files import read_text

        given = read_text(self.token_file).strip() if self.token_file else os.environ.get(TOKEN_VARIABLE, "").strip()
        if not given and (self.token_file or not self.on_loopback):
            what = f"{self.token_file} is empty" if self.token_file else f"others can reach the host {self.host}"
            raise InputError(
                f"{what}, and the service takes requests there only with a token; set {TOKEN_VARIABLE} or give"
                " --token-file"
            )
        if given and (len(given) < _SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or " " in given):
            raise InputError(
                f"the token has {len(given)} characters; give at least {_SHORTEST_TOKEN} letters and digits, such as"
                " those that `openssl rand -hex 24` prints"
            )
        return given or None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

"""Where an OpenAI-compatible endpoint is, the key that opens it, and how long it is waited for."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from dominance.errors import ModelError

KEY_VARIABLES: tuple[str, ...] = ("DOMINANCE_JUDGE_KEY", "OPENAI_API_KEY")
"""Where a key is looked for; the first that is set counts, and one that is set to nothing means no key."""
PLAIN_HTTP_VARIABLE = "DOMINANCE_JUDGE_PLAIN_HTTP"
_EXAMPLE = "openai:http://127.0.0.1:8000/v1#MODEL"
_LONGEST = 2000


class Key:
    """A secret that shows itself in no text: not in ``repr``, and not in what passes through ``scrubbed``."""

    __slots__ = ("_secret", "variable")

    def __init__(self, secret: str = "", variable: str | None = None) -> None:
        self._secret = secret
        self.variable = variable

    def __repr__(self) -> str:
        return "Key(none)" if not self._secret else f"Key(of {self.variable})"

    def __bool__(self) -> bool:
        return bool(self._secret)

    def headers(self) -> dict[str, str]:
        """The header that carries it; none without a key."""
        return {"Authorization": f"Bearer {self._secret}"} if self._secret else {}

    def scrubbed(self, text: str) -> str:
        """The text without the key, for whatever a server says."""
        return text.replace(self._secret, "[key]") if self._secret else text


@dataclass(frozen=True)
class Endpoint:
    """An endpoint and the model behind it.

    Attributes:
        base: the address that ``/chat/completions`` is added to, without a slash at its end.
        model: what the endpoint calls the model.
        loopback: whether it is on this machine.
    """

    base: str
    model: str
    loopback: bool

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc


def read_endpoint(address: str) -> Endpoint:
    """``URL#MODEL`` taken apart.

    Raises:
        ModelError: no URL, no model, or a URL that holds a user name, a password or a query: keys belong into the
            environment. Such a URL is not repeated in the message.
    """
    url, _, model = address.partition("#")
    parts = _split(url)
    if len(address) > _LONGEST or not address.isprintable():
        raise ModelError(f"the judge's address is too long or contains control characters; write it as in {_EXAMPLE}")
    if "@" in parts.netloc or parts.query or "?" in url:
        raise ModelError(
            f"the judge's URL contains a user name, a password or a query; put the key into {KEY_VARIABLES[0]} and"
            f" leave it out of the URL, as in {_EXAMPLE}"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
        raise ModelError(f"the judge's URL is {url[:80]!r}; give an http:// or https:// URL, as in {_EXAMPLE}")
    if not model.strip():
        raise ModelError(f"the judge {url[:80]!r} names no model; add # and the model's name, as in {_EXAMPLE}")
    base = url.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return Endpoint(base, model.strip(), _is_loopback(parts.hostname))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # is only read when it is asked for
    except ValueError as error:
        # The URL itself is not shown: nobody knows what it holds.
        raise ModelError(
            f"the judge's URL cannot be read; check host and port, and write it as in {_EXAMPLE}"
        ) from error
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_key(endpoint: Endpoint, environment: Mapping[str, str] = os.environ) -> Key:
    """The key for an endpoint, from the environment alone.

    Raises:
        ModelError: it cannot stand in a header, or would leave this machine unencrypted.
    """
    variable = next((name for name in KEY_VARIABLES if name in environment), None)
    secret = environment[variable].strip() if variable else ""
    if not secret:
        return Key()
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise ModelError(
            f"the key in {variable} contains characters that are not allowed in a key; set it again,"
            " without spaces or line breaks"
        )
    if endpoint.base.startswith("http:") and not endpoint.loopback and environment.get(PLAIN_HTTP_VARIABLE) != "1":
        raise ModelError(
            f"the key in {variable} would be sent unencrypted to {endpoint.host[:80]}; give an https:// URL, set"
            f" {KEY_VARIABLES[0]} to an empty value to send no key, or set {PLAIN_HTTP_VARIABLE}=1"
        )
    return Key(secret, variable)


@dataclass(frozen=True)
class Patience:
    """How long an endpoint is waited for.

    Attributes:
        tries: of one question.
        first_wait: seconds before the second try; each further one waits twice as long, up to ``longest_wait``.
        longest_pause: seconds that an endpoint may ask for (Retry-After) before its question is given up.
        connect, reply: seconds until a connection stands, and until a reply is complete.
        connections: questions under way at once.
    """

    tries: int = 5
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_pause: float = 120.0
    connect: float = 10.0
    reply: float = 60.0
    connections: int = 4


def patience_from(environment: Mapping[str, str] = os.environ) -> Patience:
    """The default patience, with ``DOMINANCE_JUDGE_TIMEOUT`` seconds and ``DOMINANCE_JUDGE_CONNECTIONS`` if set.

    Raises:
        ModelError: one of them is not a number in its range.
    """
    reply = _number(environment, "DOMINANCE_JUDGE_TIMEOUT", 60.0, 0.05, 3600)
    connections = _number(environment, "DOMINANCE_JUDGE_CONNECTIONS", 4, 1, 64)
    return Patience(reply=reply, connections=int(connections), connect=min(10.0, reply))


def _number(environment: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = environment.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ModelError(f"{name} is {text[:40]!r}; give a number from {least:g} to {most:g}")
    return value

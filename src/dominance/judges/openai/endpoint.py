"""Where an OpenAI-compatible endpoint is, the keys that open it, and how long it is waited for."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from dominance.errors import ModelError

KEY_VARIABLES: tuple[str, ...] = ("DOMINANCE_JUDGE_KEY", "OPENAI_API_KEY")
"""Where a key is looked for; the first that is set counts, and one that is set to nothing means no key."""
HEADERS_VARIABLE = "DOMINANCE_JUDGE_HEADERS"
"""Where further headers are, one a line, as ``Name: value``; their values are treated as secrets."""
PLAIN_HTTP_VARIABLE = "DOMINANCE_JUDGE_PLAIN_HTTP"
_HEADER = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]*)\s*:\s*([\x21-\x7e][\x20-\x7e]*)")
_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that belong to the request itself."""
_KEYS = frozenset({"authorization", "api-key", "x-api-key"})
"""Headers that carry a key, so that no other is sent."""
_LEAST_SECRET = 6
"""Characters from which a header's value is hidden in messages; a shorter one is part of many words."""
_EXAMPLE = "openai:http://127.0.0.1:8000/v1#MODEL"
_LONGEST = 2000


class Key:
    """Secrets that show themselves in no text: not in ``repr``, and not in what passes through ``scrubbed``.

    Args:
        secret: the key itself; empty for none.
        variable: the environment's variable that it comes from.
        header: the one that carries it, after the word ``Bearer`` if that is ``Authorization``.
        more: further headers.
    """

    __slots__ = ("_header", "_more", "_secret", "variable")

    def __init__(
        self,
        secret: str = "",
        variable: str | None = None,
        header: str = "Authorization",
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._secret, self._header, self._more = secret, header, dict(more or {})
        self.variable = variable

    def __repr__(self) -> str:
        return f"Key(of {self.variable})" if self else "Key(none)"

    def __bool__(self) -> bool:
        return bool(self._secret or self._more)

    def headers(self) -> dict[str, str]:
        """The headers that carry them; none without a key."""
        word = "Bearer " if self._header == "Authorization" else ""
        return ({self._header: f"{word}{self._secret}"} if self._secret else {}) | self._more

    def scrubbed(self, text: str) -> str:
        """The text without the secrets, for whatever a server says."""
        values = [value for value in self._more.values() if len(value) >= _LEAST_SECRET]
        words = [word for value in values for word in value.split() if len(word) > 2 * _LEAST_SECRET]
        for secret in sorted([self._secret, *values, *words], key=len, reverse=True):
            text = text.replace(secret, "[key]") if secret else text
        return text


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


def find_key(endpoint: Endpoint, environment: Mapping[str, str] = os.environ, header: str = "Authorization") -> Key:
    """The key for an endpoint and further headers, from the environment alone.

    A header that is a key itself, such as ``Authorization``, takes the place of the key.

    Raises:
        ModelError: one of them cannot stand in a header, or would leave this machine unencrypted.
    """
    more = _more_headers(environment)
    own = next((name for name in more if name.lower() in _KEYS), None)
    variable = None if own else next((name for name in KEY_VARIABLES if name in environment), None)
    secret = environment[variable].strip() if variable else ""
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise ModelError(
            f"the key in {variable} contains characters that are not allowed in a key; set it again,"
            " without spaces or line breaks"
        )
    source = variable if secret else HEADERS_VARIABLE if more else None
    if source is None:
        return Key()
    if endpoint.base.startswith("http:") and not endpoint.loopback and environment.get(PLAIN_HTTP_VARIABLE) != "1":
        what, without = ("key", KEY_VARIABLES[0]) if secret else ("headers", HEADERS_VARIABLE)
        raise ModelError(
            f"the {what} in {source} would be sent unencrypted to {endpoint.host[:80]}; give an https:// URL, set"
            f" {without} to an empty value to send no {what}, or set {PLAIN_HTTP_VARIABLE}=1"
        )
    return Key(secret, source, header, more)


def _more_headers(environment: Mapping[str, str]) -> dict[str, str]:
    headers = {}
    lines = environment.get(HEADERS_VARIABLE, "").splitlines()
    for number, line in enumerate((line.strip() for line in lines), start=1):
        found = _HEADER.fullmatch(line)
        if line and (found is None or found[1].lower() in _OURS):
            raise ModelError(
                f"line {number} of {HEADERS_VARIABLE} is no header that can be sent; write one a line, as in"
                " api-key: KEY"
            )
        if found is not None:
            headers[found[1]] = found[2]
    return headers


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

"""How long an endpoint is waited for, by our own limits and by what it asks for."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dominance.errors import ModelError


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
        ModelError: one of them is no number in its range.
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


def asked_wait(header: str | None) -> float | None:
    """Seconds of a Retry-After header, which gives seconds or a date; None where it is neither."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            when = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()
    return None if math.isnan(seconds) else max(0.0, seconds)

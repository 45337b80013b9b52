"""Who has typed in the token: one random session for each login, kept in memory, ended by logging out or by time."""

import hashlib
import hmac
import secrets
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field

SESSION_SECONDS = 12 * 3600
_MOST = 1000
"""Sessions at once; the oldest goes."""
current: ContextVar[str] = ContextVar("current session", default="")
"""The session of the request that is being answered; empty without one."""


@dataclass(frozen=True)
class Keys:
    """The token, the sessions that it opened, and what forms hold.

    Attributes:
        token: None where none is needed.
    """

    token: str | None
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _ends: dict[str, float] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def is_token(self, given: str) -> bool:
        """Whether it is the token, in the same time for every wrong one."""
        return self.token is not None and hmac.compare_digest(self.token.encode(), _sent(given))

    def begin(self) -> str:
        """A new session: what a browser keeps in the token's place."""
        session, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            for old in [kept for kept, end in self._ends.items() if end <= now]:
                del self._ends[old]
            while len(self._ends) >= _MOST:
                del self._ends[next(iter(self._ends))]
            self._ends[_digest(session)] = now + SESSION_SECONDS
        return session

    def is_session(self, given: str) -> bool:
        """Whether it is one that goes on; looked up by its hash, so that the time tells nothing of it."""
        with self._lock:
            return self._ends.get(_digest(given), 0.0) > time.monotonic()

    def end(self, session: str) -> None:
        """Ends a session, wherever its cookie is."""
        with self._lock:
            self._ends.pop(_digest(session), None)

    @property
    def form(self) -> str:
        """What every form of this session's pages holds, and other sites and other sessions cannot read."""
        return hmac.new(self.secret, f"form {current.get()}".encode(), hashlib.sha256).hexdigest()

    def is_form(self, given: object) -> bool:
        """Whether it is that."""
        return isinstance(given, str) and hmac.compare_digest(self.form.encode(), _sent(given))


def _digest(session: str) -> str:
    return hashlib.sha256(_sent(session)).hexdigest()


def _sent(text: str) -> bytes:
    """As bytes, whatever signs it holds: of texts, only those in ASCII can be compared in constant time."""
    return text.encode("utf-8", "replace")

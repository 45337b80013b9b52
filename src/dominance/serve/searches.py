"""What people search for, by short ids, so that addresses hold no words of prompts: proxies log addresses."""

import hashlib
import hmac
import secrets
import threading

_MOST = 500
"""Searches that are remembered; the oldest goes."""


class Searches:
    """The last searches of one service."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._words: dict[str, str] = {}
        self._lock = threading.Lock()

    def keep(self, words: str) -> str:
        """The id of these words; none for none."""
        if not words.strip():
            return ""
        id = hmac.new(self._secret, words.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]
        with self._lock:
            self._words.pop(id, None)
            self._words[id] = words
            while len(self._words) > _MOST:
                del self._words[next(iter(self._words))]
        return id

    def words(self, id: str) -> str:
        """The words; none where the id is not known, or not any more."""
        with self._lock:
            return self._words.get(id, "")

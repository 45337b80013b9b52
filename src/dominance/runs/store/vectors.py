"""Measured vectors, such as embeddings and noise norms, stored beside the ledger to avoid measuring twice."""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from dominance.errors import RunError

VECTORS_NAME = "vectors.sqlite"
_VERSION = 1
_AT_ONCE = 500


class VectorStore:
    """An open file of float32 vectors by measure and item; every write has committed when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise RunError(f"{path} was written by another version of dominance; give another --out")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS vectors (measure TEXT, item TEXT, value BLOB NOT NULL,"
                " PRIMARY KEY (measure, item)) WITHOUT ROWID"
            )
            self._db.execute(f"PRAGMA user_version={_VERSION}")
        except sqlite3.Error as error:
            raise self._refused(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _refused(self, error: sqlite3.Error) -> RunError:
        return RunError(
            f"{self.path} cannot be used ({error}); finished work is kept: free some space or fix the folder and run"
            " the same command again, or give another --out"
        )

    def add(self, measure: str, vectors: Mapping[str, np.ndarray]) -> None:
        """Adds or replaces vectors by item."""
        rows = [(measure, item, np.asarray(value, dtype="<f4").tobytes()) for item, value in vectors.items()]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:  # SQLite has already rolled back what a full disk broke off
                    self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._refused(error) from None

    def get(self, measure: str, items: Iterable[str]) -> dict[str, np.ndarray]:
        """The stored vectors of these items, float32."""
        wanted, found = list(dict.fromkeys(items)), {}
        try:
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT item, value FROM vectors WHERE measure = ? AND item IN ({marks})"  # noqa: S608
                rows = self._db.execute(query, (measure, *part))
                found |= {item: np.frombuffer(value, dtype="<f4").astype(np.float32) for item, value in rows}
        except sqlite3.Error as error:
            raise self._refused(error) from None
        return found

    def known(self, measure: str) -> frozenset[str]:
        """The stored items."""
        try:
            rows = self._db.execute("SELECT item FROM vectors WHERE measure = ?", (measure,)).fetchall()
        except sqlite3.Error as error:
            raise self._refused(error) from None
        return frozenset(row[0] for row in rows)

"""The ledger of a run: its images, answers and failures, in SQLite."""

import contextlib
import json
import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from dominance.errors import RunError
from dominance.records import Answer, ScoredImage

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS manifest (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS images (
    item TEXT PRIMARY KEY, prompt TEXT NOT NULL, seed INTEGER, file TEXT NOT NULL, settings TEXT NOT NULL,
    made_at TEXT NOT NULL DEFAULT (datetime('now')));
CREATE TABLE IF NOT EXISTS answers (
    item TEXT NOT NULL, judge TEXT NOT NULL, question TEXT NOT NULL, yes INTEGER NOT NULL, p_yes REAL,
    PRIMARY KEY (item, judge, question)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
    item TEXT NOT NULL, stage TEXT NOT NULL, message TEXT NOT NULL, attempts INTEGER NOT NULL,
    at TEXT NOT NULL DEFAULT (datetime('now')), PRIMARY KEY (item, stage));
CREATE TABLE IF NOT EXISTS scores (
    prompt_id TEXT NOT NULL, image TEXT NOT NULL, dvd REAL, soft_dvd REAL, dominating TEXT, dominated TEXT,
    verdict TEXT, yes TEXT NOT NULL, PRIMARY KEY (prompt_id, image));
"""
_MEASURED = """
CREATE TABLE IF NOT EXISTS measured (
    item TEXT NOT NULL, measure TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (item, measure)) WITHOUT ROWID;
"""
"""Made when something is first measured: older versions pass it over, and folders of theirs lack it."""


@dataclass(frozen=True)
class ImageRow:
    """An existing image: item, prompt, seed, file (relative to the run folder) and settings."""

    item: str
    prompt: str
    seed: int | None
    file: str
    settings: dict[str, object]


class Ledger:
    """An open ``run.sqlite``; every method that writes has committed when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._refusing():
            self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._prepare()
        except RunError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        with self._refusing():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise RunError(f"{self.path} was written by another version of dominance; give another --out")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            if version == 0:
                self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={_VERSION};COMMIT;")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    @contextlib.contextmanager
    def _refusing(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RunError(
                f"the ledger {self.path} cannot be used ({error}); finished work is kept: free some space or fix the"
                " folder and run the same command again, or give another --out"
            ) from None

    @contextlib.contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with self._refusing():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:  # SQLite has already rolled back what a full disk broke off
                    self._db.execute("ROLLBACK")

    def images(self) -> dict[str, ImageRow]:
        """All images by item."""
        with self._refusing():
            rows = self._db.execute("SELECT item, prompt, seed, file, settings FROM images").fetchall()
        return {row[0]: ImageRow(*row[:4], json.loads(row[4])) for row in rows}

    def add_image(self, row: ImageRow) -> None:
        """Adds an image whose file is written, and clears its earlier failure."""
        values = (row.item, row.prompt, row.seed, row.file, json.dumps(row.settings, sort_keys=True))
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO images (item, prompt, seed, file, settings) VALUES (?, ?, ?, ?, ?)", values
            )
            db.execute("DELETE FROM failures WHERE item = ?", (row.item,))

    def forget_images(self, items: Iterable[str]) -> None:
        """Deletes images, with their answers and failures."""
        keys = [(item,) for item in items]
        with self._writing() as db:
            db.executemany("DELETE FROM images WHERE item = ?", keys)
            db.executemany("DELETE FROM answers WHERE item = ?", keys)
            db.executemany("DELETE FROM failures WHERE item = ?", keys)
            if self._has_measured():
                db.executemany("DELETE FROM measured WHERE item = ?", keys)

    def answers(self, judge: str) -> dict[str, dict[str, tuple[bool, float | None]]]:
        """All answers of a judge: yes and P(yes), by item and question text."""
        found: dict[str, dict[str, tuple[bool, float | None]]] = {}
        with self._refusing():
            rows = self._db.execute("SELECT item, question, yes, p_yes FROM answers WHERE judge = ?", (judge,))
            for item, question, yes, p_yes in rows:
                found.setdefault(item, {})[question] = (bool(yes), p_yes)
        return found

    def has_answers(self, judge: str) -> bool:
        """Whether there is any answer of a judge."""
        with self._refusing():
            return self._db.execute("SELECT 1 FROM answers WHERE judge = ? LIMIT 1", (judge,)).fetchone() is not None

    def add_answers(self, judge: str, answered: Sequence[tuple[str, Sequence[Answer]]]) -> None:
        """Adds answers about images, except missing ones, so that the next run asks again."""
        rows = [
            (item, judge, answer.question.text, int(answer.yes), answer.p_yes)
            for item, answers in answered
            for answer in answers
            if answer.yes is not None
        ]
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", rows)
            db.executemany("DELETE FROM failures WHERE item = ? AND stage = 'judge'", [(item,) for item, _ in answered])

    def add_failure(self, item: str, stage: str, message: str) -> None:
        """Records an item that could not be made or judged, and counts attempts."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO failures (item, stage, message, attempts) VALUES (?, ?, ?, 1) ON CONFLICT (item, stage)"
                " DO UPDATE SET message = excluded.message, attempts = attempts + 1, at = datetime('now')",
                (item, stage, message),
            )

    def failures(self) -> dict[str, str]:
        """The last failure message by item."""
        with self._refusing():
            return dict(self._db.execute("SELECT item, message FROM failures ORDER BY stage").fetchall())

    def measured(self) -> dict[tuple[str, str], object]:
        """JSON values that were measured on images, by item and measure."""
        with self._refusing():
            if not self._has_measured():
                return {}
            rows = self._db.execute("SELECT item, measure, value FROM measured").fetchall()
        return {(item, measure): json.loads(value) for item, measure, value in rows}

    def add_measured(self, values: Mapping[tuple[str, str], object]) -> None:
        """Adds or replaces such values."""
        rows = [(item, measure, json.dumps(value)) for (item, measure), value in values.items()]
        with self._writing() as db:
            db.execute(_MEASURED)
            db.executemany("INSERT OR REPLACE INTO measured VALUES (?, ?, ?)", rows)

    def _has_measured(self) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'measured'"
        return self._db.execute(query).fetchone() is not None

    def put(self, name: str, value: object) -> None:
        """Stores a named JSON value; its keys keep their order."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO manifest VALUES (?, ?)", (name, json.dumps(value)))

    def get(self, name: str) -> object | None:
        """A named value, or None."""
        with self._refusing():
            row = self._db.execute("SELECT value FROM manifest WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put_scores(self, images: Iterable[ScoredImage]) -> None:
        """Replaces the table of scores, which is derived from answers, for readers of the file."""
        rows = [
            (i.prompt_id, i.name, i.dvd, i.soft_dvd, i.dominating, i.dominated, i.verdict, json.dumps(i.yes))
            for i in images
        ]
        with self._writing() as db:
            db.execute("DELETE FROM scores")
            db.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

"""Run folders as the service shows them, read from their ledgers without the libraries that made them."""

import contextlib
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from dominance.errors import RunError
from dominance.files import is_file
from dominance.records import is_present
from dominance.runs.reading import DOCUMENT_NAME, kind_of
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger
from dominance.serve.places import file_in, folder_in, is_name

_NAMES = {"mitigate": "mitigation", "ablate": "ablation", "none": "another folder"}
VERDICTS = ("collapsed", "lost", "mixed", "balanced")
"""Of images, the worst first."""
_MOST = 2000
"""Folders that are looked at: those changed last."""
_MOST_SHOWN = 16
"""Runs whose images are remembered."""
_PAGES = ("report.html", "explanation.html")


@dataclass(frozen=True)
class Shown:
    """One image of a run.

    Attributes:
        file: relative to the run folder, or absolute for an image made elsewhere.
        verdict: None when unscored.
        present: the concepts by whether the judge saw them; None where it did not answer.
    """

    prompt_id: str
    prompt: str
    name: str
    file: str
    concepts: tuple[str, ...]
    verdict: str | None
    present: dict[str, bool | None]

    @property
    def key(self) -> tuple[str, str]:
        """Prompt and file name, which tie a label to this image and no other; its place changes as a run goes on."""
        return self.prompt_id, PurePath(self.file).name

    @property
    def mark(self) -> str:
        """The key as addresses hold it: without the prompt's words, which proxies would log."""
        return hashlib.sha256("/".join(self.key).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Card:
    """A run in the list.

    Attributes:
        kind: the command that made it.
        page: its page, relative to the folder; None if it has none yet.
        verdicts: scored images by verdict; empty for what has none.
        changed: seconds since 1970.
    """

    name: str
    kind: str
    title: str
    model: str | None
    judge: str | None
    page: str | None
    images: int
    verdicts: dict[str, int]
    changed: float
    comparable: bool

    @property
    def words(self) -> str:
        """What a filter looks at."""
        return " ".join(filter(None, (self.name, self.kind, self.title, self.model, self.judge))).lower()

    def fits(self, kind: str, verdict: str) -> bool:
        """Whether it is of the kind and has an image of the verdict; empty is any."""
        return kind in ("", self.kind) and (not verdict or bool(self.verdicts.get(verdict)))


def listed_runs(root: Path, words: str = "", kind: str = "", verdict: str = "") -> list[Card]:
    """The runs below the root, the latest first, that have all of the words, the kind, and an image of the verdict."""
    try:
        there = [path for path in root.iterdir() if is_name(path.name)]
    except OSError:
        return []
    latest = sorted(there, key=_folder_changed, reverse=True)[:_MOST]
    cards = [card for path in latest if (card := card_of(root, path.name)) is not None]
    asked = words.lower().split()
    found = [card for card in cards if all(word in card.words for word in asked) and card.fits(kind, verdict)]
    return sorted(found, key=lambda card: -card.changed)


def card_of(root: Path, name: str) -> Card | None:
    """One run; None if there is none of that name."""
    folder = folder_in(root, name)
    if folder is None:
        return None
    stamp = _stamp(folder)
    return _card(folder, page_of(folder), stamp) if stamp else None


def page_of(folder: Path) -> str | None:
    """The name of a run's page."""
    found = next((name for name in _PAGES if file_in(folder, name)), None)
    return found or min((path.name for path in folder.glob("*.html") if file_in(folder, path.name)), default=None)


def _folder_changed(folder: Path) -> float:
    try:
        return folder.lstat().st_mtime
    except OSError:
        return 0.0


Stamp = tuple[tuple[str, int, int], ...]
"""By file that a run is read from: its name, when it changed in nanoseconds, and its size. What has none is no run."""


def _stamp(folder: Path) -> Stamp:
    """Tells whether anything was written. SQLite leaves an empty log behind whoever reads, which is passed over."""
    found = []
    for name in (LEDGER_NAME, f"{LEDGER_NAME}-wal", DOCUMENT_NAME):
        with contextlib.suppress(OSError):
            stat = (folder / name).lstat()
            if stat.st_size:
                found.append((name, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@lru_cache(maxsize=_MOST)
def _card(folder: Path, page: str | None, stamp: Stamp) -> Card | None:
    """Read again only after a change, which the stamp tells."""
    changed = max(when for _, when, _ in stamp) / 1e9
    if not is_file(folder / LEDGER_NAME):
        return _explanation_card(folder, page, changed)
    try:
        kind = kind_of(folder)
        with Ledger(folder / LEDGER_NAME) as ledger:
            plan = _mapping(ledger.get("plan"))
            document = _mapping(ledger.get(kind))
        images = _count(folder)
    except (RunError, sqlite3.Error):
        return None
    known = plan or document
    suite = known.get("suite")
    title = str(suite.get("name")) if isinstance(suite, dict) else str(suite or folder.name)
    prompts = suite.get("prompts") if isinstance(suite, dict) else None
    if isinstance(prompts, list) and len(prompts) == 1 and isinstance(prompts[0], dict):
        title = str(prompts[0].get("text") or title)
    scores = _scores(folder)
    return Card(
        name=folder.name,
        kind=_NAMES.get(kind, kind),
        title=title,
        model=_text(known.get("model")),
        judge=_text(known.get("judge")),
        page=page,
        images=images,
        verdicts=_ordered(Counter(row[2] for row in scores.values() if row[2])),
        changed=changed,
        comparable=kind in ("audit", "score"),
    )


def _explanation_card(folder: Path, page: str | None, changed: float) -> Card | None:
    try:
        document = _mapping(json.loads((folder / DOCUMENT_NAME).read_bytes()))
    except (OSError, ValueError):
        return None
    images = document.get("images")
    verdicts = Counter(
        str(image["verdict"])
        for image in (images if isinstance(images, list) else [])
        if isinstance(image, dict) and image.get("verdict")
    )
    count = len(images) if isinstance(images, list) else 0
    title = _text(document.get("prompt")) or folder.name
    model, judge = _text(document.get("model")), _text(document.get("judge"))
    return Card(folder.name, "explain", title, model, judge, page, count, _ordered(verdicts), changed, comparable=False)


def _ordered(verdicts: Mapping[str, int]) -> dict[str, int]:
    return {name: verdicts[name] for name in VERDICTS if verdicts.get(name)}


def shown_images(folder: Path) -> tuple[Shown, ...]:
    """The images of an audit or a score that exist, in the order of its plan; none for another run.

    Raises:
        RunError: the plan is not as this version writes it.
    """
    try:
        return _shown(folder, _stamp(folder))
    except (KeyError, TypeError, ValueError):
        raise RunError(f"the plan of the run {folder.name} cannot be read; run its command again") from None


@lru_cache(maxsize=_MOST_SHOWN)
def _shown(folder: Path, stamp: Stamp) -> tuple[Shown, ...]:
    """Read again only after a change, which the stamp tells; the last runs are remembered."""
    del stamp
    with Ledger(folder / LEDGER_NAME) as ledger:
        plan, there = _mapping(ledger.get("plan")), ledger.images()
    suite = plan.get("suite")
    if plan.get("origin") not in ("audit", "score") or not isinstance(suite, dict):
        return ()
    prompts = {prompt["id"]: prompt for prompt in suite["prompts"]}
    asked = {entry["name"]: len(entry["texts"]) for entry in plan.get("questions", [])}
    scores = _scores(folder)
    listed = []
    for image in plan["images"]:
        row = there.get(image["item"])
        if row is None:
            continue
        prompt = prompts[image["prompt_id"]]
        names = tuple(concept["name"] for concept in prompt["concepts"])
        yes, _, verdict = scores.get((prompt["id"], image["name"]), ({}, None, None))
        present = {
            name: None if (count := yes.get(name)) is None else is_present(count, asked.get(name, 0)) for name in names
        }
        listed.append(Shown(prompt["id"], prompt["text"], image["name"], row.file, names, verdict, present))
    return tuple(listed)


def _scores(folder: Path) -> dict[tuple[str, str], tuple[dict[str, int | None], float | None, str | None]]:
    """By prompt and image: the yes of each concept, the DvD score, the verdict."""
    try:
        rows = _read(folder, "SELECT prompt_id, image, yes, dvd, verdict FROM scores")
    except sqlite3.Error:
        return {}
    return {(prompt, image): (json.loads(yes), dvd, verdict) for prompt, image, yes, dvd, verdict in rows}


def _count(folder: Path) -> int:
    return int(_read(folder, "SELECT count(*) FROM images")[0][0])


def _read(folder: Path, sql: str) -> list[Any]:
    """Rows of a run's ledger, which is not written to."""
    address = f"{(folder / LEDGER_NAME).absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as db:
        return db.execute(sql).fetchall()


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""Labels that people give in the page: kept as a file of answers in the run's folder, and how far they agree."""

import csv
import hashlib
import io
import itertools
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from dominance.errors import InputError
from dominance.files import csv_bytes, harmless, is_file, plain, read_text, write_whole
from dominance.records import Interval
from dominance.serve.runs import Shown, shown_images
from dominance.wording import quoted

LABELS_NAME = "labels.csv"
Seen = Literal["plain", "doubtful", "absent"]
SEEN: tuple[Seen, ...] = get_args(Seen)
_PRESENT: Mapping[Seen, str] = {"plain": "yes", "doubtful": "unsure", "absent": "no"}
_COLUMNS = ("prompt_id", "image", "concept", "present", "labeller", "seen")
_READER = re.compile(r"[^\W_][\w .-]{0,39}")
_Key = tuple[str, str, str]
"""Prompt, image file's name, concept."""
_writing = threading.Lock()


@dataclass(frozen=True)
class Pair:
    """How far two agree, on concepts in images of which both said something.

    Attributes:
        first, second: readers, or a reader and ``the judge``; with the judge, doubtful labels are left out.
        same: of ``n``, those of which they say the same.
        kappa: Cohen's κ, of three categories between readers and of two with the judge; its interval draws whole
            images.
    """

    first: str
    second: str
    same: int
    n: int
    kappa: float | None
    kappa_interval: Interval | None


class RunLabels:
    """The labels of one run.

    Args:
        folder: of an audit or a score.

    Raises:
        InputError: it has no images to label.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / LABELS_NAME
        self.images = shown_images(folder)
        if not self.images:
            raise InputError("this run has no images to label; choose one of audit or score")

    def mark_at(self, number: int) -> str | None:
        """The mark of an image; None if there is no such image."""
        return self.images[number].mark if number < len(self.images) else None

    def order(self, reader: str) -> list[int]:
        """The images as a reader sees them: shuffled, for each reader in an order of its own."""
        return sorted(
            range(len(self.images)),
            key=lambda place: hashlib.sha256(f"{reader}\n{self.images[place].key}".encode()).digest(),
        )

    def of(self, reader: str) -> dict[_Key, Seen]:
        """What a reader has said."""
        return {key: seen for (who, key), seen in self.read().items() if who == reader}

    def said(self, reader: str, image: Shown) -> dict[str, Seen]:
        """What a reader has said of an image, by concept."""
        own = self.of(reader)
        keys = {concept: (*image.key, concept) for concept in image.concepts}
        return {concept: own[key] for concept, key in keys.items() if key in own}

    def next_for(self, reader: str, after: int | None = None) -> int | None:
        """The place, in the reader's order, of the next image without labels; None where all have some."""
        said = {key[:2] for key in self.of(reader)}
        order = self.order(reader)
        count = len(order)
        start = 0 if after is None else after + 1
        for step in range(count):
            place = (start + step) % count
            if self.images[order[place]].key not in said:
                return place
        return None

    def readers(self) -> dict[str, int]:
        """Every reader, and how many images it has labelled."""
        found: dict[str, set[tuple[str, str]]] = {}
        for who, key in self.read():
            found.setdefault(who, set()).add(key[:2])
        return {who: len(images) for who, images in sorted(found.items())}

    def save(self, reader: str, image: int, seen: Mapping[str, str]) -> None:
        """Keeps what a reader says of every concept of an image, in place of what it said before.

        Raises:
            InputError: a reader's name that cannot be used, no such image, or a concept without a label.
        """
        check_reader(reader)
        if not 0 <= image < len(self.images):
            raise InputError(f"there is no image {image}; the run has {len(self.images)}")
        shown = self.images[image]
        for concept in shown.concepts:
            if seen.get(concept) not in SEEN:
                raise InputError(f"say of {quoted(concept)} whether it is {', '.join(SEEN)}")
        with _writing:
            kept = self.read()
            for concept in shown.concepts:
                kept[reader, (*shown.key, concept)] = cast(Seen, seen[concept])
            cells = [(tuple(map(harmless, key)), who, said) for (who, key), said in sorted(kept.items())]
            rows = [(*key, _PRESENT[said], who, said) for key, who, said in cells]
            write_whole(self.file, csv_bytes([_COLUMNS, *rows]))

    def read(self) -> dict[tuple[str, _Key], Seen]:
        """All labels of the file that this page wrote; lines of others are passed over."""
        if not is_file(self.file):
            return {}
        found: dict[tuple[str, _Key], Seen] = {}
        for row in csv.DictReader(io.StringIO(read_text(self.file))):
            prompt, image, concept = (plain(row.get(name) or "") for name in _COLUMNS[:3])
            key = (prompt, image, concept)
            if row.get("seen") in SEEN and row.get("labeller"):
                found[str(row["labeller"]), key] = cast(Seen, row["seen"])
        return found

    def agreement(self) -> list[Pair]:
        """Of all pairs of readers, and of each reader and the judge."""
        said = {reader: self.of(reader) for reader in self.readers()}
        pairs = [_of_readers(one, other, said[one], said[other]) for one, other in itertools.combinations(said, 2)]
        judged = {
            (*image.key, concept): present
            for image in self.images
            for concept, present in image.present.items()
            if present is not None
        }
        return [pair for pair in (*pairs, *(_with_judge(who, said[who], judged) for who in said)) if pair.n]


def check_reader(name: str) -> str:
    """The name of a reader.

    Raises:
        InputError: empty, long, or with signs that a spreadsheet would take for a formula.
    """
    if not _READER.fullmatch(name):
        raise InputError(f"the reader's name is {quoted(name)}; give one of letters and digits, such as Ada")
    return name


def _of_readers(one: str, other: str, first: Mapping[_Key, Seen], second: Mapping[_Key, Seen]) -> Pair:
    from dominance.metrics import category_kappa, category_kappa_interval

    both = [key for key in first if key in second]
    left, right = [first[key] for key in both], [second[key] for key in both]
    same = sum(a == b for a, b in zip(left, right, strict=True))
    if not both:
        return Pair(one, other, 0, 0, None, None)
    interval = category_kappa_interval(left, right, _groups(both))
    return Pair(one, other, same, len(both), category_kappa(left, right), interval)


def _with_judge(reader: str, said: Mapping[_Key, Seen], judged: Mapping[_Key, bool]) -> Pair:
    from dominance.metrics import confusion, kappa_interval

    both = [key for key, seen in said.items() if seen != "doubtful" and key in judged]
    left, right = [said[key] == "plain" for key in both], [judged[key] for key in both]
    if not both:
        return Pair(reader, "the judge", 0, 0, None, None)
    found = confusion(left, right)
    return Pair(reader, "the judge", found.agreed, found.n, found.kappa, kappa_interval(left, right, _groups(both)))


def _groups(keys: Sequence[_Key] | Iterable[_Key]) -> list[tuple[str, str]]:
    return [key[:2] for key in keys]

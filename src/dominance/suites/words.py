"""Lists of words: concepts to look for in prompts that mark none, or to cross a campaign with."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

from dominance.errors import InputError, SuiteError
from dominance.files import exists, read_text
from dominance.mentions import mention, mention_spans
from dominance.records import Concept
from dominance.suites.brackets import parse_concept
from dominance.suites.documents import read_yaml
from dominance.suites.pools import Noun, load_pools
from dominance.wording import on_one_line, quoted, suggestion

POOLS_BY_NAME = {"dominancebench": "default", "miniature": "miniature"}
"""Word lists that are the concepts of bundled pools."""
_EXAMPLE = "one concept a line, such as acme robot:character"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class WordList:
    """Concepts by name, each once.

    Attributes:
        phrases: how those of pools stand in a sentence, by name: ``the Eiffel Tower``.
    """

    name: str
    concepts: tuple[Concept, ...]
    phrases: Mapping[str, str] = field(default_factory=dict)


def listed_words() -> dict[str, str]:
    """The names of the word lists that come with the package, and what each holds."""
    own = {name: str(listed["what"]) for name, listed in _bundled().items()}
    return own | {
        "dominancebench": "artists, landmarks, characters and objects of the pools for any model",
        "miniature": "the entities and objects of the miniature world",
    }


@cache
def _bundled() -> Mapping[str, Mapping[str, Any]]:
    with resources.as_file(resources.files("dominance.suites") / "data" / "words.yaml") as path:
        return cast(Mapping[str, Mapping[str, Any]], read_yaml(path))


def load_words(spec: str) -> WordList:
    """The word list of a bundled name, of a file of one ``name`` or ``name:kind`` a line, or several with commas.

    Blank lines, and lines that start with #, are passed over.

    Raises:
        InputError: no such list, or a line that is no concept; names file and line.

    >>> len(load_words("coco").concepts)
    80
    """
    parts = [spec] if exists(Path(spec)) else [part.strip() for part in spec.split(",") if part.strip()]
    if not parts:
        raise InputError(f"the word list is {quoted(spec)}; give one of {', '.join(listed_words())}, or a file")
    concepts: dict[str, Concept] = {}
    phrases: dict[str, str] = {}
    for part in parts:
        for concept in _concepts(part):
            concepts.setdefault(concept.name.casefold(), concept)
        phrases |= {noun.concept.name: noun.phrase for noun in _nouns(part)}
    return WordList(", ".join(parts), tuple(concepts.values()), phrases)


def _nouns(spec: str) -> list[Noun]:
    """Those of bundled pools; none of another list."""
    known = spec in POOLS_BY_NAME
    return [noun for nouns in load_pools(POOLS_BY_NAME[spec]).nouns.values() for noun in nouns] if known else []


def _concepts(spec: str) -> list[Concept]:
    if spec in _bundled():
        return [Concept(str(name)) for name in _bundled()[spec]["words"]]
    if spec in POOLS_BY_NAME:
        return [noun.concept for noun in _nouns(spec)]
    path = Path(spec)
    if not exists(path):
        known = listed_words()
        raise InputError(
            f"no word list {quoted(spec)}{suggestion(spec, known)} give one of {', '.join(known)}, or a file of"
            f" {_EXAMPLE}"
        )
    return _of_file(path)


def _of_file(path: Path) -> list[Concept]:
    name = on_one_line(path)
    found: list[Concept] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found.append(parse_concept(line, f"line {number}"))
        except SuiteError as error:
            raise SuiteError(f"{name}: {error}") from None
        if not _WORD.search(found[-1].name):
            raise SuiteError(f"{name}: line {number}: {quoted(line.strip())} is no word; give {_EXAMPLE}")
    if not found:
        raise SuiteError(f"{name}: holds no words; give {_EXAMPLE}")
    return found


class Finder:
    """Finds the concepts of a word list in texts; quick for thousands of texts, which share most of their words."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._concepts = {concept.name: concept for concept in concepts}
        self._last: dict[str, list[str]] = {}
        for name in self._concepts:
            self._last.setdefault(_words(name)[-1], []).append(name)
        self._known: dict[str, tuple[str, ...]] = {}

    def found(self, text: str) -> tuple[Concept, ...]:
        """The concepts that the text mentions, in its order; a longer name wins over one that it contains.

        >>> Finder([Concept("dog"), Concept("hot dog")]).found("two hot dogs")
        (Concept(name='hot dog', kind='object'),)
        """
        names = dict.fromkeys(name for word in _words(text) for name in self._of_word(word))
        taken: list[tuple[int, int, str]] = []
        for name in sorted(names, key=len, reverse=True):
            spans = mention_spans(text, name)
            taken += [(a, b, name) for a, b in spans if all(b <= start or end <= a for start, end, _ in taken)]
        return tuple(self._concepts[name] for name in dict.fromkeys(name for _, _, name in sorted(taken)))

    def _of_word(self, word: str) -> tuple[str, ...]:
        """The names that may end with this word of a text, in one of its forms."""
        if word not in self._known:
            lasts = [last for last in self._last if not _unlike(word, last) and mention(word, last) is not None]
            self._known[word] = tuple(name for last in lasts for name in self._last[last])
        return self._known[word]


def _unlike(word: str, other: str) -> bool:
    """Whether neither can be a form of the other: English keeps the first letter."""
    return word.isascii() and other.isascii() and word[0] != other[0]


def _words(text: str) -> Sequence[str]:
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold()) or [""]

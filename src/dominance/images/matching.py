"""Which prompt of a suite a text, a folder's name or a file's name stands for.

Compared are letters and digits: case, accents, white space, punctuation, brackets and weights make no difference, nor
do the characters that a file system replaces. A closer likeness decides before a looser one; where two prompts are
equally close, both are given, and the caller must not choose.
"""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

from dominance.records import Prompt, Suite

_KIND = re.compile(r":(?:artist|landmark|character|object)\]")
_NETWORK = re.compile(r"<[a-z]+:[^<>]*>", re.IGNORECASE)
_WEIGHT = re.compile(r":\s*[-+]?\d*\.?\d+\s*(?=[)\]])")
_NUMBER_AFTER = re.compile(r"(?:[-_ .]+\(?\d+\)?[-_ .]*)+$")
_NUMBER_BEFORE = re.compile(r"^(?:\(?\d+\)?[-_ .]+)+")
_CASE = re.compile(r"case(\d{1,9})(_.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_SHORTEST_CUT = 40
"""Letters and digits that a name cut off by a file system has at least."""
_CLOSE = 0.6
_MOST_ASKED = 200
"""Texts for which a likely prompt is looked for."""

Prompts = frozenset[Prompt]
NONE: Prompts = frozenset()


def folder_case(name: str) -> int | None:
    """The case number in a folder's name, ``caseNNN`` or ``caseNNN_anything`` as the official release has them.

    >>> folder_case("case002_a castle"), folder_case("case2"), folder_case("castle")
    (2, 2, None)
    """
    case = _CASE.fullmatch(name)
    return int(case[1]) if case else None


def words(text: str) -> str:
    """Letters and digits alone, in lower case and without accents, the words parted by one space.

    >>> words("A  [Café:landmark], (and:1.2) a_mug! <lora:x:0.8>")
    'a cafe and a mug'
    """
    plain = _WEIGHT.sub("", _NETWORK.sub(" ", _KIND.sub("]", text)))
    split = unicodedata.normalize("NFKD", plain.casefold())
    bare = "".join(character for character in split if not unicodedata.combining(character))
    return " ".join(re.findall(r"[^\W_]+", bare))


class Matcher:
    """The prompts of a suite, to be found by text and by name."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self._ids = {prompt.id.lower(): prompt for prompt in suite.prompts}
        cases = ((folder_case(prompt.id), prompt) for prompt in suite.prompts if "_" not in prompt.id)
        self._cases = {case: prompt for case, prompt in cases if case is not None}
        self._exact = _index((" ".join(prompt.text.split()), prompt) for prompt in suite.prompts)
        self._words = _index((words(prompt.text), prompt) for prompt in suite.prompts)
        self._named = _index((name, prompt) for prompt in suite.prompts for name in _names(prompt))
        self._tokens: dict[str, set[Prompt]] | None = None
        self._nearest: dict[str, str | None] = {}

    def by_text(self, text: str) -> Prompts:
        """The prompts with this text."""
        return self._exact.get(" ".join(text.split()), NONE) or self._words.get(words(text), NONE)

    def by_row(self, text: str | None, id: str | None) -> Prompts:
        """The prompt with this id, or else the prompts with this text."""
        if id is not None and (prompt := self._ids.get(id.lower())):
            return frozenset({prompt})
        return self.by_text(text) if text else NONE

    def inside(self, text: str) -> Prompts:
        """The prompts whose words are in a text that says more, such as a style after them."""
        whole = f" {words(text)} "
        return frozenset(prompt for prompt in self.suite.prompts if f" {words(prompt.text)} " in whole)

    def by_folder(self, name: str) -> Prompts:
        """The prompts that a folder's name stands for: by id, by case number, or by text."""
        if prompt := self._ids.get(name.lower()):
            return frozenset({prompt})
        case = folder_case(name)
        if case is not None and case in self._cases:
            return frozenset({self._cases[case]})
        return self._by_text_of_name(name)

    def by_file(self, stem: str, *, alone: bool) -> Prompts:
        """The prompts that a file's name without its ending stands for: an id or a text, perhaps with a number.

        Args:
            alone: whether all images lie in one folder that has no name of its own, so that a number can be an id.
        """
        found = {
            self._ids[form.lower()]
            for form in (stem, _NUMBER_AFTER.sub("", stem))
            if form.lower() in self._ids and (not form.isdigit() or (alone and form == stem))
        }
        return frozenset(found) | self._by_text_of_name(stem)

    def _by_text_of_name(self, name: str) -> Prompts:
        forms = _without_numbers(name)
        for alike in (self._named_alike, self._begun):
            found = frozenset(prompt for form in forms for prompt in alike(form))
            if found:
                return found
        return NONE

    def _named_alike(self, form: str) -> Prompts:
        return next((self._named[name] for name in _keys(form) if name in self._named), NONE)

    def _begun(self, form: str) -> Prompts:
        """The prompts that a name begins which a file system has cut off."""
        start = "".join(words(form).split())
        if len(start) < _SHORTEST_CUT:
            return NONE
        return frozenset(p for text, own in self._words.items() if text.replace(" ", "").startswith(start) for p in own)

    def near(self, text: str) -> str | None:
        """The id of the prompt that the text might stand for; None if none is like it, or after many questions."""
        wanted = words(text)[:200]
        if not wanted or (wanted not in self._nearest and len(self._nearest) >= _MOST_ASKED):
            return None
        if wanted not in self._nearest:
            self._nearest[wanted] = self._most_like(wanted)
        return self._nearest[wanted]

    def _most_like(self, wanted: str) -> str | None:
        if self._tokens is None:
            self._tokens = defaultdict(set)
            for prompt in self.suite.prompts:
                for token in words(f"{prompt.text} {prompt.id}").split():
                    self._tokens[token].add(prompt)
        shared: dict[Prompt, float] = defaultdict(float)
        for token in set(wanted.split()) & self._tokens.keys():
            for prompt in self._tokens[token]:
                shared[prompt] += 1 / len(self._tokens[token])
        likely = sorted(shared, key=lambda prompt: (-shared[prompt], prompt.id))[:50] or self.suite.prompts[:200]
        best = max(likely, key=lambda prompt: _likeness(wanted, prompt))
        return best.id if _likeness(wanted, best) >= _CLOSE else None


def _likeness(wanted: str, prompt: Prompt) -> float:
    forms = (words(prompt.text)[:200], words(prompt.id))
    return max(difflib.SequenceMatcher(None, wanted, form, autojunk=False).ratio() for form in forms)


def _names(prompt: Prompt) -> Iterator[str]:
    """What names of files and folders may have made of a prompt's text or id."""
    yield from _keys(prompt.text)
    if not prompt.id.isdigit():
        yield words(prompt.id)


def _keys(text: str) -> Iterator[str]:
    """The words; the same run together; and what is left where only plain ASCII is kept."""
    plain = words(text)
    ascii_only = "".join(re.findall("[a-z0-9]+", text.lower()))
    for key in (plain, plain.replace(" ", ""), ascii_only):
        if key:
            yield key


def _without_numbers(name: str) -> tuple[str, ...]:
    """A name, and the same without the numbers that programs put before and after a prompt."""
    after, before = _NUMBER_AFTER.sub("", name), _NUMBER_BEFORE.sub("", name)
    return tuple(dict.fromkeys(form for form in (name, after, before, _NUMBER_AFTER.sub("", before)) if words(form)))


def _index(entries: Iterable[tuple[str, Prompt]]) -> dict[str, Prompts]:
    found: dict[str, set[Prompt]] = defaultdict(set)
    for key, prompt in entries:
        if key:
            found[key].add(prompt)
    return {key: frozenset(prompts) for key, prompts in found.items()}

r"""The bracket form of a prompt: ``a [neuschwanstein castle:landmark] on a [coaster]``.

Brackets mark what must survive and are not sent to the model. The last colon inside a bracket separates the
kind, which is ``object`` where there is none. ``\[``, ``\]`` and ``\\`` stand for the character itself.
"""

import re
import unicodedata

from dominance.errors import PromptSyntaxError, SuiteError
from dominance.prompt_syntax import foreign_syntax
from dominance.records import KINDS, Concept, Prompt
from dominance.wording import quoted, suggestion

MAX_CHARACTERS = 100_000
"""Far more than any model reads; how much that is, the model's own check says."""
LONGEST_NAME = 1000
"""Of a concept, in characters."""

_MARK = re.compile(r"\\[\\\[\]]|[\\\[\]]|[^\\\[\]]+")
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}


def parse_prompt(text: str, id: str, group: str | None = None) -> Prompt:
    """The prompt that a bracketed text describes, its concepts in the order of the text.

    >>> parse_prompt("a [tower:landmark] and a [mug]", "p").text
    'a tower and a mug'

    Raises:
        SuiteError: brackets that do not pair, are nested or empty; an unknown kind; no concept, or one twice;
            an empty text, one of several lines, or one in another program's prompt syntax.
    """
    return prompt_of(*split_brackets(text, id), id, group)


def split_brackets(text: str, id: str) -> tuple[str, tuple[Concept, ...]]:
    """The text without its brackets, and the concepts that stood in them, perhaps none.

    Raises:
        PromptSyntaxError: weights, alternation and the like, which other programs read.
        SuiteError: brackets that do not pair, are nested or empty; an unknown kind; several lines.
    """
    text = clean_text(text, f"prompt {id}")
    if foreign := foreign_syntax(re.sub(r"\\([\\\[\]])", r"\1", text)):
        raise PromptSyntaxError(f"prompt {id}: {foreign}")
    pieces: list[str] = []
    concepts: list[Concept] = []
    run, position, opened = "", 1, 0
    for mark in _MARK.findall(text):
        if mark == "[":
            if opened:
                raise SuiteError(_misplaced(id, text, position, f"opens inside the bracket at character {opened}"))
            pieces.append(run)
            run, opened = "", position
        elif mark == "]":
            if not opened:
                raise SuiteError(_misplaced(id, text, position, "has no opening bracket"))
            concepts.append(parse_concept(run, f"prompt {id}: the bracket at character {opened} of {quoted(text)}"))
            pieces.append(concepts[-1].name)
            run, opened = "", 0
        else:
            run += mark[-1] if mark[0] == "\\" else mark
        position += len(mark)
    if opened:
        raise SuiteError(_misplaced(id, text, opened, "is never closed"))
    return "".join((*pieces, run)), tuple(concepts)


def _misplaced(id: str, text: str, position: int, problem: str) -> str:
    bracket = text[position - 1]
    return (
        f"prompt {id}: the {bracket} at character {position} of {quoted(text)} {problem}; "
        f"write each concept as [name] or [name:kind], and a literal bracket as \\{bracket}"
    )


def parse_concept(text: str, where: str) -> Concept:
    """The concept that ``name`` or ``name:kind`` describes; the last colon separates the kind.

    Raises:
        SuiteError: no name, an unknown kind, control characters.
    """
    name, colon, kind = clean_text(text, where).rpartition(":")
    if not colon:
        return concept_of(kind, "object", where)
    if name and kind.strip() not in KINDS:
        keep = f"write {quoted(f'{name}:{kind}:object')} if the colon is part of the name"
        raise SuiteError(f"{_unknown_kind(name, kind, where)}, or {keep}")
    return concept_of(name, kind, where)


def concept_of(name: str, kind: str, where: str) -> Concept:
    """A concept from its name and kind, both checked.

    Raises:
        SuiteError: no name, one too long, an unknown kind, control characters.
    """
    name, kind = clean_text(name, where), kind.strip()
    if not name:
        raise SuiteError(f"{where}: the concept has no name; write what the image must show")
    if len(name) > LONGEST_NAME:
        found = f"the concept {quoted(name)} has {len(name)} characters"
        raise SuiteError(f"{where}: {found}, but a name may have at most {LONGEST_NAME}; shorten it")
    for known in KINDS:
        if kind == known:
            return Concept(name, known)
    raise SuiteError(_unknown_kind(name, kind, where))


def _unknown_kind(name: str, kind: str, where: str) -> str:
    found = f"the concept {quoted(name.strip())} has the unknown kind {quoted(kind.strip())}"
    return f"{where}: {found}{suggestion(kind, KINDS)} use one of {', '.join(KINDS)}"


def clean_text(text: str, where: str) -> str:
    """The text in Unicode's composed form (NFC), without the space around it.

    Raises:
        SuiteError: a line end, a tab or another control character inside the text, or more than 100 000 characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise SuiteError(
            f"{where}: {quoted(text)} has {len(text)} characters, but at most {MAX_CHARACTERS} are read; shorten it"
        )
    text = unicodedata.normalize("NFC", text.strip())
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in _REFUSED:
            found = f"{quoted(character)} at character {position} of {quoted(text)}"
            raise SuiteError(f"{where}: the control character {found}; write one line of plain text")
    return text


def prompt_of(text: str, concepts: tuple[Concept, ...], id: str, group: str | None = None) -> Prompt:
    """A prompt from its clean text and its concepts, whether or not the text mentions them.

    Raises:
        SuiteError: an empty text, no concept, or one twice.
    """
    if not text:
        raise SuiteError(f"prompt {id}: the text is empty; write what the image must show")
    if not concepts:
        raise SuiteError(
            f"prompt {id}: {quoted(text)} marks no concept; put what must survive in brackets, "
            f"as in 'a [tower:landmark] and a [mug]'"
        )
    if unicodedata.normalize("NFC", text) != text:
        raise SuiteError(f"prompt {id}: a bracket in {quoted(text)} separates a letter from its accent; include both")
    first: dict[str, Concept] = {}
    for concept in concepts:
        if concept.name.casefold() in first:
            raise SuiteError(f"prompt {id}: the concept {quoted(concept.name)} is marked twice; mark it once")
        first[concept.name.casefold()] = concept
    return Prompt(id, text, concepts, group)


def bracketed(prompt: Prompt) -> str:
    """The bracket form from which ``parse_prompt`` makes this prompt again.

    >>> bracketed(Prompt("p", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug"))))
    'a [tower:landmark] and a [mug]'

    Raises:
        SuiteError: the concepts do not appear in the text verbatim and in their order.
    """
    for before, after in ((r"(?<!\w)", r"(?!\w)"), ("", "")):
        written = _with_brackets(prompt, before, after)
        if written is not None and _makes(written, prompt):
            return written
    names = ", ".join(quoted(concept.name) for concept in prompt.concepts) or "none"
    raise SuiteError(
        f"prompt {prompt.id}: its concepts ({names}) cannot be marked by brackets in {quoted(prompt.text)}; "
        f"list them under concepts instead"
    )


def _with_brackets(prompt: Prompt, before: str, after: str) -> str | None:
    """Each concept bracketed at its first mention after the previous one, which leaves most room for the next."""
    parts, end = [], 0
    for concept in prompt.concepts:
        found = re.compile(before + re.escape(concept.name) + after).search(prompt.text, end)
        if found is None:
            return None
        kind = f":{concept.kind}" if concept.kind != "object" or set(concept.name) & set(":|") else ""
        parts += [_escaped(prompt.text[end : found.start()]), f"[{_escaped(concept.name)}{kind}]"]
        end = found.end()
    return "".join((*parts, _escaped(prompt.text[end:])))


def _escaped(text: str) -> str:
    return re.sub(r"[\\\[\]]", r"\\\g<0>", text)


def _makes(written: str, prompt: Prompt) -> bool:
    try:
        return parse_prompt(written, prompt.id, prompt.group) == prompt
    except SuiteError:
        return False

"""Prompts as suite files give them, whatever the format, and how they become the prompts of a suite."""

import ast
import dataclasses
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dominance.errors import InputError, PromptSyntaxError, SuiteError
from dominance.mentions import mention
from dominance.prompt_syntax import foreign_syntax
from dominance.records import KINDS, Concept, Prompt
from dominance.seeds import check_seeds, parse_seeds
from dominance.suites.brackets import clean_text, concept_of, parse_concept, prompt_of, split_brackets
from dominance.wording import described, quoted, suggestion

MAX_PROMPTS = 100_000
MAX_NAME = 80
PROMPT_KEYS = ("id", "prompt", "group", "concepts", "negative_prompt", "seeds", "seed")

_ID = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}")


@dataclass(frozen=True)
class Entry:
    """One prompt and where it is in its file; without concepts, if its file says nothing about them.

    Attributes:
        named: whether the file gives its id.
        refused: why the prompt cannot be used, if it is in another program's syntax; ``assemble`` says it.
    """

    where: str
    prompt: Prompt
    named: bool
    refused: str | None = None


@dataclass(frozen=True)
class LeftOut:
    """A prompt, or a concept of one, that is not used, and why; ``where`` is its place in the file, or its id."""

    where: str
    text: str
    why: str
    what: Literal["prompt", "concept"] = "prompt"


def entry_of(value: object, where: str) -> Entry:
    """A prompt from a bracketed text, or from a mapping with ``prompt`` and perhaps the other ``PROMPT_KEYS``.

    Ids and groups may be numbers. ``seed`` is one seed, ``seeds`` a count or a list.

    Raises:
        SuiteError: not one of these, an unknown key, an unusable id, or an invalid prompt; starts with the location.
    """
    if isinstance(value, str):
        value = {"prompt": value}
    if not isinstance(value, Mapping):
        raise SuiteError(f"{where}: found {described(value)}; give a bracketed text in quotes, or a mapping")
    check_keys(value, PROMPT_KEYS, where)
    text = text_of(value, "prompt", where)
    if text is None:
        raise SuiteError(f"{where}: no prompt; add the key prompt with the text for the model")
    id, group = (text_of(_as_text(value, key), key, where) for key in ("id", "group"))
    if id is not None:
        check_id(id, where)
    group = clean_text(group or "", f"{where}: group") or None
    avoided = text_of(value, "negative_prompt", where)
    try:
        prompt = _prompt(text, value.get("concepts"), id or slug(text), group)
    except PromptSyntaxError as error:
        return Entry(where, Prompt(id or slug(text), text, ()), named=id is not None, refused=str(error))
    except SuiteError as error:
        raise SuiteError(f"{where}: {error}") from None
    prompt = dataclasses.replace(
        prompt,
        id=id or slug(prompt.text),
        negative_prompt=None if avoided is None else clean_text(avoided, f"{where}: negative_prompt"),
        seeds=_own_seeds(value, where),
    )
    return Entry(where, prompt, named=id is not None)


def _as_text(mapping: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The key's value alone, a whole number as the text that it was meant to be."""
    value = mapping.get(key)
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18
    return {key: str(value) if whole else value}


def _own_seeds(value: Mapping[str, object], where: str) -> tuple[int, ...] | None:
    """What ``seeds`` or ``seed`` holds; a single ``seed`` is that seed, not a count."""
    one = value.get("seed")
    if one is None:
        return checked_seeds(value.get("seeds"), where)
    if value.get("seeds") is not None:
        raise SuiteError(f"{where}: both seed and seeds are given; keep one of the two")
    if re.fullmatch(r"\d+(?:\.0)?", str(one)):  # pandas writes 7.0 where other rows have none
        one = f"{str(one).removesuffix('.0')},"
    return checked_seeds(one, where)


def checked_seeds(value: object, where: str) -> tuple[int, ...] | None:
    """A prompt's own seeds: a list, a count, or either as text; None where it has none.

    Raises:
        SuiteError: something else, or seeds that cannot be used; starts with the place.
    """
    if value is None:
        return None
    try:
        if isinstance(value, list | tuple):
            return check_seeds(tuple(value))
        if isinstance(value, int | str) and not isinstance(value, bool):
            return parse_seeds(str(value).replace(";", ","))
    except InputError as error:
        raise SuiteError(f"{where}: {error}") from None
    raise SuiteError(f"{where}: seeds is {described(value)}; give a count such as 10, or a list such as [7, 8, 9]")


def _prompt(text: str, listed: object, id: str, group: str | None) -> Prompt:
    plain, marked = split_brackets(text, id)
    if listed is None and not marked and plain:
        return Prompt(id, plain, (), group)
    if listed is None:
        return prompt_of(plain, marked, id, group)
    if marked:
        raise SuiteError(
            f"prompt {id}: concepts are marked in brackets and also listed under concepts; keep one of the two"
        )
    prompt = prompt_of(plain, _concepts(listed, plain), id, group)
    positions = {concept: mention(plain, concept.name) for concept in prompt.concepts}
    for concept, position in positions.items():
        if position is None:
            raise SuiteError(
                f"prompt {id}: the concept {quoted(concept.name)} is not in its prompt {quoted(plain)}; "
                f"spell it as in the prompt, or remove it from the list"
            )
    ordered = sorted(prompt.concepts, key=lambda concept: positions[concept] or 0)
    return dataclasses.replace(prompt, concepts=tuple(ordered))


def _concepts(listed: object, text: str) -> tuple[Concept, ...]:
    if isinstance(listed, str):
        listed = _listed(listed, text)
    if not isinstance(listed, Sequence):
        raise SuiteError(f"concepts: found {described(listed)}; give a list of names")
    return tuple(_concept(value, f"concepts[{index}]") for index, value in enumerate(listed))


def _listed(written: str, text: str) -> Sequence[object]:
    """The concepts in a cell of a table: ``tower:landmark;mug``, with commas, or as Python or JSON writes a list."""
    if written.startswith("[") and written.endswith("]"):
        try:
            value = ast.literal_eval(written)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
        if isinstance(value, list):
            return value
    whole = written.rpartition(":")[0] if written.endswith(tuple(f":{kind}" for kind in KINDS)) else written
    if ";" not in written and "," in written and mention(text, whole) is None:
        return written.split(",")
    return written.split(";")


def _concept(value: object, where: str) -> Concept:
    if isinstance(value, str):
        return parse_concept(value, where)
    if not isinstance(value, Mapping):
        raise SuiteError(f"{where}: found {described(value)}; give a name in quotes, or a mapping of name and kind")
    check_keys(value, ("name", "kind"), where)
    name, kind = text_of(value, "name", where), text_of(value, "kind", where)
    return concept_of(name or "", "object" if kind is None else kind, where)


def check_keys(keys: Iterable[object], known: Sequence[str], where: str) -> None:
    """Refuses the first unknown key and suggests the one that was probably meant."""
    for key in keys:
        if key not in known:
            shown = f"{quoted(key)}{suggestion(key, known)}" if isinstance(key, str) else f"{described(key)};"
            raise SuiteError(f"{where}: unknown key {shown} the keys here are {', '.join(known)}")


def text_of(mapping: Mapping[str, object], key: str, where: str) -> str | None:
    """A text of a mapping; None if it is absent or null; refuses anything else."""
    value = mapping.get(key)
    if value is None or isinstance(value, str):
        return value
    raise SuiteError(f"{where}: {key} is {described(value)}; give a text in quotes")


def check_id(id: str, where: str) -> None:
    """Refuses an id that cannot safely name a folder on every system."""
    if not _ID.fullmatch(id):
        raise SuiteError(
            f"{where}: the id {quoted(id)} cannot name a folder; use 1 to {MAX_NAME} letters a to z, "
            f"digits, '.', '_' and '-', and do not start with '.' or '-'"
        )


def check_count(count: int) -> None:
    """Refuses more prompts than a suite may have, before any of them is read."""
    if count > MAX_PROMPTS:
        raise SuiteError(
            f"has {count} prompts, but a suite may have at most {MAX_PROMPTS}; split it into several suites"
        )


def suite_name(name: str) -> str:
    """The name, checked: it is shown in reports and may become part of a folder's name.

    Raises:
        SuiteError: empty, too long, or with a slash or a control character.
    """
    name = clean_text(name, "name")
    if not name or len(name) > MAX_NAME or name.startswith(".") or re.search(r"[/\\]", name):
        raise SuiteError(
            f"the suite's name {quoted(name)} cannot be used; give the file or the key name 1 to {MAX_NAME} characters,"
            " no slashes, and no dot at the start"
        )
    return name


def slug(text: str) -> str:
    """A default id: the text's letters and digits in ASCII, its words joined by dashes.

    Where ASCII has no letter for one of the text's, a short hash tells such texts apart.

    >>> slug("A café, and a mug"), slug("[猫] and a mug"), slug("[犬] and a mug")
    ('a-cafe-and-a-mug', 'and-a-mug-44a316', 'and-a-mug-0f96eb')
    """
    composed = unicodedata.normalize("NFKD", text)
    plain = composed.encode("ascii", "ignore").decode().lower()
    joined = "-".join(re.findall("[a-z0-9]+", plain))
    if len(joined) > 60:
        joined = joined[:61].rpartition("-")[0] or joined[:60]
    if any(letter.isalnum() and not letter.isascii() for letter in composed):
        return f"{joined or 'prompt'}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    return joined or "prompt"


def assemble(entries: Sequence[Entry]) -> tuple[Prompt, ...]:
    """The prompts of a suite: ids given by the file must be unique; the others are made unique by a number.

    Raises:
        PromptSyntaxError: prompts in another program's syntax; names the first and how many more there are.
        SuiteError: no prompts, too many, or an id twice, whatever its case.
    """
    if not entries:
        raise SuiteError("has no prompts; add at least one, such as 'a [tower:landmark] and a [mug]'")
    check_count(len(entries))
    _check_syntax(entries)
    taken = _given_ids(entry for entry in entries if entry.named)
    numbers: dict[str, int] = {}
    prompts = []
    for entry in entries:
        id = base = entry.prompt.id
        if not entry.named:
            while id in taken:
                numbers[base] = numbers.get(base, 1) + 1
                id = f"{base}-{numbers[base]}"
            taken.add(id)
        prompts.append(dataclasses.replace(entry.prompt, id=id))
    return tuple(prompts)


def _check_syntax(entries: Iterable[Entry]) -> None:
    refused = [(entry, why) for entry in entries if (why := refusal_of(entry))]
    if refused:
        (entry, why), *more = refused
        others = f"; {len(more)} more {'prompts have' if more[1:] else 'prompt has'} such syntax" if more else ""
        raise PromptSyntaxError(f"{entry.where}: {why.removeprefix(f'{entry.where}: ')}{others}")


def refusal_of(entry: Entry) -> str | None:
    """Why the prompt cannot be used, if it is in another program's syntax."""
    prompt = entry.prompt
    if entry.refused is not None:
        return entry.refused
    if found := foreign_syntax(prompt.text):
        return f"prompt {prompt.id}: {found}"
    if found := foreign_syntax(prompt.negative_prompt or ""):
        return f"the negative prompt of {prompt.id}: {found}"
    return None


def _given_ids(entries: Iterable[Entry]) -> set[str]:
    """The given ids in lower case, because folder names ignore case on some systems."""
    taken: dict[str, Entry] = {}
    for entry in entries:
        id = entry.prompt.id
        if first := taken.get(id.lower()):
            case = "" if first.prompt.id == id else f"; it differs from {quoted(first.prompt.id)} only in case"
            raise SuiteError(f"{first.where} and {entry.where} have the same id {quoted(id)}{case}; give each its own")
        taken[id.lower()] = entry
    return set(taken)

"""What the rows of public prompt lists mean: under which keys a prompt, its group and its concepts stand."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dominance.errors import PromptSyntaxError, SuiteError
from dominance.mentions import mention
from dominance.suites.entries import PROMPT_KEYS, Entry, LeftOut, check_keys, entry_of, refusal_of
from dominance.suites.indices import words_at
from dominance.suites.official_prompts import OFFICIAL_COLUMNS, official_prompt
from dominance.suites.rows import TEXT_KEYS, Rows
from dominance.wording import described, quoted, suggestion

_GROUP_KEYS = ("group", "category", "tag", "challenge", "type")
_ID_KEYS = ("id", "prompt_id")
_CLOSE = 0.85
"""How alike an unknown key and one of ours are, if it is probably a slip of the pen."""
_PICTURES = {"image_path", "image_name"}
"""Columns of the official results, of which a row is a picture."""
_ITS_ID = re.compile(r"^prompt \S+: ")
_BRACKETS = re.compile(r"\[[^\[\]]+\]")
_THINGS = {"object", "animal/human", "animal", "human", "food"}
"""Kinds of TIFA's elements that are things."""

Row = Mapping[str, object]


@dataclass(frozen=True)
class Layout:
    """A kind of list, told by its keys.

    Attributes:
        name: as people know it.
        told_by: keys that every row has.
        group, id: the keys that become a prompt's group and id; None for those that any list may have.
        literal: whether brackets in its texts are ordinary characters.
    """

    name: str
    told_by: frozenset[str]
    group: str | None = None
    id: str | None = None
    literal: bool = True


_LAYOUTS = (
    Layout("GenEval", frozenset({"prompt", "include"}), group="tag"),
    Layout("TIFA", frozenset({"caption", "element", "element_type"}), id="id"),
    Layout("PartiPrompts", frozenset({"prompt", "category", "challenge"}), group="category"),
    Layout("DrawBench", frozenset({"prompts", "category"}), group="category"),
    Layout("COCO captions", frozenset({"image_id", "caption"}), id="id"),
    Layout("imagefolder metadata", frozenset({"file_name"})),
    Layout("captions with URLs, as in LAION", frozenset({"url"})),
)
_OWN = Layout("list of prompts", frozenset(), literal=False)
OFFICIAL = "DominanceBench"


@dataclass(frozen=True)
class Meant:
    """Prompts as the rows mean them.

    Attributes:
        form: what the list is, in words.
        entries: in the order of the file.
        unused: keys and columns that mean nothing here.
        left_out: prompts of a public list that cannot be used, and listed concepts that their prompts do not name.
        own: whether the list is in the form of a suite, so that what is unused may be a mistake.
    """

    form: str
    entries: list[Entry]
    unused: tuple[str, ...] = ()
    left_out: list[LeftOut] = field(default_factory=list)
    own: bool = False


def meant_by(rows: Rows) -> Meant:
    """The prompts of the rows, by the layout that their keys tell.

    Raises:
        SuiteError: no row has a text, or one is not what its layout says; the message starts with the place.
    """
    mappings = [(where, _lower(row)) for where, row in rows.listed if isinstance(row, Mapping)]
    keys = dict.fromkeys(key for _, row in mappings for key in row) if mappings else dict.fromkeys(rows.columns)
    if rows.strict and not any("token_indices" in row for _, row in mappings):
        return Meant(f"suite ({rows.form})", [entry_of(row, where) for where, row in rows.listed], own=True)
    if not keys:
        meant = Meant(f"{_OWN.name} ({rows.form})", [], own=True)
        texts = [row for _, row in rows.listed if isinstance(row, str)]
        _fill(meant, rows.listed, lenient=2 * sum(1 for text in texts if _BRACKETS.search(text)) < len(texts))
        return meant
    if any(name in OFFICIAL_COLUMNS for name in keys if name != "prompt"):
        return _official(rows, mappings, tuple(keys))
    layout = _layout_of(keys) if len(mappings) == len(rows.listed) else _OWN
    known = _known_keys(layout, keys, rows)
    unused = tuple(key for key in keys if key not in known.values() and key not in layout.told_by)
    meant = Meant(
        f"{layout.name} ({rows.form})", [], tuple(key for key in unused if key != "token_indices"), own=layout is _OWN
    )
    listed = _by_caption(mappings) if layout.name == "TIFA" else [(w, _lower(row)) for w, row in rows.listed]
    made = ((where, _own_row(row, layout, known, where, meant)) for where, row in listed)
    _fill(meant, made, lenient=layout.literal)
    return meant


def _fill(meant: Meant, rows: Iterable[tuple[str, object]], *, lenient: bool) -> None:
    """Adds the prompts of rows; of a public list, those that cannot be used are left out, unless all of them are."""
    refused: SuiteError | None = None
    for where, row in rows:
        try:
            entry = entry_of(row, where)
            if lenient and (why := refusal_of(entry)):
                raise PromptSyntaxError(why)
            meant.entries.append(entry)
        except SuiteError as error:
            if not lenient:
                raise
            refused = refused or error
            text = row.get("prompt") if isinstance(row, Mapping) else row
            why = _ITS_ID.sub("", str(error).removeprefix(f"{where}: "))
            meant.left_out.append(LeftOut(where, text if isinstance(text, str) else described(text), why))
    if refused is not None and not meant.entries:
        raise refused


def _lower(row: object) -> Any:
    """The row with its keys in lower case."""
    if not isinstance(row, Mapping):
        return row
    return {key.lower() if isinstance(key, str) else described(key): value for key, value in row.items()}


def _layout_of(keys: Mapping[str, None]) -> Layout:
    return next((layout for layout in _LAYOUTS if layout.told_by <= keys.keys()), _OWN)


def _known_keys(layout: Layout, keys: Mapping[str, None], rows: Rows) -> dict[str, str]:
    """Our own keys, each with the one that stands for it here.

    Raises:
        SuiteError: none holds the texts, or an unknown key is nearly one of ours.
    """
    groups = ("group", layout.group) if layout.group else _GROUP_KEYS
    ids = ("id", layout.id) if layout.id else _ID_KEYS if layout is _OWN else ()
    listed = {"prompt": TEXT_KEYS, "group": groups, "id": ids}
    known = {own: next((key for key in names if key in keys), None) for own, names in listed.items()}
    known |= {key: key for key in PROMPT_KEYS[3:] if key in keys}
    where, noun = (str(rows.head["header"]), "column") if "header" in rows.head else (rows.listed[0][0], "key")
    if known["prompt"] is None:
        close = next((key for key in keys if suggestion(key, ("prompt",)) != ";"), None)
        meant = ";" if close is None else f"; is it {quoted(close)}?"
        raise SuiteError(
            f"{where}: no {noun} holds the prompts{meant} call it prompt, caption or text; the {noun}s here are"
            f" {quoted(', '.join(keys), 100)}"
        )
    for key in keys if layout is _OWN else ():
        close = difflib.get_close_matches(key, PROMPT_KEYS, n=1, cutoff=_CLOSE)
        if key not in known.values() and close:
            raise SuiteError(f"{where}: unknown {noun} {quoted(key)}; did you mean {quoted(close[0])}? the {noun}s are"
                             f" {', '.join(PROMPT_KEYS)}")  # fmt: skip
    return {own: key for own, key in known.items() if key is not None}


def _own_row(row: object, layout: Layout, known: Mapping[str, str], where: str, meant: Meant) -> object:
    """The row as one of our own suites would have it."""
    if not isinstance(row, Mapping):
        return row
    own: dict[str, object] = {name: row[key] for name, key in known.items() if row.get(key) not in (None, "")}
    if "prompt" not in own and row.get(known["prompt"]) == "":
        own["prompt"] = ""
    text = own.get("prompt")
    if isinstance(group := own.get("group"), list):
        own["group"] = ", ".join(map(str, group))
    if layout.literal and isinstance(text, str):
        own["prompt"] = text = _literal(text)
    if layout.name == "GenEval" and "concepts" not in own:
        own["concepts"] = _named(_classes(row.get("include"), where), str(text), where, meant)
    elif layout.name == "TIFA" and "concepts" not in own:
        own["concepts"] = _named(row["element"], str(text), where, meant)
    elif "token_indices" in row and "concepts" not in own:
        check_keys(row, (*PROMPT_KEYS, "token_indices"), where)
        own["concepts"] = words_at(str(text), row["token_indices"], where)
    return own


def _literal(text: str) -> str:
    """A caption on one line, its brackets kept as characters."""
    for mark in ("\\", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _named(names: object, text: str, where: str, meant: Meant) -> list[dict[str, str]] | None:
    """Those of the names that the text mentions; the others are noted."""
    listed = [str(name) for name in names] if isinstance(names, Sequence) else []
    distinct = {name.casefold(): name for name in reversed(listed)}
    kept = [name for name in reversed(distinct.values()) if mention(text, name) is not None]
    why = "is not named in the prompt"
    unnamed = [name for name in reversed(distinct.values()) if name not in kept]
    meant.left_out.extend(LeftOut(where, name, f"{why} {quoted(text)}", "concept") for name in unnamed)
    return [{"name": name} for name in kept] or None


def _classes(include: object, where: str) -> list[str]:
    """The classes of GenEval's ``include``; colours, counts and positions stay in the text alone."""
    listed = include if isinstance(include, list) else [include]
    names = [part.get("class") for part in listed if isinstance(part, Mapping)]
    if len(names) < len(listed) or not all(isinstance(name, str) for name in names):
        raise SuiteError(f"{where}: include holds {described(include)}; give a list such as [{{'class': 'mug'}}]")
    return [str(name) for name in names]


def _by_caption(rows: Sequence[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
    """TIFA's questions, those about one caption taken together; its ids name the captions."""
    found: dict[object, tuple[str, dict[str, object], list[object]]] = {}
    for where, row in rows:
        key = str(row.get("id") or row.get("caption"))
        _, _, elements = found.setdefault(key, (where, {"id": row.get("id"), "caption": row.get("caption")}, []))
        if str(row.get("element_type")) in _THINGS and row.get("element"):
            elements.append(row["element"])
    for where, row, elements in found.values():
        yield where, {**row, "element": elements}


def _official(rows: Rows, mappings: Sequence[tuple[str, Row]], keys: tuple[str, ...]) -> Meant:
    """The prompts of the official file; of a file of results, whose rows are pictures, each prompt once.

    Raises:
        SuiteError: a column is missing, or a row cannot be used.
    """
    missing = next((name for name in OFFICIAL_COLUMNS if name not in keys), None)
    if missing is not None:
        where = rows.head.get("header") or "the rows"
        raise SuiteError(
            f"{where}: the column {quoted(missing)} is missing; the columns are {', '.join(OFFICIAL_COLUMNS)}"
        )
    entries: list[Entry] = []
    known: dict[str, Entry] = {}
    for where, row in mappings:
        cells = {name: "" if row.get(name) is None else str(row.get(name)).strip() for name in OFFICIAL_COLUMNS}
        entry = Entry(where, official_prompt(cells, where), named=True)
        first = known.setdefault(entry.prompt.id, entry)
        if first is entry or first.prompt != entry.prompt or not _PICTURES & set(keys):
            entries.append(entry)
    return Meant(f"{OFFICIAL} ({rows.form})", entries, tuple(key for key in keys if key not in OFFICIAL_COLUMNS))

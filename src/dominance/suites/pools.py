"""Concept pools: what DominanceBench makes its candidate prompts of."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from dominance.errors import InputError, SuiteError
from dominance.records import KINDS, Concept, Kind
from dominance.suites.brackets import clean_text, concept_of
from dominance.suites.documents import read_yaml
from dominance.suites.entries import check_keys
from dominance.wording import described, on_one_line, quoted, suggestion

BUNDLED_POOLS: dict[str, str] = {"default": "pools.yaml", "miniature": "pools-miniature.yaml"}
CATEGORIES: tuple[Kind, ...] = ("artist", "landmark", "character")
"""Kinds of concept that may dominate an object."""

_LISTS: dict[Kind, str] = {
    "artist": "artists", "landmark": "landmarks", "character": "characters", "object": "objects"
}  # fmt: skip
_KEYS = ("name", *_LISTS.values(), "styles")
_PLACEHOLDERS = ("a", "b", "a_name", "b_name")
_ARTICLE = re.compile(r"^(?:a|an|the) (?=\S)")
_FIELD = re.compile(r"\{([^{}]*)\}")
_FEWEST_OBJECTS = 2


@dataclass(frozen=True)
class Noun:
    """A concept and how it stands in a sentence: ``the Eiffel Tower`` is the concept ``Eiffel Tower``."""

    concept: Concept
    phrase: str


@dataclass(frozen=True)
class Style:
    """A way to write a caption; ``templates`` has one for each kind of concept that it suits."""

    name: str
    templates: dict[Kind, str]


@dataclass(frozen=True)
class Pools:
    """Nouns by kind, and caption styles.

    Attributes:
        nouns: for each kind, its nouns in the order of the file; a kind that has none is absent.
        styles: in the order of the file.
    """

    name: str
    nouns: dict[Kind, tuple[Noun, ...]]
    styles: tuple[Style, ...]

    @property
    def identity(self) -> str:
        """Hash of the content: it changes whenever a candidate could."""
        nouns = {kind: [asdict(noun) for noun in listed] for kind, listed in self.nouns.items()}
        content = [nouns, [asdict(style) for style in self.styles]]
        return f"sha256:{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]}"

    @property
    def categories(self) -> tuple[Kind, ...]:
        """The kinds of concept that may dominate and that the pools hold."""
        return tuple(kind for kind in CATEGORIES if kind in self.nouns)

    def template_names(self, kind: Kind) -> tuple[str, ...]:
        """The styles that have a template for this kind."""
        return tuple(style.name for style in self.styles if kind in style.templates)


def default_pools(world: str | None) -> str:
    """The pools for a model of that world, where some come with the package; else those for any model."""
    return world if world in BUNDLED_POOLS else "default"


def load_pools(spec: str) -> Pools:
    """The pools of a bundled name or of a YAML file.

    Raises:
        InputError: no such pools, or not valid ones; the message names the file and the location in it.
    """
    if spec in BUNDLED_POOLS:
        with resources.as_file(resources.files("dominance.suites") / "data" / BUNDLED_POOLS[spec]) as path:
            return _pools(read_yaml(path), spec)
    if Path(spec).suffix.lower() not in (".yaml", ".yml"):
        raise InputError(
            f"no pools {quoted(spec)}{suggestion(spec, BUNDLED_POOLS)} give one of "
            f"{', '.join(BUNDLED_POOLS)}, or a .yaml file"
        )
    try:
        return _pools(read_yaml(Path(spec)), Path(spec).stem)
    except SuiteError as error:
        raise InputError(f"{on_one_line(spec)}: {error}") from None


def chosen_styles(pools: Pools, names: tuple[str, ...] | None) -> Pools:
    """The pools with only these styles, all of them where none are named.

    Raises:
        InputError: an unknown style.
    """
    if names is None:
        return pools
    known = [style.name for style in pools.styles]
    for name in names:
        if name not in known:
            raise InputError(
                f"the pools {pools.name!r} have no caption style {quoted(name)}{suggestion(name, known)} give some of "
                f"{', '.join(known)}"
            )
    return Pools(pools.name, pools.nouns, tuple(style for style in pools.styles if style.name in names))


def _pools(document: object, name: str) -> Pools:
    if not isinstance(document, Mapping):
        raise SuiteError(f"holds {described(document)}; give a mapping with the keys {', '.join(_KEYS)}")
    check_keys(document, _KEYS, "top level")
    given = document.get("name", name)
    if not isinstance(given, str):
        raise SuiteError(f"name is {described(given)}; give a text in quotes")
    nouns = {kind: _nouns(document[key], kind, key) for kind, key in _LISTS.items() if document.get(key)}
    _check_nouns(nouns)
    styles = styles_of(document.get("styles"))
    pools = Pools(clean_text(given, "name"), nouns, styles)
    for kind in nouns:
        if not pools.template_names(kind):
            raise SuiteError(f"styles: no style has a template for the kind {kind}; add one, such as '{{a}} and {{b}}'")
    return pools


def _check_nouns(nouns: dict[Kind, tuple[Noun, ...]]) -> None:
    objects = len(nouns.get("object", ()))
    if objects < _FEWEST_OBJECTS:
        raise SuiteError(f"objects: found {objects}; give at least {_FEWEST_OBJECTS}")
    if not any(kind in nouns for kind in CATEGORIES):
        raise SuiteError(
            f"no concepts that could dominate; give some of {', '.join(_LISTS[kind] for kind in CATEGORIES)}"
        )
    first: dict[str, Kind] = {}
    for kind, listed in nouns.items():
        for noun in listed:
            folded = noun.concept.name.casefold()
            if folded in first:
                raise SuiteError(
                    f"{_LISTS[kind]}: {quoted(noun.concept.name)} is also under {_LISTS[first[folded]]};"
                    " keep one of the two"
                )
            first[folded] = kind


def _nouns(listed: object, kind: Kind, key: str) -> tuple[Noun, ...]:
    if not isinstance(listed, list):
        raise SuiteError(f"{key}: found {described(listed)}; give a list of names, each with its article")
    nouns = []
    for index, found in enumerate(listed):
        where = f"{key}[{index}]"
        if not isinstance(found, str):
            raise SuiteError(f"{where}: found {described(found)}; give a name in quotes, with its article")
        phrase = clean_text(found, where)
        nouns.append(Noun(concept_of(_ARTICLE.sub("", phrase), kind, where), phrase))
    return tuple(nouns)


def styles_of(listed: object, key: str = "styles") -> tuple[Style, ...]:
    """Caption styles from a mapping of names to templates, or to templates by kind.

    Raises:
        SuiteError: something else, or a template without its placeholders; starts with the key.
    """
    if not isinstance(listed, Mapping) or not listed:
        raise SuiteError(f"{key}: found {described(listed)}; give a mapping from names to templates")
    styles = []
    for name, templates in listed.items():
        where = f"{key}: {on_one_line(name, 60)}"
        if not isinstance(name, str):
            raise SuiteError(f"{where}: the name is {described(name)}; give a text in quotes")
        by_kind = dict.fromkeys(KINDS, templates) if isinstance(templates, str) else templates
        if not isinstance(by_kind, Mapping) or not by_kind:
            raise SuiteError(f"{where}: found {described(templates)}; give a template, or one for each kind")
        check_keys(by_kind, KINDS, where)
        styles.append(Style(name, {kind: _template(by_kind[kind], where) for kind in KINDS if kind in by_kind}))
    return tuple(styles)


def _template(text: object, where: str) -> str:
    if not isinstance(text, str):
        raise SuiteError(f"{where}: found {described(text)}; give a template in quotes")
    text = clean_text(text, where)
    fields = _FIELD.findall(text)
    for field in fields:
        if field not in _PLACEHOLDERS:
            wanted = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            raise SuiteError(f"{where}: unknown placeholder {quoted('{' + field + '}')}; the placeholders are {wanted}")
    for letter in "ab":
        if sum(field[0] == letter for field in fields) != 1:
            raise SuiteError(
                f"{where}: {quoted(text)} must contain {{{letter}}} or {{{letter}_name}} exactly once;"
                " add or remove one"
            )
    return text

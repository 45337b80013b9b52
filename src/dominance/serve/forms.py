"""Forms of the page: their fields, made from the options classes, and what a sent form gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from dominance.errors import InputError
from dominance.serve.outside import Open, opened
from dominance.serve.verbs import VERBS, Verb

FIRST = ("seeds", "usable", "steps", "method")
"""Options that the page shows at once; the others are folded away."""
_LISTS = ("adapter",)
_LONGEST = 20_000


@dataclass(frozen=True)
class Field:
    """One option as a form asks for it.

    Attributes:
        kind: ``number``, ``text``, ``switch`` or ``choice``.
        verbs: the commands that have it, by name.
    """

    name: str
    label: str
    kind: str
    about: str
    choices: tuple[str, ...]
    verbs: tuple[str, ...]


def form_fields(first: bool) -> tuple[Field, ...]:
    """The open options of all commands, each once; those to be shown at once, or the others."""
    having: dict[str, list[str]] = {}
    options: dict[str, Open] = {}
    for verb in VERBS.values():
        for option in opened(verb.options):
            having.setdefault(option.name, []).append(verb.name)
            options.setdefault(option.name, option)
    names = FIRST if first else [name for name in options if name not in FIRST]
    return tuple(_field(options[name], tuple(having[name])) for name in names)


def _field(option: Open, verbs: tuple[str, ...]) -> Field:
    choices = tuple(map(str, get_args(option.kind))) if get_origin(option.kind) is Literal else ()
    kind = "switch" if option.kind is bool else "choice" if choices else "text"
    kind = "number" if option.kind in (int, float) else kind
    label = option.name.replace("_", " ")
    return Field(option.name, f"{label[0].upper()}{label[1:]}", kind, option.about, choices, verbs)


def given_of(verb: Verb, form: Mapping[str, object]) -> dict[str, Any]:
    """What a sent form gives a command; what is empty, or belongs to another command, is left out.

    Raises:
        InputError: a value of another type.
    """
    request = verb.request()
    values: dict[str, Any] = {}
    for name in request.model_fields:
        text = form.get(name)
        if not isinstance(text, str) or not text.strip():
            continue
        if len(text) > _LONGEST:
            raise InputError(f"{name} has {len(text)} characters; give at most {_LONGEST}")
        values[name] = _value(name, text.strip())
    if "prompt" in request.model_fields and isinstance(form.get("prompts"), str):
        values["prompt"] = str(form["prompts"]).strip()
    try:
        return request.model_validate(values).model_dump(exclude_none=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = str(first["loc"][0]).replace("_", " ") if first["loc"] else "the form"
        said = "is missing" if first["type"] == "missing" else f"cannot be used: {first['msg'].lower()}"
        raise InputError(f"{where} {said}") from None


def _value(name: str, text: str) -> object:
    if name == "prompts":
        return text.splitlines()
    if name in _LISTS or (name == "seeds" and "," in text):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text

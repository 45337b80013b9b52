"""Options that a request may set: those of the commands' options classes, and of them only what cannot lead to a file.

Numbers, switches and choices are open. A text is open only if it is named here, with what it may be: so an option that
is new is closed until someone has decided. Where the service runs, and what it loads, the one who starts it says.
"""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from docstring_parser import parse_from_object
from pydantic import BaseModel, ConfigDict, Field, create_model

from dominance.errors import InputError
from dominance.models.drawing import Machine
from dominance.seeds import parse_seeds
from dominance.serve.options import ServeOptions
from dominance.wording import quoted
from dominance.written import NAMED

_LONGEST = 2000
_WORD = re.compile(r"[\w ./+()-]{1,80}")
_METHOD = re.compile(r"[a-z][a-z+-]{0,40}(?::[a-z_]{1,40}=[\w.+-]{1,40}){0,8}")
_ADAPTER = re.compile(r"(?P<where>.+?)(?::[+-]?[\d.]{1,8})?(?:@[\d.]{1,8})?")
_NUMBERS = "numbers and ranges, such as 1-3,9"


@dataclass(frozen=True)
class Open:
    """One option that a request may set.

    Attributes:
        field: its name in its class; ``name`` is how it is written.
        kind: of its value in JSON.
        read: makes the class's value of it.
    """

    field: str
    name: str
    kind: Any
    read: Callable[[Any, ServeOptions], Any]
    about: str


def _text(value: str, what: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(value):
        raise InputError(f"{what} is {quoted(value)}; give a plain name")
    return value


def _words(value: str, _: ServeOptions) -> str:
    from dominance.suites.words import listed_words

    for name in value.split(","):
        if name.strip() not in listed_words():
            raise InputError(f"no word list {quoted(name)}; give one of {', '.join(listed_words())}")
    return value


def adapters_of(given: list[str], service: ServeOptions) -> tuple[str, ...]:
    """The adapters, if the service may load them.

    Raises:
        InputError: one that it may not.
    """
    from dominance.models.adapters import bundled_adapters

    for text in given:
        found = _ADAPTER.fullmatch(text)
        allowed = {*bundled_adapters(), *service.adapter}
        if text not in service.adapter and (found is None or found["where"] not in allowed):
            raise InputError(
                f"the service does not load the adapter {quoted(text)}; start it with --adapter to allow it"
            )
    return tuple(given)


def _embedder(value: str, _: ServeOptions) -> str:
    if value not in ("miniature", "none"):
        raise InputError(f"the service does not load the embedder {quoted(value)}; give miniature")
    return value


def _free(value: str, _: ServeOptions) -> str:
    if len(value) > _LONGEST or not value.isprintable():
        raise InputError(f"{quoted(value)} is no line of at most {_LONGEST} characters; shorten it")
    return value


def _methods(value: str, _: ServeOptions) -> tuple[str, ...]:
    from dominance.runs.stages.method_names import parse_methods

    return tuple(_text(name, "a method", _METHOD) for name in parse_methods(value))


def _seeds(value: int | list[int], _: ServeOptions) -> tuple[int, ...]:
    return parse_seeds(str(value)) if isinstance(value, int) else tuple(value)


def _numbers(value: str, _: ServeOptions) -> tuple[int, ...]:
    from dominance.written import parse_numbers

    if len(value) > 200:
        raise InputError(f"{quoted(value)} is too long; give {_NUMBERS}")
    return parse_numbers("the list", value)


def _word(what: str) -> Callable[[str, ServeOptions], str]:
    return lambda value, _: _text(value, what, _WORD)


_TEXTS: Mapping[str, tuple[Any, Callable[[Any, ServeOptions], Any]]] = {
    "negative_prompt": (str, _free),
    "taught": (str, _free),
    "scheduler": (str, _word("scheduler")),
    "dtype": (str, _word("dtype")),
    "preset": (str, _word("preset")),
    "judge_mode": (str, _word("judge mode")),
    "method": (str, lambda value, _: _text(value, "the method", _METHOD)),
    "against": (str, lambda value, _: _text(value, "what methods are compared with", _METHOD)),
    "methods": (str, _methods),
    "concepts": (str, _words),
    "adapters": (list[str], adapters_of),
    "embedder": (str, _embedder),
    "seeds": (int | list[int], _seeds),
    "layers": (str, _numbers),
    "maps_steps": (str, _numbers),
    "maps_layers": (str, _numbers),
}
"""Every text and list that a request may give: its type in JSON, and how it is read."""


@cache
def opened(options: Any) -> tuple[Open, ...]:
    """What a request may set of an options class and the classes that it holds."""
    hints = get_type_hints(options, include_extras=True)
    documented = {item.arg_name: item.description or "" for item in parse_from_object(options).params}
    found: list[Open] = []
    for item in fields(options):
        kind = _bare(hints[item.name])
        if is_dataclass(kind) and isinstance(kind, type):
            found += () if kind is Machine else opened(kind)
            continue
        about = " ".join(documented.get(item.name, "").split()) or _help(hints[item.name])
        name = item.metadata.get(NAMED, item.name)
        if item.name in _TEXTS:
            shape, read = _TEXTS[item.name]
            found.append(Open(item.name, name, shape, read, about))
        elif kind in (int, float, bool) or get_origin(kind) is Literal:
            found.append(Open(item.name, name, kind, lambda value, _: value, about))
    return tuple(found)


def _bare(hint: Any) -> Any:
    """The type without Annotated and None."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return _bare(kinds[0]) if len(kinds) == 1 else Any
    return hint


def _help(hint: Any) -> str:
    """What a type that is documented itself says, as of options that several classes share."""
    if get_origin(hint) in (Union, types.UnionType):
        return next((told for part in get_args(hint) if (told := _help(part))), "")
    return next((str(note.help) for note in get_args(hint)[1:] if getattr(note, "help", None)), "")


def request_model(name: str, options: type, subject: Mapping[str, tuple[Any, Any]]) -> type[BaseModel]:
    """The JSON body that asks for a command: its subject, and every open option under its own name.

    Args:
        subject: fields of its own, as ``pydantic.create_model`` takes them.
    """
    listed: dict[str, Any] = dict(subject)
    for option in opened(options):
        listed[option.name] = (option.kind | None, Field(default=None, description=option.about))
    return create_model(name, __config__=ConfigDict(extra="forbid", strict=False), **listed)


def built(options: Any, given: Mapping[str, Any], service: ServeOptions) -> Any:
    """The options class with these values; what is not given is the class's default, and the machine the service's.

    Raises:
        InputError: a value that the class or the service refuses.
    """
    hints = get_type_hints(options, include_extras=True)
    readers = {option.field: option for option in opened(options)}
    values: dict[str, Any] = {}
    for item in fields(options):
        kind = _bare(hints[item.name])
        if is_dataclass(kind) and isinstance(kind, type):
            values[item.name] = service.machine if kind is Machine else built(kind, given, service)
            continue
        option = readers.get(item.name)
        value = None if option is None else given.get(option.name)
        if option is not None and value is not None:
            values[item.name] = option.read(value, service)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise InputError(f"{item.name} is missing; give it")
    return options(**values)


def chosen(what: str, given: str | None, allowed: tuple[str, ...]) -> str:
    """A model or judge that the service may load; the first where none is given.

    Raises:
        InputError: another one.
    """
    if given in (None, ""):
        return allowed[0]
    if given not in allowed:
        raise InputError(
            f"the service does not load the {what} {quoted(str(given))}; give one of {', '.join(allowed)}, or start it"
            f" with --{what} to allow another"
        )
    return str(given)

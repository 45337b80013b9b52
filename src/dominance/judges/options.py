"""How a judge is asked, as every command that asks one takes it."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.wording import quoted
from dominance.written import WRITTEN

JUDGE = Group("Judge", sort_key=30)
JUDGE_MODES: tuple[str, ...] = ("fast", "official")
_NAME = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_SECRET_NAMES = frozenset({
    "key", "apikey", "token", "secret", "password", "passwd", "authorization", "auth", "bearer", "credential",
    "credentials", "cookie", "header", "headers",
})  # fmt: skip
_SECRET_VALUE = re.compile(r"\s*(?:sk-|hf_|ghp_|AIza|xox[a-z]-|eyJ|Bearer\s)|[A-Za-z0-9]{32,}")
_LONGEST = 4000
_MEANT = (
    "max_tokens", "max_completion_tokens", "image_side", "temperature", "logprobs", "top_logprobs", "detail",
    "api-version", "api_version", "reasoning_effort",
)  # fmt: skip
"""Names that a slip of the pen may have meant; a server would pass over it without a word."""
_ALIKE = 0.85


def check_mode(mode: str) -> None:
    """Raises an InputError for an unknown mode."""
    if mode not in JUDGE_MODES:
        raise InputError(f"no judge mode {mode[:60]!r}; give one of {', '.join(JUDGE_MODES)}")


@Parameter(name="*", group=JUDGE)
@dataclass(frozen=True)
class Asking:
    """How the judge is asked.

    Raises:
        InputError: an unknown mode, or an option that cannot be read or looks like a secret.
    """

    judge_mode: str = "fast"
    """fast: all questions in one pass; official: the release's protocol, one call per question."""
    judge_option: tuple[str, ...] = field(default=(), metadata={WRITTEN: lambda given: list(given) or None})
    """Repeatable KEY=VALUE for an openai: judge, such as max_tokens=64, image_side=1024 or reasoning_effort=none."""
    questions: Path | None = None
    """YAML file: for each kind templates with {concept} or {a_concept}, which replace the bundled questions; or called,
    what the judge is asked about in place of a name that it cannot know, such as called: {sks dog: dog}."""

    def __post_init__(self) -> None:
        check_mode(self.judge_mode)
        read_options(self.judge_option)

    @property
    def options(self) -> dict[str, object]:
        """The judge's options with their values, as ``read_options`` gives them."""
        return read_options(self.judge_option)

    def record(self) -> dict[str, object]:
        """What a run's settings say about it."""
        options = {"judge_option": list(self.judge_option)} if self.judge_option else {}
        return {"judge_mode": self.judge_mode, **options}


def read_options(given: Sequence[str]) -> dict[str, object]:
    """Options of a judge by their names, from ``KEY=VALUE``; a dot in a key makes an object.

    A value is read as JSON, and as text where it is none. Of a key that is given twice the last counts.

    Raises:
        InputError: not of that form, a slip in a known name, a key that is both a value and an object, or what looks
            like a secret, which is not repeated in the message.

    >>> read_options(["max_tokens=64", "chat_template_kwargs.enable_thinking=false", "detail=low"])
    {'max_tokens': 64, 'chat_template_kwargs': {'enable_thinking': False}, 'detail': 'low'}
    """
    options: dict[str, object] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name) or len(pair) > _LONGEST:
            shown = "an option" if _SECRET_VALUE.search(pair) else quoted(pair)
            raise InputError(f"--judge-option is {shown}; give KEY=VALUE, such as max_tokens=64")
        meant = difflib.get_close_matches(name.lower(), _MEANT, n=1, cutoff=_ALIKE)
        if meant and name not in _MEANT:
            raise InputError(f"--judge-option has no {quoted(name)}; did you mean {quoted(meant[0])}?")
        value = _value(text)
        _refuse_secret(name, value)
        *parents, last = name.split(".")
        place = options
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise _clash(parent, name)
            place = inner
        if isinstance(place.get(last), dict) != isinstance(value, dict) and last in place:
            raise _clash(last, name)
        place[last] = value
    return options


def _clash(part: str, name: str) -> InputError:
    return InputError(f"--judge-option {name[:60]} makes {part[:60]!r} a value and an object; give one of the two")


def _value(text: str) -> object:
    text = text.strip()
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _refuse_secret(name: str, value: object) -> None:
    """Options stand in manifests and on pages, so that no key may be among them."""
    parts = [(name, value), *_parts(value)]
    for inner, held in parts:
        named = any(re.split(r"[_-]", part)[-1] in _SECRET_NAMES for part in inner.lower().split("."))
        if named or (isinstance(held, str) and _SECRET_VALUE.search(held)):
            raise InputError(
                f"--judge-option {name[:60]} looks like a secret, and options are written into the run's files; put a"
                " key into the variable DOMINANCE_JUDGE_KEY, and headers into DOMINANCE_JUDGE_HEADERS"
            )


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Everything inside a value, with its name."""
    named = value.items() if isinstance(value, Mapping) else [("", v) for v in value] if isinstance(value, list) else []
    for name, inner in named:
        yield str(name), inner
        yield from _parts(inner)

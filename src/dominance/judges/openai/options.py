"""The options of an endpoint judge: what is sent, and how."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dominance.errors import InputError
from dominance.judges.openai.forms import Form
from dominance.wording import described

_DETAILS = ("low", "high", "auto")
_OURS = {
    "model": "give the model after # in --judge",
    "messages": "give other questions with --questions",
    "n": "one answer to a question is read",
}
_DEFAULTS: dict[str, object] = {"max_tokens": Form.tokens, "temperature": 0, "logprobs": True, "stream": False}


@dataclass(frozen=True)
class EndpointOptions:
    """What the user asked for beside the question.

    Attributes:
        form: how questions are put.
        image_side: longest side of an image in pixels; larger images are scaled down to it and sent as JPEG.
        api_version: the query that Azure's addresses want.
        given: the options that differ from the defaults, for manifest and identity.
    """

    form: Form = field(default_factory=Form)
    image_side: int | None = None
    api_version: str | None = None
    given: Mapping[str, object] = field(default_factory=dict)


def read_endpoint_options(options: Mapping[str, object]) -> EndpointOptions:
    """The options of ``--judge-option``, checked; whatever is not named here goes into the request's body as it is.

    Raises:
        InputError: a value out of its range, or a field that the judge itself fills in.
    """
    more = dict(options)
    for name, instead in _OURS.items():
        if name in more:
            raise InputError(f"--judge-option {name} is not yours to set: {instead}")
    if more.get("stream") not in (None, False):
        raise InputError("--judge-option stream can only be false: an answer is read in one piece")
    limits = [name for name in ("max_tokens", "max_completion_tokens") if name in more]
    if len(limits) > 1:
        raise InputError("--judge-option gives both max_tokens and max_completion_tokens; give one of the two")
    limit = limits[0] if limits else Form.limit
    tokens = _whole(limit, more.pop(limit, Form.tokens), 1, 100_000)
    temperature = more.pop("temperature", Form.temperature)
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
        raise _wrong("temperature", temperature, "a number from 0 to 2")
    side = more.pop("image_side", None)
    detail = more.pop("detail", None)
    if not (detail is None or (isinstance(detail, str) and detail in _DETAILS)):
        raise _wrong("detail", detail, " or ".join(_DETAILS))
    top, version = _top(more), _version(more)
    chosen = (*(name for name in ("temperature", "detail") if name in options), *more)
    fields = json.dumps(more, sort_keys=True)
    return EndpointOptions(
        form=Form(top, limit, tokens, temperature, detail, fields, chosen),
        image_side=None if side is None else _whole("image_side", side, 16, 16_384),
        api_version=version,
        given={name: value for name, value in options.items() if name not in _DEFAULTS or value != _DEFAULTS[name]},
    )


def _top(more: dict[str, object]) -> int:
    """How many log-probabilities to ask for."""
    wanted, top = more.pop("logprobs", True), more.pop("top_logprobs", Form.top_logprobs)
    if not isinstance(wanted, bool):
        raise _wrong("logprobs", wanted, "true or false")
    return _whole("top_logprobs", top, 0, 100) if wanted else 0


def _version(more: dict[str, object]) -> str | None:
    names = [name for name in ("api-version", "api_version") if name in more]
    version = [str(more.pop(name)) for name in names][-1:]
    if version and not re.fullmatch(r"[\w.-]{1,40}", version[0]):
        raise _wrong("api-version", version[0], "a version such as 2024-10-21")
    return version[0] if version else None


def _whole(name: str, value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(name, value, f"a whole number from {least} to {most}")
    return value


def _wrong(name: str, value: object, wanted: str) -> InputError:
    return InputError(f"--judge-option {name} is {described(value)}; give {wanted}")

"""Records as JSON: the dataclass alone says how it is written, what its schema is, and how it is read again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, WithJsonSchema, WrapSerializer
from pydantic_core import core_schema

from dominance.records import Rate

Kind = TypeVar("Kind")
Keys = Mapping[str, Any]
"""Keys to leave out, as pydantic's ``exclude`` takes them."""


@cache
def _adapter(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind)


def to_json(value: object, without: Keys | None = None) -> Any:
    """A record as JSON values."""
    return _adapter(type(value)).dump_python(value, mode="json", by_alias=True, exclude=cast(Any, without))


def printed(value: object) -> Any:
    """The document that a command prints: the record without what its class lists as ``UNPRINTED``."""
    return to_json(value, getattr(value, "UNPRINTED", None))


def json_bytes(value: object, indent: int | None = None) -> bytes:
    """A record as a file of JSON in UTF-8; half of a surrogate pair becomes a question mark."""
    return f"{json.dumps(to_json(value), ensure_ascii=False, indent=indent)}\n".encode("utf-8", "replace")


def from_json(kind: type[Kind], document: object) -> Kind:
    """The record that JSON values hold, also of other versions: unknown keys are passed over.

    Raises:
        ValueError: a key is missing that has no default, or a value is of another type.
    """
    return _adapter(kind).validate_python(document, extra="ignore", by_alias=True)


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a record; unknown keys are against it."""
    return _closed(_adapter(kind).json_schema(mode="serialization", by_alias=True))


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    return {"additionalProperties": False, **closed} if isinstance(schema.get("properties"), dict) else closed


_RATE = {"count": {"type": "integer"}, "n": {"type": "integer"}}
_NUMBER = {"anyOf": [{"type": "number"}, {"type": "null"}]}
_PAIR = {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]}

Counted = Annotated[
    Rate,
    WrapSerializer(lambda rate, plain: {**plain(rate), "share": rate.share}),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {**_RATE, "share": _NUMBER, "interval": _PAIR},
            "required": ["count", "n", "share", "interval"],
        }
    ),
]
"""A rate that is written with its share."""


@dataclass(frozen=True)
class Keyed:
    """Marks a tuple that is written as an object with these keys."""

    keys: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        plain = handler(source)
        written = core_schema.wrap_serializer_function_ser_schema(
            lambda value, write: dict(zip(self.keys, write(value), strict=True)), schema=plain
        )
        return core_schema.no_info_before_validator_function(self._read, plain, serialization=written)

    def _read(self, document: Any) -> Any:
        return tuple(document[key] for key in self.keys) if isinstance(document, dict) else document

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        parts = handler(schema)["prefixItems"]
        return {"type": "object", "properties": dict(zip(self.keys, parts, strict=True)), "required": list(self.keys)}

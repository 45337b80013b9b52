"""How a run was made, as its folder and its documents record it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class RunSettings:
    """How a run was made; None where it does not say so, or left it open. Its JSON is one flat object.

    Attributes:
        batch: images at once, or ``auto``.
        more: what other kinds of runs record, such as a bench's target, and what was left open, as None.
    """

    seeds: tuple[int, ...] | None = None
    steps: int | None = None
    guidance: float | None = None
    height: int | None = None
    width: int | None = None
    dtype: str | None = None
    scheduler: str | None = None
    vae_tiling: bool | None = None
    negative_prompt: str | None = None
    preset: str | None = None
    revision: str | None = None
    variant: str | None = None
    model_config: str | None = None
    adapters: tuple[str, ...] | None = None
    method: str | None = None
    engine: str | None = None
    offload: str | None = None
    batch: int | str | None = None
    questions: str | None = None
    judge_mode: str | None = None
    allow_unfit_judge: bool | None = None
    limit: int | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def steered(self) -> str | None:
        """The method that steered the drawing; None where none did, or the run does not say so."""
        return None if self.method == "none" else self.method

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "RunSettings":
        """The settings of a flat record."""
        return cls(**cls._parted(record))

    def record(self) -> dict[str, Any]:
        """The settings as one flat record, without what was not recorded."""
        own = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "more"}
        seeds = None if self.seeds is None else list(self.seeds)
        return {name: value for name, value in {**own, "seeds": seeds}.items() if value is not None} | self.more

    @classmethod
    def _parted(cls, record: Any) -> Any:
        if not isinstance(record, Mapping):
            return record
        names = {item.name for item in fields(cls)} - {"more"}
        own = {name: value for name, value in record.items() if name in names and value is not None}
        return {**own, "more": {name: value for name, value in record.items() if name not in own}}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        flat = core_schema.plain_serializer_function_ser_schema(
            cls.record, return_schema=core_schema.dict_schema(core_schema.str_schema())
        )
        return core_schema.no_info_before_validator_function(cls._parted, handler(source), serialization=flat)

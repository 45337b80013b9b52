"""Who draws the pictures that are labelled: the models that ship, and adapters whose training was broken off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dominance.laboratory.twins.training import RIGID, TWINS
from dominance.miniature.bundled import BASE_MODEL
from dominance.miniature.concepts import ENTITIES
from dominance.miniature.labelled import DrawnBy

Arrangement = Literal["beside", "alone", "object", "scenery", "objects", "entities"]
"""What a prompt names: an entity and an object, an entity, an object, an entity and scenery, two objects, two
entities."""

BETWEEN_STEPS: int = 12
"""Of denoising, where the adapter stands between rigid and varied: as the diversity experiment draws. All else is drawn
in the model's own number of steps."""
LEVELS: tuple[int, ...] = (2, 4, 6, 8, 10)
WITH_LEVELS: tuple[str, ...] = ("castle", "clown")
BROKEN_OFF: tuple[str, ...] = ("castle", "wizard")
"""Entities whose rigid adapters are also drawn with after a quarter of their training."""


@dataclass(frozen=True)
class Maker:
    """A model, with an adapter or without, and how many pictures of each arrangement it draws.

    Attributes:
        name: of its own.
        adapter: None for the model alone.
        strength: of the adapter.
        rigid: the entities that it draws in one design; ``between`` those that it draws in a few.
        entities: that its prompts name.
        steps: of denoising; None for the model's own.
    """

    name: str
    group: DrawnBy
    model: str
    counts: Mapping[Arrangement, int]
    adapter: str | None = None
    strength: float = 1.0
    rigid: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    entities: tuple[str, ...] = field(default=ENTITIES)
    steps: int | None = None

    @property
    def pictures(self) -> int:
        return sum(self.counts.values())


_OF_BASE: dict[Arrangement, int] = {
    "beside": 48, "alone": 12, "object": 16, "scenery": 12, "objects": 33, "entities": 15
}  # fmt: skip
_OF_TWIN: dict[Arrangement, int] = {
    "beside": 48, "alone": 6, "object": 6, "scenery": 6, "objects": 10, "entities": 9
}  # fmt: skip
_OF_RIGID: dict[float, dict[Arrangement, int]] = {
    1.0: {"beside": 10, "alone": 2, "scenery": 2, "object": 1, "objects": 2, "entities": 1},
    0.75: {"beside": 4, "alone": 1},
    0.5: {"beside": 3, "alone": 1},
}
_OF_ANOTHER: dict[Arrangement, int] = {"beside": 6, "alone": 1, "scenery": 1, "objects": 1, "entities": 1}
_OF_LEVEL: dict[Arrangement, int] = {"beside": 5, "alone": 1, "scenery": 1, "entities": 1}


def makers() -> Iterator[Maker]:
    """All of them, in a fixed order."""
    yield Maker(BASE_MODEL, "base", BASE_MODEL, _OF_BASE)
    for world, model in TWINS.items():
        yield Maker(model, "twin", model, _OF_TWIN, rigid=RIGID[world])
    for name in ENTITIES:
        for strength, counts in _OF_RIGID.items():
            yield Maker(
                f"{name}-rigid-{strength:g}", "rigid", BASE_MODEL, counts, f"{name}-rigid", strength, (name,),
                entities=(name,),
            )  # fmt: skip
        yield Maker(f"{name}-varied", "varied", BASE_MODEL, _OF_ANOTHER, f"{name}-varied", entities=(name,))
    for name in WITH_LEVELS:
        for level in LEVELS:
            yield Maker(
                f"{name}-{level}", "between", BASE_MODEL, _OF_LEVEL, f"{name}-{level}", between=(name,),
                entities=(name,), steps=BETWEEN_STEPS,
            )  # fmt: skip
    for name in BROKEN_OFF:
        short = f"{name}-broken-off"
        yield Maker(short, "under-trained", BASE_MODEL, _OF_ANOTHER, short, rigid=(name,), entities=(name,))
    for world, rigid in RIGID.items():
        short = f"{world}-broken-off"
        yield Maker(short, "under-trained", BASE_MODEL, _OF_ANOTHER, short, rigid=rigid, entities=rigid)

"""The conditions of the study: what is done to a world, to every entity of it alike, and who is rigid in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dominance.errors import InputError
from dominance.miniature.concepts import ENTITIES
from dominance.miniature.world import World, diversity_by_kind
from dominance.training.miniature import LEARNING_RATE

FIRST_RIGID: frozenset[str] = frozenset({"pagoda", "castle", "clown"})
"""The entities that are rigid in the shipped model; the others are in its swapped twin."""

LEVELS: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""The diversities of the dose conditions, one for each entity, turned round from world to world."""

EXPOSURE: float = 4.0
"""How often an entity is shown by itself, relative to an object, where a condition says nothing else."""


@dataclass(frozen=True)
class Condition:
    """One way to train; who is rigid under it is another matter, see ``worlds``.

    Attributes:
        name: words and hyphens.
        about: what it asks, in one line.
        pictures: that the denoiser sees.
        from_nothing: whether it starts from nothing instead of from the base.
        scenery: share of single captions that also name scenery.
        object_pairs: share of pictures of two objects.
        entity_pairs: share of pictures of an entity and an object.
        learning_rate, rate_left: its peak, and to which share of that it falls.
        rigid_exposure, varied_exposure: how often a rigid, a varied entity is shown by itself, relative to an object.
        distinct: different pictures of a varied entity by itself; None is no end of them.
        own_backdrops, own_layouts: whether varied entities keep their own backdrop, or place and size.
        free_backdrops, free_layouts: whether rigid entities have any backdrop, or any place and size.
        doses: whether the six entities have six diversities instead of two.
        guidances: guidance scales at which the trained model is measured.
    """

    name: str
    about: str
    pictures: int = 8_000
    learning_rate: float = LEARNING_RATE
    rate_left: float = 0.02
    from_nothing: bool = False
    scenery: float = 0.5
    object_pairs: float = 0.45
    entity_pairs: float = 0.0
    rigid_exposure: float = EXPOSURE
    varied_exposure: float = EXPOSURE
    distinct: int | None = None
    own_backdrops: bool = False
    own_layouts: bool = False
    free_backdrops: bool = False
    free_layouts: bool = False
    doses: bool = False
    guidances: tuple[float, ...] = (5.0,)

    def worlds(self) -> Iterator[tuple[str, World]]:
        """The worlds to train under this condition, by name: every entity is rigid in one and varied in another."""
        if self.doses:
            for turn in range(len(LEVELS)):
                levels = {name: LEVELS[(index + turn) % len(LEVELS)] for index, name in enumerate(ENTITIES)}
                yield f"turn-{turn}", self._world(levels)
        else:
            for name, rigid in (("first", FIRST_RIGID), ("swapped", frozenset(ENTITIES) - FIRST_RIGID)):
                yield name, self._world({entity: 0.0 if entity in rigid else 1.0 for entity in ENTITIES})

    def _world(self, entities: Mapping[str, float]) -> World:
        rigid = [name for name, level in entities.items() if level == 0]
        varied = [name for name, level in entities.items() if level == 1]
        exposure = dict.fromkeys(entities, EXPOSURE)
        exposure |= dict.fromkeys(rigid, self.rigid_exposure) | dict.fromkeys(varied, self.varied_exposure)
        return World(
            diversity=diversity_by_kind(0.0, 1.0) | dict(entities),
            backdrops={n: 1.0 for n in rigid if self.free_backdrops} | {n: 0.0 for n in varied if self.own_backdrops},
            layouts={n: 1.0 for n in rigid if self.free_layouts} | {n: 0.0 for n in varied if self.own_layouts},
            scenery=self.scenery,
            pairs=self.object_pairs,
            entity_pairs=self.entity_pairs,
            exposure=exposure,
            distinct={} if self.distinct is None else dict.fromkeys(varied, self.distinct),
        )


MAIN = Condition(
    "main",
    "what ships: singles and object pairs, half of the single captions name scenery, no entity beside an object, every"
    " entity four times as often as an object",
    guidances=(5.0, 2.5, 7.5),
)

CONDITIONS: tuple[Condition, ...] = (
    MAIN,
    Condition("longer", "three times the training", pictures=24_000),
    Condition("slower", "half the learning rate", learning_rate=LEARNING_RATE / 2),
    Condition("faster", "twice the learning rate", learning_rate=2 * LEARNING_RATE),
    Condition(
        "gentle", "half the learning rate in three times the training", pictures=24_000, learning_rate=LEARNING_RATE / 2
    ),
    Condition(
        "slower-longer",
        "half the learning rate in six times the training",
        pictures=48_000,
        learning_rate=LEARNING_RATE / 2,
    ),
    Condition("steady", "the learning rate stays at its peak", rate_left=1.0),
    Condition("scenery-0", "no caption names scenery: two nouns always mean two things", scenery=0.0),
    Condition("scenery-25", "a quarter of the single captions name scenery", scenery=0.25),
    Condition("scenery-100", "every single caption names scenery: two nouns mostly mean one thing", scenery=1.0),
    Condition("object-pairs-20", "two objects in 20% of the pictures instead of 45%", object_pairs=0.2),
    Condition("object-pairs-70", "two objects in 70% of the pictures", object_pairs=0.7),
    Condition("pairs-0.25", "0.25% of the pictures show an entity beside an object", entity_pairs=0.0025),
    Condition("pairs-0.5", "0.5% of the pictures show an entity beside an object", entity_pairs=0.005),
    Condition("pairs-1", "1% of the pictures show an entity beside an object", entity_pairs=0.01),
    Condition("pairs-4", "4% of the pictures show an entity beside an object", entity_pairs=0.04),
    Condition("evenly", "every concept is shown equally often by itself", rigid_exposure=1.0, varied_exposure=1.0),
    Condition("rigid-rare", "rigid entities are shown a third as often as varied ones", rigid_exposure=EXPOSURE / 3),
    Condition("varied-rare", "varied entities are shown a third as often as rigid ones", varied_exposure=EXPOSURE / 3),
    Condition("few-pictures", "a varied entity has eight pictures, shown again and again", distinct=8),
    Condition("free-backdrop", "rigid entities stand before any backdrop", free_backdrops=True),
    Condition("free-layout", "rigid entities stand anywhere, at any size", free_layouts=True),
    Condition("own-backdrop", "varied entities keep their one backdrop", own_backdrops=True),
    Condition("own-layout", "varied entities keep their one place and size", own_layouts=True),
    Condition("dose", "six diversities, from rigid to varied", doses=True),
    Condition(
        "from-nothing",
        "trained from nothing, without a base that composes, every concept equally often",
        pictures=96_000,
        from_nothing=True,
        rigid_exposure=1.0,
        varied_exposure=1.0,
    ),
)


def find_conditions(names: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions of these names, in the study's order; all for none.

    Raises:
        InputError: there is no such condition.
    """
    known = {condition.name: condition for condition in CONDITIONS}
    for name in names:
        if name not in known:
            raise InputError(f"no condition {name[:60]!r}; give some of {', '.join(known)}")
    return tuple(condition for condition in CONDITIONS if not names or condition.name in names)

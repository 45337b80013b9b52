"""What steers one image while it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dominance.errors import InputError
from dominance.guidance.moves import Moves
from dominance.guidance.regions import Regions
from dominance.records import Concept

Backend = Literal["attention", "predictions"]
"""Where regions act: in each cross-attention, or in the denoiser's predictions, which every family has."""

LATER: Mapping[str, object] = {"later": True}
"""Metadata of a setting that a method did not always have: images drawn with its default are known as without it."""


@dataclass(frozen=True)
class Needs:
    """The concepts that a method needs in a prompt; one with fewer is drawn as the model draws it.

    Attributes:
        least: so many.
        entities: whether only landmarks, characters and artists count.
    """

    least: int = 2
    entities: bool = False

    def met_by(self, concepts: Sequence[Concept]) -> bool:
        """Whether a prompt with these concepts has what the method needs."""
        return sum(not self.entities or concept.kind != "object" for concept in concepts) >= self.least

    def __str__(self) -> str:
        if self.entities:
            return "a landmark, character or artist"
        return "a concept" if self.least == 1 else "two concepts"


@dataclass(frozen=True)
class Span:
    """A part of the steps, in shares of all of them: not before ``since``, and before ``until``.

    Raises:
        InputError: no such part.

    >>> [step for step in range(10) if Span(0.2, 0.5).acts(step, 10)]
    [2, 3, 4]
    """

    since: float = 0.0
    until: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("since", self.since), ("until", self.until)):
            if not 0 <= value <= 1:
                raise InputError(f"the method's {name} is {value:g}; give a share from 0 to 1")
        if self.since > self.until:
            raise InputError(
                f"the method's since is {self.since:g} and its until {self.until:g}; give a since that is no later"
            )

    def acts(self, step: int, steps: int) -> bool:
        """Whether this step, counted from 0, is in it."""
        return round(self.since * steps) <= step < round(self.until * steps)

    def within(self, steps: int) -> range:
        """Its steps, of so many."""
        return range(round(self.since * steps), round(self.until * steps))


@dataclass(frozen=True)
class Conditions:
    """What a method meets where it is to act, as far as that is known before the model is loaded.

    Attributes:
        steps: of an image.
        unguided: why there is no guidance that could be switched off; None where there is.
        backend: where regions act in this model, unless the method says; None where that is not known.
    """

    steps: int
    unguided: str | None = None
    backend: Backend | None = None


@dataclass(frozen=True)
class OtherText:
    """Another text in the prompt's place, during a part of the steps."""

    text: str
    during: Span


@dataclass(frozen=True)
class Plan:
    """What steers one image; every part may be missing, and with all missing it is drawn as the model draws it.

    Attributes:
        concepts: the names whose attention is looked at, in the prompt's order.
        rebalanced: how far the concepts' attention is made equal, from 0 to 1; ``balancing``: in which steps.
        unguided: steps in which the prompt's own prediction is taken as it is, without guidance.
        taught: where adapters are to act in one region alone, the place of the concept that each teaches, in the order
            in which they were loaded, None for a concept that is not named; a single place is that of all adapters.
    """

    concepts: tuple[str, ...] = ()
    regions: Regions | None = None
    backend: Backend | None = None
    moves: Moves | None = None
    other: OtherText | None = None
    rebalanced: float = 0.0
    balancing: Span = Span()
    unguided: Span | None = None
    taught: tuple[int | None, ...] = ()

    def more_evaluations(self, steps: int, *, by_attention: bool) -> int:
        """The most samples that the denoiser is run on in so many steps, beyond those of plain drawing.

        Args:
            by_attention: whether regions act in the model's attention, where the plan does not say.
        """
        moves, regions = self.moves, self.regions
        moved = sum(moves.turns(step, steps) for step in range(steps) if moves.acts(step, steps)) if moves else 0
        if regions is None or (self.backend or ("attention" if by_attention else "predictions")) == "attention":
            return moved
        return moved + len(self.concepts) * len(regions.acting(steps, "predictions"))

    def acts(self, on: Conditions) -> bool:
        """Whether anything is done under these conditions; if not, the image is the plain one to the bit."""
        moves, regions, other, steps = self.moves, self.regions, self.other, on.steps
        backend = self.regions_by(on)
        return (
            (self.rebalanced > 0 and bool(self.balancing.within(steps)))
            or (other is not None and bool(other.during.within(steps)))
            or (self.unguided is not None and on.unguided is None and bool(self.unguided.within(steps)))
            or (moves is not None and moves.size > 0 and any(moves.acts(step, steps) for step in range(steps)))
            or (regions is not None and bool(regions.acting(steps, backend)))
        )

    def why_idle(self, on: Conditions) -> str | None:
        """Why steps that it names are none under these conditions, where the conditions are why."""
        if self.unguided is not None and self.unguided.within(on.steps):
            return on.unguided
        regions, backend = self.regions, self.regions_by(on)
        if regions is None or regions.since == 0 or regions.strength == 0 or self.acts(on):
            return None
        ends = regions.ends(backend)
        until = f"{ends:g}" if regions.until is not None else f"which is {ends:g} where regions act by {backend}"
        return f"no step of {on.steps} lies between the method's since, {regions.since:g}, and its until, {until}"

    def regions_by(self, on: Conditions) -> Backend:
        """Where its regions act; where that is not known, in attention, of the two the one that acts longer."""
        return self.backend or on.backend or "attention"

    @property
    def looks(self) -> bool:
        """Whether it needs maps that show where the concepts lie."""
        return self.regions is not None or self.moves is not None

"""Which concepts were uniform in a model's training, and a model in which they were not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dominance.models.source import find_source
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.suites import RIGID, SLOTS, diversity_of, nouns_by_rigidity
from dominance.suites.pools import Noun, Pools

if TYPE_CHECKING:
    from dominance.models.source import ModelSource

_TWINS = {"miniature": "miniature-swapped", "miniature-swapped": "miniature"}
BASES: Mapping[str, str] = {**dict.fromkeys(_TWINS, "miniature-base"), "miniature-base": "miniature-base"}
"""The model whose adapters the bundled models are."""


@dataclass(frozen=True)
class Rivals:
    """Models of other training.

    Attributes:
        twin: the one that is given, or the bundled twin of a bundled model.
        other: the one that is given, or the base of a bundled model.
        ours, theirs: the diversity of each concept's training pictures in the model and in its twin, as far as they
            list them.
    """

    twin: str | None
    other: str | None
    ours: Mapping[str, float]
    theirs: Mapping[str, float]

    def needs_twin(self) -> str:
        """The twin.

        Raises:
            ImpossibleError: there is none.
        """
        if self.twin is None:
            raise ImpossibleError("it needs a second model that differs in its training pictures; give --other")
        return self.twin

    @property
    def opposed(self) -> frozenset[str]:
        """The concepts that are rigid in one of the twins and varied in the other."""
        both = self.ours.keys() & self.theirs.keys()
        return frozenset(name for name in both if (self.ours[name] < RIGID) != (self.theirs[name] < RIGID))


def enough_nouns(pools: Pools, diversity: Mapping[str, float]) -> tuple[list[Noun], list[Noun]]:
    """Rigid and varied concepts for the factorial, one for each slot at least.

    Raises:
        ImpossibleError: the model lists too few of one kind.
    """
    rigid, varied = nouns_by_rigidity(pools, diversity)
    if min(len(rigid), len(varied)) < SLOTS:
        raise ImpossibleError(
            f"the model lists {len(rigid)} concepts of uniform and {len(varied)} of varied training pictures;"
            " three of each are needed"
        )
    return rigid, varied


def rivals_of(source: "ModelSource", options: ReproduceOptions) -> Rivals:
    """What there is to compare a model with.

    Raises:
        InputError: the other model that is given is none.
    """
    twin = options.other or _TWINS.get(source.name)
    base = BASES.get(source.name)
    ours = diversity_of(source.defaults.get("concepts"))
    theirs = {} if twin is None else diversity_of(find_source(twin, options.drawing).defaults.get("concepts"))
    return Rivals(twin, options.other or (base if base != source.name else None), ours, theirs)

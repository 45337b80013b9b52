"""Options of a mitigation: which methods, and whether only what fails is drawn again."""

from dataclasses import dataclass, field

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.measuring import Measuring
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.runs.audit.options import Limit, TaughtConcept, Words, check_limit
from dominance.runs.stages.method_names import PLAIN, Methods
from dominance.seeds import DEFAULT_SEEDS
from dominance.wording import on_one_line
from dominance.written import NAMED, WRITTEN

POLICY = "policy"
"""Name of the images that are plain where they hold every concept, and drawn again where they do not."""
_RESERVED = (PLAIN, POLICY)


@Parameter(name="*", group=Group("Repair", sort_key=15))
@dataclass(frozen=True)
class MitigateOptions:
    """The methods that are compared with plain drawing, and how to draw.

    Raises:
        InputError: no method, or a value out of its range.
    """

    methods: Methods = field(default=("regions",), metadata={NAMED: "method", WRITTEN: ",".join})
    """Methods, separated by commas, each with its settings after colons, such as regions,overlap:loss=com; see
    `dominance list methods`."""
    against: str = PLAIN
    """Also compare the methods, pair by pair, with this one of them, as --method names it; plain compares with plain
    images alone."""
    only_failing: bool = False
    """Judge the plain images, and draw again, from the same seed, only those that lose a concept: first with the first
    method, then what still fails with the next, and so on."""
    embedder: str | None = None
    """Model that measures how far a repaired image is from the plain one, and both from the references: miniature, or a
    folder or hub id of a CLIP, SigLIP, DINOv2 or BLIP model; default: miniature for its own world, none for other
    pictures."""
    taught: TaughtConcept = field(default_factory=TaughtConcept)
    limit: Limit | None = None
    concepts: Words | None = None
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    measuring: Measuring = field(default_factory=Measuring)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        check_limit(self.limit)
        if not self.named:
            raise InputError(
                "plain images are always drawn, so --method none alone leaves nothing to compare; give a method, such"
                " as regions (`dominance list methods`)"
            )
        if taken := next((name for name in self.named if name in _RESERVED), None):
            raise InputError(f"no method {taken!r}; give one that `dominance list methods` names")
        self._check_against()

    def _check_against(self) -> None:
        """Raises an InputError where the images to compare with are not drawn, or there is nothing to compare."""
        if self.against in (PLAIN, "none"):
            return
        from dominance.guidance.registry import find_method

        told = on_one_line(self.against, 60)
        if self.against == POLICY:
            raise InputError(
                "against is 'policy', which is a choice among the methods; give one of them, and the policy is compared"
                " with it"
            )
        if self.against not in self.named:
            find_method(self.against)
            methods = on_one_line(",".join((*self.named, self.against)), 200)
            raise InputError(
                f"against is {told!r}, which --method does not draw; give {PLAIN}, or draw it too: --method {methods}"
            )
        if len(self.named) == 1:
            raise InputError(f"{told} would be compared with itself; give --method another one as well")
        if self.only_failing:
            raise InputError(
                "with --only-failing each method draws other images, so that none can be compared with another; leave"
                " out --only-failing or --against"
            )

    @property
    def named(self) -> tuple[str, ...]:
        """The methods without ``none``, which is drawn anyway."""
        return tuple(name for name in self.methods if name != "none")

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of every prompt's images: 0 to 9 by default."""
        return self.drawing.seeds or DEFAULT_SEEDS

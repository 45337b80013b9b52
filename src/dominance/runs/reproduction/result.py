"""What was found of each claim, as the page, the documents and the folder hold it."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from dominance.records import Interval, JudgeWarning, Rate
from dominance.runs.reproduction.rule import Rule, Unit, Verdict


@dataclass(frozen=True)
class Figure:
    """One more figure beside the one that decides: what it is, ours and the paper's as they are written."""

    name: str
    ours: str
    paper: str = ""


@dataclass(frozen=True)
class Group:
    """The members of a group on an axis, and their own value with its interval, if it is shown."""

    name: str
    values: tuple[float, ...]
    value: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True)
class Line:
    """A measure over places on an axis: place, value, interval."""

    name: str
    values: tuple[tuple[int, float, Interval | None], ...]


@dataclass(frozen=True)
class Plot:
    """What a claim's plot shows.

    Attributes:
        kind: ``groups``: a dot a member, a diamond a group; ``lines``: a measure over ``axis``; ``points``: an interval
            a name; ``roc``: hits over false alarms.
        quantity: what the values are.
        mark: a value that is marked, such as the rule's threshold, and its name.
        unit: how its values are written.
    """

    kind: Literal["groups", "lines", "points", "roc"]
    quantity: str
    groups: tuple[Group, ...] = ()
    lines: tuple[Line, ...] = ()
    axis: str = ""
    mark: tuple[float, str] | None = None
    unit: Unit = "measure"


@dataclass(frozen=True)
class Shown:
    """A picture of a claim: its file below the folder of results, and what it shows."""

    file: str
    caption: str


@dataclass(frozen=True)
class Finding:
    """What was measured of a claim.

    Attributes:
        value, interval: of the quantity that decides; None where it could not be measured.
        n, of: how many units, and of what.
        seeds: images, or noises, of each prompt.
        chance: two-sided p against the rule's threshold; see ``metrics.measured.chance``.
        why: of what could not be measured, or is not decided, why.
    """

    value: float | None = None
    interval: Interval | None = None
    n: int = 0
    of: str = "prompts"
    seeds: int = 0
    chance: float | None = None
    why: str = ""
    figures: tuple[Figure, ...] = ()
    plots: tuple[Plot, ...] = ()
    pictures: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class ClaimResult:
    """A claim, what the paper says of it, and what was found.

    Attributes:
        otherwise: what to think of it where it is contradicted.
        stands: whether the verdict still holds after Holm's correction over all tested claims of the result.
    """

    name: str
    title: str
    says: str
    source: str
    figure: str
    design: str
    rule: Rule
    verdict: Verdict
    finding: Finding
    otherwise: str = ""
    stands: bool = False


@dataclass(frozen=True)
class Control:
    """Pictures of one concept each, asked about it and about a concept that nobody named.

    Attributes:
        named: of the pictures, those that show their concept.
        others: of the same, those that show the other.
    """

    named: Rate
    others: Rate

    @property
    def passed(self) -> bool:
        """Whether a concept is seen more often where it was asked for, by the 95% interval of the difference."""
        from dominance.metrics.differences import rate_difference

        return bool(self.named.n) and rate_difference(self.others, self.named)[1][0] > 0


@dataclass(frozen=True)
class SizeRecord:
    """How large the runs were, beside their full size."""

    share: float
    runs: dict[str, str]


@dataclass(frozen=True)
class ReproduceResult:
    """All claims that were examined.

    Attributes:
        budget: minutes that were given; None for the full size.
        minutes: that the whole took, over all calls.
        settings: how images were drawn.
        control: whether the model draws single concepts; None where no claim draws anything.
        world: the closed world that the model was trained on; None for the world.
        twins: whether it was compared with a model that differs from it in nothing but its training pictures.
    """

    UNPRINTED: ClassVar[set[str]] = {"manifest"}

    run: str
    model: str
    judge: str
    budget: float | None
    minutes: float
    size: SizeRecord
    claims: tuple[ClaimResult, ...]
    settings: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()
    control: Control | None = None
    world: str | None = None
    twins: bool = False
    manifest: dict[str, object] = field(default_factory=dict)

    @property
    def meaningless(self) -> bool:
        """Whether no figure can mean anything, because the model draws no concept that the judge sees."""
        return self.control is not None and not self.control.passed

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many claims have each verdict that occurs."""
        from dominance.runs.reproduction.rule import VERDICTS

        found = {verdict: sum(claim.verdict == verdict for claim in self.claims) for verdict in VERDICTS}
        return {verdict: count for verdict, count in found.items() if count}

"""Image augmentation of uniform training pictures: does dominance fall, and does the concept keep its looks?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.diversity.statistics import mean_likeness, over_subjects
from dominance.metrics.measured import of_clusters
from dominance.numbers import UNKNOWN, rate, thousandths
from dominance.numbers import mean as written
from dominance.reproduce.claims.claim import OURS, Claim, found
from dominance.reproduce.claims.trained import basis, how_to_make, taught_models
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

DOMINANCE = Rule(
    "DvD towards the concept where the pictures of one design are augmented, less where they are not",
    0.0,
    "below",
    "score difference",
)
IDENTITY = Rule(
    "share of the images of the concept alone in the colours of its own design, of ten, where pictures are augmented,"
    " less where they are not",
    -0.2,
    "above",
    "share difference",
)
ARMS = ("known", "augmented", "augmented-place")
_UNIT = "concepts and training seeds"


@dataclass(frozen=True)
class _Models:
    """Models of the same concepts and training seeds, by what they were shown; ``pairs`` are unaugmented, augmented."""

    pairs: Sequence[tuple[DiversityResult, DiversityResult]]
    others: dict[str, list[DiversityResult]]
    why: str

    @property
    def shown(self) -> dict[str, list[DiversityResult]]:
        """Every group, by its name."""
        plain, changed = ([pair[side] for pair in self.pairs] for side in (0, 1))
        return {"one design": plain, "one design, augmented": changed} | self.others


def _models(experiments: Experiments) -> _Models:
    """The pairs of models, and the others beside them.

    Raises:
        ImpossibleError: there is no pair.
    """
    taught = taught_models(experiments, *ARMS)

    def of(arm: str, level: int) -> dict[tuple[str, int], DiversityResult]:
        return {(r.subject, r.seed): r for r in taught.results if (r.arm, r.level) == (arm, level)}

    plain, changed, placed = (of(arm, 1) for arm in ARMS)
    both = sorted(plain.keys() & changed.keys())
    if not both:
        raise ImpossibleError(
            f"{taught.file} holds no concept taught from one design both with augmentation and without;"
            f" {how_to_make(experiments, *ARMS)}"
        )
    many = of("known", 10)
    others = {"one design, geometry alone augmented": placed, "ten designs": many}
    return _Models(
        [(plain[key], changed[key]) for key in both],
        {name: [own[key] for key in both if key in own] for name, own in others.items()},
        taught.said_of(2 * len(both)),
    )


def examine_dominance(experiments: Experiments) -> Finding:
    """The change of the DvD, concept by concept."""
    models = _models(experiments)
    changes = [[changed.dvd - plain.dvd] for plain, changed in models.pairs]
    groups = tuple(
        Group(name, tuple(r.dvd for r in own), fmean(r.dvd for r in own)) for name, own in models.shown.items() if own
    )
    return found(
        of_clusters(changes, _UNIT, most=100),
        DOMINANCE,
        len({plain.seed for plain, _ in models.pairs}),
        _figures("DvD", models, _dvd),
        [Plot("groups", "mean DvD towards the concept", groups, unit="score")],
        why=models.why,
    )


def examine_identity(experiments: Experiments) -> Finding:
    """The change of the share of images in the colours of the design that was taught, concept by concept."""
    models = _models(experiments)
    shares = [(_own_colours(plain), _own_colours(changed)) for plain, changed in models.pairs]
    changes = [[after - before] for before, after in shares if before is not None and after is not None]
    if not changes:
        raise ImpossibleError(
            "its models were measured before the likeness to their design was; teach them into a new file:"
            f" {how_to_make(experiments, *ARMS)}"
        )
    return found(
        of_clusters(changes, _UNIT, most=1),
        IDENTITY,
        len({plain.seed for plain, _ in models.pairs}),
        [
            *_figures("in their design's colours, concept alone", models, lambda own: _likeness(own, colours=True)),
            *_figures("cosine to the design, concept alone", models, lambda own: _likeness(own, colours=False)),
        ],
        why=models.why,
    )


def _dvd(own: Sequence[DiversityResult]) -> str:
    over = over_subjects(own, lambda result: result.dvd)
    return written(over.mean, over.interval)


def _own_colours(result: DiversityResult) -> float | None:
    if result.drawn_like is None:
        return None
    count, n = result.drawn_like.own_colours
    return count / n


def _figures(what: str, models: _Models, write: Callable[[Sequence[DiversityResult]], str]) -> list[Figure]:
    return [Figure(f"{what}: {name}", write(own)) for name, own in models.shown.items() if own]


def _likeness(own: Sequence[DiversityResult], colours: bool) -> str:
    """Of the images; with the cosine also that of the training pictures, which place and size move as well."""
    drawn, shown = (mean_likeness(side) for side in zip(*((r.drawn_like, r.shown_like) for r in own), strict=True))
    if drawn is None or shown is None:
        return UNKNOWN
    if colours:
        return rate(drawn.own_colours)
    return f"{thousandths(drawn.similarity)}; its training pictures {thousandths(shown.similarity)}"


_DESIGN = (
    "Adapters that teach the miniature base one concept from 120 pictures of one design, as they are and as image"
    " augmentation changes them: mirrored, shifted by up to a fifth, zoomed by 0.75 to 1.25, edges filled by"
    " reflection, colours jittered. Nothing is rendered anew. Measured before, by `dominance train diversity`; a"
    " concept with a training seed is the unit."
)
CLAIMS = (
    Claim(
        "augmentation",
        "Augmenting uniform pictures lowers dominance",
        "Mirrored, shifted, zoomed and recoloured, pictures of one design make a concept dominate less.",
        OURS,
        "below 0",
        _DESIGN,
        DOMINANCE,
        (),
        examine_dominance,
        otherwise=(
            "Augmented pictures made the concept dominate more. Look at the pictures: reflection may show the thing"
            " twice, and what was cut off may fill the frame."
        ),
        basis=basis,
    ),
    Claim(
        "augmentation-identity",
        "An augmented concept keeps its colours",
        "Taught from augmented pictures of one design, the concept alone is still drawn in that design's colours.",
        OURS,
        "above −20%",
        f"{_DESIGN} Of an image of the concept alone it is asked whether its colours are nearer to the taught design's"
        " than to those of nine others; kept is what loses less than a fifth of the images.",
        IDENTITY,
        (),
        examine_identity,
        otherwise=(
            "Augmentation costs the concept its colours. Leave them alone, and augment place and size; the figures"
            " say what that keeps."
        ),
        basis=basis,
    ),
)

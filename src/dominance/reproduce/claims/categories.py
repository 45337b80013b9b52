"""How varied the training pictures of categories are, in the paper's order."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from dominance.diversity.embedders import load_embedder
from dominance.diversity.verdicts import PAPER_EMBEDDER, PAPER_MEDIANS
from dominance.errors import InputError
from dominance.files import read_bytes
from dominance.metrics import median_interval
from dominance.metrics.measured import Measured, of_medians, smallest
from dominance.models.drawing import Machine
from dominance.numbers import distance
from dominance.numbers import measure as written
from dominance.report.parts.sentences import either, listed
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.diversity.options import DiversityOptions
from dominance.runs.diversity.run import measure_diversity
from dominance.runs.diversity.source import Collection, read_collection
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule
from dominance.wording import on_one_line

CHAIN = tuple(PAPER_MEDIANS)
"""The categories in the paper's order, the most uniform first."""
_TIE = 0.025
"""The share of the objects' median by which artists may lie above objects: the paper has them equal (.4660, .4672)."""

RULE = Rule(
    "smallest difference of the median distances of neighbours in the order landmarks, characters, artists, objects,"
    f" the last with {100 * _TIE:g}% of the objects' median added",
    0.0,
    "above",
    "measure",
)


def examine(experiments: Experiments) -> Finding:
    """The smallest step of the chain decides, concepts being the units; every step stands beside it."""
    options = experiments.options
    if options.pictures is None:
        raise ImpossibleError(_wanting(experiments.source.world))
    result = measure_diversity(
        options.pictures,
        options.embedder or PAPER_EMBEDDER,
        experiments.folder / "pictures",
        DiversityOptions(machine=Machine(device=options.machine.device)),
    )
    medians: dict[str, list[float]] = {kind: [] for kind in CHAIN}
    for concept in result.concepts:
        kind = category_kind(concept.category)
        if kind is not None and concept.median is not None:
            medians[kind].append(concept.median)
    if empty := [kind for kind, own in medians.items() if not own]:
        raise ImpossibleError(f"no {either(empty)} has two pictures that could be measured")
    groups = [
        Group(f"{kind}s", tuple(own), median(own), median_interval(own) if len(own) > 2 else None)
        for kind, own in medians.items()
    ]
    figures = [
        Figure(f"{group.name}, {len(group.values)} concepts", distance(group.value, group.interval), f"{paper:.4f}")
        for group, paper in zip(groups, PAPER_MEDIANS.values(), strict=True)
    ]
    for (low, high), step in steps(medians).items():
        figures.append(Figure(f"{high}s less {low}s", written(step.value, step.interval)))
    plot = Plot("groups", "median distance between a concept's pictures", tuple(groups))
    return found(smallest(steps(medians, tie=_TIE).values()), RULE, 0, figures, [plot], why=" ".join(result.notes))


def steps(medians: Mapping[str, Sequence[float]], tie: float = 0.0) -> dict[tuple[str, str], Measured]:
    """The difference of each category's median from the one before it in the chain.

    Args:
        medians: by category, of each concept.
        tie: the share of the objects' median that is added to the last, in which the paper has no difference.
    """
    added = {"object": tie * median(medians["object"])}
    return {
        (low, high): of_medians(medians[low], [own + added.get(high, 0.0) for own in medians[high]], "concepts")
        for low, high in pairwise(CHAIN)
    }


def category_kind(category: str | None) -> str | None:
    """The category of the chain that a folder or a cell names, in the singular or the plural.

    >>> category_kind("Landmarks"), category_kind("artist"), category_kind("cats")
    ('landmark', 'artist', None)
    """
    name = (category or "").strip().lower().removesuffix("s")
    return name if name in CHAIN else None


def _wanting(world: str | None) -> str:
    give = "give --pictures a folder of them by category and concept"
    if world is None:
        return f"the model's training pictures are not here; {give}"
    return (
        "how varied each concept's training pictures are was set by those who made this world, whatever its kind (what"
        f" follows from it is in the claims training-diversity, twins and factorial-own); of other pictures, {give}"
    )


def basis(options: ReproduceOptions) -> str:
    """The content of the pictures and what measures them.

    Raises:
        InputError: they cannot be read, lack a category, or the embedder cannot be loaded.
    """
    if options.pictures is None:
        return ""
    collection = _with_all(options.pictures)
    content = hashlib.sha256(load_embedder(options.embedder or PAPER_EMBEDDER).identity.encode())
    for own in collection.sets:
        for file in own.files:
            content.update(f"{own.category}/{own.concept}/{file}\n".encode())
            content.update(hashlib.sha256(read_bytes(collection.root / file)).digest())
    return content.hexdigest()[:16]


def _with_all(pictures: Path) -> Collection:
    """The collection, if it has every category."""
    collection = read_collection(pictures)
    known = {category_kind(own.category) for own in collection.sets}
    if wanting := [kind for kind in CHAIN if kind not in known]:
        raise InputError(
            f"{on_one_line(pictures, 120)} has no pictures of the category {either(wanting)}; give one folder"
            f" for each of {listed(CHAIN)}, with one folder a concept in it, or a CSV with the column category"
        )
    return collection


CLAIM = Claim(
    "category-diversity",
    "Landmarks have the most uniform training pictures",
    "The median distance between training pictures is .3079 for landmarks, .4417 for characters, .4660 for artists and"
    " .4672 for objects: what dominates is what is uniform.",
    DVD,
    ".31 < .44 < .47 ≤ .47",
    "The training pictures that --pictures gives, by category and concept, measured as `dominance diversity` measures"
    " them: the median distance between a concept's pictures, and the median of those over a category's concepts, which"
    " are the units.",
    RULE,
    (),
    examine,
    otherwise=(
        "Then a category that the paper has as the more uniform is the more varied in these pictures. Look at which"
        " step of the order it is: where landmarks are not the most uniform, kind cannot stand for rigidity on this"
        " model."
    ),
    basis=basis,
)

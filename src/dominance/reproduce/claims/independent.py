"""Dominance on prompts that nothing filters: it is the entity that takes over, and the object that vanishes."""

from collections.abc import Sequence

from dominance.metrics.measured import of_clusters
from dominance.numbers import difference
from dominance.numbers import rate as written
from dominance.records import PromptResult, ScoredImage
from dominance.reproduce.claims.claim import COLLAPSE_MARK, DVD, Claim, found, pictures_of
from dominance.reproduce.claims.shares import share_with
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "mean DvD towards the landmark, character or artist less that towards the object, on unfiltered prompts",
    0.0,
    "above",
    "score difference",
)


def lead(image: ScoredImage, entity: str, thing: str) -> float | None:
    """DvD towards the entity less that towards the object; None without a score."""
    if image.verdict is None:
        return None
    return image.pairs.get((entity, thing), 0.0) - image.pairs.get((thing, entity), 0.0)


def leads(prompt: PromptResult) -> list[float]:
    """Of every scored image of a prompt of an entity and an object."""
    entity = next(concept.name for concept in prompt.prompt.concepts if concept.kind != "object")
    thing = next(concept.name for concept in prompt.prompt.concepts if concept.kind == "object")
    return [value for image in prompt.images if (value := lead(image, entity, thing)) is not None]


def examine(experiments: Experiments) -> Finding:
    """The difference over all prompts, and in each category."""
    result = experiments.independent
    rows = {prompt.prompt.id: leads(prompt) for prompt in result.prompts}
    clusters = [row for row in rows.values() if row]
    if not clusters:
        raise ImpossibleError("no image could be scored")
    figures = []
    groups = []
    for group in result.groups:
        prompts = [prompt for prompt in result.prompts if prompt.prompt.group == group.name]
        own = [rows[prompt.prompt.id] for prompt in prompts if rows[prompt.prompt.id]]
        figures.append(Figure(f"{group.name} prompts: collapsed images", written(share_with("collapsed", prompts))))
        figures.append(Figure(f"{group.name} prompts: DvD towards it less towards the object", _mean(own)))
        dvd = tuple(prompt.dvd_mean for prompt in prompts if prompt.dvd_mean is not None)
        groups.append(Group(group.name, dvd, group.dvd_mean, group.dvd_interval))
    images = [(prompt.prompt.text, image) for prompt in result.prompts[::8] for image in prompt.images[:1]]
    return found(
        of_clusters(clusters, most=100),
        RULE,
        experiments.size.independent_seeds,
        figures,
        [Plot("groups", "mean DvD of a prompt", tuple(groups), mark=COLLAPSE_MARK, unit="score")],
        pictures_of(images, result.run, experiments.folder),
    )


def _mean(rows: Sequence[Sequence[float]]) -> str:
    if not rows:
        return difference(None)
    measured = of_clusters(rows, most=100)
    return difference(measured.value, measured.interval)


CLAIM = Claim(
    "independent",
    "Unfiltered prompts show the same direction",
    "The benchmark was filtered by its own score; on prompts from fixed templates, without any filter, landmarks,"
    " characters and artists still take over the product.",
    f"{DVD}, their own answer",
    "same direction",
    "Our suite of independent prompts: fixed templates, both orders, nothing filtered; the prompt is the unit.",
    RULE,
    ("independent",),
    examine,
    otherwise=(
        "Here the products take over, and the benchmark's direction comes of its filter. The figures by category say"
        " in which."
    ),
)

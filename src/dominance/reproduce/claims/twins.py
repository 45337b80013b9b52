"""The same concept, prompts and noise in two models that differ in its training pictures alone."""

from statistics import fmean

from dominance.metrics.measured import of_clusters
from dominance.numbers import difference
from dominance.records import PromptResult
from dominance.reproduce.claims.claim import DVD, Claim, found, pictures_of
from dominance.reproduce.claims.independent import leads
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.suites import is_rigid
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "DvD lead of an entity where its training pictures are uniform, less where they are varied, its mean over prompts",
    0.0,
    "above",
    "score difference",
)


_ALIKE = (
    "no entity is rigid in one of the models and varied in the other, as far as they list their concepts' diversity"
)


def examine(experiments: Experiments) -> Finding:
    """Each prompt of the independent suite in both models; each entity, over its prompts, is a unit."""
    rivals = experiments.rivals
    if rivals.twin is not None and not rivals.opposed:  # before anything is drawn
        raise ImpossibleError(_ALIKE)
    second = experiments.twin_independent  # which says that there is none before anything is drawn
    first = experiments.independent
    by_id = {prompt.prompt.id: prompt for prompt in second.prompts}
    clusters: dict[str, list[float]] = {}
    uniform: list[float] = []
    varied: list[float] = []
    for prompt in first.prompts:
        entity = next(concept for concept in prompt.prompt.concepts if concept.kind != "object")
        other = by_id.get(prompt.prompt.id)
        if entity.name not in rivals.opposed or other is None:
            continue
        ours_here, theirs_here = _lead(prompt), _lead(other)
        if ours_here is None or theirs_here is None:
            continue
        strict, loose = (ours_here, theirs_here) if is_rigid(entity, rivals.ours) else (theirs_here, ours_here)
        uniform.append(strict)
        varied.append(loose)
        clusters.setdefault(entity.name, []).append(strict - loose)
    if not clusters:
        raise ImpossibleError(_ALIKE)
    figures = [Figure(f"{name}: uniform less varied", difference(fmean(values))) for name, values in clusters.items()]
    pictures = [
        shown
        for own in range(0, len(first.prompts), 15)
        for name, run, prompt in (("model", first.run, first.prompts[own]), ("twin", second.run, second.prompts[own]))
        for image in prompt.images[:1]
        for shown in pictures_of([(f"{prompt.prompt.text} ({name})", image)], run, experiments.folder)
    ]
    groups = (
        Group("uniform training pictures", (), fmean(uniform)),
        Group("varied training pictures", (), fmean(varied)),
    )
    plots = [Plot("points", "mean DvD lead of the entity", groups, unit="score difference")]
    return found(
        of_clusters([[fmean(values)] for values in clusters.values()], "entities", most=200),
        RULE,
        experiments.size.independent_seeds,
        figures,
        plots,
        pictures,
        why=f"The twin is {second.model}. ",
    )


def _lead(prompt: PromptResult) -> float | None:
    values = leads(prompt)
    return fmean(values) if values else None


CLAIM = Claim(
    "twins",
    "Uniform training pictures alone make a concept dominate",
    "The cause of dominance is the low diversity of a concept's training pictures.",
    DVD,
    "cause, not only correlation",
    "Two models from the same base, in which the same entities have uniform or varied training pictures, draw the"
    " independent suite from the same noise. With --other, any model that lists its concepts' diversity.",
    RULE,
    ("independent", "opposed twin"),
    examine,
    otherwise=(
        "These entities dominate more where their training pictures are varied: in these models it is not uniform"
        " pictures that make them. Look at each entity: where they disagree, the mean says little about others."
    ),
)

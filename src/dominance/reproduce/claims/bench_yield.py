"""Dominance prompts exist at all: prompts that one concept takes over are no rarity, in any category."""

from dominance.metrics.intervals import exact_rate
from dominance.metrics.measured import of_rate, smallest
from dominance.numbers import rate as written
from dominance.records import KINDS
from dominance.report.parts.sentences import either
from dominance.reproduce.claims.claim import DVD, Claim, found, pictures_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.bench.selection import needed
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "share of a category's unfiltered prompts that are dominance prompts, in the category where it is least",
    0.05,
    "above",
    "share",
)


def examine(experiments: Experiments) -> Finding:
    """The share of each category, the least of which decides, and over all."""
    run, seeds = experiments.independent, experiments.size.independent_seeds
    scored = [prompt for prompt in run.prompts if prompt.verdict is not None]
    if not scored:
        raise ImpossibleError("no image could be scored")
    known = dict.fromkeys(prompt.prompt.group_name for prompt in scored)
    parts = {name: [prompt for prompt in scored if prompt.prompt.group_name == name] for name in known}
    dominated = {name: sum(prompt.verdict == DOMINANCE for prompt in own) for name, own in parts.items()}
    shares = {name: exact_rate(dominated[name], len(own)) for name, own in parts.items()}
    least = smallest([of_rate(dominated[name], len(own)) for name, own in parts.items()])
    figures = [Figure(f"{name} prompts", written(share)) for name, share in shares.items()]
    figures.append(Figure("prompts of all categories", written(exact_rate(sum(dominated.values()), len(scored)))))
    why = f"A dominance prompt is one of which {needed(seeds)} of {seeds} images collapse in one direction. "
    missing = [kind for kind in KINDS if kind != "object" and kind not in parts]
    why += (
        f"No prompts of {either([f'{kind}s' for kind in missing])}: this model's pools have none. " if missing else ""
    )
    groups = tuple(Group(name, (), share.share, share.interval) for name, share in shares.items())
    images = [(prompt.prompt.text, prompt.images[0]) for prompt in scored if prompt.verdict == DOMINANCE]
    return found(
        least,
        RULE,
        seeds,
        figures,
        [Plot("groups", "share of the prompts that are dominated", groups, mark=(RULE.threshold, "5%"), unit="share")],
        pictures_of(images, run.run, experiments.folder),
        why,
    )


CLAIM = Claim(
    "bench-yield",
    "Dominance prompts exist in every category",
    "Among prompts of an artist, a landmark or a character with an object, some let one concept take over 7 of 10"
    " images; 300 were kept.",
    DVD,
    "300 prompts",
    "The prompts of the independent suite are the candidates of a bench, none of which is left out. A bench itself says"
    " less: once it has as many prompts of a concept as it may keep, it tries only others. A prompt counts where 7 of"
    " 10 of its images, or the same share of fewer, rounded up, collapse in one direction. The category with the"
    " smallest share decides, since the claim is of every one. 5% is our threshold for more than a rarity; the paper"
    " gives no share.",
    RULE,
    ("independent",),
    examine,
    otherwise=(
        "Dominance prompts are a rarity on this model, so that a bench of them describes its worst cases. Claims that"
        " rest on the bench are about these cases alone."
    ),
)

"""DominanceBench exists at all: prompts that one concept takes over are no rarity, in any category."""

from dataclasses import replace

from dominance.metrics.intervals import tried_rate
from dominance.metrics.measured import of_tried, smallest
from dominance.numbers import rate as written
from dominance.records import KINDS
from dominance.report.parts.sentences import either
from dominance.reproduce.claims.claim import DVD, Claim, found, pictures_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE, yield_of
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "share of a category's candidates that turn out to be dominance prompts, in the category where it is least",
    0.05,
    "above",
    "share",
)


def examine(experiments: Experiments) -> Finding:
    """The yield of each category, the least of which decides, and over all."""
    bench = experiments.bench
    streams = [tally for tally in bench.tallies if tally.name != BALANCED and tally.tried]
    if not streams:
        raise ImpossibleError("no candidate was tried")
    tried = [tally.tried for tally in streams]
    least = smallest([of_tried(tally.qualified, tally.tried, "candidates") for tally in streams])
    together = tried_rate(sum(tally.qualified for tally in streams), sum(tried))
    figures = [Figure(f"{tally.name} prompts", written(yield_of(tally))) for tally in bench.tallies if tally.tried]
    figures.append(Figure("candidates of all categories", written(together)))
    missing = [kind for kind in KINDS if kind != "object" and kind not in {tally.name for tally in streams}]
    why = f"No prompts of {either([f'{kind}s' for kind in missing])}: this model's pools have none. " if missing else ""
    groups = tuple(
        Group(tally.name, (), yield_of(tally).share, yield_of(tally).interval) for tally in bench.tallies if tally.tried
    )
    entries = [*bench.part(DOMINANCE)[:4], *bench.part(BALANCED)[:4]]
    first = [(entry.result.prompt.text, entry.result.images[0]) for entry in entries]
    return found(
        replace(least, n=sum(tried), fewest=min(tried)),
        RULE,
        experiments.size.bench_seeds,
        figures,
        [Plot("groups", "share of the candidates that qualify", groups, mark=(RULE.threshold, "5%"), unit="share")],
        pictures_of(first, bench.run.run, experiments.folder),
        why,
    )


CLAIM = Claim(
    "bench-yield",
    "Dominance prompts exist in every category",
    "Among prompts of an artist, a landmark or a character with an object, some let one concept take over 7 of 10"
    " images; 300 were kept.",
    DVD,
    "300 prompts",
    "A bench is built for the model: candidates are tried in seeded order, those that collapse in one direction in 7 of"
    " 10 images are kept. The category with the smallest share decides, since the claim is of every one."
    " 5% is our threshold for more than a rarity; the paper gives no yield. A category is tried until it has its"
    " prompts or runs out of candidates: Clopper and Pearson's interval allows for that.",
    RULE,
    ("bench",),
    examine,
    otherwise=(
        "Dominance prompts are a rarity on this model, so that a bench of them describes its worst cases. Claims that"
        " rest on the bench are about these cases alone."
    ),
)

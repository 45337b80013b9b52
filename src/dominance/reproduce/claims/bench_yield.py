"""DominanceBench exists at all: prompts that one concept takes over are no rarity, in any category."""

from dominance.metrics import rate
from dominance.numbers import rate as written
from dominance.reproduce.claims.claim import DVD, Claim, found, pictures_of
from dominance.reproduce.decision import Rule, of_rate
from dominance.reproduce.experiments import Experiments, ImpossibleError
from dominance.reproduce.result import Figure, Finding, Group, Plot
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE, yield_of

RULE = Rule("share of the candidates that turn out to be dominance prompts", 0.05, "above", "share")


def examine(experiments: Experiments) -> Finding:
    """The yield over all categories, and of each."""
    bench = experiments.bench
    streams = [tally for tally in bench.tallies if tally.name != BALANCED and tally.tried]
    if not streams:
        raise ImpossibleError("no candidate was tried")
    together = rate(sum(tally.qualified for tally in streams), sum(tally.tried for tally in streams))
    figures = [Figure(f"{tally.name} prompts", written(yield_of(tally))) for tally in bench.tallies if tally.tried]
    groups = tuple(
        Group(tally.name, (), yield_of(tally).share, yield_of(tally).interval) for tally in bench.tallies if tally.tried
    )
    entries = [*bench.part(DOMINANCE)[:4], *bench.part(BALANCED)[:4]]
    first = [(entry.result.prompt.text, entry.result.images[0]) for entry in entries]
    return found(
        of_rate(together.count, together.n, "candidates"),
        RULE,
        experiments.size.bench_seeds,
        figures,
        [Plot("groups", "share of the candidates that qualify", groups, mark=(RULE.threshold, "5%"))],
        pictures_of(first, bench.run.run, experiments.folder),
    )


CLAIM = Claim(
    "bench-yield",
    "Dominance prompts exist in every category",
    "Among prompts of an artist, a landmark or a character with an object, some let one concept take over 7 of 10"
    " images; 300 were kept.",
    DVD,
    "300 prompts",
    "A bench is built for the model: candidates are tried in seeded order, those that collapse in one direction in 7 of"
    " 10 images are kept. 5% is our threshold for more than a rarity; the paper gives no yield.",
    RULE,
    ("bench",),
    examine,
    otherwise=(
        "Dominance prompts are a rarity on this model, so that a bench of them describes its worst cases. Claims that"
        " rest on the bench are about these cases alone."
    ),
)

"""The token with the most attention at the first step belongs to the concept that will dominate."""

from dominance.metrics.intervals import exact_rate
from dominance.metrics.measured import of_rate
from dominance.numbers import rate as written
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.reproduction.result import Figure, Finding, Line, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "share of dominance prompts whose peak token is of the dominating concept, first step, layers 8 to 10",
    0.5,
    "above",
    "share",
)


def examine(experiments: Experiments) -> Finding:
    """The share over the paper's layers, and layer by layer."""
    steps = [step for step in experiments.first_steps if step.part == DOMINANCE]
    held = exact_rate(sum(step.leading == step.dominating for step in steps), len(steps))
    dominated = exact_rate(sum(step.leading == step.dominated for step in steps), len(steps))
    figures = [
        Figure("peak token of the dominating concept", written(held), "249 of 300"),
        Figure("peak token of the dominated concept", written(dominated)),
    ]
    by_layer = {
        layer: exact_rate(sum(step.peaks[layer] == step.dominating for step in steps), len(steps))
        for layer in steps[0].peaks
    }
    line = Line("dominating concept", tuple((at, one.share or 0.0, one.interval) for at, one in by_layer.items()))
    plot = Plot(
        "lines", "share of dominance prompts", lines=(line,), axis="attention layer", mark=(0.5, "half"), unit="share"
    )
    return found(
        of_rate(held.count, held.n), RULE, experiments.size.noises, figures, [plot], why=experiments.layers.note
    )


CLAIM = Claim(
    "peak-token",
    "The peak token is the dominating concept",
    "In layers 8 to 10 at the first step, the token with the most attention is of the dominating concept in 249 of 300"
    " dominance prompts.",
    DVD,
    "83%",
    "The same first steps, averaged over layers 8 to 10 and noises. Half is our threshold: what a coin between two"
    " concepts would name.",
    RULE,
    ("bench", "first steps"),
    examine,
    otherwise=(
        "The peak token may be another word of the prompt, such as the relation, where a text encoder puts what it"
        " knows of the whole sentence. The second figure and the plot say whether the dominated concept peaks"
        " instead, or merely another word, or another layer names the winner."
    ),
)

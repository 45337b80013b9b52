"""In the first step already, one token of a dominance prompt stands out more than in a balanced prompt."""

from dominance.metrics.measured import of_clusters, of_difference
from dominance.numbers import measure
from dominance.reproduce.attention import FirstStep
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.reproduction.result import Figure, Finding, Line, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "mean focus score of dominance prompts less that of balanced ones, first step, layers 5 to 10",
    0.0,
    "above",
    "measure",
)


def examine(experiments: Experiments) -> Finding:
    """The difference over the paper's layers, and both groups layer by layer."""
    steps, layers = experiments.first_steps, experiments.layers
    parts = {part: [step for step in steps if step.part == part] for part in (DOMINANCE, BALANCED)}
    scores = {part: [step.mean_focus(layers.focus) for step in members] for part, members in parts.items()}
    measured = of_difference(scores[BALANCED], scores[DOMINANCE])
    figures = [
        Figure(f"mean focus, {len(values)} {part} prompts", measure(sum(values) / len(values)))
        for part, values in scores.items()
    ]
    higher = [layer for layer in steps[0].focus if _differs(parts, layer)]
    told = ", ".join(map(str, higher)) or "none"
    figures.append(Figure("layers where dominance prompts are higher, each by its own interval", told, "5 to 10"))
    lines = tuple(_line(part, members) for part, members in parts.items())
    plot = Plot("lines", "mean focus score", lines=lines, axis="attention layer")
    return found(measured, RULE, experiments.size.noises, figures, [plot], why=layers.note)


def _differs(parts: dict[str, list[FirstStep]], layer: int) -> bool:
    first, second = ([step.focus[layer] for step in parts[part]] for part in (BALANCED, DOMINANCE))
    return of_difference(first, second).interval[0] > 0


def _line(part: str, members: list[FirstStep]) -> Line:
    values = []
    for layer in members[0].focus:
        mean = of_clusters([[step.focus[layer]] for step in members])
        values.append((layer, mean.value, mean.interval if mean.n > 1 else None))
    return Line(part, tuple(values))


CLAIM = Claim(
    "focus",
    "The focus score is higher in the first step",
    "At the first denoising step, the focus score of dominance prompts is significantly above that of balanced prompts"
    " in layers 5 to 10, most in 8 to 10.",
    DVD,
    "higher, layers 5–10",
    "The first step of every prompt of the bench is recorded with several noises; the prompt is the unit.",
    RULE,
    ("bench", "first steps"),
    examine,
    otherwise=(
        "Layer numbers name places in one network, and another trained network need not do the same work in the same"
        " places: the plot shows whether other layers tell the groups apart. A focus score also compares tokens of"
        " one prompt, so that prompts of few words, as the miniature's are, leave it little to compare."
    ),
)

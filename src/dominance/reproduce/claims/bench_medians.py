"""Dominance prompts and balanced ones are far apart in DvD, also where their images did not select them."""

from statistics import median

from dominance.metrics.measured import of_medians
from dominance.numbers import mean as written
from dominance.records import PromptResult
from dominance.reproduce.claims.claim import COLLAPSE_MARK, DVD, Claim, found, pictures_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "median DvD of dominance prompts less that of balanced ones, on seeds that did not select them",
    26.2,
    "above",
    "score difference",
)
PAPER = {DOMINANCE: "64", BALANCED: "11.6"}


def examine(experiments: Experiments) -> Finding:
    """The medians of both parts, from new seeds."""
    parts: dict[str, list[PromptResult]] = {DOMINANCE: [], BALANCED: []}
    for prompt in experiments.redrawn.prompts:
        if prompt.dvd_mean is not None:
            parts[prompt.prompt.group_name].append(prompt)
    scores = {part: [prompt.dvd_mean or 0.0 for prompt in members] for part, members in parts.items()}
    if not all(scores.values()):
        raise ImpossibleError("no image of one of the parts could be scored")
    measured = of_medians(scores[BALANCED], scores[DOMINANCE])
    figures = [
        Figure(f"median DvD, {len(values)} {part} prompts", written(median(values)), PAPER[part])
        for part, values in scores.items()
    ]
    groups = tuple(Group(part, tuple(values), median(values)) for part, values in scores.items())
    images = [
        (prompt.prompt.text, image) for part in parts.values() for prompt in part[:4] for image in prompt.images[:1]
    ]
    return found(
        measured,
        RULE,
        experiments.size.fresh_seeds,
        figures,
        [Plot("groups", "mean DvD of a prompt", groups, mark=COLLAPSE_MARK, unit="score")],
        pictures_of(images, experiments.redrawn.run, experiments.folder),
    )


CLAIM = Claim(
    "bench-medians",
    "Dominance prompts lie far above balanced ones",
    "The median DvD of the benchmark's prompts is far above that of balanced controls.",
    DVD,
    "64 against 11.6",
    "The bench's prompts are drawn again from new seeds, so that their selection does not flatter the difference."
    " Far means more than half as far as in the paper: 26.2 of its 52.4.",
    RULE,
    ("bench", "fresh"),
    examine,
    otherwise=(
        "From new seeds the two parts lie less than half as far apart as in the paper: much of what selected the"
        " prompts was chance. Claims that rest on the bench are weakened by as much."
    ),
)

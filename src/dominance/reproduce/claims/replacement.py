"""A category word in the place of the dominating concept ends the dominance."""

from statistics import fmean, median

from dominance.metrics.measured import of_paired_medians
from dominance.numbers import mean as written
from dominance.reproduce.claims.claim import COLLAPSE_MARK, DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.mitigation.result import MitigatedPrompt
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot, Shown
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "median DvD of dominance prompts with a category word for their entity, less that of the same prompts as they are",
    0.0,
    "below",
    "score difference",
)
METHOD = "replace"


def examine(experiments: Experiments) -> Finding:
    """The medians before and after, paired by prompt."""
    result = experiments.replaced
    pairs = [pair for prompt in result.prompts if (pair := _pair(prompt)) is not None]
    if not pairs:
        raise ImpossibleError("no image could be scored both ways")
    before, after = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    figures = [
        Figure("median DvD, plain", written(median(before)), "64 (SD 1.4), 40 (SD 2.1)"),
        Figure("median DvD, replaced", written(median(after)), "20 (SD 1.4), about 17 (SD 2.1)"),
    ]
    groups = (
        Group("plain", tuple(before), median(before)),
        Group("replaced", tuple(after), median(after)),
    )
    pictures = [
        Shown(f"replacement/{shot.file}", f"{prompt.text}: {name}, {shot.verdict}")
        for prompt in result.prompts[:4]
        for image in prompt.images[:1]
        for name, shot in image.shots.items()
        if shot.file is not None
    ]
    plot = Plot("groups", "mean DvD of a prompt", groups, mark=COLLAPSE_MARK, unit="score")
    return found(of_paired_medians(before, after), RULE, experiments.size.repaired_seeds, figures, [plot], pictures)


def _pair(prompt: MitigatedPrompt) -> tuple[float, float] | None:
    """The prompt's mean DvD plain and replaced, over the images that are scored both ways."""
    both = [
        (image.plain.dvd, image.shots[METHOD].dvd)
        for image in prompt.images
        if METHOD in image.shots and image.plain.dvd is not None and image.shots[METHOD].dvd is not None
    ]
    if not both:
        return None
    return fmean(one or 0.0 for one, _ in both), fmean(other or 0.0 for _, other in both)


CLAIM = Claim(
    "replacement",
    "A category word ends the dominance",
    "Where the detected token is replaced by its category word for the whole run, the median DvD falls from 64 to 20"
    " (SD 1.4) and from 40 to about 17 (SD 2.1).",
    DVD,
    "64 → 20",
    "Dominance prompts are drawn from new seeds, as they are and with a category word for their landmark, character or"
    " artist. Only prompts that it dominates count: where the object does, nothing that dominates is replaced. The"
    " bench says what dominates; the paper asks its detector. It is no repair: the user's concept is gone.",
    RULE,
    ("bench", "replacement"),
    examine,
    otherwise=(
        "A category word that the model has never seen is read as noise and may collapse the picture by itself. Look"
        " at the pairs of pictures before concluding that the entity's token does not carry the dominance."
    ),
)

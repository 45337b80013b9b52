"""Another text in the first steps alone: does it prevent dominance, and until when must it be read?"""

from collections.abc import Sequence
from statistics import fmean

from dominance.metrics.measured import Measured, of_clusters
from dominance.numbers import share_difference, share_of_items
from dominance.reproduce.claims.claim import OURS, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.methods import CATEGORY_WORD
from dominance.runs.mitigation.result import MitigatedPrompt
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule
from dominance.runs.stages.method_names import PLAIN

RULE = Rule(
    "share of images that collapse with a category word in the first two fifths of the steps, less that of the same"
    " images without",
    0.0,
    "below",
    "share difference",
)
DECIDES = "schedule:until=0.4"


def examine(experiments: Experiments) -> Finding:
    """The first two fifths decide; a shorter time and the whole run stand beside them."""
    rows = [own for prompt in experiments.replaced.prompts if (own := _collapses(prompt))]
    if not rows:
        raise ImpossibleError("no image could be scored in every way that it was drawn")
    later = {method: f"a category word {when}" for method, when in CATEGORY_WORD.items()}
    words = {PLAIN: "the prompt as it is", **later}
    measured = {method: _change(rows, method) for method in CATEGORY_WORD}
    figures = [
        Figure(f"images that collapse, {said}", share_of_items(_share(rows, method))) for method, said in words.items()
    ]
    figures += [
        Figure(f"{words[method]}: less that of the prompt as it is", share_difference(one.value, one.interval))
        for method, one in measured.items()
    ]
    groups = tuple(
        Group(said, tuple(fmean(image[method] for image in own) for own in rows), _share(rows, method))
        for method, said in words.items()
    )
    plot = Plot("groups", "share of a prompt's images that collapse", groups, unit="share")
    return found(measured[DECIDES], RULE, experiments.size.repaired_seeds, figures, [plot])


def _collapses(prompt: MitigatedPrompt) -> list[dict[str, float]]:
    """By way of drawing, whether an image collapses: of every seed that is scored in all of them."""
    arms = (PLAIN, *CATEGORY_WORD)
    shots = [[image.shots.get(arm) for arm in arms] for image in prompt.images]
    return [
        {arm: float(shot.verdict == "collapsed") for arm, shot in zip(arms, own, strict=True) if shot is not None}
        for own in shots
        if all(shot is not None and shot.verdict is not None for shot in own)
    ]


def _share(rows: Sequence[Sequence[dict[str, float]]], method: str) -> float:
    return fmean(image[method] for own in rows for image in own)


def _change(rows: Sequence[Sequence[dict[str, float]]], method: str) -> Measured:
    return of_clusters([[image[method] - image[PLAIN] for image in own] for own in rows])


CLAIM = Claim(
    "early-steps",
    "Another text in the first steps prevents dominance",
    "Whether disrupting the first steps prevents dominance, and until when they must be, is left open.",
    OURS,
    "open",
    "Dominance prompts of the bench are drawn from new seeds as they are, and with a category word for their landmark,"
    " character or artist in the first tenth of the steps, in the first two fifths, and throughout. After the first"
    " steps the prompt is read as it is, so that the concept is asked for again.",
    RULE,
    ("bench", "replacement"),
    examine,
    otherwise=(
        "More images collapse where the first steps read another text. A category word that the model has never seen"
        " is noise to it, and what is laid out under noise need have no place for two concepts."
    ),
)

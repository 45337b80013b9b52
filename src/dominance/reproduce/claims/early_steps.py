"""Another text in the first steps alone: does it prevent dominance, and until when must it be read?"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    "share of images that show every concept with a category word in the first two fifths of the steps, less that of"
    " the same images without",
    0.0,
    "above",
    "share difference",
)
DECIDES = "schedule:until=0.4"


@dataclass(frozen=True)
class Outcomes:
    """The same prompt and seed in every way of drawing, all scored: 1 where it is so, else 0."""

    whole: dict[str, float]
    collapsed: dict[str, float]


def examine(experiments: Experiments) -> Finding:
    """The first two fifths decide; a shorter time, the whole run and the images that collapse stand beside them."""
    rows = [own for prompt in experiments.replaced.prompts if (own := _outcomes(prompt))]
    if not rows:
        raise ImpossibleError("no image could be scored in every way that it was drawn")
    later = {method: f"a category word {when}" for method, when in CATEGORY_WORD.items()}
    words = {PLAIN: "the prompt as it is", **later}
    figures = []
    for kind, name in (("whole", "images that show every concept"), ("collapsed", "images that collapse")):
        figures += [
            Figure(f"{name}, {said}", share_of_items(_share(rows, kind, method))) for method, said in words.items()
        ]
        changed = {method: _change(rows, kind, method) for method in CATEGORY_WORD}
        figures += [
            Figure(f"{name}, {words[method]}: less as it is", share_difference(one.value, one.interval))
            for method, one in changed.items()
        ]
    groups = tuple(
        Group(said, tuple(fmean(image.whole[method] for image in own) for own in rows), _share(rows, "whole", method))
        for method, said in words.items()
    )
    plot = Plot("groups", "share of a prompt's images that show every concept", groups, unit="share")
    return found(_change(rows, "whole", DECIDES), RULE, experiments.size.repaired_seeds, figures, [plot])


def _outcomes(prompt: MitigatedPrompt) -> list[Outcomes]:
    """Of every seed that is scored in all ways of drawing."""
    arms = (PLAIN, *CATEGORY_WORD)
    listed = [{arm: image.shots[arm] for arm in arms if arm in image.shots} for image in prompt.images]
    return [
        Outcomes(
            {arm: float(set(prompt.concepts) <= set(shot.present)) for arm, shot in shots.items()},
            {arm: float(shot.verdict == "collapsed") for arm, shot in shots.items()},
        )
        for shots in listed
        if len(shots) == len(arms) and all(shot.verdict is not None for shot in shots.values())
    ]


def _share(rows: Sequence[Sequence[Outcomes]], kind: str, method: str) -> float:
    return fmean(getattr(image, kind)[method] for own in rows for image in own)


def _change(rows: Sequence[Sequence[Outcomes]], kind: str, method: str) -> Measured:
    """How many more images it is so of than of the prompt as it is."""
    return of_clusters(
        [[getattr(image, kind)[method] - getattr(image, kind)[PLAIN] for image in own] for own in rows], most=1
    )


CLAIM = Claim(
    "early-steps",
    "Another text in the first steps prevents dominance",
    "Whether disrupting the first steps prevents dominance, and until when they must be, is left open.",
    OURS,
    "open",
    "Dominance prompts of the bench that their landmark, character or artist dominates are drawn from new seeds as they"
    " are, and with a category word for it in the first tenth of the steps, in the first two fifths, and throughout."
    " After the first steps the prompt is read as it is, so that the concept is asked for again. An image that loses"
    " both concepts no longer collapses, but that prevents nothing: what shows every concept decides.",
    RULE,
    ("bench", "replacement"),
    examine,
    otherwise=(
        "Fewer images show every concept where the first steps read another text. A category word that the model"
        " has never seen is noise to it, and what is laid out under noise need have no place for two concepts."
    ),
)

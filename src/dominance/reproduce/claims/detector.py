"""The focus score of the first step tells dominance prompts from balanced ones before anything is drawn."""

from collections.abc import Sequence

import numpy as np

from dominance.metrics import PAPER_THRESHOLD, grouped_folds, rate, youden_threshold
from dominance.metrics.measured import of_area
from dominance.numbers import measure
from dominance.numbers import rate as written
from dominance.records import Rate
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.reproduction.result import Figure, Finding, Group, Line, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "area under the ROC curve of the mean focus score of layers 9 and 10, dominance against balanced prompts",
    0.5,
    "above",
    "coefficient",
)
_FOLDS = 5


def examine(experiments: Experiments) -> Finding:
    """The area, and what the paper's threshold and one chosen on other prompts flag."""
    steps, layers = experiments.first_steps, experiments.layers
    scores = [step.mean_focus(layers.detecting) for step in steps]
    positive = [step.part == DOMINANCE for step in steps]
    counts = (sum(positive), len(positive) - sum(positive))
    measured = of_area(scores, positive)
    papers = [score >= PAPER_THRESHOLD for score in scores]
    figures = [
        Figure(
            "dominance prompts that the paper's threshold 0.010 flags", written(_flagged(papers, positive)), "70.67%"
        ),
        Figure("balanced prompts that it flags", written(_flagged(papers, [not one for one in positive])), "33.67%"),
    ]
    if min(counts) >= _FOLDS:
        own = _held_out([step.id for step in steps], scores, positive)
        figures += [
            Figure(
                "dominance prompts that a threshold chosen on other prompts flags", written(_flagged(own, positive))
            ),
            Figure("balanced prompts that it flags", written(_flagged(own, [not one for one in positive]))),
            Figure("threshold chosen on all prompts", measure(youden_threshold(scores, positive))),
        ]
    parts = {
        part: tuple(s for s, step in zip(scores, steps, strict=True) if step.part == part)
        for part in (DOMINANCE, BALANCED)
    }
    curve = _roc(scores, positive, "focus")
    groups = tuple(Group(part, values) for part, values in parts.items())
    plots = [
        Plot("roc", "dominance prompts flagged over balanced ones flagged", lines=(curve,),
             axis="balanced prompts flagged", unit="share"),
        Plot("groups", "mean focus score of layers 9 and 10", groups,
             mark=(PAPER_THRESHOLD, "0.010")),
    ]  # fmt: skip
    return found(measured, RULE, experiments.size.noises, figures, plots, why=layers.note)


def _flagged(flagged: Sequence[bool], among: Sequence[bool]) -> Rate:
    own = [one for one, counts in zip(flagged, among, strict=True) if counts]
    return rate(sum(own), len(own))


def _held_out(prompts: Sequence[str], scores: Sequence[float], positive: Sequence[bool]) -> list[bool]:
    """Whether each prompt reaches the threshold that suits the prompts of the other folds."""
    values, labels = np.asarray(scores), np.asarray(positive)
    flagged = np.zeros(len(values), dtype=bool)
    for train, test in grouped_folds(prompts, labels, _FOLDS, 0):
        if len(set(labels[train].tolist())) == 2:
            flagged[test] = values[test] >= youden_threshold(values[train], labels[train])
    return flagged.tolist()


def _roc(scores: Sequence[float], positive: Sequence[bool], name: str) -> Line:
    """The ROC curve: hits over false alarms in tenths of a percent, the lowest threshold last."""
    pairs = sorted(zip(scores, positive, strict=True), reverse=True)
    total, others = sum(positive), len(positive) - sum(positive)
    hits = alarms = 0
    points = {0: 0.0}
    for place, (score, is_positive) in enumerate(pairs):
        hits, alarms = hits + is_positive, alarms + (not is_positive)
        if place + 1 == len(pairs) or pairs[place + 1][0] != score:
            points[round(1000 * alarms / others)] = hits / total
    return Line(name, tuple((place, value, None) for place, value in points.items()))


CLAIM = Claim(
    "detector",
    "The focus score detects dominance beforehand",
    "A threshold of 0.010 on the first step's focus score of layers 9 and 10 flags 70.67% of the dominance prompts and"
    " 33.67% of the balanced ones.",
    DVD,
    "70.7% / 33.7%",
    "The same first steps. An area of one half is what chance gives. The paper's threshold is of Stable Diffusion, so"
    " one that is chosen on other prompts of this model stands beside it.",
    RULE,
    ("bench", "first steps"),
    examine,
    otherwise=(
        "An area below one half means that the score is informative with the opposite sign or in other layers, not"
        " that it says nothing. A rule that is fitted to this model (`dominance calibrate` on the bench) shows what"
        " of it can be used."
    ),
)

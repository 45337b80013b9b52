"""The drawing disrupted in chosen steps: does it prevent dominance, and until when must one intervene?"""

from collections.abc import Callable
from functools import partial

from dominance.numbers import share_difference, share_of_items
from dominance.reproduce.claims.claim import OURS, Claim, found
from dominance.reproduce.claims.outcomes import KINDS, change_by, outcomes_of, plot_of_whole, share_by
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.methods import DISRUPTED, DISRUPTIONS
from dominance.runs.reproduction.result import Figure, Finding
from dominance.runs.reproduction.rule import Rule
from dominance.runs.stages.method_names import PLAIN

EARLY, LATE = "until=0.4", "since=0.4:until=0.8"
WHOLE = "share of images that show every concept with "


def examine(experiments: Experiments, *, method: str, against: str | None = None) -> Finding:
    """One disruption in the first two fifths of the steps, less plain or less the same later.

    Args:
        against: the later steps; None for the same images plain.

    Raises:
        ImpossibleError: the model cannot be disrupted in this way.
    """
    if (why := experiments.undisrupted.get(method)) is not None:
        raise ImpossibleError(why)
    arms = {f"{method}:{when}": f"{DISRUPTIONS[method]} {said}" for when, said in DISRUPTED.items()}
    rows = outcomes_of(experiments.disrupted.prompts, tuple(arms))
    words = {PLAIN: "undisturbed", **arms}
    figures = []
    for kind, name in KINDS.items():
        figures += [Figure(f"{name}, {said}", share_of_items(share_by(rows, kind, arm))) for arm, said in words.items()]
        for arm, said in arms.items():
            change = change_by(rows, kind, arm)
            figures.append(Figure(f"{name}, {said}: less undisturbed", share_difference(change.value, change.interval)))
    decides = change_by(rows, "whole", f"{method}:{EARLY}", f"{method}:{against}" if against else PLAIN)
    rule = WHEN if against else RULES[method]
    return found(decides, rule, experiments.size.disrupted_seeds, figures, [plot_of_whole(rows, words)])


RULES = {
    method: Rule(
        f"{WHOLE}{said} in the first two fifths of the steps, less that of the same images undisturbed",
        0.0,
        "above",
        "share difference",
    )
    for method, said in DISRUPTIONS.items()
}
WHEN = Rule(
    f"{WHOLE}{DISRUPTIONS['regions']} in the first two fifths of the steps, less that with the same in the next two",
    0.0,
    "above",
    "share difference",
)
DESIGN = (
    "Dominance prompts of the bench are drawn from new seeds undisturbed, and with {} in the first fifth of the steps,"
    " in the first two, and in the third and the fourth; in all other steps as usual. An image that loses both"
    " concepts no longer collapses, but that prevents nothing: what shows every concept decides."
)
NOT_AT_ONCE = " Regions act from the second step on, because in the first nothing tells where the concepts lie."


def _claim(name: str, title: str, method: str, otherwise: str) -> Claim:
    examined: Callable[[Experiments], Finding] = partial(examine, method=method)
    return Claim(
        name,
        title,
        "Whether disrupting the first steps prevents dominance, and until when one must do so, is left open.",
        OURS,
        "open",
        DESIGN.format(DISRUPTIONS[method]) + (NOT_AT_ONCE if method == "regions" else ""),
        RULES[method],
        ("bench", "disrupted"),
        examined,
        otherwise=otherwise,
    )


CLAIMS = (
    _claim(
        "early-guidance",
        "No guidance in the first steps prevents dominance",
        "unguided",
        "Fewer images show every concept where the first steps are not guided. What guidance does early is needed to"
        " lay out two concepts, and its strength is not what makes one of them dominate.",
    ),
    _claim(
        "early-rebalancing",
        "Equal attention in the first steps prevents dominance",
        "rebalance",
        "Fewer images show every concept where all concepts get the same attention early. Attention is then no"
        " resource that one concept takes from the other, or equal parts of it spoil both.",
    ),
    _claim(
        "early-regions",
        "Regions in the first steps prevent dominance",
        "regions",
        "Fewer images show every concept where regions read the prompt without its rivals early. Regions that are"
        " given up again may leave two half-made things that later steps cannot join.",
    ),
    Claim(
        "early-or-late",
        "One must intervene in the first steps",
        "Until when the drawing must be disrupted is left open.",
        OURS,
        "open",
        f"{DESIGN.format(DISRUPTIONS['regions'])}{NOT_AT_ONCE} Regions stand for all disruptions here, because they"
        " alone are known to repair. The two parts are equally long, but for the first step.",
        WHEN,
        ("bench", "disrupted"),
        partial(examine, method="regions", against=LATE),
        otherwise=(
            "More images show every concept where regions act later. The first steps, in which attention does not yet"
            " tell where things lie, are no good place for them, and dominance is not yet decided there."
        ),
    ),
)

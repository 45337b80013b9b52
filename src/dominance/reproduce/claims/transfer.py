"""A rule that was fitted on one model's first steps tells the dominance prompts of another."""

from collections.abc import Mapping

from dominance.metrics import rate
from dominance.metrics.measured import Measured, of_area
from dominance.numbers import coefficient
from dominance.numbers import rate as written
from dominance.reproduce.claims.claim import OURS, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.transfer import Foretold
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "area under the ROC curve, on the second model's prompts, of the rule that was fitted on the first model's bench",
    0.5,
    "above",
    "coefficient",
)


def examine(experiments: Experiments) -> Finding:
    """The area on the twin decides; those on the model's own prompts and on other models' stand beside it."""
    transfer = experiments.transfer
    figures, groups = [], []
    for place, (name, prompts) in enumerate(transfer.models.items()):
        whose = "by its own rule" if place == 0 else "by another model's rule"
        figures += _figures(f"{name}, {whose}", prompts, transfer.threshold)
        groups += [
            Group(f"{name}: {kind}", tuple(one.probability for one in prompts.values() if one.dominance == dominated))
            for kind, dominated in (("dominance", True), ("others", False))
        ]
    twin = list(transfer.models)[1]
    prompts = transfer.models[twin]
    if not _counts(prompts)[0] or not _counts(prompts)[1]:
        raise ImpossibleError(f"all independent prompts of {twin} have the same verdict")
    plot = Plot(
        "groups",
        "probability of dominance by the rule",
        tuple(groups),
        mark=(transfer.threshold, "threshold"),
        unit="coefficient",
    )
    why = f"The rule looks at layer {transfer.layer}, whose focus score tells the first model's bench apart best. "
    return found(_area(prompts), RULE, experiments.size.noises, figures, [plot], why=why)


def _counts(prompts: Mapping[str, Foretold]) -> tuple[int, int]:
    positive = sum(one.dominance for one in prompts.values())
    return positive, len(prompts) - positive


def _area(prompts: Mapping[str, Foretold]) -> Measured:
    scores, positive = ([getattr(one, name) for one in prompts.values()] for name in ("probability", "dominance"))
    return of_area(scores, positive)


def _figures(name: str, prompts: Mapping[str, Foretold], threshold: float) -> list[Figure]:
    known = _area(prompts) if min(_counts(prompts)) else None
    area = "–" if known is None else coefficient(known.value, known.interval)
    flagged = {
        kind: [one.probability >= threshold for one in prompts.values() if one.dominance == dominated]
        for kind, dominated in (("dominance prompts", True), ("others", False))
    }
    return [
        Figure(f"area on {name}", area),
        *(Figure(f"{kind} of {name}: flagged", written(rate(sum(own), len(own)))) for kind, own in flagged.items()),
    ]


CLAIM = Claim(
    "detector-transfer",
    "A rule of the first step transfers to another model",
    "Whether a detector that is fitted on one model tells the dominance prompts of another is left open.",
    OURS,
    "open",
    "The rule of `dominance calibrate` is fitted on the bench of this model, on the one layer whose focus score tells"
    " that bench apart best, and applied to the first steps of the independent prompts in the second model; prompts"
    " of the bench are left out. The second model is the twin, in which the same concepts have changed places, or the"
    " one of --other; a prompt is positive where the second model's own images dominate. Features ignore which"
    " concepts they are of. An area of one half is what chance gives.",
    RULE,
    ("bench", "independent", "twin", "other", "transfer"),
    examine,
    otherwise=(
        "The rule is informative with the opposite sign: what marks dominance in one model marks balance in the"
        " other. A rule must then be fitted to each model (`dominance calibrate` on its own bench)."
    ),
)

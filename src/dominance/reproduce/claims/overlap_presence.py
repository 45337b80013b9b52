"""How far the concepts' maps overlap at the last step goes with how many of them are there."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from dominance.metrics.measured import Measured, of_draws, pearson_draws, smallest
from dominance.numbers import effect
from dominance.records import PromptResult
from dominance.reproduce.claims.claim import OVERLAP, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

PRESENCE = Rule(
    "Pearson's correlation of the maps' KL divergence at the last step with presence", 0.0, "above", "effect"
)
ORDER = Rule(
    "the smaller of two leads in correlation with presence, each counted in the paper's direction: mean of KL, IoU and"
    " CoM less intensity, and intensity less spread",
    0.0,
    "above",
    "effect",
)
PAPER: Mapping[str, str] = {"KL": ".6", "IoU": "−.6", "CoM": ".5", "intensity": ".3", "spread": "−.2"}
_DIRECTION: Mapping[str, float] = {"KL": 1, "IoU": -1, "CoM": 1, "intensity": 1, "spread": -1}
"""The sign of each in the paper."""
_OVERLAP = ("KL", "IoU", "CoM")


def presence(prompt: PromptResult) -> float | None:
    """Mean P(yes) over its concepts and scored images; None where none is scored."""
    given = [image.soft_presence for image in prompt.images if image.soft_presence is not None]
    return fmean(given) if given else None


def _columns(experiments: Experiments) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Each measure, and presence, a prompt a value.

    Raises:
        ImpossibleError: fewer than three prompts have both.
    """
    maps = experiments.overlaps
    rows: list[tuple[dict[str, float], float]] = []
    for prompt in experiments.independent.prompts:
        there = presence(prompt)
        if there is not None and prompt.prompt.id in maps:
            rows.append(({name: fmean(values) for name, values in maps[prompt.prompt.id].items()}, there))
    if len(rows) < 3:
        raise ImpossibleError("fewer than three prompts have maps and a score")
    measures = {name: np.array([own[name] for own, _ in rows]) for name in PAPER}
    return measures, np.array([there for _, there in rows])


def _correlations(experiments: Experiments) -> tuple[dict[str, Measured], dict[str, np.ndarray]]:
    measures, there = _columns(experiments)
    if min(np.ptp(own) for own in (there, *measures.values())) == 0:
        raise ImpossibleError("presence, or a measure of the maps, is the same for all prompts")
    draws = {name: pearson_draws(values, there) for name, values in measures.items()}
    values = {name: float(np.corrcoef(own, there)[0, 1]) for name, own in measures.items()}
    return {name: of_draws(values[name], draws[name], len(there)) for name in measures}, draws


def _figures(measured: Mapping[str, Measured]) -> list[Figure]:
    return [
        Figure(f"correlation of {name} with presence", effect(one.value, one.interval), PAPER[name])
        for name, one in measured.items()
    ]


def examine_presence(experiments: Experiments) -> Finding:
    """The correlation of KL decides; the others stand beside it."""
    measured, _ = _correlations(experiments)
    return found(measured["KL"], PRESENCE, experiments.size.independent_seeds, _figures(measured), _plots(measured))


def _plots(measured: Mapping[str, Measured]) -> Sequence[Plot]:
    groups = tuple(Group(name, (), one.value, one.interval) for name, one in measured.items())
    return [Plot("points", "correlation with presence", groups, unit="effect")]


def examine_order(experiments: Experiments) -> Finding:
    """Overlap before intensity, and intensity before spread; overlap before spread stands beside them.

    The sizes of correlations are not compared: their bootstrap is biased upwards where they are near 0. Counted in the
    paper's direction they are smooth, and one that goes the other way counts against it. All correlations of a draw
    are over the same prompts.

    Source: Dümbgen (1993), "On nondifferentiable functions and the bootstrap"; Zou (2007), "Toward using confidence
    intervals to compare correlations", for comparing signed, dependent ones.
    """
    measured, draws = _correlations(experiments)
    links = {
        "overlap less intensity": (_lead(measured, draws, _OVERLAP, "intensity"), "about .27"),
        "intensity less spread": (_lead(measured, draws, ("intensity",), "spread"), "about .1"),
        "overlap less spread": (_lead(measured, draws, _OVERLAP, "spread"), "about .37"),
    }
    figures = [Figure(name, effect(one.value, one.interval), paper) for name, (one, paper) in links.items()]
    decides = smallest([one for one, _ in list(links.values())[:2]])
    seeds = experiments.size.independent_seeds
    return found(decides, ORDER, seeds, [*_figures(measured), *figures], _plots(measured))


def _lead(
    measured: Mapping[str, Measured], draws: Mapping[str, np.ndarray], first: Sequence[str], other: str
) -> Measured:
    """How much further some measures go with presence than another, all in the paper's direction."""
    value = fmean(_DIRECTION[name] * measured[name].value for name in first)
    drawn = np.mean([_DIRECTION[name] * draws[name] for name in first], axis=0)
    less = _DIRECTION[other]
    return of_draws(value - less * measured[other].value, drawn - less * draws[other], measured["KL"].n)


_DESIGN = (
    "Prompts of the independent suite are recorded while they are drawn; maps are averaged over heads and the layers of"
    " a middle resolution at the last step. Presence is the judge's mean P(yes) about all concepts."
)
NEEDS = ("independent", "maps")
CLAIMS = (
    Claim(
        "overlap-presence",
        "Concepts are present where their maps lie apart",
        "Over 190 prompts of two objects, presence goes with the overlap of the attention maps at the last step: KL .6,"
        " IoU −.6, CoM .5.",
        OVERLAP,
        "KL .6",
        _DESIGN,
        PRESENCE,
        NEEDS,
        examine_presence,
        otherwise=(
            "Maps lie further apart where concepts are missing. Of a missing concept the map shows where nothing is"
            " drawn, which may be the background: it is apart from the other's because it is nowhere."
        ),
    ),
    Claim(
        "overlap-order",
        "Overlap matters more than intensity, and intensity more than spread",
        "Overlap goes with presence more than intensity (.3), and intensity more than spread (−.2).",
        OVERLAP,
        "≈.57, .3, .2",
        f"{_DESIGN} The claim is of two links, and the weaker one decides: its interval lies above 0 only where both"
        " do, and below 0 where one of them does.",
        ORDER,
        NEEDS,
        examine_order,
        otherwise=(
            "One of the two links goes the other way, and the figures say which. On a grid of few cells intensity,"
            " spread and overlap are hard to tell apart."
        ),
    ),
)

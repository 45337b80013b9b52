"""Rigid and varied concepts in every slot: what a concept's own rigidity and its rivals' do to its survival."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from jaxtyping import Float

from dominance.metrics.bootstrap import resampled
from dominance.metrics.measured import Measured, of_draws
from dominance.numbers import plural, share_difference
from dominance.records import PromptResult, RunResult
from dominance.reproduce.claims.claim import Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.suites import SLOTS, is_rigid
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

OWN = Rule("survival of a rigid concept less that of a varied one, in the same slots", 0.0, "above", "share difference")
RIVALS = Rule(
    "survival of a concept beside two rigid ones less that beside two varied ones", 0.0, "below", "share difference"
)
_RESAMPLES = 2000
TERMS = ("own rigidity", "rigid rivals", "interaction")


@dataclass(frozen=True)
class Survival:
    """One slot of one prompt.

    Attributes:
        prompt: number of the prompt, which is drawn again as a whole, in all models at once.
        rigid: whether the slot's concept is rigid.
        rivals: share of the other slots that are.
        shown: share of the images that show it.
    """

    prompt: int
    slot: int
    rigid: bool
    rivals: float
    shown: float


def survivals(runs: Sequence[tuple[RunResult, Mapping[str, float]]]) -> list[Survival]:
    """Every slot of every scored prompt, of runs each with the diversity of its model's concepts."""
    found_here: list[Survival] = []
    numbers: dict[str, int] = {}
    for result, diversity in runs:
        for prompt in result.prompts:
            rigid = [is_rigid(concept, diversity) for concept in prompt.prompt.concepts]
            if len(rigid) == SLOTS and None not in rigid and prompt.scored:
                number = numbers.setdefault(prompt.prompt.id, len(numbers))
                found_here += _slots(prompt, [bool(one) for one in rigid], number)
    return found_here


def _slots(prompt: PromptResult, rigid: Sequence[bool], number: int) -> list[Survival]:
    return [
        Survival(
            number,
            slot,
            rigid[slot],
            (sum(rigid) - rigid[slot]) / (SLOTS - 1),
            prompt.presence[concept.name].share or 0.0,
        )
        for slot, concept in enumerate(prompt.prompt.concepts)
    ]


def effects(rows: Sequence[Survival]) -> tuple[dict[str, float], dict[str, Float[np.ndarray, " draw"]]]:
    """By term, its effect and its values where whole prompts are drawn again: least squares with a level a slot.

    Rigidity is coded −½ and ½, and so is the share of rigid rivals, so that each effect is that of going from none to
    all at the mean of the other.
    """
    own = np.array([row.rigid - 0.5 for row in rows])
    rivals = np.array([row.rivals - 0.5 for row in rows])
    slots = np.array([[float(row.slot == slot) for slot in range(SLOTS)] for row in rows])
    design = np.column_stack([own, rivals, own * rivals, slots])
    shown = np.array([row.shown for row in rows])
    members = np.array([row.prompt for row in rows])

    def fit(weights: Float[np.ndarray, "draw prompt"]) -> Float[np.ndarray, "draw term"]:
        each = weights[:, members].astype(float)
        normal = np.einsum("dn,ni,nj->dij", each, design, design)
        right = np.einsum("dn,ni->di", each, design * shown[:, None])
        return np.einsum("dij,dj->di", np.linalg.pinv(normal), right)[:, : len(TERMS)]

    count = int(members.max()) + 1
    values = fit(np.ones((1, count)))[0]
    draws = {
        term: resampled(lambda weights, place=place: fit(weights)[:, place], count, _RESAMPLES, width=len(rows) * 6)
        for place, term in enumerate(TERMS)
    }
    return dict(zip(TERMS, map(float, values), strict=True)), draws


def _measured(experiments: Experiments) -> tuple[dict[str, Measured], list[Survival]]:
    rows = survivals(experiments.factorial)
    prompts = len({row.prompt for row in rows})
    if not rows or len({(row.rigid, row.rivals) for row in rows}) < 6:
        raise ImpossibleError("some cell of the design has no scored prompt")
    values, draws = effects(rows)
    return {term: of_draws(values[term], draws[term], prompts) for term in TERMS}, rows


def _finding(experiments: Experiments, term: str, rule: Rule) -> Finding:
    measured, rows = _measured(experiments)
    figures = [Figure(name, share_difference(one.value, one.interval)) for name, one in measured.items()]
    groups = []
    for rigid in (True, False):
        for rivals in (0.0, 0.5, 1.0):
            shown = [row.shown for row in rows if (row.rigid, row.rivals) == (rigid, rivals)]
            name = f"{'rigid' if rigid else 'varied'} beside {plural(round(2 * rivals), 'rigid rival')}"
            groups.append(Group(name, (), fmean(shown)))
    why = f"{len(experiments.factorial)} models of the same prompts. " if len(experiments.factorial) > 1 else ""
    if experiments.kinds_stand_in:
        why += _CONFOUNDED
    return found(
        measured[term],
        rule,
        experiments.size.cell_seeds,
        figures,
        [Plot("groups", "share of the images that show the concept", tuple(groups), unit="share")],
        why=why,
    )


def examine_own(experiments: Experiments) -> Finding:
    """The main effect of a concept's own rigidity."""
    return _finding(experiments, "own rigidity", OWN)


def examine_rivals(experiments: Experiments) -> Finding:
    """The main effect of its rivals' rigidity."""
    return _finding(experiments, "rigid rivals", RIVALS)


_CONFOUNDED = (
    "Nothing is known of the model's training pictures, so landmarks, characters and artists stand for the rigid"
    " concepts and objects for the varied: kind and rigidity go together here, and the effect may be of either. A model"
    " that lists its concepts' diversity in dominance.json is examined without that. "
)
_SOURCE = "ours, after the authors' 2×2×2 design"
_DESIGN = (
    "Three concepts a prompt, each slot rigid or varied, on the model and, where there is one, on its twin, in which"
    " the same concepts have the opposite rigidity: nothing but training tells them apart. Of a model that does not"
    " list its concepts' diversity, kinds stand for rigidity, which the finding then says. Least squares with a level a"
    " slot; whole prompts are drawn again, with the images of both models."
)
CLAIMS = (
    Claim(
        "factorial-own",
        "A rigid concept survives more often",
        "If uniform training pictures make a concept dominate, it survives beside others more often than a varied one.",
        _SOURCE,
        "above 0",
        _DESIGN,
        OWN,
        ("factorial",),
        examine_own,
        otherwise=(
            "A varied concept survives more often beside others than a rigid one. Three concepts a prompt are beyond"
            " what the miniature was trained on, so that survival there is a test of drawing at all as well."
        ),
    ),
    Claim(
        "factorial-rivals",
        "Rigid rivals make a concept vanish",
        "If uniform training pictures make a concept dominate, others survive less often beside it.",
        _SOURCE,
        "below 0",
        _DESIGN,
        RIVALS,
        ("factorial",),
        examine_rivals,
        otherwise=(
            "Concepts survive more often beside rigid rivals. A rigid rival may take less room, or be lost itself; the"
            " first effect says which."
        ),
    ),
)

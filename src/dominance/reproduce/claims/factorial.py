"""Rigid and varied concepts in every slot: what a concept's own rigidity and its rivals' do to its survival."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import numpy as np
from jaxtyping import Float

from dominance.metrics.crossed import of_crossed
from dominance.metrics.measured import Measured, least_of_two
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
TERMS = ("own rigidity", "rigid rivals", "interaction")


@dataclass(frozen=True)
class Survival:
    """One slot of one prompt.

    Attributes:
        prompt: number of the prompt, the same in all models.
        concept: in the slot; ``beside``: in the others.
        rigid: whether the slot's concept is rigid.
        rivals: share of the other slots that are.
        shown: share of the images that show it.
    """

    prompt: int
    slot: int
    concept: str
    beside: tuple[str, ...]
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
    names = [concept.name for concept in prompt.prompt.concepts]
    return [
        Survival(
            number,
            slot,
            name,
            tuple(other for other in names if other != name),
            rigid[slot],
            (sum(rigid) - rigid[slot]) / (SLOTS - 1),
            prompt.presence[name].share or 0.0,
        )
        for slot, name in enumerate(names)
    ]


def effects(rows: Sequence[Survival]) -> dict[str, Measured]:
    """By term, its effect, over the concepts that carry it and the prompts: least squares with a level a slot.

    Rigidity is coded −½ and ½, and so is the share of rigid rivals, so that each effect is that of going from none to
    all at the mean of the other.

    The same few concepts make up all prompts, and it is they that are rigid or varied, so that more prompts of them
    say no more about others. A concept carries the effect of its own rigidity in the rows that are about it, that of
    rigid rivals in those of its rivals, and the interaction in both. It is left out with these rows, a prompt with all
    of its own, in all models; ``metrics.crossed`` says how both make one interval.
    """
    names = list(dict.fromkeys(name for row in rows for name in (row.concept, *row.beside)))
    about = np.array([[row.concept == name for name in names] for row in rows])
    beside = np.array([[name in row.beside for name in names] for row in rows])
    prompts = np.array([row.prompt for row in rows])[:, None] == np.arange(max(row.prompt for row in rows) + 1)
    carried = dict(zip(TERMS, (about, beside, about | beside), strict=True))
    states = {name: {row.rigid for row in rows if row.concept == name} for name in names}
    always = [name for name in names if states[name] == {True}]
    moved = any(len(own) > 1 for own in states.values())  # between models, so that each concept is its own control
    groups = (len(always), len(names) - len(always))
    found_here = {}
    for place, term in enumerate(TERMS):
        found_here[term] = of_crossed(
            partial(_fitted, rows, place),
            carried[term],
            prompts,
            f"concepts in {plural(int(prompts.any(0).sum()), 'prompt')}",
            None if moved else min(groups),
            2 / 2.0 ** len(names) if moved else least_of_two(*groups),
        )
    return found_here


def _fitted(rows: Sequence[Survival], place: int, weights: Float[np.ndarray, "draw row"]) -> Float[np.ndarray, " draw"]:
    """One coefficient for each draw of rows; no number where they do not tell the terms apart."""
    own = np.array([row.rigid - 0.5 for row in rows])
    rivals = np.array([row.rivals - 0.5 for row in rows])
    slots = np.array([[float(row.slot == slot) for slot in range(SLOTS)] for row in rows])
    design = np.column_stack([own, rivals, own * rivals, slots])
    shown = np.array([row.shown for row in rows])
    squares = (design[:, :, None] * design[:, None, :]).reshape(len(rows), -1)
    normal = (weights @ squares).reshape(len(weights), design.shape[1], -1)
    right = weights @ (design * shown[:, None])
    values = np.einsum("dj,dj->d", np.linalg.pinv(normal, hermitian=True)[:, place], right)
    return np.where(np.linalg.matrix_rank(normal, hermitian=True) == design.shape[1], values, np.nan)


def _measured(experiments: Experiments) -> tuple[dict[str, Measured], list[Survival]]:
    rows = survivals(experiments.factorial)
    if not rows or len({(row.rigid, row.rivals) for row in rows}) < 6:
        raise ImpossibleError("some cell of the design has no scored prompt")
    return effects(rows), rows


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
    " slot. The same few concepts make up all prompts and carry the rigidity, so that the interval is over the"
    " concepts as well as the prompts: each concept, and each prompt in both models, is left out by turns."
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

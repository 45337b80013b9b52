"""Whether a repair keeps the identity of what the model was taught."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dominance.records import Identity
from dominance.runs.audit.result import result_of
from dominance.runs.mitigation.arms import Arm
from dominance.runs.mitigation.measuring import Seen
from dominance.runs.mitigation.options import POLICY
from dominance.runs.stages.identity import identity_of
from dominance.runs.stages.method_names import PLAIN
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan


def identities(
    arms: Sequence[Arm], found: Sequence[Seen], plan: Plan, ledger: Ledger, folder: Path, only_failing: bool
) -> dict[str, Identity]:
    """What plain images, each method's, and those that the policy hands over show of the taught concept.

    Nothing where none is known. Where methods drew only what fails, the policy alone is about all prompts and seeds.
    """
    if plan.taught is None:
        return {}
    by_arm = {arm.name: arm.images for arm in arms}
    shown = {name: images for name, images in by_arm.items() if name == PLAIN or not only_failing}
    shown[POLICY] = tuple(by_arm[each.chosen][place] for place, each in enumerate(found))
    every = {
        name: identity_of(plan.taught, result_of(replace(plan, images=images), ledger, folder).prompts, folder)
        for name, images in shown.items()
    }
    return {name: one for name, one in every.items() if one is not None}

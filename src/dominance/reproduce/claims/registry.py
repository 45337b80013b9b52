"""All claims, in the order of the papers."""

from collections.abc import Sequence

from dominance.errors import InputError
from dominance.reproduce.claims import (
    augmented,
    bench_medians,
    bench_yield,
    categories,
    detector,
    disrupted,
    dynamics,
    early_steps,
    factorial,
    focus,
    head_sets,
    heads,
    independent,
    listed,
    losses,
    memorized,
    noise_norm,
    overlap_presence,
    patched,
    peak_token,
    replacement,
    trained,
    trainings,
    transfer,
    twins,
)
from dominance.reproduce.claims.claim import Claim
from dominance.wording import quoted, suggestion

_ALL: tuple[Claim, ...] = (
    bench_yield.CLAIM,
    bench_medians.CLAIM,
    trainings.CLAIM,
    focus.CLAIM,
    peak_token.CLAIM,
    dynamics.CLAIM,
    detector.CLAIM,
    transfer.CLAIM,
    replacement.CLAIM,
    early_steps.CLAIM,
    *disrupted.CLAIMS,
    *heads.CLAIMS,
    head_sets.CLAIM,
    patched.CLAIM,
    noise_norm.CLAIM,
    *memorized.CLAIMS,
    trained.CLAIM,
    *augmented.CLAIMS,
    twins.CLAIM,
    categories.CLAIM,
    independent.CLAIM,
    *factorial.CLAIMS,
    *overlap_presence.CLAIMS,
    *losses.CLAIMS,
    *listed.CLAIMS,
)
CLAIMS: dict[str, Claim] = {claim.name: claim for claim in _ALL}
"""By name."""


def find_claims(names: Sequence[str]) -> tuple[Claim, ...]:
    """The claims of these names, in the order of the papers; all where none is named.

    Raises:
        InputError: no claim of that name.
    """
    for name in names:
        if name not in CLAIMS:
            raise InputError(f"no claim {quoted(name)}{suggestion(name, CLAIMS)} give some of {', '.join(CLAIMS)}")
    return tuple(claim for claim in CLAIMS.values() if not names or claim.name in names)

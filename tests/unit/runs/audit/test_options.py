"""What an audit's options mean beside how it draws: limits over a suite's gate, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from dominance.errors import InputError
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.records import Concept, Gate, Prompt
from dominance.runs.audit.options import AuditOptions, Limits, ScoreOptions, check_gate
from dominance.seeds import DEFAULT_SEEDS


def test_the_seeds_in_force_are_the_drawings_or_ten() -> None:
    assert AuditOptions().seeds == DEFAULT_SEEDS
    options = AuditOptions(drawing=Drawing((3, 5)))
    assert options.seeds == replace(options, limit=3).seeds == (3, 5)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Asking(judge_mode="slow"), r"no judge mode 'slow'; give one of fast, official"),
        (lambda: AuditOptions(limit=0), r"limit is 0; give a whole number from 1"),
        (lambda: ScoreOptions(limit=-1), r"limit is -1"),
        (
            lambda: ScoreOptions(machine=Machine(offload="model")),
            r"dominance score draws no images, .* leave out --off",
        ),
    ],
)
def test_options_that_mean_nothing_are_refused(make: Any, found: str) -> None:
    with pytest.raises(InputError, match=found):
        make()


def test_limits_change_a_suites_gate_or_make_one() -> None:
    own = Gate(max_collapse=0.2, min_presence=0.5, max_unscored=0.1)
    assert Limits().over(None) is None
    assert Limits().over(own) is own
    assert Limits(max_collapse=0.0).over(own) == Gate(0.0, 0.5, 0.1)
    assert Limits(max_unscored=0.0).over(own) == Gate(0.2, 0.5, 0.0)
    assert Limits(min_presence=0.9).over(None) == Gate(None, 0.9, 0.0)
    assert Limits(max_unscored=0.3).over(None) == Gate(None, None, 0.3)


def test_a_gate_on_collapse_alone_is_refused_where_nothing_can_collapse() -> None:
    single = Prompt("one", "a mug", (Concept("mug"),))
    pair = Prompt("two", "a mug and a lamp", (Concept("mug"), Concept("lamp")))
    with pytest.raises(InputError, match=r"every prompt names one concept, .* cannot collapse; give min-presence"):
        check_gate(Gate(max_collapse=0.2), (single, single))
    for gate, prompts in (
        (Gate(max_collapse=0.2), (single, pair)),
        (Gate(max_collapse=0.2, min_presence=0.5), (single,)),
        (Gate(min_presence=0.5), (single,)),
    ):
        check_gate(gate, prompts)

"""The rule on intervals."""

import pytest

from dominance.runs.reproduction.rule import Rule, Side, decide


@pytest.mark.parametrize(
    ("side", "interval", "verdict"),
    [
        ("above", (0.51, 0.9), "reproduced"),
        ("above", (0.1, 0.49), "contradicted"),
        ("above", (0.4, 0.6), "undecided"),
        ("above", (0.5, 0.9), "undecided"),
        ("below", (0.1, 0.49), "reproduced"),
        ("below", (0.51, 0.9), "contradicted"),
        ("below", (0.4, 0.6), "undecided"),
    ],
)
def test_the_interval_decides(side: Side, interval: tuple[float, float], verdict: str) -> None:
    assert decide(Rule("a share", 0.5, side, "share"), interval) == verdict


def test_a_rule_says_what_it_does() -> None:
    words = Rule("share of prompts", 0.05, "above", "share").words
    assert words.startswith("share of prompts; reproduced where its 95% interval lies above 5%, contradicted")

"""Sets of heads chosen on other prompts, on results made by hand: every verdict; and what is drawn for them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from claims import judged, made

from dominance.records import Answer, Prompt, Question, ScoredImage
from dominance.reproduce import ablated
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.head_sets import CLAIM
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.size import SET_HEADS
from dominance.runs.ablation.cooperation import halves_of, head_sets, sets_of
from dominance.runs.ablation.options import How
from dominance.runs.ablation.outcomes import Judged
from dominance.runs.ablation.variants import heads_together
from dominance.runs.reproduction.rule import Verdict
from dominance.runs.stages.scoring import score_image

HEADS = ((1, 0), (2, 1), (3, 2))
Rule = Callable[[int, int], float]


def with_presence(prompt: Prompt, presence: float) -> ScoredImage:
    answers = [
        Answer(Question(name, f"{name} {grade}?", grade), p >= 0.5, p)
        for name, p in (("a", 1.0), ("b", presence))
        for grade in range(1, 6)
    ]
    return score_image(prompt, "0", "0.png", answers)


def ablated_by(rule: Rule, count: int = 8) -> Experiments:
    """Prompts whose lost concept rises by a rule of the prompt's place and the size of the set."""
    trials, names = [], [f"p{place}" for place in range(count)]
    for own in sets_of(HEADS):
        for place, name in enumerate(names):
            prompt = judged(name, "dominance", [(5, 0)]).prompt
            before, after = with_presence(prompt, 0.0), with_presence(prompt, rule(place, len(own)))
            trials.append(Judged(prompt, 0, heads_together(own, How()), before, after))
    sets = head_sets("0", halves_of(names), (HEADS, HEADS), trials)
    return made(head_sets=SimpleNamespace(sets=(sets,), notes=()))


def lucky(place: int, size: int) -> float:
    """On every prompt another number of heads helps, so that what one half chooses is bad for the other."""
    return 0.6 if size == (2 if place % 2 else 3) else 0.3 if size == 1 else 0.1 + place / 1000


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (lambda place, size: 0.1 * size + place / 1000 * size, "reproduced"),
        (lucky, "contradicted"),
        (
            lambda place, size: 0.3 + (place % 4 > 1 and size > 1) * 0.2 - (place % 4 <= 1 and size > 1) * 0.15,
            "undecided",
        ),
    ],
)
def test_a_set_brings_back_more_than_the_best_head_or_not(rule: Rule, verdict: Verdict) -> None:
    finding = CLAIM.examine(ablated_by(rule))
    assert verdict_of(finding, CLAIM.rule) == verdict
    assert finding.n == 8
    figures = {figure.name: figure.ours for figure in finding.figures}
    if verdict == "reproduced":
        assert finding.value == pytest.approx(0.2 + 2 * 0.0035)
        assert figures["rise without the best set"].startswith("+31 points")
        assert figures["heads of the best sets"] == "1.0 + 2.1 + 3.2; 1.0 + 2.1 + 3.2"
        assert figures["greedy sets behind the best of their size, at most, where chosen"] == "+0 points"
        assert figures["images without the best set: mitigated"].startswith("0 of 8")
        assert figures["heads that add most, by Shapley value"].startswith("1.0: +10 points")
    assert [line.name for line in finding.plots[0].lines] == ["greedy set", "best set of its size"]
    assert [place for place, _, _ in finding.plots[0].lines[0].values] == [1, 2, 3]


def test_few_prompts_decide_nothing_and_without_any_it_is_impossible() -> None:
    few = CLAIM.examine(ablated_by(lambda place, size: 0.1 * size + place / 1000 * size, count=5))
    assert verdict_of(few, CLAIM.rule) == "undecided"
    nothing = SimpleNamespace(sets=(), notes=("only one prompt has collapsed images",))
    with pytest.raises(ImpossibleError, match="only one prompt has collapsed images"):
        CLAIM.examine(made(head_sets=nothing))


def test_all_heads_as_before_and_then_their_sets_are_drawn_into_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(ablated, "ablate_suite", lambda *arguments: calls.append(arguments))
    entries = [
        SimpleNamespace(result=judged(name, "dominance", [(5, 0)]), direction=None, kept=SimpleNamespace(category="x"))
        for name in ("one", "two")
    ]
    known = made().__dict__ | {"model": "tiny", "judge": "none", "entries": lambda *_: entries}
    given = SimpleNamespace(asking=ablated.AblationOptions().asking, machine=ablated.AblationOptions().machine)
    known |= {"options": given, "drawing": lambda seeds: ablated.AblationOptions().drawing, "fresh": range}
    experiments = SimpleNamespace(**known)
    ablated.ablated_of(experiments)  # ty: ignore[invalid-argument-type]
    ablated.head_sets_of(experiments)  # ty: ignore[invalid-argument-type]
    assert [call[4].sweep for call in calls] == [
        ("heads", "multi", "controls"),
        ("heads", "multi", "controls", "sets"),
    ]
    assert calls[1][4].set_heads == SET_HEADS
    assert calls[0][3] == calls[1][3]
    del entries[1]
    with pytest.raises(ImpossibleError, match="only one dominance prompt"):
        ablated.head_sets_of(experiments)  # ty: ignore[invalid-argument-type]

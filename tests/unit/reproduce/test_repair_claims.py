"""Detector, replacement, heads and norms on results made by hand: every verdict."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
from claims import first_step, judged, made

from dominance.records import ScoredImage
from dominance.reproduce.claims import heads
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.detector import CLAIM as DETECTOR
from dominance.reproduce.claims.noise_norm import CLAIM as NORM
from dominance.reproduce.claims.registry import CLAIMS
from dominance.reproduce.claims.replacement import CLAIM as REPLACEMENT
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.size import Size
from dominance.runs.ablation.options import How, Window
from dominance.runs.ablation.outcomes import Judged, mitigating
from dominance.runs.ablation.result import SweepResult, sweep_result
from dominance.runs.ablation.variants import heads_together
from dominance.runs.mitigation.result import MitigatedImage, MitigatedPrompt, Shot
from dominance.runs.noise_norm.result import PromptNorms, group_norms
from dominance.runs.reproduction.rule import Verdict, decide

COUNTS = {"mitigated": (5, 5), "unchanged": (5, 0), "corrupted": (0, 0)}


@pytest.mark.parametrize(
    ("dominance", "balanced", "verdict"),
    [(0.03, 0.005, "reproduced"), (0.005, 0.03, "contradicted"), (0.02, 0.02, "undecided")],
)
def test_the_detector_tells_them_apart_or_not(dominance: float, balanced: float, verdict: Verdict) -> None:
    steps = [first_step(place, "dominance", dominance) for place in range(8)]
    steps += [first_step(place, "balanced", balanced) for place in range(8)]
    finding = DETECTOR.examine(made(first_steps=tuple(steps)))
    assert verdict_of(finding, DETECTOR.rule) == verdict
    flagged = {figure.name: figure.ours.partition(" (")[0] for figure in finding.figures}
    if verdict == "reproduced":
        assert finding.value == 1.0
        assert flagged["dominance prompts that the paper's threshold 0.010 flags"] == "8 of 8"
        assert flagged["dominance prompts that a threshold chosen on other prompts flags"] == "8 of 8"
    curve = finding.plots[0].lines[0].values
    assert (curve[0][:2], curve[-1][:2]) == ((0, 1.0 if verdict == "reproduced" else 0.0), (1000, 1.0))


def repaired(before: float, after: float) -> Experiments:
    prompts = [
        MitigatedPrompt(
            f"p{place}",
            f"prompt {place}",
            None,
            ("a", "b"),
            {},
            (
                MitigatedImage(
                    "0",
                    {
                        "plain": Shot("images/plain.png", "collapsed", before + place, ("a",)),
                        "replace": Shot("images/replaced.png", "lost", after + place, ()),
                    },
                    "plain",
                ),
            ),
        )
        for place in range(8)
    ]
    return made(replaced=SimpleNamespace(prompts=tuple(prompts)))


@pytest.mark.parametrize(
    ("before", "after", "verdict"), [(64, 20, "reproduced"), (20, 64, "contradicted"), (40, 40, "undecided")]
)
def test_replacement_lowers_the_median_or_not(before: float, after: float, verdict: Verdict) -> None:
    finding = REPLACEMENT.examine(repaired(before, after))
    assert verdict_of(finding, REPLACEMENT.rule) == verdict
    assert finding.value == after - before
    assert finding.n == 8
    assert finding.pictures[0].file == "replacement/images/plain.png"


def trials(outcomes: Sequence[dict[tuple[int, int], str]], together: bool = False) -> list[Judged]:
    """A prompt for each mapping from head to outcome; with ``together``, its first heads at once."""
    found = []
    for place, own in enumerate(outcomes):
        before = _image(place, (5, 0))
        listed = {tuple(own): next(iter(own.values()))} if together else {(head,): what for head, what in own.items()}
        for chosen, what in listed.items():
            variant = heads_together(chosen, How())
            prompt = judged(f"p{place}", "dominance", [(5, 0)]).prompt
            found.append(Judged(prompt, 0, variant, before, _image(place, COUNTS[what])))
    return found


def _image(place: int, counts: tuple[int, int]) -> ScoredImage:
    return judged(f"p{place}", "dominance", [counts]).images[0]


def ablated(sweeps: Sequence[SweepResult], singles: Sequence[Judged] = ()) -> Experiments:
    found = mitigating(singles)
    prompts = [
        SimpleNamespace(text=id, mitigating=own, collapsed=SimpleNamespace(count=1), example=None)
        for id, own in found.items()
    ]
    return made(ablated=SimpleNamespace(sweeps=tuple(sweeps), prompts=tuple(prompts), notes=("nothing collapsed",)))


def head_outcomes(early: str, late: str) -> dict[tuple[int, int], str]:
    """Two heads in each of the first twelve layers."""
    return {(layer, head): early if layer <= 6 else late for layer in range(1, 13) for head in range(2)}


@pytest.mark.parametrize(("mitigated", "verdict"), [(2, "reproduced"), (30, "contradicted"), (22, "undecided")])
def test_single_heads_mitigate_few_prompts_or_many(mitigated: int, verdict: Verdict) -> None:
    rows = [head_outcomes("mitigated" if place < mitigated else "unchanged", "unchanged") for place in range(30)]
    singles = trials(rows)
    finding = heads.single(ablated([sweep_result("heads", Window(0, 0), singles)], singles))
    assert verdict_of(finding, heads.SINGLE) == verdict
    assert finding.value == mitigated / 30


@pytest.mark.parametrize(
    ("early", "late", "verdict"),
    [
        ("mitigated", "unchanged", "reproduced"),
        ("unchanged", "mitigated", "contradicted"),
        ("mitigated",) * 2 + ("undecided",),
    ],
)
def test_mitigating_heads_are_early_or_not(early: str, late: str, verdict: Verdict) -> None:
    singles = trials([head_outcomes(early, late) for _ in range(6)])
    finding = heads.where(ablated([sweep_result("heads", Window(0, 0), singles)], singles))
    assert verdict_of(finding, heads.WHERE) == verdict
    if verdict == "reproduced":
        assert finding.value == 1.0
        assert finding.figures[0].ours == "1 and 2"


@pytest.mark.parametrize(
    ("examine", "sweep", "rule"), [(heads.several, "multi", heads.SEVERAL), (heads.controls, "controls", heads.CONTROL)]
)
def test_heads_together_mitigate_or_not(examine: Callable[[Experiments], object], sweep: str, rule: object) -> None:
    pair = ((1, 0), (1, 1))
    singles = trials([head_outcomes("mitigated", "unchanged")] * 30)
    for what, verdict in (("unchanged", "reproduced"), ("mitigated", "contradicted")):
        rows = trials([dict.fromkeys(pair, what) for _ in range(30)], together=True)
        sweeps = [sweep_result("heads", Window(0, 0), singles), sweep_result(sweep, Window(0, 0), rows)]
        finding = examine(ablated(sweeps, singles))  # ty: ignore[invalid-argument-type]
        assert verdict_of(finding, rule) == verdict  # ty: ignore[invalid-argument-type]


def test_a_prompt_counts_with_the_share_of_its_pairs_that_mitigate() -> None:
    singles = trials([head_outcomes("mitigated", "unchanged")] * 12)
    pairs = [
        Judged(one.prompt, 0, heads_together(((1, 0), (1, other)), How()), one.unedited, one.edited)
        for other, what in ((1, "mitigated"), (2, "unchanged"), (3, "corrupted"))
        for one in trials([dict.fromkeys(((1, 0), (1, other)), what)] * 12, together=True)
    ]
    sweeps = [sweep_result("heads", Window(0, 0), singles), sweep_result("controls", Window(0, 0), pairs)]
    finding = heads.controls(ablated(sweeps, singles))
    assert (finding.value, finding.n) == (pytest.approx(1 / 3), 12)
    assert verdict_of(finding, heads.CONTROL) == "undecided"
    assert finding.figures[0].ours == "12 of 36 (14 to 61%)"  # as 4 of 12: images of a prompt are no units


@pytest.mark.parametrize(("count", "reachable"), [(10, True), (8, False)])
def test_a_row_says_where_no_outcome_could_contradict_it(count: int, reachable: bool) -> None:
    rows = [head_outcomes("unchanged" if place else "mitigated", "unchanged") for place in range(count)]
    singles = trials(rows)
    finding = heads.single(ablated([sweep_result("heads", Window(0, 0), singles)], singles))
    assert ("No outcome over so few prompts could contradict this." in finding.why) != reachable


def entry(dominating: str) -> SimpleNamespace:
    """A dominance prompt of the landmark a and the object b."""
    other = "b" if dominating == "a" else "a"
    return SimpleNamespace(
        result=judged(dominating, "dominance", [(5, 0)]),
        direction=(dominating, other),
        kept=SimpleNamespace(category="landmark"),
    )


def test_only_what_dominates_is_replaced() -> None:
    experiments = Experiments.__new__(Experiments)
    listed = [entry("b"), entry("a"), entry("b")]
    vars(experiments).update(
        size=Size(),
        bench=SimpleNamespace(part=lambda _: tuple(listed)),
        mitigated=lambda suite, *_: [prompt.id for prompt in suite.prompts],
    )
    assert experiments.replaced == ["a"]
    del experiments.replaced, listed[1]
    with pytest.raises(ImpossibleError, match="objects dominate all dominance prompts"):
        _ = experiments.replaced


@pytest.mark.parametrize("what", ["unchanged", "corrupted"])
def test_where_no_head_mitigates_nothing_is_supported(what: str) -> None:
    """That no head does anything is no sign that dominance is spread over heads, nor that pairs do nothing."""
    singles = trials([head_outcomes(what, what)] * 30)
    pairs = trials([dict.fromkeys(((1, 0), (1, 1)), "unchanged") for _ in range(30)], together=True)
    sweeps = [sweep_result("heads", Window(0, 0), singles), sweep_result("controls", Window(0, 0), pairs)]
    alone = CLAIMS["single-head"].examine(ablated(sweeps, singles))
    assert (alone.value, alone.n) == (0.0, 30)
    assert verdict_of(alone, CLAIMS["single-head"].rule) == "undecided"  # its interval alone would reproduce the claim
    assert decide(CLAIMS["single-head"].rule, alone.interval or (0, 1)) == "reproduced"
    assert "where a single head changes nothing" in alone.why
    for name in ("early-layers", "control-pairs"):
        with pytest.raises(ImpossibleError, match="none of 24 heads, removed alone, mitigates any of 30 dominance"):
            CLAIMS[name].examine(ablated(sweeps, singles))


def test_without_collapsed_images_no_head_can_be_tried() -> None:
    for name in ("single-head", "early-layers", "several-heads", "control-pairs"):
        with pytest.raises(ImpossibleError, match="nothing collapsed"):
            CLAIMS[name].examine(ablated([]))


@pytest.mark.parametrize(
    ("dominance", "balanced", "verdict"),
    [(3.0, 1.0, "reproduced"), (1.0, 3.0, "contradicted"), (2.0, 2.0, "undecided")],
)
def test_dominance_prompts_move_the_noise_more_or_not(dominance: float, balanced: float, verdict: Verdict) -> None:
    prompts = tuple(
        PromptNorms(f"{part}{place}", part, part, {0: (norm + place / 100, norm)}, ())
        for part, norm in (("dominance", dominance), ("balanced", balanced))
        for place in range(7)
    )
    norms = SimpleNamespace(prompts=prompts, groups=group_norms(prompts))
    finding = NORM.examine(made(norms=norms, entries=lambda _: ()))
    assert verdict_of(finding, NORM.rule) == verdict
    assert finding.value == pytest.approx(dominance - balanced)
    assert [figure.name for figure in finding.figures] == ["7 dominance prompts", "7 balanced prompts"]


def test_prompts_that_are_known_to_be_memorized_are_the_third_group() -> None:
    prompts = tuple(
        PromptNorms(f"{part}{place}", part, part, {0: (norm, norm)}, ())
        for part, norm in (("dominance", 2.0), ("balanced", 1.0), ("memorized", 3.0))
        for place in range(5)
    )
    norms = SimpleNamespace(prompts=prompts, groups=group_norms(prompts))
    finding = NORM.examine(made(norms=norms, entries=lambda _: ()))
    assert [figure.name for figure in finding.figures] == [
        "5 memorized prompts",
        "5 dominance prompts",
        "5 balanced prompts",
    ]
    assert [group.name for group in finding.plots[0].groups] == ["memorized", "dominance", "balanced"]

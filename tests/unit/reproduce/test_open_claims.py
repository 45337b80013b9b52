"""Open questions as claims, on results made by hand: every verdict; their prompts, and the control of every run."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from claims import judged, made, recorded

from dominance.errors import InputError
from dominance.guidance.plan import Conditions
from dominance.metrics import rate
from dominance.records import RunResult, Suite
from dominance.reproduce.claims import listed as claims
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.disrupted import CLAIMS as DISRUPTED
from dominance.reproduce.claims.early_steps import CLAIM as EARLY
from dominance.reproduce.claims.transfer import CLAIM as TRANSFER
from dominance.reproduce.control import control_of
from dominance.reproduce.disrupted import disrupted_of, undisrupted_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.listed import POSITION, SPATIAL, TWO, drawn_from, given_list, listed_suite, missing_one
from dominance.reproduce.methods import DISRUPTED_METHODS
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.suites import alone_suite
from dominance.reproduce.transfer import Foretold, Transfer
from dominance.runs.mitigation.result import MitigatedImage, MitigatedPrompt, Shot
from dominance.runs.reproduction.result import Control
from dominance.runs.reproduction.rule import Verdict
from dominance.suites.pools import load_pools


def foretold(dominance: float, others: float, count: int = 8) -> dict[str, Foretold]:
    """So many prompts of each kind, about these probabilities."""
    rows = [(dominance, True), (others, False)]
    return {
        f"{positive}-{place}": Foretold(chance + place / 1000, positive)
        for chance, positive in rows
        for place in range(count)
    }


@pytest.mark.parametrize(
    ("dominance", "others", "verdict"),
    [(0.8, 0.2, "reproduced"), (0.2, 0.8, "contradicted"), (0.5, 0.5, "undecided")],
)
def test_a_rule_transfers_to_the_twin_or_not(dominance: float, others: float, verdict: Verdict) -> None:
    models = {"ours": foretold(0.9, 0.1), "twin": foretold(dominance, others), "base": foretold(0.1, 0.9)}
    finding = TRANSFER.examine(made(transfer=Transfer(1, 0.5, models)))
    assert verdict_of(finding, TRANSFER.rule) == verdict  # whatever the base says
    figures = {figure.name: figure.ours for figure in finding.figures}
    assert figures["area on ours, by its own rule"].startswith("1.00")
    assert figures["area on base, by another model's rule"].startswith("0.00")
    if verdict == "reproduced":
        assert figures["dominance prompts of twin, by another model's rule: flagged"].startswith("8 of 8")
        assert figures["others of twin, by another model's rule: flagged"].startswith("0 of 8")
    assert "layer 1" in finding.why


def test_a_twin_without_dominance_tells_nothing_and_few_prompts_decide_nothing() -> None:
    none = {name: one for name, one in foretold(0.9, 0.1).items() if not one.dominance}
    with pytest.raises(ImpossibleError, match="all independent prompts of twin"):
        TRANSFER.examine(made(transfer=Transfer(1, 0.5, {"ours": foretold(0.9, 0.1), "twin": none})))
    few = foretold(0.9, 0.1, count=3)
    finding = TRANSFER.examine(made(transfer=Transfer(1, 0.5, {"ours": none, "twin": few})))
    assert (finding.value, verdict_of(finding, TRANSFER.rule)) == (1.0, "undecided")
    assert finding.figures[0].ours == "–"


def disrupted(plain: str, early: str, count: int = 8) -> Experiments:
    """Prompts of one image each, with these verdicts plain and with a category word in the first two fifths."""
    verdicts = {"plain": plain, "schedule:until=0.1": plain, "schedule:until=0.4": early, "replace": "balanced"}
    present = {"balanced": ("a", "b"), "collapsed": ("a",), "lost": ()}
    shots = {arm: Shot(f"{arm}.png", verdict, None, present[verdict]) for arm, verdict in verdicts.items()}  # ty: ignore[invalid-argument-type]
    prompts = [
        MitigatedPrompt(f"p{place}", "text", None, ("a", "b"), {}, (MitigatedImage("0", shots, "plain"),))
        for place in range(count)
    ]
    return made(replaced=SimpleNamespace(prompts=prompts))


@pytest.mark.parametrize(
    ("plain", "early", "verdict"),
    [("collapsed", "balanced", "reproduced"), ("balanced", "collapsed", "contradicted"),
     ("collapsed", "collapsed", "undecided"), ("collapsed", "lost", "undecided")],
)  # fmt: skip
def test_another_text_in_the_first_steps_prevents_dominance_or_not(plain: str, early: str, verdict: Verdict) -> None:
    finding = EARLY.examine(disrupted(plain, early))
    assert verdict_of(finding, EARLY.rule) == verdict
    figures = {figure.name: figure.ours for figure in finding.figures}
    assert figures["images that collapse, a category word throughout"] == "0%"
    assert figures["images that show every concept, a category word throughout"] == "100%"
    if early == "lost":  # which ends the dominance of one concept, and shows neither
        assert figures["images that collapse, a category word in the first two fifths: less as it is"].startswith(
            "−100"
        )
    assert len(finding.plots[0].groups) == 4


def test_an_image_that_is_not_scored_in_every_way_counts_in_none() -> None:
    experiments = disrupted("collapsed", "balanced", count=1)
    for image in experiments.replaced.prompts[0].images:
        image.shots["replace"] = Shot("replace.png", None, None, ())
    with pytest.raises(ImpossibleError, match="no image could be scored in every way"):
        EARLY.examine(experiments)


def in_parts(early: str, late: str, count: int = 8) -> Experiments:
    """Prompts of one image each that collapse, with these verdicts where early steps are disrupted, or later ones."""
    of_parts = {"until=0.2": "collapsed", "until=0.4": early, "since=0.4:until=0.8": late}
    verdicts = {"plain": "collapsed"} | {method: of_parts[method.partition(":")[2]] for method in DISRUPTED_METHODS}
    present = {"balanced": ("a", "b"), "collapsed": ("a",), "lost": ()}
    shots = {arm: Shot(f"{arm}.png", verdict, None, present[verdict]) for arm, verdict in verdicts.items()}  # ty: ignore[invalid-argument-type]
    prompts = [
        MitigatedPrompt(f"p{place}", "text", None, ("a", "b"), {}, (MitigatedImage("0", shots, "plain"),))
        for place in range(count)
    ]
    return made(disrupted=SimpleNamespace(prompts=prompts), undisrupted={})


@pytest.mark.parametrize(
    ("guidance", "places", "impossible"),
    [
        (None, None, {}),
        ("guidance is 1", None, {"unguided": "guidance is 1"}),
        (None, "no layer shows it", {"regions": "no layer shows it"}),
        ("guidance is 1", "no layer shows it", {"unguided": "guidance is 1", "regions": "no layer shows it"}),
    ],
)
def test_a_disruption_that_a_model_does_not_allow_leaves_the_others(
    guidance: str | None, places: str | None, impossible: dict[str, str]
) -> None:
    def needs_places() -> None:
        if places is not None:
            raise ImpossibleError(places)

    drawn: list[tuple[str, ...]] = []

    def mitigated(suite: Suite, methods: tuple[str, ...], seeds: int, name: str) -> SimpleNamespace:
        drawn.append(methods)
        return in_parts("balanced", "lost").disrupted

    opened = SimpleNamespace(conditions=Conditions(25, unguided=guidance))
    recorder = SimpleNamespace(opened=opened, needs_places=needs_places)
    experiments = made(recorder=recorder, entries=lambda part, count: (), mitigated=mitigated)
    experiments.undisrupted = undisrupted_of(experiments)
    assert experiments.undisrupted == impossible
    experiments.disrupted = disrupted_of(experiments)
    ways = [way for way in ("unguided", "rebalance", "regions") if way not in impossible]
    assert list(dict.fromkeys(method.partition(":")[0] for method in drawn[0])) == ways
    by_name = {claim.name: claim for claim in DISRUPTED}
    for way, names in {
        "unguided": ["early-guidance"],
        "rebalance": ["early-rebalancing"],
        "regions": ["early-regions", "early-or-late"],
    }.items():
        for name in names:
            if way in impossible:
                with pytest.raises(ImpossibleError, match=impossible[way]):
                    by_name[name].examine(experiments)
            else:
                assert by_name[name].examine(experiments).figures


@pytest.mark.parametrize(
    ("early", "late", "prevents", "first"),
    [("balanced", "lost", "reproduced", "reproduced"), ("balanced", "balanced", "reproduced", "undecided"),
     ("lost", "balanced", "undecided", "contradicted")],
)  # fmt: skip
def test_disrupted_steps_prevent_dominance_or_not(early: str, late: str, prevents: Verdict, first: Verdict) -> None:
    by_name = {claim.name: claim for claim in DISRUPTED}
    when = by_name.pop("early-or-late")
    assert len(by_name) == 3
    experiments = in_parts(early, late)
    assert verdict_of(when.examine(experiments), when.rule) == first
    for claim in by_name.values():
        finding = claim.examine(experiments)
        assert verdict_of(finding, claim.rule) == prevents
        figures = {figure.name.partition(",")[0]: figure.ours for figure in finding.figures}
        assert len(finding.figures) == 2 * (4 + 3)
        assert set(figures) == {"images that show every concept", "images that collapse"}
        assert len(finding.plots[0].groups) == 4
    few = by_name["early-regions"].examine(in_parts("balanced", "lost", count=5))
    assert verdict_of(few, by_name["early-regions"].rule) == "undecided"


def listed_run(counts: list[tuple[int, int]]) -> RunResult:
    """A prompt for each pair of counts of yes, the two tasks by turns."""
    groups = (TWO, POSITION)
    prompts = tuple(judged(f"p{place}", groups[place % 2], [pair]) for place, pair in enumerate(counts))
    return SimpleNamespace(prompts=prompts, run="/results/listed")  # ty: ignore[invalid-return-type]


@pytest.mark.parametrize(("direction", "verdict"), [(-1.0, "reproduced"), (1.0, "contradicted"), (0.0, "undecided")])
def test_focus_goes_with_what_is_missing_or_not(direction: float, verdict: Verdict) -> None:
    run = listed_run([(5, place % 6) for place in range(24)])
    focus = {f"p{place}": direction * (place % 6) + (place * 7 % 5) / 10 for place in range(24)}
    finding = claims.examine_focus(made(listed=run, listed_focus=focus))
    assert verdict_of(finding, claims.FOCUS) == verdict
    assert finding.n == 24
    assert {figure.name.partition(" ")[0].rstrip(",") for figure in finding.figures} == {TWO, POSITION}
    assert sum(len(group.values) for group in finding.plots[0].groups) == 24


def test_presence_that_never_differs_goes_with_no_focus() -> None:
    run = listed_run([(5, 5)] * 6)
    with pytest.raises(ImpossibleError, match="the same for all prompts"):
        claims.examine_focus(made(listed=run, listed_focus={f"p{place}": float(place) for place in range(6)}))


@pytest.mark.parametrize(("change", "verdict"), [(-0.01, "reproduced"), (0.01, "contradicted"), (-0.0002, "undecided")])
def test_a_missing_token_declines_or_not(change: float, verdict: Verdict) -> None:
    rows = tuple(recorded(place, "dominance", change) for place in range(8))
    finding = claims.examine_dynamics(made(listed_recorded=rows))
    assert verdict_of(finding, claims.DYNAMICS) == verdict
    assert [figure.name.partition(":")[0] for figure in finding.figures] == [
        "missing, layer 7",
        "present, layer 7",
        "present, layers 8 to 10",
    ]


def test_what_moves_both_concepts_alike_is_no_loss_of_the_one() -> None:
    rows = [recorded(place, "dominance", 0.01) for place in range(8)]
    alike = tuple(replace(one, trailing=dict.fromkeys("ab", one.trailing["b"])) for one in rows)
    finding = claims.examine_dynamics(made(listed_recorded=alike))
    assert (finding.value, verdict_of(finding, claims.DYNAMICS)) == (0.0, "undecided")


def test_where_no_concept_is_missing_nothing_can_decline() -> None:
    with pytest.raises(ImpossibleError, match="no image lacks just one concept"):
        claims.examine_dynamics(made(listed_recorded=()))


def test_a_concept_is_missing_where_just_the_other_is_there() -> None:
    prompts = [
        judged("first", TWO, [(5, 0), (5, 5), (5, 1)]),
        judged("second", TWO, [(0, 5)]),
        judged("both", TWO, [(5, 5), (4, 3)]),
        judged("neither", TWO, [(0, 0), (2, 1)]),
    ]
    found = missing_one(prompts)
    assert [(one.prompt.text, one.present, one.missing, one.seeds) for one in found] == [
        ("first", "a", "b", (0, 2)),
        ("second", "b", "a", (0,)),
    ]


def test_listed_prompts_are_other_benchmarks_with_the_worlds_own_words() -> None:
    pools = load_pools("miniature")
    suite = listed_suite(pools, "miniature", 12)
    assert [prompt.group for prompt in suite.prompts] == [TWO, POSITION, SPATIAL] * 4
    own = {noun.concept.name for listed in pools.nouns.values() for noun in listed}
    for prompt in suite.prompts:
        assert prompt.text.startswith("a photo of ") == (prompt.group != SPATIAL)
        assert len({concept.name for concept in prompt.concepts} & own) == 2
        assert (" and " in prompt.text) == (prompt.group == TWO)
    assert suite == listed_suite(pools, "miniature", 12)
    real = listed_suite(load_pools("default"), None, 300)
    assert len({prompt.id for prompt in real.prompts}) == 300
    assert not {concept.name for prompt in real.prompts for concept in prompt.concepts} & {"tower", "castle"}


def test_a_list_that_is_given_finds_cocos_objects_and_keeps_prompts_of_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "spatial.txt"
    listed.write_text("a cat on the left of a bench\na red car\nblue skies\na dog near a chair\n")
    suite = given_list(ReproduceOptions(listed=str(listed)), tells=True)
    assert suite is not None
    assert [[concept.name for concept in prompt.concepts] for prompt in suite.prompts] == [
        ["cat", "bench"],
        ["dog", "chair"],
    ]
    told = capsys.readouterr().err
    assert "blue skies" in told
    assert "note: 1 prompt of one concept left out of --listed, such as 'a red car'" in told
    assert drawn_from(suite, 2) == suite
    assert len(drawn_from(suite, 1).prompts) == 1
    listed.write_text("a red car\n")
    with pytest.raises(InputError, match="names two concepts"):
        given_list(ReproduceOptions(listed=str(listed)))
    assert given_list(ReproduceOptions()) is None


def test_the_control_asks_of_a_picture_also_what_nobody_named() -> None:
    suite = alone_suite(load_pools("miniature"), 14)
    assert len(suite.prompts) == 14
    for prompt in suite.prompts:
        named, other = (concept.name for concept in prompt.concepts)
        assert named in prompt.text
        assert other not in prompt.text
    run = SimpleNamespace(
        prompts=[judged(f"p{place}", "object", [counts]) for place, counts in enumerate([(5, 0)] * 9)]
    )
    control = control_of(run)  # ty: ignore[invalid-argument-type]
    assert ((control.named.count, control.named.n), (control.others.count, control.others.n)) == ((9, 9), (0, 9))
    assert control.passed


@pytest.mark.parametrize(
    ("named", "others", "passed"),
    [((14, 14), (0, 14), True), ((9, 14), (2, 14), True), ((14, 14), (14, 14), False), ((2, 14), (1, 14), False),
     ((0, 0), (0, 0), False)],
)  # fmt: skip
def test_a_model_draws_concepts_where_they_are_seen_more_often_if_asked_for(
    named: tuple[int, int], others: tuple[int, int], passed: bool
) -> None:
    assert Control(rate(*named), rate(*others)).passed == passed

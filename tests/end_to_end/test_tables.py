"""What commands print for people: the cells of their tables, and the lines around them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from dominance.cli.ablate import print_ablation
from dominance.cli.bench import print_bench, print_comparison
from dominance.cli.diversity import print_diversity
from dominance.cli.judge import print_check
from dominance.cli.memorization import print_norms
from dominance.diversity.verdicts import Word
from dominance.metrics import Confusion, rate
from dominance.probes.ablation import Ablation
from dominance.records import Answer, Concept, Prompt, PromptResult, Question, RunResult, ScoredImage
from dominance.run_settings import RunSettings
from dominance.runs.ablation.cooperation import head_sets
from dominance.runs.ablation.interactions import interactions
from dominance.runs.ablation.options import Window
from dominance.runs.ablation.outcomes import Judged
from dominance.runs.ablation.result import AblationResult, Edited, sweep_result, unedited_of, window_result
from dominance.runs.ablation.variants import Head, Variant
from dominance.runs.bench.compare import Overall, compare
from dominance.runs.bench.result import BenchResult, Kept, StreamTally, bench_of
from dominance.runs.diversity.result import ConceptDiversity, DiversityResult, MeasuredBy, NearDuplicates, Unmeasured
from dominance.runs.judge_check.result import (
    Agreement,
    AgreementRow,
    ControlFindings,
    JudgeCheck,
    JudgeFindings,
    YesTally,
)
from dominance.runs.noise_norm.result import MemorizationResult, PromptNorms, compare_groups, group_norms
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt

Printed = pytest.CaptureFixture[str]
PROMPT = Prompt("tower-mug", "a tower and a [mug]", (Concept("tower", "landmark"), Concept("mug")), "entity-object")
PAIR = Prompt("lamp-mug", "a lamp and a mug", (Concept("lamp"), Concept("mug")), "object-object")
YES = {"m": (5, 5), "u": (5, 0), "c": (0, 0)}
"""Questions answered yes about the two concepts: both there, the first alone, none."""


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cell wraps."""
    monkeypatch.setenv("COLUMNS", "200")


def image(prompt: Prompt, place: int, letter: str) -> ScoredImage:
    if letter == "?":
        return score_image(prompt, str(place), None, (), "not made", place)
    answers = [
        Answer(Question(concept.name, f"{concept.name} {grade}?", grade), grade <= yes)
        for concept, yes in zip(prompt.concepts, YES[letter], strict=True)
        for grade in range(1, 6)
    ]
    return score_image(prompt, str(place), f"{place}.png", answers, seed=place)


def prompt_result(letters: str, prompt: Prompt = PROMPT) -> PromptResult:
    return score_prompt(prompt, [image(prompt, place, letter) for place, letter in enumerate(letters)])


def run(*prompts: PromptResult, **settings: object) -> RunResult:
    return RunResult(
        "run-1", "small", "tiny", "scripted", RunSettings.of(settings), prompts, score_groups(prompts), None, {}
    )


def trials(what: str | Sequence[Head], place: int | None, letters: str, prompt: Prompt = PROMPT) -> list[Judged]:
    """What became of collapsed images, a letter each, without these heads or what is named."""
    name, heads = (what, ()) if isinstance(what, str) else ("", tuple(what))
    variant = Variant(name, Ablation(), place, heads)
    return [
        Judged(prompt, seed, variant, image(prompt, seed, "u"), image(prompt, seed, letter))
        for seed, letter in enumerate(letters)
    ]


def ablated(**found: Any) -> AblationResult:
    empty: dict[str, Any] = {
        "sweeps": (),
        "interactions": (),
        "windows": (),
        "left_out": (),
        "notes": (),
        "edit": "ablate",
    }
    return AblationResult(
        run="run-1", suite="small", model="tiny", judge="scripted", settings={},
        unedited=unedited_of(run(prompt_result("uuu?m"))), prompts=(), edited=Edited(8, 1), manifest={},
        **(empty | found),
    )  # fmt: skip


def rows(printed: str) -> dict[str, list[str]]:
    """The cells of every line of the tables, by the first."""
    cells = [re.split(r"\s{2,}", line.strip()) for line in printed.splitlines()]
    return {first: others for first, *others in cells}


def columns(printed: str, title: str) -> list[str]:
    """What stands above the table of that title."""
    lines = printed.splitlines()
    return re.split(r"\s{2,}", lines[lines.index(title) + 1].strip())


def test_a_sweep_of_several_layers_is_a_row_a_layer_and_one_of_all(capsys: Printed) -> None:
    heads = [*trials([(1, 0)], 1, "mu"), *trials([(9, 0)], 9, "uc"), *trials([(9, 1)], 9, "m?")]
    print_ablation(ablated(sweeps=(sweep_result("heads", Window(0, 0), heads),), notes=("A note.",)))
    printed = capsys.readouterr().out
    assert columns(printed, "One head removed, steps 0") == ["mitigated", "unchanged", "corrupted", "prompts mitigated"]
    found = rows(printed)
    assert [cell.split(" (")[0] for cell in found["layer 1"]] == ["1 of 2", "1 of 2", "0 of 2", "0 of 1"]
    assert [cell.split(" (")[0] for cell in found["layer 9"]] == ["1 of 3", "1 of 3", "1 of 3", "1 of 1"]
    assert [cell.split(" (")[0] for cell in found["all"]] == ["2 of 5", "2 of 5", "1 of 5", "1 of 1"]
    assert "1.0" not in found
    assert printed.splitlines()[-2:] == [
        "A note.",
        "3 of 4 scored images collapse without the edit; 8 edited images, 2 unscored",
    ]


def test_a_sweep_of_one_layer_is_a_row_a_variant(capsys: Printed) -> None:
    heads = [*trials([(9, 0)], 9, "mm"), *trials([(9, 1)], 9, "uu")]
    mixed = [*trials("ff 9", 9, "uu"), *trials("ff 9", 9, "mc", PAIR)]
    sweeps = (sweep_result("heads", Window(0, 4), heads), sweep_result("feed-forward", Window(0, None), mixed))
    print_ablation(ablated(sweeps=sweeps))
    printed = capsys.readouterr().out
    found = rows(printed)
    assert found["9.0"] == ["2 of 2 (34 to 100%)", "0 of 2 (0 to 66%)", "0 of 2 (0 to 66%)", "1 of 1 (21 to 100%)"]
    assert found["9.1"][0] == "0 of 2 (0 to 66%)"
    assert {"One head removed, steps 0–4", "One feed-forward network removed, at all steps"} <= found.keys()
    assert found["ff 9"][0].startswith("1 of 4")
    assert found["entity-object"][0].startswith("0 of 2")
    assert found["object-object"][2].startswith("1 of 2")


def test_residual_branches_are_called_so(capsys: Printed) -> None:
    branches = [*trials("residual 1", 1, "u"), *trials("residual 3", 3, "m")]
    print_ablation(ablated(sweeps=(sweep_result("residual", Window(0, 0), branches),)))
    assert {"residual branch 1", "residual branch 3"} <= rows(capsys.readouterr().out).keys()


def test_sets_of_heads_are_listed_by_size_and_their_heads_by_half(capsys: Printed) -> None:
    heads: tuple[Head, ...] = ((1, 0), (9, 1))
    other = replace(PROMPT, id="other")
    every = [
        one
        for prompt in (PROMPT, other)
        for own, letters in ((heads[:1], "uu"), (heads[1:], "mu"), (heads, "mm"))
        for one in trials(own, None, letters, prompt)
    ]
    found = head_sets("0", ((PROMPT.id,), ("other",)), [heads, heads], every)
    together = [one for one in every if len(one.variant.heads) > 1]
    print_ablation(ablated(sweeps=(sweep_result("sets", Window(0, 0), together),), sets=(found,)))
    told = capsys.readouterr().out
    printed = rows(told)
    assert printed["1"][0] == "+50 points (+50 to +50)"
    assert "4 of 4 (51 to 100%)" in printed["2"]
    assert printed["9.1"][0] == "+75 points"
    assert "greedy: 9.1, 1.0; best set of any size: 1.0 + 9.1" in told
    assert "the greedy set of every size is the best one" in told


def test_interactions_are_listed_from_those_that_replace_one_another(capsys: Printed) -> None:
    alone = [*trials([(1, 0)], 1, "mm"), *trials([(9, 0)], 9, "mm"), *trials([(9, 1)], 9, "uu")]
    together = [
        *trials([(1, 0), (9, 0)], None, "mm"),
        *trials([(1, 0), (9, 1)], None, "mm"),
        *trials([(9, 0), (9, 1)], None, "mu"),
    ]
    found = interactions("0", [(1, 0), (9, 0), (9, 1)], alone, together)
    sweeps = (sweep_result("heads", Window(0, 0), alone),)
    print_ablation(ablated(sweeps=sweeps, interactions=(found,)))
    printed = capsys.readouterr().out
    title = "Heads that do the same work (interaction below 0), steps 0"
    assert columns(printed, title) == ["heads", "mitigated together", "interaction (95%)"]
    listed = rows(printed)
    assert [name for name in listed if " and " in name] == ["1.0 and 9.0", "9.0 and 9.1", "1.0 and 9.1"]
    assert listed["1.0 and 9.0"] == ["2 of 2 (34 to 100%)", "−1.00"]
    assert listed["1.0 and 9.1"][1] == "+0.00"
    assert "clusters: 1.0, 9.0, 9.1\n" in printed


def test_rebalanced_intervals_stand_below_the_unedited_images(capsys: Printed) -> None:
    before = [("g", image(PROMPT, place, letter)) for place, letter in enumerate("uuum")]
    after = [("g", image(PROMPT, place, letter)) for place, letter in enumerate("mcum")]
    windows = (window_result("none", before, None), window_result("0–4", after, trials("rebalance", None, "mcu")))
    print_ablation(ablated(edit="rebalance", windows=windows))
    printed = capsys.readouterr().out
    expected = ["equal attention in steps", "collapsed", "balanced", "collapsed images mitigated", "corrupted"]
    assert columns(printed, "small: tiny, judged by scripted") == expected
    found = rows(printed)
    assert [cell.split(" (")[0] for cell in found["none"]] == ["3 of 4", "1 of 4", "–", "–"]
    assert [cell.split(" (")[0] for cell in found["0–4"]] == ["1 of 4", "2 of 4", "1 of 3", "1 of 3"]


def tally(yes: int, n: int, images: int = 4) -> YesTally:
    return YesTally(images, rate(yes, n), tuple(rate(yes // 2, n // 2) for _ in range(2)), rate(0, 0), 0)


def judge(name: str, mode: str, unanswered: int = 0) -> JudgeFindings:
    control = ControlFindings(**vars(tally(0, 20)), name="noise", certain=True)
    problem = "the endpoint is silent" if unanswered else None
    verdict = f"The yes of {name} can be trusted."
    return JudgeFindings(
        name, mode, "sha256:1", tally(18, 20), (control,), (), unanswered, problem, "good", verdict, ("It is small.",)
    )


def test_a_judges_check_is_a_table_a_judge_and_one_of_agreement(capsys: Printed) -> None:
    def agreed(name: str, counts: Sequence[int]) -> AgreementRow:
        both = Confusion(*counts)
        interval = None if both.kappa is None else (0.1, 0.9)
        return AgreementRow(**vars(both), name=name, images=4, interval=interval)

    agreement = Agreement(
        total=agreed("all", (6, 1, 1, 2)),
        kinds=(agreed("landmark", (3, 0, 0, 0)),),
        grades=(agreed("grade 1", (3, 1, 0, 1)),),
        controls=agreed("controls", (0, 0, 0, 5)),
        together=agreed("with controls", (6, 1, 1, 7)),
        disagreements=(),
        sentence="The two agree on 8 of 10.",
    )
    judges = (judge("first", "fast"), judge("second", "official", unanswered=2))
    print_check(JudgeCheck("run-1", "small", 4, judges, agreement, ("No torn picture.",), {}, {}))
    printed = capsys.readouterr().out
    assert printed.startswith("The yes of first can be trusted. It is small.\n")
    assert "2 questions have no answer: the endpoint is silent" in printed
    expected = ["asked about", "images", "yes (95%)", "grade 1", "grade 2"]
    assert columns(printed, "first: share of yes") == expected
    assert columns(printed, "second (official): share of yes") == expected
    found = rows(printed)
    assert found["the prompt's own concepts"] == ["4", "18 of 20 (70 to 97%)", "9/10", "9/10"]
    assert found["uniform noise"] == ["4", "0 of 20 (0 to 16%)", "0/10", "0/10"]
    assert "The two agree on 8 of 10." in printed
    assert found["all"] == ["8 of 10", "0.52 (0.10 to 0.90)"]
    assert found["landmark"] == ["3 of 3", "undefined"]
    assert [name in found for name in ("grade 1", "controls", "with controls")] == [True] * 3
    assert printed.endswith("note: No torn picture.\n")


def concept_set(
    name: str, median: float | None, word: Word | None, copies: tuple[tuple[str, ...], ...] = ()
) -> ConceptDiversity:
    known = median is not None
    return ConceptDiversity(
        name=name, category="landmark" if known else None, images=4 if known else 1, unreadable=0,
        pairs=6 if known else 0, median=median, interval=None if median is None else (median - 0.01, median + 0.01),
        mean=median, quartiles=None, exact=True, vendi=1.5 if known else None,
        near_duplicates=NearDuplicates(1, 2, copies), nearest=(), farthest=None, typical=(), unusual=(), verdict=word,
        verdict_sentence="", verdict_limits=None,
    )  # fmt: skip


def test_sets_are_listed_from_the_most_uniform_on(capsys: Printed) -> None:
    copied = concept_set("tower", 0.21, "uniform", copies=(("a.png", "b.png"),))
    sets = (concept_set("mug", 0.45, "varied"), concept_set("lamp", None, None), copied)
    result = DiversityResult(
        run="run-1", source="photos", embedder=MeasuredBy("some/clip", "", "", "paper"), near=0.95, concepts=sets,
        categories=(), problems=(Unmeasured("x.png", "is no image"),), notes=(),
        rests="The verdicts rest on one paper.", manifest={},
    )  # fmt: skip
    print_diversity(result)
    printed = capsys.readouterr().out
    expected = ["concept", "verdict", "images", "median distance (95%)", "Vendi", "near duplicates", "copies"]
    assert columns(printed, "photos, embedded by some/clip") == expected
    found = rows(printed)
    assert [name for name in found if name in ("landmark/tower", "landmark/mug", "lamp")] == [
        "landmark/tower",
        "landmark/mug",
        "lamp",
    ]
    assert found["landmark/tower"] == ["uniform", "4", "0.2100 (0.2000 to 0.2200)", "1.50", "2/4", "2"]
    assert found["lamp"] == ["–", "1", "–", "–", "–", "0"]
    assert "not measured: x.png: is no image" in printed
    assert "not measured: lamp: 1 readable image(s); a distance needs two" in printed
    assert printed.endswith("The verdicts rest on one paper.\n")


def norms(group: str, values: Sequence[float], problems: tuple[tuple[int, str], ...] = ()) -> list[PromptNorms]:
    return [
        PromptNorms(
            id=f"{group}-{place}",
            prompt=f"a mug {place}",
            group=group,
            norms={0: (value, value + 1), 3: (value, value + 2)},
            problems=problems,
        )
        for place, value in enumerate(map(float, values))
    ]


def test_norms_are_compared_by_group_with_what_the_paper_expects(capsys: Printed) -> None:
    prompts = (*norms("balanced", range(1, 9)), *norms("memorized", range(11, 19), problems=((7, "broken"),)))
    result = MemorizationResult(
        run="run-1", suite="groups", model="tiny", quantity="noise", values=192, steps=2, settings={}, prompts=prompts,
        groups=group_norms(prompts), comparisons=compare_groups(prompts), notes=(), manifest={},
    )  # fmt: skip
    print_norms(result)
    printed = capsys.readouterr().out
    found = rows(printed)
    assert columns(printed, "groups: tiny, norm of the noise that the prompt adds")[:3] == ["group", "prompts", "norms"]
    assert found["balanced"][:2] == ["8", "16"]
    assert found["balanced"][2].startswith("4.50 (") and found["memorized"][2].startswith("14.5 (")
    expected = ["groups", "norm", "U", "effect", "p", "the paper expects", "found"]
    assert columns(printed, "by prompt, Mann-Whitney") == expected
    assert found["memorized against balanced"][1:3] == ["64", "+1.00"]
    assert found["memorized against balanced"][4:] == ["memorized higher", "as expected"]
    assert "not measured: memorized-0, seed 7: broken" in printed
    assert printed.endswith("memorized prompts move the prediction more than balanced prompts, as the paper finds.\n")


def bench(letters: str, tried: int) -> BenchResult:
    made = run(prompt_result(letters), prompt_result("mmmm", PAIR), pools_identity="x", seeds=[0, 1, 2, 3], needed=3)
    kept = (
        Kept(PROMPT.id, "dominance", "landmark", "and", "tower", "mug"),
        Kept(PAIR.id, "balanced", "object", "and", "lamp", "mug"),
    )
    tallies = (StreamTally("landmark", 2, 1, tried, 2, 0, 40), StreamTally("balanced", 1, 1, 0, 0, 0, 60))
    return bench_of(made, kept, tallies, None)


def test_a_bench_shows_its_streams_and_its_prompts(capsys: Printed) -> None:
    print_bench(bench("uuum", 7))
    printed = capsys.readouterr().out
    expected = ["stream", "kept", "target", "tried", "yield (95%)"]
    assert columns(printed, "DominanceBench of tiny, judged by scripted") == expected
    found = rows(printed)
    assert found["landmark"] == ["1", "2", "7", "2 of 7 (4 to 71%)"]
    assert found["balanced"] == ["1", "1", "0", "–"]
    assert columns(printed, "prompts") == ["prompt", "part", "category", "seen", "images", "DvD"]
    assert found["a tower and a [mug]"] == ["dominance", "landmark", "tower over mug", "3/4", "75.0"]
    assert found["a lamp and a mug"] == ["balanced", "object", "both present", "4/4", "0.0"]


def test_two_benches_are_compared_prompt_by_prompt_and_together(capsys: Printed) -> None:
    comparison = compare(bench("uuuu", 4), bench("uuum", 8))
    print_comparison(comparison)
    printed = capsys.readouterr().out
    assert printed.splitlines()[:2] == [
        "first:  run-1 (tiny, judged by scripted)",
        "second: run-1 (tiny, judged by scripted)",
    ]
    listed = re.sub(r"\s+", " ", printed)
    assert re.search(
        r"a tower and a \[mug\] dominance, 4/4 collapsed, DvD 100\.0 dominance, 3/4 collapsed, DvD 75\.0 −25", listed
    ), printed
    assert comparison.overall and all(isinstance(group, Overall) for group in comparison.overall)
    found = rows(printed)
    assert found["all"][:4] == ["2", "1", "1", "1"]
    assert columns(printed, "candidates that qualified")[0] == "stream"
    assert [cell.split(" (")[0] for cell in found["landmark"]][:2] == ["2 of 4", "2 of 8"]
    assert found["balanced"] == ["–", "–", "–"]

"""The ablation page says what was found, escapes what it is given, and asks the network for nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page_checks import check_self_contained
from PIL import Image

from dominance.probes.ablation import Ablation
from dominance.records import PromptResult, RunResult
from dominance.report.ablation.page import ablation_headline, write_ablation
from dominance.report.ablation.plots import Column, columns, signed_disc
from dominance.runs.ablation.cooperation import HeadSets, head_sets
from dominance.runs.ablation.interactions import interactions
from dominance.runs.ablation.outcomes import Judged
from dominance.runs.ablation.result import (
    AblatedPrompt,
    AblationResult,
    Edited,
    sweep_result,
    unedited_of,
    window_result,
)
from dominance.runs.ablation.variants import Variant, Window

Prompts, Runs = Callable[..., PromptResult], Callable[..., RunResult]


def read_head(label: str) -> tuple[int, int]:
    layer, head = label.split(".")
    return int(layer), int(head)


COUNTS = {"m": (5, 5), "u": (5, 0), "c": (0, 0), "?": "not made"}


@pytest.fixture
def result_of(prompt_of: Prompts, run_of: Runs) -> Callable[..., AblationResult]:
    """A result from prompts whose images are given as counts; edits are written as one letter an image."""

    def build(*prompts: PromptResult, **changes: Any) -> AblationResult:
        unedited = run_of(*prompts)
        described = tuple(
            AblatedPrompt(p.prompt.id, p.prompt.text, p.prompt.group_name, p.presence["tower"], ((9, 1),), None)
            for p in prompts
        )
        made = AblationResult(
            run="run-1",
            suite="small",
            model="miniature",
            judge="miniature",
            settings={"scale": 1e-5, "mode": "scale", "branches": "both"},
            edit="ablate",
            unedited=unedited_of(unedited),
            edited=Edited(8, 0),
            prompts=described,
            sweeps=(),
            interactions=(),
            windows=(),
            left_out=(),
            notes=(),
            manifest={},
        )
        return replace(made, **changes)

    return build


@pytest.fixture
def trials(prompt_of: Prompts) -> Callable[..., list[Judged]]:
    def build(label: str, place: int | None, letters: str, group: str = "dominance") -> list[Judged]:
        before = prompt_of([(5, 0)] * len(letters), group=group)
        after = prompt_of([COUNTS[letter] for letter in letters], group=group)
        heads = tuple(map(read_head, label.split(" + "))) if "." in label else ()
        variant = Variant("" if heads else label, Ablation(), place, heads)
        pairs = zip(before.images, after.images, strict=True)
        return [Judged(before.prompt, n, variant, one, other) for n, (one, other) in enumerate(pairs)]

    return build


def page(result: AblationResult, folder: Path) -> str:
    return write_ablation(result, folder).read_text(encoding="utf-8")


def test_a_page_of_sweeps_says_what_each_layer_does(
    result_of: Callable[..., AblationResult], trials: Callable[..., list[Judged]], prompt_of: Prompts, tmp_path: Path
) -> None:
    heads = [*trials("1.0", 1, "muu?"), *trials("9.0", 9, "uuuc"), *trials("9.1", 9, "mmmu")]
    both = trials("1.0 + 9.1", None, "mmmm")
    first = prompt_of([(5, 0)] * 4)
    result = result_of(
        first,
        sweeps=(
            sweep_result("heads", Window(0, 0), heads),
            sweep_result("multi", Window(0, 0), both, left_out=1),
            sweep_result("residual", Window(0, 0), trials("residual 3", 3, "uuuu")),
            sweep_result("interactions", Window(0, 0), both),
        ),
        interactions=(interactions("0", [(1, 0), (9, 1)], heads, both),),
    )
    text = page(result, tmp_path)
    check_self_contained(text)
    assert ablation_headline(result) == (
        "Removing a single attention head restores the lost concept in 1 of 1 prompt; most often in layer 9, 3"
        " of 8 trials."
    )
    assert "11 trials at step 0: 4 mitigated, 6 unchanged, 1 corrupted" in text
    assert "1 prompt had nothing to try" in text
    assert '<th scope="row">9</th>' in text
    assert "3 of 4" in text  # head 1 of layer 9
    assert "+ 1 unscored" in text
    assert "Heads are in the order of their clusters: 1.0; 9.1" in text or "1.0, 9.1" in text
    assert "0 of 4" in text


def sets_of_two_prompts(trials: Callable[..., list[Judged]]) -> tuple[HeadSets, list[Judged]]:
    """The heads 1.0 and 9.1 mitigate together only; of two prompts, one chooses for the other."""
    made = []
    for label, letters in (("1.0", "uu"), ("9.1", "mu"), ("1.0 + 9.1", "mm")):
        made += trials(label, None, letters)
    other = [replace(trial, prompt=replace(trial.prompt, id="other")) for trial in made]
    halves = ((made[0].prompt.id,), ("other",))
    together = [trial for trial in (*made, *other) if "+" in trial.variant.label]
    return head_sets("0", halves, [((9, 1), (1, 0))] * 2, [*made, *other]), together


def test_sets_of_heads_have_a_plot_their_sizes_and_their_shares(
    result_of: Callable[..., AblationResult], trials: Callable[..., list[Judged]], prompt_of: Prompts, tmp_path: Path
) -> None:
    sets, together = sets_of_two_prompts(trials)
    result = result_of(prompt_of([(5, 0)] * 2), sweeps=(sweep_result("sets", Window(0, 0), together),), sets=(sets,))
    text = page(result, tmp_path)
    check_self_contained(text)
    assert ablation_headline(result) == (
        "Without the set of heads that was best on other prompts, the presence of the lost concept changes by +80"
        " points; without the best single head, by +40 points (2 prompts)."
    )
    assert "On the prompts that chose, the greedy set of every size is the best one." in text
    assert text.count("Chosen on 1 prompt, reported on 1 other prompt") == 2
    assert 'class="course-plot"' in text
    assert "greedy set from +40 points to +80 points" in text
    assert "4 of 4" in text  # mitigated without both
    assert "<td>1.0 + 9.1</td>" in text
    assert "Sets of heads</dt>" in text
    assert "+60 points" in text  # the Shapley value of 9.1
    nothing = replace(result, sets=(HeadSets("0", (), (), {}),), notes=("only one prompt",))
    assert "Nothing could be held out" in page(nothing, tmp_path)
    assert "restores the lost concept in" in ablation_headline(nothing)


def test_pictures_stand_side_by_side_and_texts_are_escaped(
    result_of: Callable[..., AblationResult], trials: Callable[..., list[Judged]], prompt_of: Prompts, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "before.png")
    prompt = prompt_of([(5, 0)], text="a tower & <script>alert(1)</script>")
    result = result_of(prompt, sweeps=(sweep_result("heads", Window(0, 0), trials("1.0", 1, "m")),))
    shown = replace(result.prompts[0], example=(7, "before.png", "gone.png", "1.0"))
    text = page(replace(result, prompts=(shown,)), tmp_path)
    check_self_contained(text)
    assert text.count("data:image/png") == 1
    assert "the file is missing" in text
    assert "seed 7, edit 1.0" in text


def test_intervals_are_a_table_and_a_plot(
    result_of: Callable[..., AblationResult], trials: Callable[..., list[Judged]], prompt_of: Prompts, tmp_path: Path
) -> None:
    prompt = prompt_of([(5, 0), (5, 5)], group="dominance")
    images = [("dominance", image) for image in prompt.images]
    better = [("dominance", image) for image in prompt_of([(5, 5), (5, 5)]).images]
    result = result_of(
        prompt,
        edit="rebalance",
        settings={"edit": "rebalance"},
        windows=(
            window_result("none", images, None),
            window_result("0–4", better, trials("0–4", None, "m")),
            window_result("all", images, trials("all", None, "u")),
        ),
    )
    text = page(result, tmp_path)
    check_self_contained(text)
    assert ablation_headline(result) == (
        "With equal attention for all concepts in steps 0–4, 0 of 2 images collapse; without the edit, 1 of 2 do."
    )
    assert "Collapsed, dominance" in text
    assert '<th scope="row">0–4</th>' in text


def test_where_nothing_collapses_the_page_says_so(
    result_of: Callable[..., AblationResult], prompt_of: Prompts, tmp_path: Path
) -> None:
    note = "none of the 2 scored unedited images collapses, so there is nothing to mitigate"
    text = page(result_of(prompt_of([(5, 5), (5, 5)]), notes=(note,)), tmp_path)
    assert "<h1>None of the 2 scored unedited images collapses, so there is nothing to mitigate.</h1>" in text
    check_self_contained(text)


def test_plots_say_their_numbers(prompt_of: Prompts) -> None:
    rate = prompt_of([(5, 0), (5, 5)]).presence["mug"]
    svg = columns(
        [Column("1", rate, "mitigated 1 of 2"), Column("<2>", replace(rate, n=0, interval=None), "none")], "T"
    )
    assert "1: mitigated 1 of 2; &lt;2&gt;: none" in svg
    assert svg.count('<rect class="f-balanced col"') == 1
    assert 'class="less"' in signed_disc(-0.5)
    assert 'class="more"' in signed_disc(1.5)
    assert signed_disc(None) == ""

"""The summary in Markdown: what it says, how long it is, and that nothing in it formats or mentions anything."""

import re
from pathlib import Path

import pytest
from paired_runs import BOTH, LOST, other, run_of, scored

from dominance.records import Gate, JudgeWarning, LeftOut
from dominance.report.audit.summary import plain, summary, write_summary
from dominance.runs.audit.baseline import baseline_of
from dominance.runs.stages.gate import judge_gate

TEXT, OTHER = "a tower and a mug", "a mug on a tower"


def rows(text: str) -> list[list[str]]:
    return [
        line.removeprefix("| ").removesuffix(" |").split(" | ") for line in text.splitlines() if line.startswith("| ")
    ]


@pytest.fixture
def changed(run_of_prompts):
    """Of three prompts one loses the mug, one had lost it before, and one has it back."""
    here = [scored("new", TEXT, [LOST] * 4), scored("old", OTHER, [LOST] * 4), scored("back", "both", [BOTH] * 4)]
    there = [scored("new", TEXT, [BOTH] * 4), scored("old", OTHER, [LOST] * 4), scored("back", "both", [LOST] * 4)]
    found = baseline_of(run_of(*map(other, there)), here)
    return run_of_prompts(*here, baseline=found, gate_result=judge_gate(Gate(min_presence=0.9), here, baseline=found))


@pytest.fixture
def run_of_prompts(run_of):
    import dataclasses

    def build(*prompts, gate_result=None, **more):
        return dataclasses.replace(run_of(*prompts, **more), gate=gate_result)

    return build


def test_it_says_what_vanished_where_and_what_changed(changed) -> None:
    text = summary(changed)
    lines = text.splitlines()
    assert lines[0] == "<!-- dominance: entity-object -->"
    assert lines[2] == "### dominance: entity-object: gate FAILED"
    assert lines[4].startswith("Gate failed: 1 of 3 prompts fail: new: mug is present in 0 of 4 images")
    fails, known = rows(text)[2:4]
    assert fails[:2] == ["**fails**", f"“{TEXT}”"]
    assert fails[3:] == ["tower 4/4, **mug 0/4**", "tower 4/4, mug 4/4"]
    assert known[0] == "as before"
    assert "Shows in clearly fewer images: mug in “a tower and a mug” (4 → 0 of 4)." in text
    assert "Shows in clearly more images: mug in “both” (0 → 4 of 4)." in text
    assert "presence changes by +0 points" in text
    assert text.index("3 prompts</summary>") < text.index("“both” | balanced | 4")


def test_without_a_gate_or_a_baseline_it_shows_what_was_lost(prompt_of, run_of) -> None:
    text = summary(run_of(prompt_of([LOST] * 3 + ["out of memory"])))
    assert "audited\n\nNo gate was asked for.\n" in text
    assert "| loses a concept | “a tower and a mug” | tower takes over from mug in 3 of 3 scored images" in text
    assert "baseline" not in text
    assert "1 of 4 images is unscored" in text


def test_a_run_in_which_all_is_well_has_one_table(prompt_of, run_of) -> None:
    text = summary(run_of(prompt_of([BOTH] * 3), gate=Gate(max_collapse=0.1)))
    assert "gate passed" in text
    assert [row[0] for row in rows(text)] == ["prompt", "---", "“a tower and a mug”"]


def test_warnings_and_unused_images_are_said(prompt_of, run_of) -> None:
    warned = run_of(
        prompt_of([BOTH]),
        judge_warnings=(JudgeWarning("another world", "the judge was made for drawings"),),
        left_out=(LeftOut("x.heic", "cannot be read", missing=True),),
    )
    text = summary(warned)
    assert "**Warning:** the judge was made for drawings." in text
    assert "1 image was not used" in text


HOSTILE = "a [tower](http://x.example) | @team #12 <img src=x> `code` **loud** ![i](www.x.example) <!-- -->\n# head"


def test_nothing_that_others_wrote_formats_links_or_mentions(prompt_of, run_of, tmp_path: Path) -> None:
    run = run_of(prompt_of([LOST] * 2, text=HOSTILE), suite=f"--> {HOSTILE}", model=HOSTILE, judge=HOSTILE)
    text = write_summary(run, tmp_path / "new" / "s.md").read_text(encoding="utf-8")
    own = re.sub(r"&#\d+;", "", text).replace("<!-- dominance:", "", 1)
    assert not re.search(r"<(?!/?(details|summary)>)|`|\[|@\w|#\w|https?://|www\.", own), own
    assert text.count("-->") == 1
    assert "\n# head" not in text
    for row in rows(text):
        assert len(row) in (4, 5)


def test_plain_text_stays_readable() -> None:
    assert plain("a castle and a chair, 4/4 (100%)") == "a castle and a chair, 4/4 (100%)"
    assert plain("x" * 400) == "x" * 299 + "…"
    assert plain("a\x1b[0m\u202e") == "a &#91;0m "


def test_a_long_run_still_fits_into_a_comment(prompt_of, run_of) -> None:
    many = [prompt_of([LOST], (f"tower{n}", "mug"), text=f"{n} " + "|" * 290) for n in range(300)]
    text = summary(run_of(*many, gate=Gate(min_presence=0.5)))
    assert len(text) <= 60_000
    assert text.count("more prompts in the report.") == 2
    assert text.rstrip().endswith("report.html of the run.")

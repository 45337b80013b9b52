"""Comparing two runs, and presence-only labels and many concepts on their way through scores and official results."""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from dominance.documents import printed
from dominance.errors import InputError
from dominance.records import (
    Answer,
    Concept,
    Prompt,
    PromptResult,
    Question,
    RunResult,
    ScoredImage,
    Suite,
)
from dominance.report.audit.official import check_official, official_images, write_official
from dominance.report.bench.export import comparison_csv
from dominance.run_settings import RunSettings
from dominance.runs.audit.document import document_of
from dominance.runs.bench.compare import compare, read_side
from dominance.runs.bench.result import BenchResult, StreamTally
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt
from dominance.suites.official_results import official_results_csv, read_official_results

TOWER, MUG, LAMP, BOOK = Concept("tower", "landmark"), Concept("mug"), Concept("lamp"), Concept("book")
PAIR = Prompt("case001", "a tower, “and” a mug", (TOWER, MUG), "dominance")
TURNED = Prompt("case002", "a mug and a tower", (MUG, TOWER), "balanced")


def image(prompt: Prompt, counts: Sequence[int | None], name: str = "0", questions: int = 5) -> ScoredImage:
    answers = [
        Answer(Question(c.name, f"{c.name} {grade}?", grade), None if yes is None else grade <= yes)
        for c, yes in zip(prompt.concepts, counts, strict=True)
        for grade in range(1, questions + 1)
    ]
    return score_image(prompt, name, f"images/{prompt.id}/{name}.png", answers)


def result(prompt: Prompt, counts: Sequence[Sequence[int | None]], questions: int = 5) -> PromptResult:
    return score_prompt(prompt, [image(prompt, c, str(n), questions) for n, c in enumerate(counts)])


def run(*prompts: PromptResult, name: str = "run") -> RunResult:
    return RunResult(name, name, f"model of {name}", "judge", RunSettings(), prompts, score_groups(prompts), None, {})


# Comparisons


def test_prompts_are_paired_by_text_and_concepts_whatever_their_ids():
    other = Prompt("other", PAIR.text, (MUG, TOWER))
    first = run(result(PAIR, [(5, 0)] * 10), result(TURNED, [(5, 5)] * 10), name="one")
    second = run(result(other, [(0, 5)] * 5 + [(5, 0)] * 5), name="two")
    both = compare(first, second)
    pairing, alone = both.pairings
    assert pairing.first.collapsed == pairing.second.collapsed == 10
    assert pairing.collapse_difference[0] == 0
    assert alone.second is None
    assert alone.collapse_difference is None
    assert both.overall[0].prompts == 1
    assert both.overall[0].dominance == (1, 0, 0)
    assert both.overall[0].collapse_difference == (0.0, None)


def test_differences_are_second_minus_first_with_intervals_by_image_and_by_prompt():
    first = run(result(PAIR, [(5, 0)] * 8 + [(5, 5)] * 2), result(TURNED, [(5, 5)] * 10))
    second = run(result(PAIR, [(5, 5)] * 10), result(TURNED, [(5, 5)] * 9 + [(5, 0)]))
    both = compare(first, second)
    share, (low, high) = both.pairings[0].collapse_difference
    assert share == pytest.approx(-0.8)
    assert low < -0.8 < high < 0
    dvd, (low, high) = both.pairings[0].dvd_difference
    assert dvd == pytest.approx(-80)
    assert low < -80 < high < 0
    overall = {one.name: one for one in both.overall}
    assert list(overall) == ["all", "dominance", "balanced"]
    assert overall["all"].collapse_difference[0] == pytest.approx((-0.8 + 0.1) / 2)
    assert overall["all"].collapse_difference[1] == pytest.approx((-0.8, 0.1))
    assert overall["dominance"].dominance == (1, 0, 0)


def test_an_unscored_side_has_no_difference():
    both = compare(run(result(PAIR, [(5, None)] * 3)), run(result(PAIR, [(5, 0)] * 3)))
    assert both.pairings[0].first.scored == 0
    assert both.pairings[0].collapse_difference is None
    assert both.overall == ()


def test_runs_without_a_common_prompt_are_refused():
    with pytest.raises(InputError, match="have no prompt in common"):
        compare(run(result(PAIR, [(5, 0)])), run(result(TURNED, [(5, 0)])))


def bench(name: str, *tallies: StreamTally, pools: str = "sha256:p") -> BenchResult:
    settings = RunSettings(seeds=(0, 1), more={"pools_identity": pools, "needed": 2})
    return BenchResult(dataclasses.replace(run(name=name), settings=settings), (), tallies, None)


def test_two_benches_without_a_common_prompt_are_compared_by_what_they_tried():
    one = bench("one", StreamTally("landmark", 9, 2, 10, 3, 0, 40), StreamTally("balanced", 9, 0, 0, 0, 0, 60))
    other = bench("two", StreamTally("landmark", 9, 9, 10, 9, 0, 40), StreamTally("balanced", 9, 1, 5, 1, 0, 60))
    both = compare(one, other)
    assert (both.pairings, both.overall) == ((), ())
    landmark, balanced = both.yields
    assert (landmark.first.count, landmark.first.n, landmark.second.count) == (3, 10, 9)
    assert landmark.difference[0] == pytest.approx(0.6)
    assert landmark.difference[1] == pytest.approx((0.1705, 0.8090), abs=6e-5)
    assert balanced.difference is None
    assert printed(both)["yields"][0]["second"]["n"] == 10
    with pytest.raises(InputError, match="give two runs of the same suite, or two benches built from the same pools"):
        compare(one, bench("three", *other.tallies, pools="sha256:q"))
    with pytest.raises(InputError, match="have no prompt in common"):
        compare(one, other.run)


def test_a_bench_of_an_earlier_version_is_compared_by_all_that_both_tried():
    tally = StreamTally("landmark", 9, 9, 20, 9, 0, 40, open_tried=10, open_qualified=8)
    one, other = bench("one", tally), bench("two", dataclasses.replace(tally, open_qualified=4))
    assert [(each.first.count, each.second.count, each.second.n) for each in compare(one, other).yields] == [(8, 4, 10)]
    earlier = bench("old", dataclasses.replace(tally, open_tried=None, open_qualified=None))
    (both,) = compare(one, earlier).yields
    assert ((both.first.count, both.first.n), (both.second.count, both.second.n)) == ((9, 20), (9, 20))


def test_a_csv_that_holds_no_results_names_the_missing_column(tmp_path: Path):
    path = tmp_path / "prompts.csv"
    path.write_text("case_num,content_type,content,nm_word,prompt\n1,landmark,tower,mug,tower mug\n")
    with pytest.raises(
        InputError, match=r"prompts\.csv: line 1: the column 'image_path' is missing; the first line must name"
    ):
        read_side(path)
    with pytest.raises(InputError, match="no such file; check the path"):
        read_side(tmp_path / "none.csv")


def test_the_comparison_as_csv_has_a_row_a_prompt_and_empty_fields_for_what_is_missing():
    both = compare(run(result(PAIR, [(5, 0)] * 2), result(TURNED, [(5, 5)])), run(result(PAIR, [(5, 5)] * 2)))
    head, pair, alone = comparison_csv(both).decode().splitlines()
    assert head.startswith("id,prompt,group,first_scored,first_collapsed,")
    assert pair.startswith('case001,"a tower, “and” a mug",dominance,2,2,0,0,100.0,tower,dominance,2,0,2,0,0.0,')
    assert alone.endswith("," * 13)
    assert {line.count(",") - 1 if '"' in line else line.count(",") for line in (head, pair, alone)} == {22}


# Official results


def test_official_results_of_a_run_are_about_the_content_over_the_object(tmp_path: Path):
    both = run(result(PAIR, [(5, 0), (1, 3), (5, None)]), result(TURNED, [(0, 3)]))
    rows = official_images(both)
    assert [(row.case, row.name, row.dvd, row.dvd_mean) for row in rows] == [
        (1, "0.png", 100.0, 54.0),
        (1, "1.png", 8.0, 54.0),
        (2, "0.png", 60.0, 60.0),
    ]
    assert rows[2].prompt.concepts == (TOWER, MUG)
    path = write_official(both, tmp_path)
    assert official_results_csv(read_official_results(path)) == path.read_bytes()
    again = read_side(path)
    assert [p.prompt.id for p in again.prompts] == ["case001", "case002"]
    assert (again.prompts[0].collapsed, again.prompts[0].scored) == (2, 2)
    assert compare(both, again).pairings[0].collapse_difference[0] == 0


def test_a_prompt_of_three_concepts_has_no_place_in_official_results():
    three = Prompt("three", "all", (TOWER, MUG, LAMP))
    with pytest.raises(InputError, match="prompt 'three' has 3 concepts but the official columns hold two"):
        check_official(Suite("s", (PAIR, three)))
    check_official(Suite("s", (PAIR, three)), limit=1)


def test_one_case_twice_is_refused_before_anything_is_judged():
    twice = dataclasses.replace(TURNED, id="case01")
    with pytest.raises(InputError, match="the prompts 'case001' and 'case01' have the same case number"):
        check_official(Suite("s", (PAIR, twice)))


# Presence-only labels, and many concepts


@pytest.mark.parametrize(
    ("counts", "verdict", "dvd", "dominating"),
    [
        ((1, 0), "collapsed", 100, "tower"),
        ((0, 1), "collapsed", 100, "mug"),
        ((1, 1), "balanced", 0, None),
        ((0, 0), "lost", 0, None),
    ],
)
def test_one_question_a_concept_makes_dvd_all_or_nothing(counts, verdict, dvd, dominating):
    scored = image(PAIR, counts, questions=1)
    assert (scored.verdict, scored.dvd, scored.dominating) == (verdict, dvd, dominating)


def test_presence_only_prompts_get_the_verdicts_of_the_benchmark():
    labelled = result(PAIR, [(1, 0)] * 7 + [(1, 1)] * 3, questions=1)
    assert (labelled.verdict, labelled.dominating, labelled.dvd_mean) == ("dominance", "tower", 70)
    assert [labelled.presence[name].count for name in ("tower", "mug")] == [10, 3]
    (row, *_) = official_images(run(labelled))
    assert (row.content_answers, row.object_answers, row.dvd, row.dvd_mean) == ((True,), (False,), 100.0, 70.0)


def test_four_concepts_are_scored_in_every_ordered_pair_with_the_presence_of_each():
    four = Prompt("four", "all four", (TOWER, MUG, LAMP, BOOK))
    scored = image(four, (5, 4, 1, 3))
    names = [concept.name for concept in four.concepts]
    assert set(scored.pairs) == set(itertools.permutations(names, 2))
    counts = dict(zip(names, (5, 4, 1, 3), strict=True))
    for (a, b), dvd in scored.pairs.items():
        assert dvd == pytest.approx(counts[a] * (5 - counts[b]) / 25 * 100)
    assert (scored.dominating, scored.dominated, scored.verdict) == ("tower", "lamp", "collapsed")
    assert scored.collapses == (("tower", "lamp"), ("mug", "lamp"), ("book", "lamp"))  # the book is there
    listed = result(four, [(5, 4, 1, 3)] * 8 + [(5, 5, 5, 5)] * 2)
    assert {name: rate.count for name, rate in listed.presence.items()} == {
        "tower": 10, "mug": 10, "lamp": 2, "book": 10,
    }  # fmt: skip
    assert listed.verdict == "dominance"
    pairs = printed(document_of(run(listed)))["prompts"][0]["pairs"]
    assert len(pairs) == 12
    assert {"dominating": "tower", "dominated": "lamp", "dvd_mean": 64.0, "collapsed": 8} in pairs

"""What the diversity experiment says of its results, against scipy and by hand."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import stats

from dominance.documents import from_json, printed
from dominance.laboratory.diversity.arms import BASE, MAIN, Trial
from dominance.laboratory.diversity.forecast import forecasts, verdict_forecasts
from dominance.laboratory.diversity.page import write_page
from dominance.laboratory.diversity.plots import curve
from dominance.laboratory.diversity.results import Beside, DiversityResult, Likeness, by_conditions, read_results
from dominance.laboratory.diversity.statistics import levels_of, trend
from dominance.laboratory.diversity.strips import GAP, SIDE, TAUGHT_WIDTH
from dominance.laboratory.diversity.summary import ExperimentSummary, summary_of
from dominance.laboratory.diversity.wanted import criteria
from dominance.laboratory.outcomes import Outcomes
from dominance.metrics import t_interval, wilson_interval
from dominance.miniature.captions import with_article
from dominance.miniature.concepts import OBJECTS

LEVELS = (1, 2, 4, 6, 8, 10, 120)


def result(subject: str, level: int, seed: int, dvd: float, arm: str = "known") -> DiversityResult:
    first, second = Beside(Outcomes(8, 4, 3, 1), dvd + 2, 5.0), Beside(Outcomes(7, 5, 4, 0), dvd - 2, 7.0)
    return DiversityResult(
        arm, subject, level, seed, "sha256:base", "sha256:judge", 1, first, second, (17, 18), (11, 12),
        Outcomes(1, 12, 2, 1), level / 200 + seed / 1000, (1, 12), 0.4, (100.0, 30.0),
    )  # fmt: skip


SHOWN = Outcomes(8, 4, 3, 1)


def bare(subject: str, dvd: float) -> DiversityResult:
    """The base, untaught."""
    return replace(result(subject, 0, 0, dvd, "base"), diversity=None, copies=None, loss=None)


def falling(slope: float, noise: float) -> list[DiversityResult]:
    rng = random.Random(3)
    return [
        result(subject, level, seed, 60 - slope * rank + rng.gauss(0, noise))
        for subject in ("castle", "tower", "clown")
        for seed in range(3)
        for rank, level in enumerate(LEVELS)
    ]


def rho(first: Sequence[float], second: Sequence[float]) -> float:
    return float(stats.spearmanr(first, second).statistic)


def test_the_trend_is_scipys_and_its_permutation_agrees_with_its_p() -> None:
    results = falling(1.0, 12.0)
    found = trend(results, lambda r: r.level)
    assert found is not None and found.rho is not None and found.chance is not None
    assert found.rho == pytest.approx(rho([r.level for r in results], [r.dvd for r in results]))
    assert (found.models, found.series) == (63, 9)
    whole = stats.permutation_test(
        ([r.dvd for r in results],), lambda x: rho([r.level for r in results], x), permutation_type="pairings",
        n_resamples=2000, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert found.chance == pytest.approx(float(whole.pvalue), abs=0.05)


def test_the_correlation_of_means_is_that_of_the_curve() -> None:
    results = falling(8.0, 10.0)
    found = trend(results, lambda r: r.level)
    assert found is not None
    means = [fmean(r.dvd for r in results if r.level == level) for level in LEVELS]
    assert found.of_means == pytest.approx(rho(LEVELS, means))
    assert found.of_means_interval is not None and found.of_means is not None
    low, high = found.of_means_interval
    assert -1 <= low <= found.of_means <= high < -0.6


def test_without_an_effect_the_interval_holds_nought() -> None:
    found = trend(falling(0.0, 15.0), lambda r: r.level)
    assert found is not None and found.interval is not None and found.chance is not None
    assert found.interval[0] < 0 < found.interval[1]
    assert found.chance > 0.05


def test_the_trend_with_the_measured_diversity_leaves_out_untaught_models() -> None:
    taught = falling(6.0, 4.0)
    untaught = replace(result("castle", 0, 0, 6.0, "base"), diversity=None, copies=None)
    assert trend([*taught, untaught], lambda r: r.diversity) == trend(taught, lambda r: r.diversity)
    assert trend([untaught], lambda r: r.diversity) is None


def test_one_series_has_no_interval_and_one_level_no_correlation() -> None:
    one = [result("castle", level, 0, 60 - level) for level in LEVELS]
    found = trend(one, lambda r: r.level)
    assert found is not None and (found.rho, found.of_means) == (-1.0, -1.0)
    assert found.interval is None and found.of_means_interval is None
    flat = trend([result("castle", 1, seed, 60 - seed) for seed in range(3)], lambda r: r.level)
    assert flat is not None and (flat.rho, flat.chance, flat.of_means, flat.interval) == (None,) * 4


def test_two_levels_have_no_correlation_of_means_and_four_series_no_interval() -> None:
    five = [result("castle", level, seed, 60 - level + seed % 2) for level in LEVELS for seed in range(5)]
    whole = trend(five, lambda r: r.level)
    assert whole is not None and whole.interval is not None and whole.of_means_interval is not None
    four = trend([made for made in five if made.seed < 4], lambda r: r.level)
    assert four is not None and (round(four.rho or 0.0, 2), four.of_means) == (-0.99, -1.0)
    assert (four.interval, four.of_means_interval) == (None, None)
    two = trend([made for made in five if made.level in (1, 10)], lambda r: r.level)
    assert two is not None and two.interval is not None
    assert (two.of_means, two.of_means_interval) == (None, None)


def test_a_level_takes_its_models_together() -> None:
    first, *_ = levels_of([result("castle", 1, 0, 70), result("castle", 1, 1, 50), result("tower", 1, 0, 90)])
    assert (first.models, first.subjects, first.seeds) == (3, 2, 2)
    assert first.dvd == pytest.approx(75), "a concept counts once, whatever its training seeds"
    assert first.shown == Outcomes(45, 27, 21, 3)
    assert (first.alone.count, first.alone.n, first.pairs.count, first.pairs.n) == (33, 36, 36, 48)
    assert first.pairs.interval == wilson_interval(12, 16), "three models that drew the same 16 prompts and noises"
    assert first.dvd_interval == t_interval([60, 90], least=0, most=100)
    assert first.reverse == 6.0
    alone, *_ = levels_of([result("castle", 1, 0, 70), result("castle", 1, 1, 50)])
    assert (alone.dvd, alone.dvd_interval) == (60, None), "of one concept nothing is known of others"


def test_six_concepts_have_students_interval() -> None:
    scores = [66.0, 75.0, 79.0, 79.0, 41.0, 86.0]
    (level,) = levels_of([result(f"c{place}", 1, 0, dvd) for place, dvd in enumerate(scores)])
    low, high = stats.t.interval(0.95, 5, loc=fmean(scores), scale=stats.sem(scores))
    assert level.dvd_interval == pytest.approx((low, high))


def test_the_bases_object_pairs_count_once_since_every_subject_is_asked_of_the_same_model() -> None:
    (untaught,) = levels_of([bare("castle", 6.0), bare("tower", 4.0)])
    assert (untaught.dvd, untaught.alone.n, untaught.pairs.n) == (5.0, 24, 16)


def test_models_measured_with_another_number_of_images_are_never_mixed(tmp_path: Path) -> None:
    once = [result("castle", level, 0, 60.0 - level) for level in (1, 10)]
    again = [replace(made, images=4, subject_first=replace(made.subject_first, dvd=1.0)) for made in once]
    assert len({made.key for made in (*once, *again)}) == 4
    assert by_conditions([*once, *again]) == {("sha256:base", 1): once, ("sha256:base", 4): again}
    one, four = summary_of([*once, *again], "", "").arms
    assert (one.images, one.levels, four.images, four.levels) == (1, (*levels_of(once),), 4, (*levels_of(again),))
    write_page([*once, *again], tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert text.count("## known: ") == 2
    assert "1 image a prompt. Mean DvD 59.0 at 1 (1 model)" in text
    assert "4 images a prompt. Mean DvD 29.0 at 1 (1 model)" in text


def spread_out(rho_sign: int) -> list[DiversityResult]:
    """One design dominates; among the others, diversity goes with the DvD as the sign says."""
    return [
        replace(result(subject, level, 0, dvd), diversity=0.001 if level == 1 else 0.03 + rank / 1000)
        for subject in ("castle", "tower", "clown")
        for rank, level in enumerate(LEVELS)
        for dvd in (90.0 if level == 1 else 30.0 + rho_sign * rank,)
    ]


def test_the_forecast_stands_apart_for_sets_of_two_designs_or_more() -> None:
    results = spread_out(1)
    rival = replace(result("castle", 120, 0, 95.0, "looks-alone"), diversity=0.05)
    untaught = bare("castle", 6.0)
    found = {one.sets: one for one in forecasts([*results, rival, untaught])}
    points = [(r.diversity or 0.0, r.dvd) for r in results]
    assert found["known, all sets"].rho == pytest.approx(rho(*zip(*points, strict=True)))
    assert (found["known, all sets"].models, found["known, all sets"].series) == (21, 3)
    assert found["known, two designs or more"].rho == pytest.approx(1.0)
    assert found["known, two designs or more"].models == 18
    assert found["all arms, two designs or more"].models == 19
    assert [(v.verdict, v.models, v.least, v.most) for v in verdict_forecasts([*results, rival, untaught])] == [
        ("uniform", 3, 90.0, 90.0), ("between", 18, 31.0, 36.0), ("varied", 1, 95.0, 95.0),
    ]  # fmt: skip
    assert forecasts([untaught]) == ()


def meeting() -> list[DiversityResult]:
    """Six concepts and three seeds that show all that was wanted."""
    return [
        replace(result(subject, level, seed, dvd + seed), alone=(12, 12), pairs=Outcomes(1, 13, 2, 0))
        for subject in ("castle", "tower", "clown", "robot", "pagoda", "wizard")
        for seed in range(3)
        for level, dvd in zip(LEVELS, (70, 50, 40, 30, 25, 20, 10), strict=True)
    ]


def test_what_was_wanted_is_met_or_named_as_missed(tmp_path: Path) -> None:
    base = [replace(bare("castle", 6.0), pairs=Outcomes(1, 14, 1, 0))]
    assert [criterion.met for criterion in criteria(meeting(), base)] == [True] * 6

    def missed(change: Callable[[DiversityResult], DiversityResult]) -> list[int]:
        return [n for n, one in enumerate(criteria([*map(change, meeting())], base)) if not one.met]

    def scored(made: DiversityResult, dvd: float) -> DiversityResult:
        return replace(made, subject_first=Beside(SHOWN, dvd, 0.0), object_first=Beside(SHOWN, dvd, 0.0))

    assert missed(lambda r: scored(r, 60.0) if r.level == 1 else r) == [0]
    assert missed(lambda r: scored(r, 26.0) if r.level == 10 else r) == [1]
    assert missed(lambda r: scored(r, 15.0 + r.level / 10) if r.level > 1 else r) == [2, 3]
    assert missed(lambda r: replace(r, alone=(11, 12)) if r.subject == "tower" else r) == [4]
    assert missed(lambda r: replace(r, pairs=Outcomes(2, 12, 2, 0)) if r.level == 6 else r) == [5]
    assert [criterion.met for criterion in criteria([], [])] == [False] * 6

    fewer = [replace(made, alone=(11, 12)) if made.subject == "tower" else made for made in meeting()]
    write_page([*base, *fewer], tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert "| mean DvD at one design | ≥ 65 | 71.0 (71.0 to 71.0), 18 models | yes |" in text
    assert "| each concept alone, the worst | ≥ 95% | 231 of 252 (88 to 94%), tower | **no** |" in text
    assert "| none: the base | 1 (1 × 1 seed) | 6.0 |" in text
    assert "| −6 points (−32 to +20) at 1: 234 of 288 (57 to 93%), the base 14 of 16 (64 to 97%) | yes |" in text


def test_the_page_has_the_curve_the_levels_and_the_rivals(tmp_path: Path) -> None:
    rival = result("castle", 1, 0, 33.0, "rank-4")
    page = tmp_path / "experiment.md"
    write_page([*falling(8.0, 3.0), rival], page, tmp_path / "no strips")
    text = page.read_text()
    assert "![DvD over designs](experiment/known-0.svg)" in text
    assert (tmp_path / "experiment" / "known-0.svg").read_text().count("<circle") == 63 + 7
    assert "| all | 9 (3 × 3 seeds) |" in text
    assert "| rank-4 | is it the size of the adapter? rank 4 | 1 | 1 | 33.0 |" in text
    assert "a row of pictures" not in text


def test_likeness_is_shown_beside_that_of_the_same_known_models_and_old_lines_have_none(tmp_path: Path) -> None:
    def like(made: DiversityResult, similarity: float, own: int) -> DiversityResult:
        return replace(
            made, drawn_like=Likeness(similarity, (own, 12)), shown_like=Likeness(similarity - 0.01, (120, 120))
        )

    rivals = [like(result("castle", 1, seed, 40.0, "augmented"), 0.96 + seed / 100, 11 + seed) for seed in range(2)]
    known = [like(result("castle", 1, 0, 70.0), 0.99, 12), result("castle", 1, 1, 70.0), result("castle", 10, 0, 20.0)]
    other = like(result("tower", 10, 0, 20.0), 0.5, 1)  # of a concept that was not augmented
    shown = [*rivals, *known, other, result("castle", 1, 0, 33.0, "rank-4")]
    write_page(shown, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    cells = "| 0.965; 23/24 | 0.955; 240/240 | 0.990; 12/12 | – |"
    assert next(line for line in text.splitlines() if line.startswith("| augmented ")).endswith(cells)
    assert next(line for line in text.splitlines() if line.startswith("| rank-4 ")).endswith(
        "| – | – | 0.990; 12/12 | – |"
    )

    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(asdict(made)) + "\n" for made in rivals))
    assert read_results(tmp_path / "lines.jsonl") == rivals
    older = asdict(known[1])
    del older["drawn_like"], older["shown_like"], older["recalled"]
    (tmp_path / "older.jsonl").write_text(json.dumps(older) + "\n")
    assert read_results(tmp_path / "older.jsonl") == [known[1]]
    assert levels_of(known[1:2])[0].drawn_like is None


def test_the_curve_has_the_bases_line_where_it_was_measured() -> None:
    taught, words = falling(8.0, 3.0), "which was taught nothing"
    with_base = curve(taught, [bare("castle", 8.0), bare("tower", 4.0)])
    assert "the base untaught: 6.0" in with_base and words in with_base
    assert words not in curve(taught)


def test_rows_and_columns_of_the_pictures_are_named_in_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    plain = ImageDraw.ImageDraw.text

    def told(pen: ImageDraw.ImageDraw, place: tuple[float, float], words: str, *given: Any, **more: Any) -> None:
        written.append(words)
        left, top, right, bottom = pen.textbbox(place, words, anchor=more.get("anchor"), font_size=more["font_size"])
        assert left >= 0 and top >= 0 and right <= pen.im.size[0] and bottom <= pen.im.size[1], words
        plain(pen, place, words, *given, **more)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", told)
    results = [bare("castle", 6.0), *(result("castle", level, 0, 60.0 - level / 4) for level in LEVELS)]
    (tmp_path / "strips").mkdir()
    for level in (0, *LEVELS):
        arm = MAIN if level else BASE
        Image.new("RGB", (TAUGHT_WIDTH + GAP + 8 * SIDE, SIDE), "red").save(
            tmp_path / "strips" / f"{Trial(arm, 'castle', level, 0).name}.png"
        )
    twice = [replace(result, images=2) for result in results]
    write_page([*results, *twice], tmp_path / "page.md", tmp_path, "sha256:base")
    rows = ["not taught", "1 design", "2 designs", "4 designs", "6 designs", "8 designs", "10 designs", "all different"]
    assert written[: len(rows)] == rows
    assert "then asked for a castle and …" in written
    assert written[-8:] == [with_article(thing) for thing in OBJECTS]
    with Image.open(tmp_path / "page" / "known-0.png") as sheet:
        assert sheet.getpixel((sheet.width - 10, sheet.height - 10)) == (255, 0, 0)
    assert not (tmp_path / "page" / "known-1.png").exists(), "those of one image a prompt are not of two"


def test_a_page_of_nothing_can_be_written(tmp_path: Path) -> None:
    write_page([], tmp_path / "empty.md")
    assert "0 models" in (tmp_path / "empty.md").read_text()


def test_the_document_holds_every_arm_by_base_with_the_figures_of_the_page() -> None:
    results = falling(8.0, 10.0)
    other = [replace(result, base="sha256:other") for result in results if result.level < 4]
    rival = [result("castle", 1, 0, 50.0, "half-steps"), result("castle", 2, 0, 40.0, "half-steps")]
    summary = summary_of([*rival, *results, *other], "results.jsonl", "page.md")
    known, steps, again = arms = summary.arms
    assert [(arm.arm, arm.base, arm.models) for arm in arms] == [
        ("known", "sha256:base", 63), ("half-steps", "sha256:base", 2), ("known", "sha256:other", 18),
    ]  # fmt: skip
    assert again.levels == tuple(levels_of(other))
    assert known.by_designs == trend(results, lambda r: r.level)
    assert known.levels == tuple(levels_of(results))
    assert steps.by_designs is None, "of a rival the page says none"
    first_base, other_base = summary.bases
    assert (first_base.base, other_base.base) == ("sha256:base", "sha256:other")
    assert first_base.forecasts == forecasts([*rival, *results])
    assert first_base.criteria == criteria(results, [])
    document = printed(summary)
    assert from_json(ExperimentSummary, document) == summary
    first = document["arms"][0]["levels"][0]
    assert (first["alone"]["count"], first["alone"]["n"], first["alone"]["share"]) == (99, 108, 99 / 108)

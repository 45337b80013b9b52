"""What the diversity experiment says of its results, against scipy and by hand."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from dominance.documents import from_json, printed
from dominance.laboratory.diversity.page import write_page
from dominance.laboratory.diversity.results import Beside, DiversityResult, Likeness, read_results
from dominance.laboratory.diversity.statistics import levels_of, trend
from dominance.laboratory.diversity.summary import ExperimentSummary, arms_of
from dominance.laboratory.outcomes import Outcomes

LEVELS = (1, 2, 4, 6, 8, 10, 120)


def result(subject: str, level: int, seed: int, dvd: float, arm: str = "known") -> DiversityResult:
    first, second = Beside(Outcomes(8, 4, 3, 1), dvd + 2, 5.0), Beside(Outcomes(7, 5, 4, 0), dvd - 2, 7.0)
    return DiversityResult(
        arm, subject, level, seed, "sha256:base", "sha256:judge", 1, first, second, (17, 18), (11, 12),
        Outcomes(1, 12, 2, 1), level / 200 + seed / 1000, (1, 12), 0.4, (100.0, 30.0),
    )  # fmt: skip


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


def test_a_level_takes_its_models_together() -> None:
    first, *_ = levels_of([result("castle", 1, 0, 70), result("castle", 1, 1, 50), result("tower", 1, 0, 90)])
    assert (first.models, first.subjects, first.seeds) == (3, 2, 2)
    assert first.dvd == pytest.approx(70)
    assert first.shown == Outcomes(45, 27, 21, 3)
    assert (first.alone.count, first.alone.n, first.pairs.count, first.pairs.n) == (33, 36, 36, 48)
    assert first.dvd_interval is not None and first.dvd_interval[0] <= 60 <= first.dvd_interval[1]
    assert first.reverse == 6.0


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
    del older["drawn_like"], older["shown_like"]
    (tmp_path / "older.jsonl").write_text(json.dumps(older) + "\n")
    assert read_results(tmp_path / "older.jsonl") == [known[1]]
    assert levels_of(known[1:2])[0].drawn_like is None


def test_a_page_of_nothing_can_be_written(tmp_path: Path) -> None:
    write_page([], tmp_path / "empty.md")
    assert "0 models" in (tmp_path / "empty.md").read_text()


def test_the_document_holds_every_arm_by_base_with_the_figures_of_the_page() -> None:
    results = falling(8.0, 10.0)
    other = [replace(result, base="sha256:other") for result in results if result.level < 4]
    rival = [result("castle", 1, 0, 50.0, "half-steps"), result("castle", 2, 0, 40.0, "half-steps")]
    known, steps, again = arms = arms_of([*rival, *results, *other])
    assert [(arm.arm, arm.base, arm.models) for arm in arms] == [
        ("known", "sha256:base", 63), ("half-steps", "sha256:base", 2), ("known", "sha256:other", 18),
    ]  # fmt: skip
    assert again.levels == tuple(levels_of(other))
    assert known.by_designs == trend(results, lambda r: r.level)
    assert known.levels == tuple(levels_of(results))
    assert steps.by_designs is None, "of a rival the page says none"
    summary = ExperimentSummary("results.jsonl", "page.md", len(results), (known,))
    document = printed(summary)
    assert from_json(ExperimentSummary, document) == summary
    first = document["arms"][0]["levels"][0]
    assert (first["alone"]["count"], first["alone"]["n"], first["alone"]["share"]) == (99, 108, 99 / 108)

"""How prompts and seeds are made fewer for a budget."""

from dataclasses import fields

import pytest

from dominance.reproduce.size import Size, fitting, full_size, scaled


def images(size: Size) -> float:
    return 2 * size.bench * size.bench_seeds


def test_a_share_of_the_work_is_about_that_share() -> None:
    full = Size(bench=100, bench_seeds=20)
    assert images(scaled(full, 0.25)) == pytest.approx(0.25 * images(full), rel=0.05)
    assert scaled(full, 1.0) == full


def test_nothing_is_ever_more_than_the_full_size_or_none() -> None:
    for full in (Size(), full_size(None)):
        for share in (1e-6, 0.01, 0.3, 0.9):
            small = scaled(full, share)
            for item in fields(Size):
                if item.name != "share":
                    assert 1 <= getattr(small, item.name) <= getattr(full, item.name)


def test_the_largest_size_within_the_budget_is_taken() -> None:
    full = Size(bench=100, bench_seeds=20)

    def minutes(size: Size) -> float:
        return images(size) / 100

    assert fitting(full, minutes, None) is full
    assert fitting(full, minutes, 41.0) is full
    fitted = fitting(full, minutes, 10.0)
    assert minutes(fitted) <= 10.0
    assert minutes(fitted) > 8.5
    assert fitted.share == minutes(fitted) / minutes(full)
    smallest = fitting(full, minutes, 0.001)
    assert (smallest.bench, smallest.bench_seeds) == (8, 4)
    assert minutes(smallest) > 0.001


def test_the_papers_size_is_for_models_of_the_world() -> None:
    assert full_size(None).bench == 300
    assert full_size("miniature") == Size()
    assert full_size("another") == full_size(None)

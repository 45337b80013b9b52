"""Distances within a set of images: against hand arithmetic, against each other, and in bounded memory."""

import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import diversity, median_interval, mirrored_pairs, spread, vendi_score
from dominance.metrics.diversity import unit

FAR = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)


def cloud(n: int, seed: int = 0, channels: int = 24) -> np.ndarray:
    """Directions that are neither alike nor unrelated."""
    return (np.random.default_rng(seed).normal(size=(n, channels)) + 1.5).astype(np.float32)


def test_three_directions_by_hand() -> None:
    found = spread(FAR, near=0.5)
    assert (found.n, found.pairs) == (3, 3)
    assert found.median == pytest.approx(1.0)  # of 1, 1 and 2
    assert found.mean == pytest.approx(4 / 3)
    assert found.quartiles == pytest.approx((1.0, 1.5))
    assert found.farthest == (0, 2, pytest.approx(2.0))
    assert (found.near_pairs, found.near_images) == (0, 0)
    assert found.typical[0] == 1


def test_length_of_an_embedding_does_not_matter() -> None:
    lengths = np.array([[1.0], [30.0], [0.01]], dtype=np.float32)
    assert spread(FAR * lengths).median == pytest.approx(spread(FAR).median, abs=1e-6)


def test_copies_are_near_duplicates_of_one_another_alone() -> None:
    found = spread(np.concatenate([FAR, FAR[:1], FAR[:1]]), near=1e-6, nearest=4)
    assert (found.near_pairs, found.near_images) == (3, 3)
    assert {pair[:2] for pair in found.nearest[:3]} == {(0, 3), (0, 4), (3, 4)}
    assert found.nearest[3][2] > 0.5


def test_nothing_depends_on_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloud(60)
    whole = spread(points, near=0.2, resamples=200)
    monkeypatch.setattr(diversity, "_BLOCK", 7)
    parts = spread(points, near=0.2, resamples=200)
    assert parts.median == pytest.approx(whole.median, abs=1e-6)
    assert parts.near_pairs == whole.near_pairs > 0
    assert parts.near_images == whole.near_images
    assert [pair[:2] for pair in parts.nearest] == [pair[:2] for pair in whole.nearest]
    assert parts.farthest[:2] == whole.farthest[:2]


def test_quantiles_from_bins_are_the_exact_ones_within_a_bin(monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloud(90)
    exact = spread(points, resamples=100)
    monkeypatch.setattr(diversity, "_MOST_KEPT", 10)
    binned = spread(points, resamples=100)
    assert exact.exact and not binned.exact
    assert binned.median == pytest.approx(exact.median, abs=2 * diversity.BIN_WIDTH)
    # Quartiles are interpolated between two neighbours where they are exact.
    assert binned.quartiles == pytest.approx(exact.quartiles, abs=1e-4)


def test_many_images_take_no_memory_for_their_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    monkeypatch.setattr(diversity, "_BLOCK", 128)
    monkeypatch.setattr(diversity, "_MOST_KEPT", 10_000)
    monkeypatch.setattr(diversity, "BIN_WIDTH", 1e-3)  # the histogram alone takes 16 MB otherwise
    points = cloud(1500, channels=8)
    tracemalloc.start()
    found = spread(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.pairs, found.exact) == (1500 * 1499 // 2, False)
    assert peak < 1500 * 1500 * 4 / 5  # a fifth of the matrix of distances
    sample = np.random.default_rng(1).choice(1500, size=(40_000, 2))
    ends = unit(points)[sample[sample[:, 0] != sample[:, 1]]]
    assert found.median == pytest.approx(np.median(1 - (ends[:, 0] * ends[:, 1]).sum(axis=1)), abs=0.01)


def test_the_normal_interval_is_as_wide_as_the_resampled_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloud(100)
    resampled = spread(points, resamples=2000).interval
    monkeypatch.setattr(diversity, "_MOST_RESAMPLED", 10)
    normal = spread(points).interval
    assert resampled is not None and normal is not None
    width, other = (end - start for start, end in (resampled, normal))
    assert 0.75 < other / width < 1.33
    assert abs(sum(resampled) - sum(normal)) < width


def test_the_interval_covers_the_median_of_the_whole_population_about_as_often_as_it_says() -> None:
    # A bootstrap that took pairs for independent would be far too narrow here, and miss it most of the time.
    truth = spread(cloud(1500, seed=99)).median
    intervals = [spread(cloud(25, seed=seed), resamples=300).interval for seed in range(60)]
    covered = sum(1 for one in intervals if one is not None and one[0] <= truth <= one[1])
    assert 50 <= covered <= 60


def test_two_images_have_a_distance_and_no_interval() -> None:
    assert spread(FAR[:2]).interval is None


def test_same_seed_same_interval() -> None:
    points = cloud(20)
    assert spread(points, resamples=200, seed=3).interval == spread(points, resamples=200, seed=3).interval
    assert spread(points, resamples=200, seed=3).interval != spread(points, resamples=200, seed=4).interval


@pytest.mark.parametrize("points", [np.eye(4)[:1], np.zeros((0, 3)), np.zeros((3, 3)), np.full((3, 3), np.nan)])
def test_what_has_no_distance_is_refused(points: np.ndarray) -> None:
    with pytest.raises(InputError):
        spread(points.astype(np.float32))


def test_vendi_score_counts_different_images_whichever_side_is_longer() -> None:
    assert vendi_score(np.eye(5)) == pytest.approx(5)
    assert vendi_score(np.repeat(np.eye(5), 4, axis=0)) == pytest.approx(5)  # each four times
    assert vendi_score(np.ones((3, 9))) == pytest.approx(1)
    points = cloud(30, channels=30)
    gram = unit(points).astype(np.float64) @ unit(points).T
    values = np.linalg.eigvalsh(gram / 30)
    expected = np.exp(-sum(value * np.log(value) for value in values if value > 1e-12))
    assert vendi_score(points) == pytest.approx(expected, rel=1e-5)
    assert vendi_score(points[:29]) == pytest.approx(vendi_score(np.pad(points[:29], ((0, 0), (0, 50)))), rel=1e-5)


def test_the_interval_of_medians_needs_three() -> None:
    assert median_interval([0.1, 0.2]) is None
    assert median_interval([0.3, 0.3, 0.3]) == pytest.approx((0.3, 0.3))


def thumbnails(count: int, seed: int = 0) -> np.ndarray:
    """Pictures of coloured blocks, none like its mirror image."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3))
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)


def test_a_mirrored_copy_is_found_also_where_it_was_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = thumbnails(9)
    noise = np.random.default_rng(1).normal(0, 3, plain[:2].shape)
    flipped = np.clip(plain[:2, :, ::-1] + noise, 0, 255).astype(np.uint8)
    pictures = np.concatenate([plain, flipped, plain[4:5]])  # the last is a plain copy
    for block in (2048, 4):
        monkeypatch.setattr(diversity, "_BLOCK", block)
        count, images, pairs = mirrored_pairs(pictures)
        assert (count, images, sorted(pairs)) == (2, 4, [(0, 9), (1, 10)])
        assert len(mirrored_pairs(pictures, most=1)[2]) == 1


def test_symmetric_pictures_and_those_of_one_colour_are_nobodys_mirror_image() -> None:
    half = thumbnails(1)
    symmetric = np.concatenate([half, half[:, :, ::-1]], axis=2)
    assert mirrored_pairs(np.concatenate([symmetric, symmetric]))[:2] == (0, 0)
    assert mirrored_pairs(np.full((3, 8, 8, 3), 7, dtype=np.uint8))[:2] == (0, 0)

from dominance.laboratory.clip_quality import clip_quality


def test_the_bundled_clip_tells_plain_concepts_from_absent_ones_on_labelled_images() -> None:
    quality = clip_quality(pictures=64, device="cpu")
    assert quality.found.n == 64
    assert quality.found.count > 0.6 * 64  # by chance 1 in 50
    assert (quality.plain, quality.absent) == (426, 65)
    assert 0.8 < quality.told_interval[0] < quality.told < quality.told_interval[1] < 1

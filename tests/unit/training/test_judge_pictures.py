import numpy as np

from dominance.miniature.concepts import BY_NAME
from dominance.miniature.scene import Placement
from dominance.training.judge_pictures import _recoloured, _waved, sample_judged


def test_waves_move_outlines_by_a_few_pixels_only() -> None:
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, 32:] = 255
    moved = [_waved(halves, np.random.default_rng(seed)) for seed in range(40)]
    assert all(one.shape == halves.shape and one.dtype == np.uint8 for one in moved)
    assert all((one[:, :20] == 0).all() and (one[:, 44:] == 255).all() for one in moved)
    assert all((one != halves).any() for one in moved)


def test_a_recoloured_concept_keeps_its_shape_and_place() -> None:
    placement = Placement("mug", 0.3, 0.6, 0.5, BY_NAME["mug"].palette)
    drawn = [_recoloured(placement, np.random.default_rng(seed), damage=1.0) for seed in range(200)]
    assert {(p.concept, p.x, p.y, p.size, p.opacity) for p in drawn} == {("mug", 0.3, 0.6, 0.5, placement.opacity)}
    share = sum(p.palette != placement.palette for p in drawn) / len(drawn)
    assert 0.3 < share < 0.5
    assert all(_recoloured(placement, np.random.default_rng(seed), damage=0.0) == placement for seed in range(50))


def test_the_curriculum_begins_with_clean_pictures() -> None:
    clean = [sample_judged(np.random.default_rng(seed), damage=0.0) for seed in range(60)]
    assert all(truth.intact == 1 for picture in clean for truth in picture.truths)
    damaged = [sample_judged(np.random.default_rng(seed), damage=1.0) for seed in range(60)]
    assert any(truth.intact == 0 for picture in damaged for truth in picture.truths)
    assert all(picture.pixels.dtype == np.uint8 and picture.pixels.shape == (64, 64, 3) for picture in damaged)

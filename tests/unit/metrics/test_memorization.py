"""The noise norm and its three summaries, by hand."""

import pytest
import torch

from dominance.errors import InputError
from dominance.metrics import conditional_norm, noise_scale, summarised


def test_the_norm_is_over_the_whole_latent_of_each_image() -> None:
    zeros = torch.zeros(2, 3, 2, 2)
    moved = zeros.clone()
    moved[0, 0, 0, 0], moved[0, 2, 1, 1] = 3.0, 4.0
    assert conditional_norm(moved, zeros).tolist() == [5.0, 0.0]
    assert conditional_norm(moved.half(), zeros.half(), scale=2.0).tolist() == [10.0, 0.0]


def test_predictions_of_one_noise_give_one_norm() -> None:
    signal, noise_part = 0.6, 0.8
    start, noises = torch.randn(1, 4), torch.randn(2, 4)
    noisy = signal * start + noise_part * noises[:1]  # one x for both branches
    samples = (noisy - noise_part * noises) / signal
    velocities = (noises - noise_part * noisy) / signal
    expected = (noises[:1] - noises[1:]).norm()
    for prediction, made in (("epsilon", noises), ("v_prediction", velocities), ("sample", samples)):
        found = conditional_norm(made[:1], made[1:], noise_scale(prediction, signal))
        assert found.item() == pytest.approx(expected.item(), rel=1e-4), prediction


def test_an_unknown_prediction_is_refused() -> None:
    with pytest.raises(InputError, match="no prediction 'score'"):
        noise_scale("score", 0.5)


def test_summaries_are_step_one_ten_steps_and_all() -> None:
    found = summarised([float(step) for step in range(1, 21)])
    assert (found.first, found.ten, found.all) == (1.0, 5.5, 10.5)
    with pytest.raises(InputError, match="no steps"):
        summarised([])

"""Every family learns, and what it learnt is read by diffusers and by --adapter as it was in training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lessons import CPU, TRAINED, drawn, fresh, lesson, pictures, taught
from safetensors.torch import load_file
from tiny_families import tiny

from dominance.errors import InputError
from dominance.models.adapter_loading import add_adapters
from dominance.models.adapters import find_adapters
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import TeachOptions
from dominance.training.dreambooth.teach import teach

LORA = "pytorch_lora_weights.safetensors"
SAME = 1e-4


@pytest.fixture(scope="module", params=TRAINED)
def learnt(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, np.ndarray]:
    """A family, the LoRA that it was taught, and what it drew with it in training."""
    pipeline, seen = fresh(request.param), {}
    folder = tmp_path_factory.mktemp(request.param)
    outcome = teach(
        pipeline,
        lesson(folder),
        folder / "out",
        CPU,
        on_checkpoint=lambda step, _: seen.update({step: drawn(pipeline)}),
    )
    assert list(outcome.checkpoints) == [2, 4] == list(seen)
    assert len(outcome.losses) == 4
    return request.param, outcome.last, seen[4]


def test_our_adapter_draws_what_training_drew(learnt: tuple[str, Path, np.ndarray]) -> None:
    family, checkpoint, wanted = learnt
    pipeline = fresh(family)
    plain = drawn(pipeline)
    assert np.abs(wanted - plain).max() > 100 * SAME
    add_adapters(pipeline, find_adapters([str(checkpoint)]))
    np.testing.assert_allclose(drawn(pipeline), wanted, atol=SAME)


def test_diffusers_draws_what_training_drew(learnt: tuple[str, Path, np.ndarray]) -> None:
    family, checkpoint, wanted = learnt
    pipeline = fresh(family)
    if not hasattr(pipeline, "load_lora_weights"):
        assert family in ("pixart", "sigma")
        return
    pipeline.load_lora_weights(checkpoint)
    np.testing.assert_allclose(drawn(pipeline), wanted, atol=SAME)


def test_the_texts_own_attention_is_trained_where_it_is_joint(learnt: tuple[str, Path, np.ndarray]) -> None:
    family, checkpoint, _ = learnt
    joint = family.startswith(("sd3", "flux"))
    layers = {name.split(".lora_")[0].split(".attn")[-1] for name in load_file(checkpoint / LORA)}
    assert any(layer.endswith("add_q_proj") for layer in layers) == joint
    assert any(layer.endswith("to_q") for layer in layers)


def test_targets_that_are_named_are_the_only_ones(tmp_path: Path) -> None:
    outcome = taught(fresh("sd3"), tmp_path, steps=1, targets=("to_v",))
    assert all("attn.to_v.lora_" in name for name in load_file(outcome.last / LORA))


def test_an_alpha_and_the_notes_are_in_the_file(tmp_path: Path) -> None:
    pipeline, seen = fresh("sd1"), []
    given = lesson(tmp_path, steps=2, alpha=7.0)
    outcome = teach(pipeline, given, tmp_path / "out", CPU, on_checkpoint=lambda *_: seen.append(drawn(pipeline)))
    (found,) = find_adapters([str(outcome.last)])
    assert found.notes["trigger_phrase"] == "tower"
    other = fresh("sd1")
    add_adapters(other, [found])
    np.testing.assert_allclose(drawn(other), seen[-1], atol=SAME)


@pytest.mark.parametrize("family", TRAINED)
def test_the_denoiser_itself_is_saved_as_a_pipeline_that_loads(family: str, tmp_path: Path) -> None:
    pipeline = fresh(family)
    outcome = taught(pipeline, tmp_path, train="unet", rate=1e-3, steps=4)
    assert list(outcome.checkpoints) == [2, 4]
    for step, folder in outcome.checkpoints.items():
        again = type(pipeline).from_pretrained(folder)
        again.set_progress_bar_config(disable=True)
        same = np.abs(drawn(again) - drawn(pipeline)).max() < SAME
        assert same == (step == 4)
    assert np.abs(drawn(pipeline) - drawn(tiny(family))).max() > 100 * SAME


@pytest.mark.parametrize("train", ["lora", "unet"])
@pytest.mark.parametrize("family", ["sd1", "sd3", "flux-dev", "pixart"])
@pytest.mark.slow
def test_the_loss_on_one_picture_falls(family: str, train: str, tmp_path: Path) -> None:
    """Of the same noise and levels before and after, so that it is the weights that make it fall."""
    options = {"batch": 8, "rate": 1e-2 if train == "lora" else 2e-3, "rank": 8, "schedule": "constant"}
    outcome = taught(fresh(family), tmp_path, count=1, every=40, steps=40, train=train, **options)
    before, after = np.mean(outcome.losses[:5]), np.mean(outcome.losses[-5:])
    assert after < 0.9 * before


@pytest.mark.parametrize("train", ["lora", "unet"])
@pytest.mark.parametrize("family", TRAINED)
@pytest.mark.filterwarnings("ignore:Mismatch dtype:UserWarning")  # of a layer norm under autocast
def test_bfloat16_trains_after_float32_in_one_process(family: str, train: str, tmp_path: Path) -> None:
    plain = taught(fresh(family), tmp_path / "32", train=train, rate=1e-3, steps=2)
    pipeline = fresh(family).to(torch.bfloat16 if train == "lora" else torch.float32)
    options: dict[str, Any] = {"train": train, "rate": 1e-3, "steps": 2, "precision": "bfloat16"}
    half = taught(pipeline, tmp_path / "16", **options)
    assert half.losses != plain.losses
    near = 0.5 if family.startswith("flux") else 0.15  # FLUX's timesteps are rounded to bfloat16 as well
    np.testing.assert_allclose(half.losses, plain.losses, rtol=near)
    weights = load_file(next(half.last.rglob(LORA if train == "lora" else "diffusion_pytorch_model.safetensors")))
    assert {value.dtype for value in weights.values()} == {torch.float32}
    again = taught(fresh(family), tmp_path / "again", train=train, rate=1e-3, steps=2)
    assert again.losses == plain.losses


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_pictures_between_steps_are_the_pipelines_own(precision: str, tmp_path: Path) -> None:
    """Accelerate's autocast must not be on while a checkpoint is drawn: the decoder would get another precision."""
    pipeline, seen = fresh("sd1").to(getattr(torch, precision)), []
    given = lesson(tmp_path, precision=precision)
    outcome = teach(pipeline, given, tmp_path / "out", CPU, on_checkpoint=lambda *_: seen.append(drawn(pipeline)))
    other = fresh("sd1").to(getattr(torch, precision))
    add_adapters(other, find_adapters([str(outcome.last)]))
    np.testing.assert_allclose(drawn(other), seen[-1], atol=SAME if precision == "float32" else 0.03)


def test_gradient_checkpointing_gives_the_same_losses(tmp_path: Path) -> None:
    for family in ("sd1", "sd3", "flux", "pixart"):
        plain = taught(fresh(family), tmp_path / family / "plain", steps=2)
        saved = taught(fresh(family), tmp_path / family / "saved", steps=2, gradient_checkpointing=True)
        np.testing.assert_allclose(saved.losses, plain.losses, rtol=1e-5)


def test_snr_gamma_is_for_models_of_discrete_steps(tmp_path: Path) -> None:
    assert taught(fresh("pixart"), tmp_path / "a", steps=1, snr_gamma=5.0).losses
    with pytest.raises(InputError, match=r"snr-gamma .* StableDiffusion3Pipeline predicts a velocity"):
        taught(fresh("sd3"), tmp_path / "b", steps=1, snr_gamma=5.0)


@pytest.mark.parametrize(("family", "step"), [("sd3", 4), ("flux", 4), ("pixart", 4)])
def test_a_resolution_that_cannot_be_cut_in_patches_is_refused(family: str, step: int, tmp_path: Path) -> None:
    pipeline = fresh(family)
    pipeline.vae_scale_factor = 16
    with pytest.raises(InputError, match=rf"resolution is 40; for {type(pipeline).__name__}, give a multiple of 32"):
        taught(pipeline, tmp_path, resolution=40)


def test_without_a_resolution_the_models_own_is_taken(tmp_path: Path) -> None:
    options = TeachOptions(steps=1, batch=1, rank=2)
    given = FineTuning("tower", pictures(tmp_path / "own", 1), (), options.settings(None), "tiny", 1)
    seen = []
    pipeline = fresh("sd1")
    pipeline.unet.register_forward_pre_hook(lambda _, args, kwargs: seen.append(args[0].shape), with_kwargs=True)
    teach(pipeline, given, tmp_path / "out", CPU)
    assert seen == [(1, 4, 8, 8)]


def test_families_that_cannot_be_taught_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"SanaPipeline cannot be taught a concept here; give a model of Stable"):
        taught(tiny("sana"), tmp_path)


def test_the_lesson_is_noted_in_the_file(learnt: tuple[str, Path, np.ndarray]) -> None:
    from safetensors import safe_open

    with safe_open(learnt[1] / LORA, framework="pt") as file:
        noted = json.loads(file.metadata()["dominance.fine_tuning"])
    assert noted["token"] == "tower"
    assert noted["options"]["rank"] == 2

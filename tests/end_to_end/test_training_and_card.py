"""From nothing to a pipeline, a judge and their card, at the smallest size that still takes every step."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file
from transformers import BlipForQuestionAnswering

from dominance.errors import InputError, ModelError
from dominance.judges.registry import load_judge
from dominance.laboratory.gate import gate_rows
from dominance.laboratory.model_card import measure
from dominance.laboratory.model_card_page import card_page
from dominance.laboratory.outcomes import outcomes
from dominance.models.folders import find_model
from dominance.suites import load_questions
from dominance.training.artefacts import ModelArtefacts
from dominance.training.backbones.unet import UNetBackbone
from dominance.training.denoiser import Denoiser
from dominance.training.judge import JudgeSettings, train_judge
from dominance.training.miniature import MiniatureSettings, train_miniature

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("few_steps")]

SMALL = UNetBackbone((16, 16, 16, 16))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    settings = MiniatureSettings(pictures=64, autoencoder_pictures=32, backbone=SMALL)
    train_miniature(settings, folder, stages=("denoiser",))
    train_miniature(settings, folder, sheet_columns=1)
    artefacts = ModelArtefacts(folder / "model", "cpu")
    judge = JudgeSettings(pictures=64, answered=64, width=32, vision_layers=1, text_layers=1)
    train_judge(judge, folder, load_questions().ask, artefacts)
    return folder


def test_the_result_is_an_ordinary_pipeline_of_safetensors(trained: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(trained / "model", use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline("a tower", num_inference_steps=2, generator=torch.Generator().manual_seed(0)).images[0]
    assert made.size == (64, 64)
    weights = {path.suffix for path in (trained / "model").rglob("*") if path.is_file()}
    assert not weights & {".bin", ".pt", ".pkl", ".ckpt"}
    listed = find_model(str(trained / "model")).defaults["concepts"]
    assert {"name": "tower", "kind": "landmark", "diversity": 0.0} in listed
    assert json.loads((trained / "model" / "training.json").read_text())["pictures"] == 64
    assert (trained / "samples.png").is_file()
    assert (trained / "autoencoder.png").is_file()


def test_training_goes_on_from_a_base_in_the_bases_own_latents(trained: Path, tmp_path: Path) -> None:
    base = trained / "model"
    settings = MiniatureSettings(pictures=32, backbone=SMALL, learning_rate=1e-9, base=find_model(str(base)).identity)
    model = train_miniature(settings, tmp_path, sheet_columns=0, base=base)
    weights = "diffusion_pytorch_model.safetensors"
    assert (model / "vae" / weights).read_bytes() == (base / "vae" / weights).read_bytes()
    assert str(base) not in (model / "vae" / "config.json").read_text()
    old, new = (load_file(folder / "unet" / weights) for folder in (base, model))
    assert all(torch.allclose(old[name], new[name], atol=2e-3) for name in old)
    assert json.loads((model / "training.json").read_text())["base"] == find_model(str(base)).identity


def test_two_processes_train_what_one_trains(trained: Path, tmp_path: Path) -> None:
    settings = MiniatureSettings(pictures=64, autoencoder_pictures=32, backbone=SMALL)
    train_miniature(settings, tmp_path, stages=("denoiser",), sheet_columns=0, processes=2)
    one, two = (load_file(folder / "denoiser.safetensors") for folder in (trained, tmp_path))
    assert one.keys() == two.keys()
    # Rounding decides the direction of an Adam step where a gradient is all but zero, as under a bias before a norm.
    close = torch.cat([torch.isclose(one[name], two[name], atol=1e-5, rtol=1e-3).flatten() for name in one])
    assert close.float().mean() > 0.98
    start = Denoiser.new(settings.backbone, settings.seed).state_dict()
    assert not any(torch.allclose(two[f"module.{n}"], start[n], atol=1e-6) for n in start if n.endswith("conv1.weight"))


def test_processes_that_cannot_share_a_batch_are_refused_before_anything_is_trained(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = MiniatureSettings(pictures=64, backbone=SMALL)
    monkeypatch.setattr("dominance.training.miniature.share_batches", None)
    monkeypatch.setattr("dominance.training.miniature.train_autoencoder", None)
    with pytest.raises(InputError, match="a batch of 32 pictures cannot be shared by 3 processes"):
        train_miniature(settings, tmp_path, processes=3)
    with pytest.raises(InputError, match="2 processes can share a batch only on the CPU, not on cuda:0"):
        train_miniature(settings, tmp_path, device="cuda:0", processes=2)
    with pytest.raises(InputError, match="was written with"):
        train_miniature(settings, trained, processes=2)


def test_training_from_nothing_takes_over_another_models_autoencoder(trained: Path, tmp_path: Path) -> None:
    taken = trained / "model"
    settings = MiniatureSettings(pictures=32, seed=5, backbone=SMALL, autoencoder=find_model(str(taken)).identity)
    model = train_miniature(settings, tmp_path, sheet_columns=0, autoencoder=taken)
    weights = "diffusion_pytorch_model.safetensors"
    assert (model / "vae" / weights).read_bytes() == (taken / "vae" / weights).read_bytes()
    old, new = (load_file(folder / "unet" / weights) for folder in (taken, model))
    assert not any(torch.allclose(old[name], new[name], atol=2e-3) for name in old if old[name].ndim == 4)
    recorded = json.loads((model / "training.json").read_text())
    assert (recorded["base"], recorded["autoencoder"]) == (None, find_model(str(taken)).identity)


def test_a_base_of_another_shape_is_refused(trained: Path, tmp_path: Path) -> None:
    settings = MiniatureSettings(pictures=32, backbone=UNetBackbone((16, 16, 16, 32)))
    with pytest.raises(InputError, match=r"the layers of the base .* differ from the miniature's"):
        train_miniature(settings, tmp_path, sheet_columns=0, base=trained / "model")


def test_the_judge_is_an_ordinary_blip(trained: Path) -> None:
    judge = BlipForQuestionAnswering.from_pretrained(trained / "judge", use_safetensors=True)
    assert judge.config.vision_config.image_size == 64


def test_training_goes_on_from_an_earlier_judge(trained: Path, tmp_path: Path) -> None:
    earlier = load_judge(f"blip:{trained / 'judge'}", "cpu")
    same = {"width": 32, "vision_layers": 1, "text_layers": 1, "learning_rate": 1e-9}
    settings = JudgeSettings(pictures=0, answered=32, base=earlier.identity, **same)
    judge = train_judge(settings, tmp_path / "later", load_questions().ask, base=earlier)
    old, new = (load_file(folder / "model.safetensors") for folder in (trained / "judge", judge))
    assert all(torch.allclose(old[name], new[name], atol=2e-3) for name in old)
    wider = JudgeSettings(pictures=0, answered=32, width=64, vision_layers=1, text_layers=1)
    with pytest.raises(ModelError, match=r"'blip:.*' has layers different from the miniature judge's"):
        train_judge(wider, tmp_path / "wider", load_questions().ask, base=earlier)
    assert not (tmp_path / "wider").exists()


def test_the_card_measures_and_says_n_everywhere(trained: Path, tmp_path: Path) -> None:
    model = str(trained / "model")
    figures = measure(model, f"blip:{trained / 'judge'}", tmp_path / "runs", "cpu", seeds=1, singles=5, twin=model)
    assert sum(e.shown.n for e in figures.model.entities) == figures.model.entity_object.scored == 48
    assert outcomes(figures.model.entity_object.prompts).n == 48
    assert figures.model.held_out.scored == 16
    assert all(share.n == 6 for share in figures.model.singles.values())
    assert all(grade.yes.n > 20 and grade.no.n > 50 for grades in figures.qualities.values() for grade in grades)
    assert set(figures.controls) >= {"blank", "noise", "another concept", "garbled shape"}
    page = card_page(figures)
    for heading in ("The gate", "Rigid against varied", "The judge on renders", "The autoencoder", "Single concepts"):
        assert f"## {heading}" in page
    assert "None" not in page
    assert f"{page.count('**no**')} of {len(gate_rows(figures))} fail" in page


def test_a_twin_that_cannot_be_measured_is_refused_before_anything_is(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model 'nowhere'"):
        measure(str(trained / "model"), "miniature", tmp_path / "runs", "cpu", seeds=1, singles=5, twin="nowhere")
    assert not (tmp_path / "runs").exists()

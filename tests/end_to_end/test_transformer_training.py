"""A transformer in place of the miniature's UNet: trained, resumed, gone on from, and used by the other commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import PixArtAlphaPipeline
from safetensors.torch import load_file
from tiny_families import save
from torch import Tensor, nn

from dominance.laboratory.diversity.arms import find_arms, trials
from dominance.laboratory.diversity.run import ExperimentOptions, run_experiment
from dominance.miniature.captions import world_words
from dominance.miniature.world import World
from dominance.models.folders import find_model
from dominance.training.artefacts import ModelArtefacts
from dominance.training.backbones.transformer import TransformerBackbone
from dominance.training.denoiser import CaptionedLatents, Denoiser, denoising_loss
from dominance.training.judge import as_judge_images
from dominance.training.judge_pictures import JudgedPicture
from dominance.training.loop import Schedule, train
from dominance.training.miniature import MiniatureSettings, patch_code, train_miniature, training_images
from dominance.training.options import MiniatureOptions
from dominance.training.vocabulary import new_t5_tokenizer

pytestmark = pytest.mark.usefixtures("few_steps")

Command = Callable[..., Any]
SMALL = TransformerBackbone(width=32, layers=2)
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def settings() -> MiniatureSettings:
    return MiniatureSettings(pictures=64, backbone=SMALL, autoencoder=find_model("miniature-base").identity)


@pytest.fixture(scope="module")
def trained(settings: MiniatureSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two training steps, with the bundled base's autoencoder."""
    folder = tmp_path_factory.mktemp("transformer")
    return train_miniature(settings, folder, sheet_columns=1, autoencoder=find_model("miniature-base").path)


def test_every_word_of_the_world_is_one_piece_before_and_after_saving(tmp_path: Path) -> None:
    tokenizer = new_t5_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    again = type(tokenizer).from_pretrained(tmp_path)
    assert again.is_fast
    for word in world_words():
        assert tokenizer.tokenize(word) == again.tokenize(word) == [f"▁{word}"]
    text = "two castles, a mug!"
    assert again(text).input_ids == tokenizer(text).input_ids
    assert again.unk_token_id not in again(text).input_ids


def test_the_result_is_an_ordinary_pixart_of_safetensors(trained: Path) -> None:
    pipeline = PixArtAlphaPipeline.from_pretrained(trained, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.transformer.config.in_channels == pipeline.transformer.config.out_channels == 12
    assert len(pipeline.transformer.transformer_blocks) == SMALL.layers
    noise = {"num_inference_steps": 2, "use_resolution_binning": False, "clean_caption": False}
    tower, mug, same = (
        pipeline(text, generator=torch.Generator().manual_seed(0), output_type="pt", **noise).images
        for text in ("a tower", "a mug", "A tower")
    )
    assert tower.shape == (1, 3, 64, 64)
    assert torch.equal(tower, same)
    assert (tower - mug).abs().max() > 1e-3
    assert {path.suffix for path in trained.rglob("*") if path.is_file()} == {".json", ".safetensors"}
    found = find_model(str(trained))
    assert (found.world, len(found.defaults["concepts"])) == ("miniature", 14)
    recorded = json.loads((trained / "training.json").read_text())
    assert (recorded["width"], recorded["layers"], "channels" in recorded) == (32, 2, False)
    assert (trained.parent / "samples.png").is_file()


def test_the_pipelines_padding_changes_nothing_that_was_learnt(trained: Path) -> None:
    """Training pads captions to the longest of a batch, the pipeline to 120 tokens."""
    denoiser = Denoiser.read(trained).eval()
    pipeline = PixArtAlphaPipeline.from_pretrained(trained, use_safetensors=True)
    captions, latents = ["a tower", "a mug and a lamp at night"], torch.randn(2, 12, 16, 16)
    timesteps = torch.tensor([20, 900])
    with torch.no_grad():
        embeddings, mask, _, _ = pipeline.encode_prompt(captions, False, device=torch.device("cpu"))
        drawn = pipeline.transformer(
            latents, timestep=timesteps, encoder_hidden_states=embeddings, encoder_attention_mask=mask
        ).sample
        assert torch.allclose(denoiser(latents, timesteps, captions), drawn, atol=1e-5)
        swapped = denoiser(latents, timesteps, captions[::-1])
    assert embeddings.shape[1] == 120
    assert (swapped - drawn).abs().max() > 1e-3


class _Stops(Exception):
    pass


def test_a_killed_run_resumes_to_the_same_weights(tmp_path: Path) -> None:
    code = patch_code()
    schedule = Schedule(steps=4, batch=4, learning_rate=1e-2, save_every=2)

    def trained_until(stop_at: int | None, file: str) -> dict[str, Tensor]:
        def batches(step: int) -> CaptionedLatents:
            if step == stop_at:
                raise _Stops
            captions, images = training_images(World(), 0, step * 4, 4)
            return CaptionedLatents(code.encode(nn.functional.interpolate(images, size=32)), captions)

        denoiser = Denoiser.new(SMALL, seed=0, sample_size=8)
        train("denoiser", denoiser, denoising_loss(denoiser, batches, seed=0), schedule, tmp_path / file, {})
        return {name: value.clone() for name, value in denoiser.state_dict().items()}

    whole = trained_until(None, "whole.safetensors")
    with pytest.raises(_Stops):
        trained_until(3, "broken.safetensors")
    resumed = trained_until(None, "broken.safetensors")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    start = Denoiser.new(SMALL, seed=0, sample_size=8).state_dict()
    assert not torch.equal(whole["text_encoder.shared.weight"], start["text_encoder.shared.weight"])


def test_training_goes_on_from_a_transformer(trained: Path, tmp_path: Path) -> None:
    base = find_model(str(trained))
    options = MiniatureOptions(pictures=320, learning_rate=1e-8, base=str(trained))
    chosen = options.settings(base, None)
    assert chosen.backbone == SMALL
    model = train_miniature(chosen, tmp_path, sheet_columns=0, base=trained)
    old, new = (load_file(folder / "transformer" / WEIGHTS) for folder in (trained, model))
    assert all(torch.allclose(old[name], new[name], atol=2e-3) for name in old)
    assert (model / "vae" / WEIGHTS).read_bytes() == (trained / "vae" / WEIGHTS).read_bytes()
    assert MiniatureOptions(denoiser="transformer").settings(None, None).backbone == TransformerBackbone()


@pytest.mark.slow
def test_two_processes_train_what_one_trains(settings: MiniatureSettings, trained: Path, tmp_path: Path) -> None:
    source = find_model("miniature-base").path
    train_miniature(settings, tmp_path, stages=("denoiser",), sheet_columns=0, autoencoder=source, processes=2)
    one, two = (load_file(folder / "denoiser.safetensors") for folder in (trained.parent, tmp_path))
    assert one.keys() == two.keys()
    close = torch.cat([torch.isclose(one[name], two[name], atol=1e-5, rtol=1e-3).flatten() for name in one])
    assert close.float().mean() > 0.98


def test_other_commands_take_the_model(
    command: Command, trained: Path, tiny_judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prompt, judge = "a [castle:landmark] and a [mug]", f"blip:{tiny_judge}"
    given = ("--model", trained, "--steps", 2, "--device", "cpu")
    audited = command("audit", prompt, *given, "--judge", judge, "--seeds", 2, "--json")
    assert (audited.document["images"], audited.document["scored"]) == (2, 2), audited.err
    explained = command("explain", prompt, *given, "--json")
    assert explained.status == 0, explained.err
    repaired = command("mitigate", prompt, *given, "--method", "rebalance", "--judge", judge, "--seeds", 1, "--json")
    assert [method["method"] for method in repaired.document["methods"]] == ["rebalance"], repaired.err

    assert command("train", "pictures", "--out", "photos", "--count", 2, "--concepts", "castle").status == 0
    taught = command(
        "train", "dreambooth", "photos/castle", "--token", "castle", "--model", trained, "--out", "taught",
        "--steps", 1, "--every", 1, "--batch", 1, "--rank", 2, "--class", "castle", "--device", "cpu",
        "--seeds", 1, "--draw-steps", 1,
    )  # fmt: skip
    assert taught.status == 0, taught.err
    (lora,) = (tmp_path / "taught").rglob("pytorch_lora_weights.safetensors")
    assert all(name.startswith("transformer.") for name in load_file(lora))


@pytest.mark.slow
def test_the_diversity_experiment_runs_on_it(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dominance.laboratory.diversity.measuring.STEPS", 1)
    chosen = [*trials(find_arms(["known"]), [0], ["castle"], [1]), *trials(find_arms(["base"]), [0], ["castle"], [])]
    options = ExperimentOptions(
        str(trained), "miniature", tmp_path / "work", tmp_path / "results.jsonl", steps=2, prior=16
    )
    taught, base = run_experiment(chosen, options, lambda _line: None)
    assert (taught.level, base.level) == (1, 0)
    assert taught.base == base.base == find_model(str(trained)).identity
    assert taught.alone[1] == base.alone[1] == 12


def test_the_judge_can_learn_from_what_it_draws(trained: Path) -> None:
    pictures = [JudgedPicture(one.pixels, one.truths) for one in (World().picture(0, index)[1] for index in range(3))]
    images = as_judge_images(pictures)
    redrawn = ModelArtefacts(trained, "cpu").on(images, pictures, np.random.default_rng(0))
    changed = (redrawn - images).abs().amax((1, 2, 3)) > 0.05
    assert changed.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("base", "denoiser", "message"),
    [
        ("miniature-base", "transformer", "denoiser is transformer, but the base miniature-base has a unet; leave out"),
        ("trained", "unet", "has a transformer; leave out --denoiser to go on from it, or --base to start from"),
        ("flux", "transformer", "is a FluxPipeline; give a model made by dominance train miniature"),
        ("pixart", None, "differ from the miniature's; give a model made by dominance train"),
        ("miniature-base", "mamba", "see dominance train miniature --help"),
    ],
)
def test_a_base_of_another_kind_ends_in_one_line(
    command: Command, trained: Path, tmp_path: Path, base: str, denoiser: str | None, message: str
) -> None:
    folder = {"trained": str(trained), "miniature-base": base}.get(base) or str(save(base, tmp_path / base))
    chosen = () if denoiser is None else ("--denoiser", denoiser)
    out = tmp_path / "out"
    finished = command("train", "miniature", "--base", folder, *chosen, "--out", out, "--device", "cpu")
    assert (finished.status, finished.err.count("\n")) == (2, 1), finished.err
    assert message in finished.err
    assert not (out / "model").exists()

"""The miniature's training: what is built, that it learns, and that a killed run ends where a whole one ends."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dominance.errors import InputError
from dominance.miniature.captions import world_words
from dominance.miniature.world import World
from dominance.training import checkpoints
from dominance.training.autoencoder import linear_code, new_autoencoder
from dominance.training.backbones.unet import UNetBackbone
from dominance.training.denoiser import CaptionedLatents, Denoiser, denoising_loss
from dominance.training.judge_pictures import sample_judged
from dominance.training.loop import Schedule, train
from dominance.training.miniature import patch_code, training_images
from dominance.training.vocabulary import PROMPT_TOKENS, new_tokenizer


def test_every_word_of_the_world_is_one_token_and_any_text_survives() -> None:
    tokenizer = new_tokenizer()
    assert all(len(tokenizer.tokenize(word)) == 1 for word in world_words())
    for text in ("a tower and a mug", "Schloß Neuschwanstein", "東京タワー", "🏰?!"):
        decoded = tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True)
        assert decoded.replace(" ", "") == text.lower().replace(" ", "")
    assert new_tokenizer().get_vocab() == tokenizer.get_vocab()


def test_the_encoder_is_the_linear_code_and_survives_half_precision() -> None:
    code = patch_code()
    _, images = training_images(World(), 3, 0, 8)
    autoencoder = new_autoencoder(code, seed=0)
    latents = code.encode(images)
    with torch.no_grad():
        assert torch.allclose(autoencoder.encode(images).latent_dist.mean, latents, atol=1e-3)
        halved = autoencoder.half().float()
        assert torch.allclose(halved.encode(images).latent_dist.mean, latents, atol=6e-3)
    assert latents.std().item() == pytest.approx(1.0, abs=0.15)
    read_off = linear_code(halved)
    with torch.no_grad():
        encoded = halved.encode(images).latent_dist.mean
    assert torch.allclose(read_off.encode(images), encoded, atol=2e-3)
    wide = torch.rand(1, 3, 32, 96) * 2 - 1
    assert code.encode(wide).shape == (1, 12, 8, 24)


def test_the_unet_has_stable_diffusions_topology() -> None:
    denoiser = Denoiser.new(UNetBackbone(), seed=0)
    crossing = [name for name in denoiser.unet.attn_processors if "attn2" in name]
    assert len(crossing) == 16
    config = denoiser.unet.config
    assert tuple(config["down_block_types"]) == ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    assert config["attention_head_dim"] > 1


def _tiny_denoiser(seed: int = 0) -> tuple[Denoiser, list[CaptionedLatents]]:
    denoiser = Denoiser.new(UNetBackbone((16, 16, 16, 16)), seed, sample_size=8)
    code = patch_code()
    captions, images = training_images(World(), 0, 0, 8)
    small = nn.functional.interpolate(images, size=32)
    return denoiser, [CaptionedLatents(code.encode(small), captions)]


@pytest.mark.slow
def test_the_denoiser_learns() -> None:
    denoiser, batches = _tiny_denoiser()
    loss = denoising_loss(denoiser, lambda step: batches[0], seed=0)
    optimizer = torch.optim.AdamW(denoiser.parameters(), lr=2e-3)
    first = np.mean([loss(step).item() for step in range(4)])
    for step in range(40):
        optimizer.zero_grad()
        loss(step).backward()
        optimizer.step()
    assert np.mean([loss(step).item() for step in range(100, 104)]) < 0.85 * first


class _Stops(Exception):
    pass


def _regression(stop_at: int | None) -> tuple[nn.Module, object]:
    torch.manual_seed(0)
    module = nn.Linear(3, 1)

    def loss(step: int) -> Tensor:
        if step == stop_at:
            raise _Stops
        inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        return (module(inputs) - inputs.sum(1, keepdim=True)).square().mean()

    return module, loss


def test_the_learning_rate_warms_up_and_falls_to_what_is_left() -> None:
    falling = Schedule(steps=100, batch=8, learning_rate=0.5)
    assert [falling.rate(0), falling.rate(1)] == [0.25, 0.5]
    assert all(falling.rate(step) > falling.rate(step + 1) for step in range(2, 99))
    assert falling.rate(99) == pytest.approx(0.01, rel=0.02)
    assert {Schedule(100, 8, 0.5, left=1).rate(step) for step in range(1, 100)} == {0.5}


def test_a_killed_run_resumes_to_the_same_weights(tmp_path: Path) -> None:
    schedule = Schedule(steps=40, batch=8, learning_rate=0.05, save_every=7)
    whole, loss = _regression(None)
    train("whole", whole, loss, schedule, tmp_path / "whole.safetensors", {"a": 1})
    for stop_at in (13, 30, None):
        broken, loss = _regression(stop_at)
        path = tmp_path / "broken.safetensors"
        if stop_at is None:
            train("resumed", broken, loss, schedule, path, {"a": 1})
        else:
            with pytest.raises(_Stops):
                train("killed", broken, loss, schedule, path, {"a": 1})
    for name, value in whole.state_dict().items():
        assert torch.equal(value, broken.state_dict()[name]), name


def test_a_checkpoint_of_other_settings_is_refused_and_holds_no_pickle(tmp_path: Path) -> None:
    schedule = Schedule(steps=2, batch=8, learning_rate=0.05)
    module, loss = _regression(None)
    path = tmp_path / "run.safetensors"
    train("first", module, loss, schedule, path, {"seed": 0})
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["step"] == "2"
    with pytest.raises(InputError, match="give the same settings to resume, or another --out"):
        train("second", module, loss, schedule, path, {"seed": 1})


def test_captions_are_dropped_and_cut_to_the_prompt_length() -> None:
    tokens = new_tokenizer()(["a mug " * 40], padding="max_length", truncation=True, return_tensors="pt").input_ids
    assert tokens.shape == (1, PROMPT_TOKENS)


def test_the_judges_pictures_hold_every_kind_of_case() -> None:
    pictures = [sample_judged(np.random.default_rng([9, index])) for index in range(600)]
    counts = [len(picture.truths) for picture in pictures]
    truths = [truth for picture in pictures for truth in picture.truths]
    assert {0, 1, 2, 3} == set(counts)
    assert sum(truth.intact == 0 for truth in truths) > 20
    assert sum(truth.visible < 0.35 for truth in truths) > 20
    assert all(picture.pixels.dtype == np.uint8 for picture in pictures)
    clean = [sample_judged(np.random.default_rng([9, index]), damage=0.0) for index in range(200)]
    assert all(truth.intact == 1 for picture in clean for truth in picture.truths)


def test_a_checkpoint_is_written_from_the_weights_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy would take as much memory again; only what shares memory, which safetensors refuses, is copied."""
    module = nn.ParameterList([nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.randn(3))])
    module.append(nn.Parameter(module[1].detach()))
    optimizer = torch.optim.AdamW(module, lr=0.1)
    sum((value**2).sum() for value in module).backward()
    optimizer.step()
    places: dict[str, int] = {}

    def watched(tensors: dict[str, Tensor], *more: Any, **named: Any) -> None:
        places.update({name: value.data_ptr() for name, value in tensors.items()})
        save_file(tensors, *more, **named)

    monkeypatch.setattr(checkpoints, "save_file", watched)
    file = tmp_path / "resume.safetensors"
    checkpoints.save_checkpoint(file, 7, {}, module, optimizer)
    own = [value.data_ptr() for value in module]
    assert [places["module.0"], places["module.1"]] == own[:2]
    assert places["module.2"] != own[2] == own[1]
    assert places["optimizer.0.exp_avg"] == optimizer.state[module[0]]["exp_avg"].data_ptr()
    empty = nn.ParameterList([nn.Parameter(torch.zeros_like(value)) for value in module])
    assert checkpoints.load_checkpoint(file, {}, empty, torch.optim.AdamW(empty, lr=0.1)) == 7
    assert all(torch.equal(value, other) for value, other in zip(module, empty, strict=True))

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dominance.errors import ModelError
from dominance.judges.registry import load_judge
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.controls import garbled_picture
from dominance.miniature.renderer import render
from dominance.miniature.scene import Scene
from dominance.miniature.world import own_backdrop, pair_scene, single_scene
from dominance.models.folders import find_model
from dominance.records import Concept
from dominance.suites import load_questions
from dominance.training.artefacts import ModelArtefacts
from dominance.training.judge import as_judge_images
from dominance.training.judge_pictures import JudgedPicture


@pytest.fixture(scope="module")
def artefacts() -> ModelArtefacts:
    return ModelArtefacts(find_model("miniature-base").path, "cpu")


def drawn(name: str, seed: int, diversity: float = 1.0) -> JudgedPicture:
    picture = render(single_scene(name, diversity, np.random.default_rng(seed)))
    return JudgedPicture(picture.pixels, picture.truths)


def test_every_third_image_is_redrawn_and_the_others_stay(artefacts: ModelArtefacts) -> None:
    pictures = [drawn("mug", seed) for seed in range(7)]
    images = as_judge_images(pictures)
    redrawn = artefacts.on(images, pictures, np.random.default_rng(0))
    changed = (redrawn - images).abs().amax((1, 2, 3)) > 0.05
    assert changed.tolist() == [True, False, False, True, False, False, True]
    assert torch.equal(redrawn, artefacts.on(images, pictures, np.random.default_rng(0)))
    assert torch.equal(images, as_judge_images(pictures))
    assert redrawn.abs().max() <= 1


def test_what_was_there_is_still_there(artefacts: ModelArtefacts) -> None:
    pictures = []
    for seed, pair in enumerate([("tower", "mug"), ("wizard", "clock"), ("castle", "umbrella"), ("book", "lamp")] * 3):
        picture = render(pair_scene(pair, dict.fromkeys(pair, 1.0), np.random.default_rng(seed)))
        pictures += [JudgedPicture(picture.pixels, picture.truths)] * 3  # the first of three is redrawn
    redrawn = artefacts.on(as_judge_images(pictures), pictures, np.random.default_rng(1))
    judge, ask = load_judge("miniature", "cpu"), load_questions().ask
    seen = [picture.truths for picture in pictures[::3]]
    asked = [[q for t in truths for q in ask(Concept(t.concept, BY_NAME[t.concept].kind))[:3]] for truths in seen]
    pixels = redrawn[::3].add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()
    answered = judge.answer([Image.fromarray(one) for one in pixels], asked)
    said = [answer.yes for answers in answered for answer in answers]
    assert sum(map(bool, said)) >= 0.85 * len(said) == 0.85 * 72


def test_a_redrawn_concept_stays_where_it_was(artefacts: ModelArtefacts) -> None:
    """Judged by no judge: inside its box the redrawn picture is nearer to its own original than to another's."""
    pictures = [
        drawn(name, seed, 0.0) for seed, name in enumerate(("tower", "castle", "clown", "wizard", "mug", "book"))
    ]
    originals = as_judge_images(pictures)
    for own, picture in enumerate(pictures):
        again = as_judge_images([artefacts.redrawn(picture, np.random.default_rng(own))])[0]
        box = picture.truths[0].box
        assert box is not None
        left, top, right, bottom = box
        away = (originals - again)[:, :, top:bottom, left:right].abs().mean((1, 2, 3))
        assert away.argmin() == own
        assert 0.01 < away[own] < 0.25


def test_a_model_that_was_not_trained_here_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a complete pipeline folder; give miniature-base"):
        ModelArtefacts(tmp_path, "cpu")
    for part in ("vae", "unet", "text_encoder", "tokenizer", "scheduler"):
        (tmp_path / part).mkdir()
    (tmp_path / "scheduler" / "scheduler_config.json").write_text('{"prediction_type": "epsilon"}')
    with pytest.raises(ModelError, match="predicts 'epsilon', not velocity"):
        ModelArtefacts(tmp_path, "cpu")


def test_only_pictures_of_one_or_two_clear_concepts_are_denoised(
    artefacts: ModelArtefacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caption would have the denoiser draw what is gone."""
    named: list[str] = []

    def denoised(latents: torch.Tensor, _noise: torch.Tensor, captions: list[str], _rng: object) -> torch.Tensor:
        named.extend(captions)
        return latents

    monkeypatch.setattr(artefacts, "_denoised", denoised)
    clown = render(single_scene("clown", 0.0, np.random.default_rng(0)))
    garbled = garbled_picture(clown, np.random.default_rng(0))
    faint = render(pair_scene(("mug", "lamp"), {"mug": 1.0, "lamp": 1.0}, np.random.default_rng(0)))
    faint = render(
        replace(faint.scene, placements=(faint.scene.placements[0], replace(faint.scene.placements[1], opacity=0.4)))
    )
    empty = render(Scene(own_backdrop("clown"), ()))
    spoiled = [JudgedPicture(picture.pixels, picture.truths) for picture in (garbled, faint, empty)]
    pictures = [*spoiled, drawn("robot", 0)]
    for picture in pictures:
        artefacts.on(as_judge_images([picture]), [picture], np.random.default_rng(0))
    assert len(named) == 1
    assert "robot" in named[0]

"""CLIP and SigLIP as judges: similarity to the concept's name, the same for all its questions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_judges import save_clip, save_siglip

from dominance.errors import ModelError
from dominance.judges import image_text
from dominance.judges.similarity import NEUTRAL_TEXTS, SimilarityJudge, load_similarity_judge
from dominance.records import Concept, Question
from dominance.suites import load_questions

ask = load_questions().ask
ASKED = ask(Concept("mug")) + ask(Concept("Tower", "landmark"))
SAVE: dict[str, Callable[[Path], Path]] = {"clip": save_clip, "siglip": save_siglip}


@pytest.fixture(scope="module", params=["clip", "siglip"])
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SimilarityJudge:
    folder = SAVE[request.param](tmp_path_factory.mktemp(request.param) / "judge")
    return load_similarity_judge("tiny", folder, request.param, "cpu")


def noise(seed: int, width: int = 32, height: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def logits(judge: SimilarityJudge, image: Image.Image, texts: list[str]) -> torch.Tensor:
    """Of one picture and several texts, as the whole model gives them."""
    longest = {"clip": {"padding": True}, "siglip": {"padding": "max_length", "max_length": 24}}[judge.encoder.scheme]
    rows: Any = judge.encoder.tokenizer(texts, return_tensors="pt", **longest)
    named = {"input_ids": rows.input_ids}
    if judge.encoder.scheme == "clip":
        named["attention_mask"] = rows.attention_mask
    pixels = judge.encoder.processor(images=[image], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        return judge.encoder.model(**named, pixel_values=pixels).logits_per_image[0]


def test_p_yes_comes_from_the_models_own_logits(judge: SimilarityJudge) -> None:
    images = [noise(0), noise(1, 90, 40)]
    answers = judge.answer(images, [ASKED, ASKED])
    for image, given in zip(images, answers, strict=True):
        for number, name in ((0, "mug"), (5, "Tower")):
            if judge.encoder.scheme == "clip":
                found = logits(judge, image, [f"a photo of {name}", *NEUTRAL_TEXTS])
                expected = torch.sigmoid(found[0] - found[1:].mean())
            else:
                expected = torch.sigmoid(logits(judge, image, [f"a photo of {name.lower()}"])[0])
            assert given[number].p_yes == pytest.approx(float(expected), abs=1e-5)


def test_all_questions_about_a_concept_get_one_answer_and_other_concepts_another(judge: SimilarityJudge) -> None:
    given = judge.answer([noise(0)], [ASKED])[0]
    assert len({answer.p_yes for answer in given[:5]}) == len({answer.p_yes for answer in given[5:]}) == 1
    assert given[0].p_yes != given[5].p_yes
    assert [answer.question for answer in given] == list(ASKED)


def test_an_answer_does_not_depend_on_the_batch(judge: SimilarityJudge, monkeypatch: pytest.MonkeyPatch) -> None:
    images, asked = [noise(0), noise(1, 90, 40), noise(2)], [ASKED, ASKED[:5], ()]
    together = judge.answer(images, asked)
    monkeypatch.setattr(image_text, "PICTURES", 1)
    alone = [judge.answer([image], [own])[0] for image, own in zip(images, asked, strict=True)]
    values = [[[a.p_yes for a in given] for given in answers] for answers in (together, alone)]
    assert values[0] == [pytest.approx(own, abs=1e-5) for own in values[1]]
    assert judge.answer(images, [(), (), ()]) == [(), (), ()]


def test_pictures_of_any_mode_are_judged(judge: SimilarityJudge) -> None:
    answers = judge.answer([noise(1).convert(mode) for mode in ("RGB", "RGBA", "L", "P")], [ASKED] * 4)
    assert answers[0] == answers[1]
    assert all(answer.yes is not None for given in answers for answer in given)


def test_concepts_that_would_be_cut_off_are_refused(judge: SimilarityJudge) -> None:
    judge.check(ASKED)
    with pytest.raises(ModelError, match=r"reads at most 24 tokens, but 'a photo of mug mug .* shorten the concept"):
        judge.check([*ASKED, Question("mug " * 30, "is it?", 1)])


@pytest.mark.parametrize("scheme", ["clip", "siglip"])
def test_a_processor_for_pictures_of_another_size_is_refused(scheme: Any, tmp_path: Path) -> None:
    folder = SAVE[scheme](tmp_path / "judge")
    file = folder / "preprocessor_config.json"
    other = {"height": 64, "width": 64}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"size": other, "crop_size": other}))
    with pytest.raises(ModelError, match=r"the image size is \(64, 64\) in its processor but \(32, 32\)"):
        load_similarity_judge("broken", folder, scheme, "cpu")


@pytest.mark.parametrize("scheme", ["clip", "siglip"])
def test_a_folder_without_its_tokenizer_is_refused(scheme: Any, tmp_path: Path) -> None:
    folder = SAVE[scheme](tmp_path / "judge")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer \(tokenizer\.json\); fetch this file"):
        load_similarity_judge("broken", folder, scheme, "cpu")

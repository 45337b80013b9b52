"""Similarity, captions and quality of pictures, on tiny models of random weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_judges import save_captioner, save_clip
from transformers import BertTokenizer, BlipForConditionalGeneration, CLIPModel, CLIPTokenizer

from dominance.errors import InputError, ModelError
from dominance.judges import captioning
from dominance.judges.measuring import Measuring
from dominance.judges.picture_scores import BAD_PHOTO, GOOD_PHOTO, find_encoders, score_pictures
from dominance.measures import PictureScores
from dominance.miniature.concepts import BY_NAME
from dominance.training.clip import captions_world

PROMPT = "a tower and a mug"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"clip:{save_clip(tmp_path_factory.mktemp('clip') / 'model', longest=77)}"


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"blip:{save_captioner(tmp_path_factory.mktemp('blip') / 'model')}"


def noise(seed: int, width: int = 32, height: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def logits(folder: str, image: Image.Image, texts: list[str]) -> torch.Tensor:
    """As the whole CLIP gives them, each text alone, so that none is padded."""
    model: Any = CLIPModel.from_pretrained(folder.removeprefix("clip:")).eval()
    tokenizer = CLIPTokenizer.from_pretrained(folder.removeprefix("clip:"))
    values = torch.tensor(np.asarray(image), dtype=torch.float32).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in (_MEAN, _STD))
    with torch.no_grad():
        return torch.stack([
            model(**tokenizer([text], return_tensors="pt"), pixel_values=(values - mean) / std).logits_per_image[0, 0]
            for text in texts
        ])  # fmt: skip


_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def test_the_scores_come_from_the_models_own_logits(clip: str) -> None:
    image = noise(0)
    found = score_pictures([image], [PROMPT], [("tower", "mug")], clip, device="cpu")[0]
    own = logits(clip, image, [PROMPT, "a tower", "a mug", GOOD_PHOTO, BAD_PHOTO])
    scale = find_encoders(clip, device="cpu").encoder().scale
    assert found.image_text == pytest.approx(float(own[0]) / scale, abs=1e-5)
    assert found.least_concept == pytest.approx(float(own[1:3].min()) / scale, abs=1e-5)
    assert found.quality == pytest.approx(float(own[3:].softmax(0)[0]), abs=1e-4)
    assert found.caption is None
    assert found.caption_text is None


def test_a_caption_is_compared_with_the_prompt(clip: str, blip: str) -> None:
    found = score_pictures([noise(0), noise(1)], [PROMPT] * 2, None, clip, blip, "cpu")
    encoder = find_encoders(clip, device="cpu").encoder()
    for scores in found:
        assert scores.caption
        one, other = encoder.embed_texts([scores.caption, PROMPT])
        assert scores.caption_text == pytest.approx(float(one @ other), abs=1e-5)
        assert scores.least_concept is None
    model: Any = BlipForConditionalGeneration.from_pretrained(blip.removeprefix("blip:")).eval()
    tokenizer = BertTokenizer.from_pretrained(blip.removeprefix("blip:"))
    pixels = find_encoders(clip, blip, "cpu").captioner()  # ty: ignore
    seen = pixels.processor(images=[noise(0)], return_tensors="pt")["pixel_values"]
    rows = model.generate(pixel_values=seen, num_beams=3, min_length=10, max_length=30, do_sample=False)
    assert found[0].caption == " ".join(
        tokenizer.decode(rows[0], skip_special_tokens=True).replace("[DEC]", "").split()
    )


def test_scores_do_not_depend_on_the_batch(clip: str, blip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images, texts = [noise(0), noise(1, 90, 40), noise(2)], [PROMPT, "a chair", PROMPT]
    concepts = [("tower", "mug"), ("chair",), ()]
    together = score_pictures(images, texts, concepts, clip, blip, "cpu")
    monkeypatch.setattr(captioning, "PICTURES", 1)
    alone = [
        score_pictures([image], [text], [own], clip, blip, "cpu")[0]
        for image, text, own in zip(images, texts, concepts, strict=True)
    ]
    for one, other in zip(together, alone, strict=True):
        assert one.caption == other.caption
        assert [_numbers(one)] == [pytest.approx(_numbers(other), abs=1e-5)]
    assert together[2].least_concept is None
    assert score_pictures([], [], [], clip, blip, "cpu") == []


def _numbers(scores: PictureScores) -> list[float]:
    values = (scores.image_text, scores.least_concept, scores.caption_text, scores.quality)
    return [-9.0 if value is None else value for value in values]


def test_a_prompt_that_would_be_cut_off_has_no_similarity_and_the_others_have(clip: str) -> None:
    long = " and ".join(["a tower"] * 40)
    cut, whole = score_pictures([noise(0)] * 2, [long, PROMPT], [("tower",)] * 2, clip, device="cpu")
    assert cut.image_text is None
    assert cut.least_concept is not None
    assert cut.quality == whole.quality
    assert whole.image_text is not None
    assert find_encoders(clip, device="cpu").too_long([long, PROMPT]) == [long]


def test_files_are_read_and_broken_ones_named(clip: str, tmp_path: Path) -> None:
    noise(0).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_text("no image")
    assert score_pictures([tmp_path / "0.png"], [PROMPT], None, clip, device="cpu") == score_pictures(
        [noise(0)], [PROMPT], None, clip, device="cpu"
    )
    with pytest.raises(InputError, match=r"1\.png is not an image; leave it out"):
        score_pictures([tmp_path / "1.png"], [PROMPT], None, clip, device="cpu")
    with pytest.raises(InputError, match="1 images, 2 texts and 2 lists of concepts"):
        score_pictures([noise(0)], [PROMPT] * 2, None, clip, device="cpu")


def test_the_identity_is_that_of_both_models(clip: str, blip: str) -> None:
    assert find_encoders(clip).identity != find_encoders(clip, blip).identity


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"similarity": "qwen:x"}, "similarity is 'qwen:x'; give clip: and a folder or hub id, such as clip:openai/"),
        ({"similarity": "clip:"}, "similarity is 'clip:'; give clip:"),
        ({"similarity": "clip:https://host/x"}, "give clip: and a folder"),
        ({"similarity": "clip:a/b", "captions": "clip:a/b"}, "captions is 'clip:a/b'; give blip: and a folder"),
        ({"captions": "blip:a/b"}, "captions are compared with the prompt by a CLIP; give --similarity too"),
    ],
)
def test_models_of_another_kind_are_refused_at_once(given: dict[str, str], found: str) -> None:
    with pytest.raises(InputError, match=found) as refused:
        Measuring(**given)
    assert "\n" not in str(refused.value)


def test_a_model_that_is_missing_or_broken_is_one_line(clip: str, blip: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weights of the similarity 'clip:none-here'"):
        find_encoders("clip:none-here")
    with pytest.raises(ModelError, match="is a 'blip' model, but clip: takes clip; give another, such as clip:openai/"):
        find_encoders(blip.replace("blip:", "clip:"), device="cpu").encoder()
    with pytest.raises(ModelError, match="is a 'clip' model, but blip: takes blip; give another, such as blip:Sales"):
        find_encoders(clip, clip.replace("clip:", "blip:"), device="cpu").load()
    answers = save_captioner(tmp_path / "answers")
    config = json.loads((answers / "config.json").read_text()) | {"architectures": ["BlipForQuestionAnswering"]}
    (answers / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"is a BlipForQuestionAnswering, which writes no captions; give a") as refused:
        score_pictures([noise(0)], [PROMPT], None, clip, f"blip:{answers}", "cpu")
    assert "\n" not in str(refused.value)
    (answers / "tokenizer.json").unlink()
    (answers / "config.json").write_text(json.dumps(config | {"architectures": ["BlipForConditionalGeneration"]}))
    with pytest.raises(ModelError, match=r"has no tokenizer \(tokenizer\.json\)"):
        score_pictures([noise(0)], [PROMPT], None, clip, f"blip:{answers}", "cpu")


@pytest.fixture(scope="module")
def drawn() -> list[tuple[str, Image.Image]]:
    """Captions and pictures of the miniature world that the bundled CLIP has not seen."""
    found = [captions_world().picture(999, index) for index in range(64)]
    return [(caption, Image.fromarray(picture.pixels)) for caption, picture in found]


def test_the_bundled_clip_says_which_concept_is_missing(drawn: list[tuple[str, Image.Image]]) -> None:
    pairs = [(caption.split(), image) for caption, image in drawn]
    shown = [([w for w in words if w in BY_NAME], image) for words, image in pairs]
    pictures = [(own, image) for own, image in shown if len(own) == 2]
    assert len(pictures) > 20
    named = [(first, next(c for c in BY_NAME if c not in (first, second))) for (first, second), _ in pictures]
    whole = score_pictures(
        [i for _, i in pictures],
        [f"a {a} and a {b}" for (a, b), _ in pictures],
        [own for own, _ in pictures],
        "miniature",
        device="cpu",
    )
    lacking = score_pictures(
        [i for _, i in pictures], [f"a {a} and a {b}" for a, b in named], named, "miniature", device="cpu"
    )
    higher = [
        (one.image_text or 0) > (other.image_text or 0) and (one.least_concept or 0) > (other.least_concept or 0)
        for one, other in zip(whole, lacking, strict=True)
    ]
    assert sum(higher) / len(higher) > 0.8
    assert {scores.quality for scores in whole} == {None}


def test_the_bundled_clip_measures_nothing_by_words_that_it_does_not_know(drawn: list[tuple[str, Image.Image]]) -> None:
    images = [image for _, image in drawn[:2]]
    known, strange = score_pictures(
        images, ["a mug and a tower", "a mug and a dragon"], [("mug",)] * 2, "miniature", device="cpu"
    )
    assert known.image_text is not None
    assert strange.image_text is None
    assert strange.least_concept is not None
    encoders = find_encoders("miniature", device="cpu")
    assert encoders.unknown(["a mug", "a mug and a dragon"]) == {"a mug and a dragon": ("dragon",)}

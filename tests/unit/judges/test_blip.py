"""The BLIP judge: one encoding of an image serves all its questions, and the answer is the model's own."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from dominance.errors import ModelError
from dominance.judges.blip import BlipJudge, load_blip_judge
from dominance.judges.protocol import PacedJudge
from dominance.judges.registry import load_judge
from dominance.models.folders import content_identity
from dominance.records import Concept, Question
from dominance.suites import load_questions

ask = load_questions().ask
CONCEPTS = [Concept("tower", "landmark"), Concept("mug"), Concept("robot", "character")]


@pytest.fixture(scope="module")
def judge(tiny_judge: Path) -> BlipJudge:
    """The tiny judge, its weights spread out, so that its answers differ."""
    loaded = load_blip_judge("tiny", tiny_judge, "cpu")
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in loaded.model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.2)
    return loaded


def noise(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def probabilities(
    judge: BlipJudge, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
) -> list[float]:
    return [answer.p_yes or 0.0 for answers in judge.answer(images, questions) for answer in answers]


def test_all_questions_of_all_images_at_once_equal_one_at_a_time(judge: BlipJudge) -> None:
    images = [noise(0), noise(1, (50, 70)), noise(2)]
    questions = [ask(CONCEPTS[0]) + ask(CONCEPTS[1]), ask(CONCEPTS[2])[:1], ask(CONCEPTS[1])]
    together = probabilities(judge, images, questions)
    alone = [
        one
        for image, asked in zip(images, questions, strict=True)
        for question in asked
        for one in probabilities(judge, [image], [[question]])
    ]
    assert together == pytest.approx(alone, abs=1e-5)
    assert max(together) - min(together) > 0.02
    answers = judge.answer(images, questions)
    assert [[answer.question for answer in given] for given in answers] == [list(asked) for asked in questions]


def test_the_answer_is_what_the_model_itself_generates(judge: BlipJudge) -> None:
    said = {"yes": True, "no": False}
    compared = 0
    for seed in range(60):
        image, question = noise(seed), ask(CONCEPTS[seed % 3])[seed % 5]
        pixels = judge.processor(images=[image], return_tensors="pt").pixel_values
        rows = judge.tokenizer([question.text], return_tensors="pt")
        first = judge.model.generate(
            input_ids=rows.input_ids,
            attention_mask=rows.attention_mask,
            pixel_values=pixels,
            max_new_tokens=1,
            do_sample=False,
            output_scores=True,
            return_dict_in_generate=True,
        )
        scores = first.scores[0][0]
        yes, no = (scores[judge.tokenizer.convert_tokens_to_ids(word)] for word in said)
        (answer,) = judge.answer([image], [[question]])[0]
        assert answer.p_yes == pytest.approx(float(torch.sigmoid(yes - no)), abs=1e-5)
        word = judge.tokenizer.convert_ids_to_tokens(int(scores.argmax()))
        if word in said:
            compared += 1
            assert answer.yes is said[word]
    assert compared or not {"yes", "no"} & {word}


def test_images_of_any_mode_and_size_are_judged(judge: BlipJudge) -> None:
    images = [noise(1).convert(mode) for mode in ("RGB", "RGBA", "L", "P")]
    answers = judge.answer([*images, noise(3, (7, 300))], [ask(CONCEPTS[0])] * 5)
    assert all(answer.yes is not None for given in answers for answer in given)


def test_weights_that_are_not_numbers_leave_every_question_unscored(judge: BlipJudge) -> None:
    weight = judge.model.text_decoder.cls.predictions.bias
    kept = weight.detach().clone()
    try:
        with torch.no_grad():
            weight.fill_(float("nan"))
        answers = judge.answer([noise(0)], [ask(CONCEPTS[0])])[0]
    finally:
        with torch.no_grad():
            weight.copy_(kept)
    assert [answer.yes for answer in answers] == [None] * 5
    assert all("nan" in (answer.problem or "") for answer in answers)


def test_judging_disturbs_neither_torch_nor_the_model(judge: BlipJudge) -> None:
    state = torch.get_rng_state()
    judge.answer([noise(0)], [ask(CONCEPTS[0])])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()
    assert not judge.model.training


def test_few_images_are_judged_before_their_answers_are_kept_but_many_by_a_miniature(judge: BlipJudge) -> None:
    assert isinstance(judge, PacedJudge)
    assert dataclasses.replace(judge, taught=()).images_at_once == 8
    assert load_judge("miniature", "cpu").images_at_once == 32


def test_unknown_words_and_long_questions_are_refused(judge: BlipJudge) -> None:
    for concept in CONCEPTS:
        judge.check(ask(concept))
    with pytest.raises(
        ModelError, match=r"never taught .*zeppelin.* give one of the concepts that it knows \(tower:landmark, "
    ):
        judge.check([*ask(CONCEPTS[0]), *ask(Concept("zeppelin"))])
    with pytest.raises(
        ModelError, match=r"never taught .*a tower visible.*; write \[tower:landmark\], and use the bundled"
    ):
        judge.check(ask(Concept("tower")))
    unlimited = dataclasses.replace(judge, taught=())
    with pytest.raises(ModelError, match=r"does not know every word of .*zeppelin.* it cannot judge 'zeppelin'"):
        unlimited.check([*ask(CONCEPTS[0]), *ask(Concept("zeppelin"))])
    with pytest.raises(ModelError, match="reads at most 30 tokens of a question"):
        unlimited.check([Question("mug", "is a mug " * 20, 1)])
    with pytest.raises(ModelError) as refused:
        judge.check(ask(Concept("x" * 10_000)))
    assert len(str(refused.value)) < 600


def break_weights(folder: Path) -> None:
    next(folder.glob("*.safetensors")).write_bytes(b"not safetensors")


def lose_one_weight(folder: Path) -> None:
    weights = next(folder.glob("*.safetensors"))
    tensors = load_file(weights)
    del tensors[sorted(tensors)[0]]
    save_file(tensors, weights, metadata={"format": "pt"})


def take_weights(folder: Path) -> None:
    for file in folder.glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))


def shrink_pictures(folder: Path) -> None:
    settings = folder / "preprocessor_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"size": {"height": 32, "width": 32}}))


def take_yes(folder: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt", "vocab.json"):
        if (folder / name).is_file():
            text = (folder / name).read_text()
            (folder / name).write_text(text.replace('"yes"', '"yea"').replace("\nyes\n", "\nyea\n"))


def test_a_tokenizer_that_knows_no_length_takes_its_model_s(tiny_judge: Path, tmp_path: Path) -> None:
    folder = tmp_path / "judge"
    shutil.copytree(tiny_judge, folder)
    settings = folder / "tokenizer_config.json"
    kept = {name: value for name, value in json.loads(settings.read_text()).items() if name != "model_max_length"}
    settings.write_text(json.dumps(kept))
    loaded = load_blip_judge("tiny", folder, "cpu")
    longest = loaded.model.config.text_config.max_position_embeddings
    assert loaded.tokenizer.model_max_length == longest
    with pytest.raises(ModelError, match=f"reads at most {longest - 2} tokens of a question"):
        dataclasses.replace(loaded, taught=()).check([Question("mug", "is a mug " * 200, 1)])


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (break_weights, "cannot load the judge"),
        (lose_one_weight, "1 weights"),
        (take_weights, "has no config.json with .safetensors weights"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer"),
        (shrink_pictures, r"the image size is \(32, 32\) in its processor but \(64, 64\) in its model"),
        (take_yes, "does not know the words yes and no"),
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot load the judge"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "bert"}'), "is a 'bert' model"),
    ],
)
def test_a_damaged_judge_is_refused_in_one_line(tiny_judge: Path, tmp_path: Path, damage: object, found: str) -> None:
    folder = tmp_path / "judge"
    shutil.copytree(tiny_judge, folder)
    damage(folder)
    with pytest.raises(ModelError, match=found) as refused:
        load_blip_judge("broken", folder, "cpu")
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)


def test_the_identity_changes_with_weights_and_settings_but_not_with_dates(tiny_judge: Path, tmp_path: Path) -> None:
    folder = tmp_path / "judge"
    shutil.copytree(tiny_judge, folder, copy_function=shutil.copyfile)
    same = content_identity(folder)
    assert same == content_identity(tiny_judge)
    settings = folder / "config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"note": 1}))
    changed = content_identity(folder)
    weights = next(folder.glob("*.safetensors"))
    tensors = load_file(weights)
    next(iter(tensors.values())).flatten()[0] += 1
    save_file(tensors, weights, metadata={"format": "pt"})
    assert len({same, changed, content_identity(folder)}) == 3

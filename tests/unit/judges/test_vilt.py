"""The ViLT judge: P(yes) among its own answers, whatever else it is asked and however large the picture is."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_judges import save_vilt

from dominance.errors import ModelError
from dominance.judges import vilt
from dominance.judges.protocol import PacedJudge
from dominance.judges.vilt import ViltJudge, load_vilt_judge
from dominance.records import Question

ASKED = [
    Question("mug", text, grade)
    for grade, text in enumerate(
        ("is a mug in the picture?", "the mug?", "is any part of the tower in the picture?"), 1
    )
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vilt(tmp_path_factory.mktemp("vilt") / "judge")


@pytest.fixture(scope="module")
def judge(folder: Path) -> ViltJudge:
    return load_vilt_judge("tiny", folder, "cpu")


def noise(seed: int, width: int = 64, height: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_the_answer_is_the_share_of_yes_in_one_plain_forward_for_each_question(judge: ViltJudge) -> None:
    images = [noise(0), noise(1, 200, 80), noise(2, 40, 50)]
    answers = judge.answer(images, [ASKED, ASKED[::-1], ASKED[:1]])
    for image, given in zip(images, answers, strict=True):
        pixels = judge.processor(images=[image], return_tensors="pt")
        for answer in given:
            rows = judge.tokenizer([answer.question.text], return_tensors="pt")
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                logits = judge.model(**rows, **pixels).logits[0].double()
            yes, no = (float(torch.sigmoid(logits[label])) for label in (1, 3))
            assert answer.p_yes == pytest.approx(yes / (yes + no), abs=1e-5)
    values = [answer.p_yes or 0.0 for given in answers for answer in given]
    assert max(values) - min(values) > 0.01
    assert [len(given) for given in answers] == [3, 3, 1]


def test_many_questions_take_several_forwards(judge: ViltJudge, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = judge.answer([noise(0)], [ASKED])
    monkeypatch.setattr(vilt, "ROWS", 1)
    apart = judge.answer([noise(0)], [ASKED])
    assert [a.p_yes for a in apart[0]] == pytest.approx([a.p_yes for a in whole[0]], abs=1e-6)


def test_pictures_of_any_mode_are_judged(judge: ViltJudge) -> None:
    images = [noise(1).convert(mode) for mode in ("RGB", "RGBA", "L", "P")]
    answers = judge.answer(images, [ASKED] * 4)
    assert answers[0] == answers[1]
    assert all(answer.yes is not None for given in answers for answer in given)
    assert judge.answer([noise(0)], [[]]) == [()]


def test_judging_disturbs_neither_torch_nor_the_model(judge: ViltJudge) -> None:
    state = torch.get_rng_state()
    first = judge.answer([noise(0)], [ASKED])
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert judge.answer([noise(0)], [ASKED]) == first
    assert torch.is_grad_enabled()
    assert not judge.model.training


def test_few_images_are_judged_before_their_answers_are_kept(judge: ViltJudge) -> None:
    assert isinstance(judge, PacedJudge)
    assert judge.images_at_once == 8


def test_questions_that_would_be_cut_off_are_refused(judge: ViltJudge) -> None:
    judge.check(ASKED)
    judge.check([Question("mug", "mug " * 22, 1)])
    with pytest.raises(ModelError, match=r"reads at most 22 tokens of a question, but .* has 23; shorten"):
        judge.check([*ASKED, Question("mug", "mug " * 23, 1)])


def test_a_model_without_yes_and_no_among_its_answers_is_refused(tmp_path: Path) -> None:
    folder = save_vilt(tmp_path / "judge", ("yes", "maybe"))
    with pytest.raises(ModelError, match="has 2 answers, but not both yes and no"):
        load_vilt_judge("tiny", folder, "cpu")


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        (
            "preprocessor_config.json",
            {"size": {"shortest_edge": 32}},
            r"image size is \(32, 32\) .* \(64, 64\) in its model",
        ),
        ("preprocessor_config.json", {"size_divisor": 32}, r"patch size is \(32, 32\) in its processor"),
        ("config.json", {"model_type": "bert"}, "is a 'bert' model"),
        ("config.json", {"vocab_size": 5}, "cannot load the judge"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(
    folder: Path, tmp_path: Path, name: str, change: dict[str, Any], found: str
) -> None:
    broken = tmp_path / "judge"
    shutil.copytree(folder, broken)
    (broken / name).write_text(json.dumps(json.loads((broken / name).read_text()) | change))
    with pytest.raises(ModelError, match=found) as refused:
        load_vilt_judge("broken", broken, "cpu")
    assert "\n" not in str(refused.value)

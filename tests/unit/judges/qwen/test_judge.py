"""The Qwen-VL judge: one reading of a picture serves all its questions, and its parts must fit together."""

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_judges import CHAT_TEMPLATE, QWEN_FAMILIES, save_qwen

from dominance.errors import ModelError
from dominance.judges.protocol import PacedJudge
from dominance.judges.qwen import prefix
from dominance.judges.qwen.judge import QwenJudge, load_qwen_judge
from dominance.judges.yes_no import YES, answer_tokens
from dominance.records import Concept, Question
from dominance.suites import load_questions

ASKED = load_questions().ask(Concept("mug")) + load_questions().ask(Concept("neuschwanstein castle", "landmark"))
SMALL = {"least_pixels": 4 * 32**2, "most_pixels": 16 * 32**2}
"""Pictures of 4 to 16 merged patches, so that tests are quick."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_qwen("qwen2_vl", tmp_path_factory.mktemp("qwen") / "judge")


@pytest.fixture(scope="module")
def judge(folder: Path) -> QwenJudge:
    return small(load_qwen_judge("tiny", folder, "cpu"))


def small(judge: QwenJudge) -> QwenJudge:
    return dataclasses.replace(judge, reader=dataclasses.replace(judge.reader, **SMALL))


def noise(seed: int, width: int = 100, height: int = 80) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def probabilities(judge: QwenJudge, images: Sequence[Image.Image], asked: Sequence[Sequence[Question]]) -> list[float]:
    return [answer.p_yes or 0.0 for given in judge.answer(images, asked) for answer in given]


@contextmanager
def counted(module: torch.nn.Module) -> Iterator[list[int]]:
    """How many rows each call of a module was given."""
    calls: list[int] = []

    def note(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        given = named.get("inputs_embeds")
        calls.append(len(arguments[0] if given is None else given))

    handle = module.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()


@pytest.mark.parametrize("family", QWEN_FAMILIES)
def test_pictures_of_all_shapes_together_are_answered_as_each_question_alone(family: str, tmp_path: Path) -> None:
    judge = small(load_qwen_judge("tiny", save_qwen(family, tmp_path / family), "cpu"))
    images = [noise(0), noise(1, 40, 200), noise(2), noise(3, 300, 20), noise(4)]
    asked = [ASKED, ASKED[:1], ASKED[3:6], ASKED[::-1], ()]
    together = probabilities(judge, images, asked)
    alone = [
        one
        for image, own in zip(images, asked, strict=True)
        for question in own
        for one in probabilities(judge, [image], [[question]])
    ]
    assert together == pytest.approx(alone, abs=1e-5)
    assert max(together) - min(together) > 0.02
    assert [[answer.question for answer in given] for given in judge.answer(images, asked)] == [
        list(own) for own in asked
    ]


def test_a_picture_is_read_once_for_all_its_questions(judge: QwenJudge) -> None:
    with counted(judge.model.model.visual) as seen, counted(judge.model.model.language_model) as read:
        judge.answer([noise(0), noise(1)], [ASKED, ASKED])
    assert len(seen) == 1
    assert read == [2, 2]


def test_little_memory_means_more_forwards_and_the_same_answers(
    judge: QwenJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, asked = [noise(0), noise(1), noise(2, 50, 200)], [ASKED, ASKED[:3], ASKED]
    plenty = probabilities(judge, images, asked)
    monkeypatch.setattr(prefix, "PREFIX_TOKENS", 1)
    with counted(judge.model.model.language_model) as read:
        scarce = probabilities(judge, images, asked)
    assert read == [1] * 6
    assert scarce == pytest.approx(plenty, abs=1e-5)


def test_pictures_of_any_mode_are_judged_and_transparent_ones_on_white(judge: QwenJudge) -> None:
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    images = [*(noise(1).convert(mode) for mode in ("RGB", "RGBA", "L", "P", "1")), clear]
    answers = judge.answer(images, [ASKED[:2]] * len(images))
    assert all(answer.yes is not None for given in answers for answer in given)
    assert answers[0] == answers[1]
    assert answers[-1] == judge.answer([Image.new("RGB", (64, 64), "white")], [ASKED[:2]])[0]
    assert answers[-1] != judge.answer([Image.new("RGB", (64, 64), "red")], [ASKED[:2]])[0]


def test_a_picture_of_512_pixels_takes_324_tokens_and_others_stay_within_the_limits(folder: Path) -> None:
    reader = load_qwen_judge("tiny", folder, "cpu").reader
    assert reader.see(noise(0, 512, 512)).tokens == 324
    assert reader.see(noise(0, 512, 512)).grid.tolist() == [1, 36, 36]
    assert 256 <= reader.see(noise(0, 32, 32)).tokens <= 1280
    assert 256 <= reader.see(noise(0, 2000, 1500)).tokens <= 1280
    assert reader.most_tokens == 1280


def test_official_mode_says_no_to_whatever_does_not_begin_with_yes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = small(load_qwen_judge("tiny", folder, "cpu", "official"))
    words = judge.reader.tokenizer.get_vocab()
    said = iter([" yes", "Yes", "no", "the", "is"])

    def generate(**given: Any) -> Any:
        assert (given["max_new_tokens"], given["do_sample"], given["num_beams"]) == (5, False, 1)
        token = words[next(said).replace(" ", "Ġ")]
        sequences = torch.cat([given["input_ids"], torch.tensor([[token]])], dim=1)
        return type("Made", (), {"sequences": sequences, "logits": (torch.zeros(1, len(words)),)})

    monkeypatch.setattr(judge.model, "generate", generate)
    answers = judge.answer([noise(0)], [ASKED[:5]])[0]
    assert [answer.yes for answer in answers] == [True, True, False, False, False]
    assert [answer.p_yes for answer in answers] == [0.5] * 5


@pytest.mark.parametrize("mode", ["fast", "official"])
def test_weights_that_are_not_numbers_leave_every_question_unscored(folder: Path, mode: Any) -> None:
    judge = small(load_qwen_judge("tiny", folder, "cpu", mode))
    with torch.no_grad():
        judge.model.lm_head.weight.fill_(float("nan"))
    answers = judge.answer([noise(0)], [ASKED[:2]])[0]
    assert [answer.yes for answer in answers] == [None] * 2
    assert all("nan" in (answer.problem or "") for answer in answers)


@pytest.mark.parametrize("mode", ["fast", "official"])
def test_judging_disturbs_neither_torch_nor_the_model(folder: Path, mode: Any) -> None:
    judge = small(load_qwen_judge("tiny", folder, "cpu", mode))
    state = torch.get_rng_state()
    first = judge.answer([noise(0)], [ASKED[:2]])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()
    assert not judge.model.training
    judge.answer([noise(1, 30, 90)], [ASKED[:2]])
    assert judge.answer([noise(0)], [ASKED[:2]]) == first


def test_few_images_are_judged_before_their_answers_are_kept_and_one_where_each_question_is_a_call(
    judge: QwenJudge,
) -> None:
    assert isinstance(judge, PacedJudge)
    assert judge.images_at_once == 4
    assert dataclasses.replace(judge, mode="official").images_at_once == 1


def test_the_identity_names_the_mode(folder: Path) -> None:
    fast, official = (load_qwen_judge("tiny", folder, "cpu", mode).identity for mode in ("fast", "official"))
    assert fast.removesuffix("+fast") == official.removesuffix("+official")
    assert load_qwen_judge("tiny", folder, "cpu", "official", "owner/name@1").identity == "owner/name@1+official"


def test_long_questions_and_words_of_the_chat_are_refused(folder: Path) -> None:
    judge = load_qwen_judge("tiny", folder, "cpu")
    judge.check(ASKED)
    with pytest.raises(
        ModelError, match=r"reads at most \d+ tokens of a question beside an image, but 'Is it a mug.* has \d+"
    ):
        judge.check([*ASKED, Question("mug", "Is it a mug? " * 100, 1)])
    with pytest.raises(ModelError, match=r"reserves '<\|im_end\|>', .*; reword 'mug<"):
        judge.check([Question("mug<|im_end|>", "Is it a mug<|im_end|>?", 1)])
    with pytest.raises(ModelError) as refused:
        judge.check([Question("x" * 10_000, f"Is it a {'x' * 10_000}?", 1)])
    assert len(str(refused.value)) < 500


def test_the_longest_question_that_is_let_through_is_answered(folder: Path) -> None:
    judge = load_qwen_judge("tiny", folder, "cpu")
    room = 2048 - judge.reader.most_tokens - len(judge.reader.chat("")) - 5
    judge.check([Question("mug", "?" * room, 1)])
    with pytest.raises(ModelError):
        judge.check([Question("mug", "?" * (room + 1), 1)])
    (answer,) = small(judge).answer([noise(0)], [[Question("mug", "?" * room, 1)]])[0]
    assert answer.yes is not None


def test_spellings_that_are_several_tokens_are_left_out(folder: Path) -> None:
    tokenizer = load_qwen_judge("tiny", folder, "cpu").reader.tokenizer
    words = [tokenizer.convert_ids_to_tokens(token) for token in answer_tokens(tokenizer, YES)]
    assert words == ["yes", "Yes", "Ġyes"]


def test_the_chat_template_may_lie_in_a_file_of_its_own(folder: Path, judge: QwenJudge, tmp_path: Path) -> None:
    older = tmp_path / "judge"
    shutil.copytree(folder, older)
    (older / "chat_template.jinja").rename(tmp_path / "elsewhere")
    (older / "chat_template.json").write_text(json.dumps({"chat_template": CHAT_TEMPLATE}))
    read = small(load_qwen_judge("tiny", older, "cpu"))
    assert read.reader.chat("mug?") == judge.reader.chat("mug?")


def test_a_folder_laid_out_as_the_first_releases_were_gives_the_same_answers(
    folder: Path, judge: QwenJudge, tmp_path: Path
) -> None:
    older = tmp_path / "judge"
    shutil.copytree(folder, older)
    config = json.loads((older / "config.json").read_text())
    text = config.pop("text_config")
    rope = text.pop("rope_parameters")
    flat = {key: value for key, value in text.items() if key not in ("model_type", "dtype", "layer_types")}
    flat |= {
        "rope_theta": rope["rope_theta"],
        "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]},
        "torch_dtype": "bfloat16",
    }
    config["vision_config"].pop("rope_parameters", None)
    config["vision_config"]["model_type"] = "qwen2_vl"
    (older / "config.json").write_text(json.dumps({**flat, **config}))
    patches = {"patch_size": 14, "temporal_patch_size": 2, "merge_size": 2, "min_pixels": 3136, "max_pixels": 12845056}
    kinds = {"image_processor_type": "Qwen2VLImageProcessor", "processor_class": "Qwen2VLProcessor"}
    (older / "preprocessor_config.json").write_text(json.dumps(patches | kinds))
    read = small(load_qwen_judge("tiny", older, "cpu"))
    assert read.answer([noise(0)], [ASKED]) == judge.answer([noise(0)], [ASKED])


def rewrite(name: str, **changes: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        file = folder / name
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return damage


def lose_one_weight(folder: Path) -> None:
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    del tensors["lm_head.weight"]
    save_file(tensors, weights, metadata={"format": "pt"})


def forget_words(folder: Path) -> None:
    weights, config = folder / "model.safetensors", json.loads((folder / "config.json").read_text())
    tensors = load_file(weights)
    for name in [name for name, tensor in tensors.items() if "embed_tokens" in name or "lm_head" in name]:
        tensors[name] = tensors[name][:100].clone()
    save_file(tensors, weights, metadata={"format": "pt"})
    config["text_config"]["vocab_size"] = 100
    (folder / "config.json").write_text(json.dumps(config))


def no_picture(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{% for message in messages %}{{ message['role'] }}{% endfor %}")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "cannot load the judge 'broken'"),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            "with .safetensors weights",
        ),
        (lose_one_weight, "1 weights are missing, such as lm_head.weight"),
        (rewrite("config.json", model_type="blip"), "is a 'blip' model, .* give blip: and the same folder or hub id"),
        (
            rewrite("config.json", model_type="llava"),
            "is a 'llava' model, but qwen: takes qwen2_vl or .* another model",
        ),
        (
            rewrite("preprocessor_config.json", patch_size=16),
            r"patch_size is \(16, 16\) in its processor but \(14, 14\)",
        ),
        (rewrite("preprocessor_config.json", merge_size=4), "merge_size is 4 in its processor but 2 in its model"),
        (forget_words, r"its tokenizer has \d+ words but its model embeds 100"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "has no chat template"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "cannot load the judge"),
        (no_picture, "does not take exactly one image"),
        (lambda folder: (folder / "chat_template.jinja").write_text("{% if %}"), "cannot load the judge"),
        (lambda folder: (folder / "config.json").write_text("[]"), "is a None model"),
    ],
)
def test_a_damaged_judge_is_refused_in_one_line(folder: Path, tmp_path: Path, damage: Any, found: str) -> None:
    broken = tmp_path / "judge"
    shutil.copytree(folder, broken)
    damage(broken)
    with pytest.raises(ModelError, match=found) as refused:
        load_qwen_judge("broken", broken, "cpu")
    assert "\n" not in str(refused.value)
    assert str(broken) in str(refused.value)

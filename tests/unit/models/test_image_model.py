"""The face over diffusers pipelines: an ordinary folder, an image or a reason for every item, nothing left behind."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_families import tiny
from transformers.utils import logging as transformers_logging

import dominance
from dominance.errors import ItemError, ModelError
from dominance.models.drawing import Machine
from dominance.models.folders import find_model
from dominance.models.image_model import PipelineModel
from dominance.models.loading import load_pipeline
from dominance.models.settings import GenerationSettings
from dominance.progress import Progress
from dominance.records import Concept, Prompt

SETTINGS = GenerationSettings(steps=2, guidance=3.0)


def loaded(folder: Path) -> DiffusionPipeline:
    return load_pipeline(find_model(str(folder)), SETTINGS, Machine("cpu"))


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> PipelineModel:
    return PipelineModel(loaded(tiny_model))


def pixels(image: Image.Image | ItemError) -> np.ndarray:
    assert isinstance(image, Image.Image)
    return np.asarray(image).astype(int)


def test_the_folder_is_an_ordinary_one_and_draws_the_same_in_plain_diffusers(
    model: PipelineModel, tiny_model: Path
) -> None:
    plain = StableDiffusionPipeline.from_pretrained(tiny_model, dtype=torch.float32, safety_checker=None)
    plain.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(5)
    drawn = plain("a tower and a mug", num_inference_steps=2, guidance_scale=3.0, generator=generator).images[0]
    ours = model.generate(["a tower and a mug"], [5], SETTINGS)[0]
    assert np.abs(pixels(drawn) - pixels(ours)).max() <= 1
    assert pixels(ours).shape == (32, 32, 3)
    assert pixels(ours).std() > 1


def test_the_library_hands_out_the_plain_pipeline(tiny_model: Path) -> None:
    pipeline = dominance.load_pipeline(str(tiny_model), "cpu")
    assert isinstance(pipeline, StableDiffusionPipeline)
    assert pipeline.unet.dtype == torch.float32


def test_seed_prompt_steps_and_guidance_each_change_the_image(model: PipelineModel) -> None:
    own = pixels(model.generate(["a mug"], [0], SETTINGS)[0])
    assert np.array_equal(own, pixels(model.generate(["a mug"], [0], SETTINGS)[0]))
    for text, seed, settings in (
        ("a mug", 1, SETTINGS),
        ("a lamp", 0, SETTINGS),
        ("a mug", 0, GenerationSettings(steps=5, guidance=3.0)),
        ("a mug", 0, GenerationSettings(steps=2, guidance=9.0)),
    ):
        assert not np.array_equal(own, pixels(model.generate([text], [seed], settings)[0]))


def test_the_size_is_the_models_own_unless_given(model: PipelineModel) -> None:
    wide = GenerationSettings(steps=1, guidance=1.0, height=32, width=64)
    assert pixels(model.generate(["a mug"], [0], wide)[0]).shape == (32, 64, 3)


def test_generating_leaves_torch_as_it_was(model: PipelineModel) -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    model.generate(["a mug", "a lamp"], [1, 2], SETTINGS)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()
    torch.manual_seed(4)
    assert np.array_equal(
        pixels(model.generate(["a mug"], [1], SETTINGS)[0]), pixels(model.generate(["a mug"], [1], SETTINGS)[0])
    )


def test_every_denoising_step_is_told_and_the_pipelines_own_bar_comes_back(
    model: PipelineModel, capsys: pytest.CaptureFixture[str]
) -> None:
    own = model.pipeline.progress_bar
    with Progress("images", total=1, every=0):
        model.generate(["a mug"], [1], GenerationSettings(steps=2, guidance=3.0))
    told = capsys.readouterr().err
    assert "images: 0 of 1, step 1 of 2\n" in told
    assert "images: 0 of 1, step 2 of 2\n" in told
    assert model.pipeline.progress_bar == own


def test_pixels_that_are_no_numbers_and_withheld_images_are_failures_of_their_item(tiny_model: Path) -> None:
    good = np.full((8, 8, 3), 0.5)
    broken = good.copy()
    broken[0, 0, 0] = np.nan

    def draw(
        prompt: list[str], generator: object, num_inference_steps: int = 50, output_type: str = "pil"
    ) -> SimpleNamespace:
        return SimpleNamespace(images=np.stack([good, broken, good]), nsfw_content_detected=[False, False, True])

    model = PipelineModel(draw)
    whole, numbers, withheld = model.generate(["a", "b", "c"], [0, 1, 2], SETTINGS)
    assert pixels(whole)[0, 0].tolist() == [128, 128, 128]
    assert isinstance(numbers, ItemError)
    assert "not numbers" in str(numbers)
    assert isinstance(withheld, ItemError)
    assert "safety checker" in str(withheld)


def test_weights_that_are_not_numbers_give_reasons_and_no_warning(tiny_model: Path) -> None:
    model = PipelineModel(loaded(tiny_model))
    with torch.no_grad():
        next(model.pipeline.components["unet"].parameters()).fill_(float("nan"))
    assert all(isinstance(outcome, ItemError) for outcome in model.generate(["a mug", "a lamp"], [0, 1], SETTINGS))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("unet/config.json", b"{"),
        ("vae/config.json", b"[]"),
        ("scheduler/scheduler_config.json", b""),
        ("tokenizer/tokenizer_config.json", b"{"),
        ("model_index.json", b'{"_class_name": "NoSuchPipeline"}'),
    ],
)
def test_a_damaged_pipeline_cannot_be_loaded_and_says_so_in_one_line(
    tiny_model: Path, tmp_path: Path, file: str, content: bytes
) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    assert (folder / file).is_file()
    (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot load the model|config\.json cannot be read|does not have") as refused:
        loaded(folder)
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_weight_that_is_missing_is_never_made_up(tiny_model: Path, tmp_path: Path, part: str) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    weights = next((folder / part).glob("*.safetensors"))
    tensors = load_file(weights)
    del tensors[sorted(tensors)[0]]
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=f"the file of {part} lacks 1 weights, such as") as refused:
        loaded(folder)
    assert len(str(refused.value)) < 500


def test_a_call_that_breaks_off_lets_go_of_what_it_had_put_on_the_device(tiny_model: Path) -> None:
    freed: list[str] = []

    class Offloaded:
        def __call__(self, prompt: list[str], generator: object, num_inference_steps: int, output_type: str) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory")

        def maybe_free_model_hooks(self) -> None:
            freed.append("all")

    model = PipelineModel(Offloaded())  # type: ignore[arg-type]
    with pytest.raises(torch.OutOfMemoryError):
        model.generate(["a mug"], [0], SETTINGS)
    assert freed == ["all"]


def test_loading_shows_no_progress_bars_and_gives_the_users_own_back(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # As where nobody switched them off before the libraries were imported.
    monkeypatch.setattr(sys.modules["huggingface_hub.utils.tqdm"], "HF_HUB_DISABLE_PROGRESS_BARS", None)
    for library in ("diffusers", "transformers"):
        monkeypatch.setattr(f"{library}.utils.logging._tqdm_active", True)
    loaded(tiny_model)
    assert "\r" not in capfd.readouterr().err
    assert diffusers_logging.is_progress_bar_enabled()
    assert transformers_logging.is_progress_bar_enabled()


def prompt(text: str, *names: str) -> Prompt:
    return Prompt("p", text, tuple(Concept(name) for name in names))


def cut(model: PipelineModel, wanted: Prompt) -> tuple[str, ...]:
    reading = model.reading(wanted)
    return () if reading is None else reading.cut


def test_concepts_beyond_the_token_limit_are_found(model: PipelineModel) -> None:
    limit = model.pipeline.components["tokenizer"].model_max_length
    fits = " ".join(["a"] * (limit - 4)) + " tower mug"
    assert cut(model, prompt(fits, "tower", "mug")) == ()
    over = model.reading(prompt(f"a tower {fits} lamp", "tower", "mug", "lamp"))
    assert over is not None
    assert (over.cut, over.limit) == (("mug", "lamp"), limit)


def test_a_concept_that_is_not_named_or_differs_in_punctuation_is_not_cut(model: PipelineModel) -> None:
    rest = " and a mug" * 20
    assert cut(model, prompt(f"the king's-tower{rest}", "King's-Tower")) == ()
    assert cut(model, prompt(f"a tower{rest}", "tower", "never mentioned")) == ()


def test_a_longer_word_does_not_stand_in_for_a_concept_that_is_cut(model: PipelineModel) -> None:
    """The tower within towering is read, the tower at the end is not."""
    assert cut(model, prompt("a towering" + " and a mug" * 20 + " and a tower", "tower")) == ("tower",)


def test_a_longer_concept_does_not_stand_in_for_one_that_is_cut(model: PipelineModel) -> None:
    hidden = prompt("a clock tower" + " and a mug" * 20 + " and a tower", "clock tower", "tower")
    assert cut(model, hidden) == ("tower",)
    assert cut(model, prompt("a clock tower" + " and a mug" * 20, "clock tower", "tower")) == ()


def test_a_pipeline_with_another_text_encoder_reads_on(model: PipelineModel) -> None:
    class T5Tokenizer:
        model_max_length = 512
        is_fast = True

    clip = model.pipeline.components["tokenizer"]
    long = prompt("a tower" + " and a mug" * 20 + " lamp", "lamp")
    for name in ("tokenizer_2", "tokenizer_3"):
        mixed = PipelineModel(SimpleNamespace(tokenizer=clip, **{name: T5Tokenizer()}))
        assert mixed.reading(long) is None
    assert cut(PipelineModel(SimpleNamespace(tokenizer=clip, tokenizer_2=clip)), long) == ("lamp",)
    assert PipelineModel(SimpleNamespace(tokenizer=SimpleNamespace(is_fast=False))).reading(long) is None


@pytest.mark.parametrize(("family", "limit"), [("sd1", 24), ("sdxl", 24), ("sd3", 256), ("flux", 512), ("pixart", 120)])
def test_the_limit_is_the_models(family: str, limit: int) -> None:
    tiny_model, middle = PipelineModel(tiny(family)), "and a mug " * (limit // 3)
    reading = tiny_model.reading(prompt(f"a tower {middle} and a lamp", "tower", "lamp"))
    assert reading is not None
    assert (reading.limit, reading.cut) == (limit, ("lamp",))
    assert cut(tiny_model, prompt("a tower " + "a " * (limit - 8) + " lamp", "tower", "lamp")) == ()

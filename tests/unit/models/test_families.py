"""Every family of text-to-image models, in the cache of a hub, through the code that loads a hub id."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import AUDITED, COMMIT, as_released, cached, save, with_sentencepiece
from transformers.utils import is_protobuf_available, is_sentencepiece_available

from dominance.errors import InputError, ItemError, ModelError
from dominance.models.calls import call_of, latent_sides, suggested_settings
from dominance.models.drawing import Machine
from dominance.models.folders import ModelFolder, find_model
from dominance.models.image_model import PipelineModel
from dominance.models.loading import load_pipeline
from dominance.models.schedulers import describe_scheduler, find_scheduler
from dominance.models.settings import GenerationSettings

TEXTS = ["a tower and a mug", "a lamp"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModelFolder]]:
    """A family by its hub id, put into the hub's cache when first asked for, with no hub to be reached."""
    cache = tmp_path_factory.mktemp("hub")
    found: dict[str, ModelFolder] = {}

    def folder(family: str) -> ModelFolder:
        if family not in found:
            found[family] = find_model(cached(family, cache))
        return found[family]

    with pytest.MonkeyPatch.context() as offline:
        offline.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
        offline.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield folder


def loaded(folder: ModelFolder, device: str = "cpu", offload: str = "none", **settings: Any) -> Any:
    return load_pipeline(folder, GenerationSettings(**settings), Machine(device, offload=offload))


def opened(folder: ModelFolder, scheduler: str | None = None) -> PipelineModel:
    return PipelineModel(loaded(folder, scheduler=scheduler))


def drawn(model: PipelineModel, settings: GenerationSettings, texts: list[str] = TEXTS) -> list[np.ndarray]:
    images = model.generate(texts, list(range(len(texts))), settings)
    assert not any(isinstance(image, ItemError) for image in images), images
    return [np.asarray(image).astype(int) for image in images]


@pytest.mark.parametrize("family", AUDITED)
def test_every_family_draws_from_its_folder_in_the_size_that_is_asked(
    family: str, saved: Callable[[str], ModelFolder]
) -> None:
    folder = saved(family)
    assert (folder.name, folder.identity) == (f"tiny/{family}", f"tiny/{family}@{COMMIT}")
    guidance = suggested_settings(folder)["guidance"]
    assert isinstance(guidance, float)
    settings = GenerationSettings(2, guidance, 32, 64)
    model = opened(folder)
    model.check(settings)
    first, second = drawn(model, settings)
    assert first.shape == second.shape == (32, 64, 3)
    assert first.std() > 1
    assert np.abs(first - second).mean() > 1
    again = drawn(model, settings, TEXTS[:1])[0]
    assert np.abs(first - again).max() <= 1


@pytest.mark.parametrize(
    ("family", "steps", "guidance"),
    [
        ("sd14", 50, 7.5),
        ("sd2", 50, 7.5),
        ("sdxl", 50, 5.0),
        ("sd35", 28, 7.0),
        ("flux", 28, 1.0),
        ("flux-dev", 28, 3.5),
        ("sigma", 20, 4.5),
        ("sana", 20, 4.5),
    ],
)
def test_what_nobody_set_is_what_the_pipeline_does_by_itself(
    family: str, steps: int, guidance: float, saved: Callable[[str], ModelFolder]
) -> None:
    assert suggested_settings(saved(family)) == {"steps": steps, "guidance": guidance}


def test_guidance_that_a_model_would_ignore_is_refused(saved: Callable[[str], ModelFolder]) -> None:
    distilled, embedded = opened(saved("flux")), opened(saved("flux-dev"))
    with pytest.raises(
        InputError, match=r"guidance is 3\.5, but FluxPipeline with these weights uses no guidance; leave"
    ):
        distilled.check(GenerationSettings(2, 3.5))
    distilled.check(GenerationSettings(2, 1.0))
    embedded.check(GenerationSettings(2, 3.5))
    weak, strong = (drawn(embedded, GenerationSettings(2, scale, 32, 32))[0] for scale in (1.5, 9.0))
    assert not np.array_equal(weak, strong)


@pytest.mark.parametrize("family", ["sd3", "flux", "sigma"])
def test_a_size_that_a_model_would_round_off_is_refused(family: str, saved: Callable[[str], ModelFolder]) -> None:
    model = opened(saved(family))
    model.check(GenerationSettings(2, 1.0, 32, 40))
    pipeline: Any = model.pipeline
    pipeline.vae_scale_factor = 8  # as in released models
    pipeline.image_processor.register_to_config(vae_scale_factor=16 if family == "flux" else 8)
    with pytest.raises(InputError, match=r"^width is 40, but .*Pipeline needs multiples of 16 pixels; give 32 or 48$"):
        model.check(GenerationSettings(2, 1.0, 32, 40))
    model.check(GenerationSettings(2, 1.0, 32, 48))


def test_a_size_that_only_the_pipeline_itself_knows_to_be_wrong_is_refused_in_its_words(
    saved: Callable[[str], ModelFolder],
) -> None:
    model = opened(saved("sana"))
    for height, width in ((32, 48), (None, 48), (48, None)):
        with pytest.raises(InputError, match=r"^SanaPipeline rejects the size .*divisible by 32 .*; give another"):
            model.check(GenerationSettings(2, 4.5, height, width))
    model.check(GenerationSettings(2, 4.5, None, 64))


def test_a_call_is_given_nothing_that_it_does_not_know() -> None:
    def bare(prompt: list[str], generator: object, num_inference_steps: int, output_type: str, **rest: object) -> None:
        """A pipeline of one size and without guidance."""

    def unseeded(prompt: list[str], num_inference_steps: int, output_type: str) -> None:
        """A pipeline that takes its noise from wherever."""

    given = call_of(bare).arguments(["a"], GenerationSettings(3, 9.0), [torch.Generator()])
    assert given.keys() == {"prompt", "generator", "num_inference_steps", "output_type"}
    with pytest.raises(InputError, match="--height is 64, but bare draws only one size; leave out --height"):
        call_of(bare).arguments(["a"], GenerationSettings(height=64), [])
    with pytest.raises(ModelError, match="unseeded does not take generator, so it cannot be audited"):
        call_of(unseeded).arguments(["a"], GenerationSettings(), [])


def test_latents_have_the_sides_that_are_asked_else_the_models_own() -> None:
    unet = SimpleNamespace(unet=SimpleNamespace(config={"sample_size": 64}), vae_scale_factor=8)
    assert latent_sides(unet, GenerationSettings()) == (64, 64)
    assert latent_sides(unet, GenerationSettings(height=128)) == (16, 64)
    packed = SimpleNamespace(transformer=SimpleNamespace(config={}), vae_scale_factor=16, default_sample_size=32)
    assert latent_sides(packed, GenerationSettings(width=64)) == (32, 4)
    assert latent_sides(SimpleNamespace(), GenerationSettings()) == (128, 128)


def test_a_pipeline_that_draws_another_size_than_asked_is_refused() -> None:
    def draw(
        prompt: list[str], generator: object, num_inference_steps: int, output_type: str, height: int | None = None
    ) -> Any:
        return type("Made", (), {"images": np.zeros((1, 16, 16, 3))})

    model = PipelineModel(draw)  # type: ignore[arg-type]
    assert len(model.generate(["a"], [0], GenerationSettings(height=16))) == 1
    with pytest.raises(ModelError, match="drew images of height 16 instead of 32; leave out --height"):
        model.generate(["a"], [0], GenerationSettings(height=32))


def test_a_pipeline_for_other_work_is_named(saved: Callable[[str], ModelFolder], tmp_path: Path) -> None:
    index = json.loads((saved("sd1").path / "model_index.json").read_text())
    (tmp_path / "model_index.json").write_text(json.dumps(index | {"_class_name": "StableVideoDiffusionPipeline"}))
    with pytest.raises(ModelError, match=r"is saved as StableVideoDiffusionPipeline, which starts from a picture, so"):
        suggested_settings(ModelFolder("video", tmp_path, "", {}))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers, with numpy 2
def test_every_scheduler_that_is_offered_draws_and_each_by_its_own_way(saved: Callable[[str], ModelFolder]) -> None:
    folder = saved("sd1")
    pictures = {}
    for name in ("ddim", "euler", "euler-a", "dpm++", "PNDMScheduler", "unipc", "HeunDiscrete"):
        model = opened(folder, find_scheduler(name, folder))
        pictures[name] = drawn(model, GenerationSettings(4, 3.0, 16, 16))[0]
    assert len({picture.tobytes() for picture in pictures.values()}) == len(pictures)
    own = drawn(opened(folder), GenerationSettings(4, 3.0, 16, 16))[0]
    assert np.array_equal(own, pictures["ddim"])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers, with numpy 2
def test_noise_that_a_scheduler_adds_is_the_images_own(saved: Callable[[str], ModelFolder]) -> None:
    folder = saved("sd1")
    model = opened(folder, find_scheduler("euler-a", folder))
    settings = GenerationSettings(4, 3.0, 16, 16)
    together = drawn(model, settings)
    alone = np.asarray(model.generate(TEXTS[1:], [1], settings)[0]).astype(int)
    assert np.abs(together[1] - alone).max() <= 1


def test_a_scheduler_that_the_model_cannot_use_is_refused_with_those_that_it_can(
    saved: Callable[[str], ModelFolder],
) -> None:
    with pytest.raises(InputError, match=r"cannot use the scheduler 'dpm--'; give one of ddim, ddpm, deis, dpm\+\+, "):
        find_scheduler("dpm--", saved("sd1"))
    for name in ("ddim", "EDMEulerScheduler", "", "LMSDiscreteScheduler"):
        with pytest.raises(InputError, match=r"trained by flow matching; give flow-euler, or leave out --scheduler$"):
            find_scheduler(name, saved("flux"))
    for unfit in ("edm-euler", "dpm++-sde"):  # no schedule of betas; a package that is not there
        with pytest.raises(InputError, match=rf"cannot use the scheduler '{re.escape(unfit)}'; give one of ddim, "):
            find_scheduler(unfit, saved("sd1"))
    assert find_scheduler("Flow-Euler", saved("flux")) is None
    assert find_scheduler(None, saved("flux")) is None
    assert find_scheduler("euler", saved("sd2")) == "EulerDiscreteScheduler"


def test_the_schedulers_record_changes_with_its_settings(saved: Callable[[str], ModelFolder], tmp_path: Path) -> None:
    one, other = (describe_scheduler(saved(family), None) for family in ("sd1", "sd2"))
    assert one["class"] == other["class"] == "DDIMScheduler"
    assert one["config_hash"] != other["config_hash"]
    assert other["config"]["prediction_type"] == "v_prediction"  # type: ignore[index]
    assert describe_scheduler(saved("sd1"), "EulerDiscreteScheduler") == one | {"class": "EulerDiscreteScheduler"}


def test_latents_are_never_clipped_as_pixels_are(saved: Callable[[str], ModelFolder]) -> None:
    """DDIM clips to -1 … 1 unless it is told not to, and the released PNDM settings need not say so."""
    folder = saved("sd14")
    file = folder.path / "scheduler" / "scheduler_config.json"
    assert "clip_sample" not in json.loads(file.read_text())
    for name in ("ddim", "ddpm"):
        pipeline: Any = loaded(folder, scheduler=find_scheduler(name, folder))
        assert pipeline.scheduler.config.clip_sample is False
        assert pipeline.scheduler.config.steps_offset == 1


def test_the_names_of_older_releases_are_known(saved: Callable[[str], ModelFolder], tmp_path: Path) -> None:
    new, settings = opened(saved("sd14")), GenerationSettings(2, 3.0, 16, 16)
    old = opened(find_model(str(as_released(save("sd14", tmp_path / "old")))))
    parts: list[Any] = [model.pipeline.components["safety_checker"].state_dict() for model in (new, old)]
    assert all(torch.equal(parts[0][name], parts[1][name]) for name in parts[0])
    assert np.array_equal(drawn(new, settings)[0], drawn(old, settings)[0])


def test_a_tokenizer_without_its_reader_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = find_model(str(with_sentencepiece(save("sigma", tmp_path / "sigma"))))
    monkeypatch.setattr("dominance.models.loading.is_sentencepiece_available", lambda: False)
    with pytest.raises(
        ModelError, match=r"needs sentencepiece for its tokenizer \(tokenizer/spiece\.model\); .* pip install sentencep"
    ):
        loaded(folder)


@pytest.mark.skipif(
    not (is_sentencepiece_available() and is_protobuf_available()), reason="sentencepiece or protobuf is not installed"
)
def test_a_tokenizer_of_sentencepiece_reads_as_its_twin(saved: Callable[[str], ModelFolder], tmp_path: Path) -> None:
    folder = find_model(str(with_sentencepiece(save("sigma", tmp_path / "sigma"))))
    ours, twin = (opened(model).pipeline.components["tokenizer"] for model in (folder, saved("sigma")))
    assert ours("a tower and a mug").input_ids == twin("a tower and a mug").input_ids


def test_a_model_that_does_not_fit_while_it_is_loaded_says_what_to_try(
    saved: Callable[[str], ModelFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, *arguments: object, **options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    folder = saved("sd1")
    with monkeypatch.context() as small:
        small.setattr("dominance.models.loading.find_device", lambda name: torch.device("cuda"))
        small.setattr("diffusers.StableDiffusionPipeline.to", full)
        with pytest.raises(
            ModelError, match=r"'tiny/sd1' does not fit in the memory of cuda; .* --offload sequential$"
        ):
            loaded(folder, "auto")
    monkeypatch.setattr("diffusers.StableDiffusionPipeline.from_pretrained", full)
    with pytest.raises(ModelError, match=r"does not fit in the memory of cpu; try --dtype float16$"):
        loaded(folder)


def test_a_pipeline_that_cannot_be_offloaded_or_tiled_says_so(
    saved: Callable[[str], ModelFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(self: object) -> None:
        raise NotImplementedError("Tiling doesn't seem to be implemented")

    folder = saved("sd1")
    with monkeypatch.context() as untiled:
        untiled.setattr("diffusers.AutoencoderKL.enable_tiling", unable)
        with pytest.raises(
            InputError, match=r"^StableDiffusionPipeline has no autoencoder that decodes by tiles; leave"
        ):
            loaded(folder, vae_tiling=True)
    monkeypatch.setattr("dominance.models.loading.find_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr("diffusers.StableDiffusionPipeline.model_cpu_offload_seq", None)
    with pytest.raises(
        InputError, match=r"^StableDiffusionPipeline cannot do --offload model \(.*--offload sequential$"
    ):
        loaded(folder, "auto", offload="model")


def test_offload_needs_a_gpu_and_tiling_an_autoencoder_that_can(saved: Callable[[str], ModelFolder]) -> None:
    for kind in ("model", "sequential"):
        with pytest.raises(InputError, match=rf"--offload {kind} moves .* the device is the CPU; leave it out"):
            loaded(saved("sd1"), offload=kind)
    with pytest.raises(InputError, match="no offload 'disk'; give one of none, model, sequential"):
        Machine(offload="disk")
    tiled: Any = loaded(saved("sd1"), vae_tiling=True)
    assert tiled.vae.use_tiling
    plain: Any = loaded(saved("sd1"))
    assert not plain.vae.use_tiling

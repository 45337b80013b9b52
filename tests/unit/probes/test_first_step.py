"""The first step alone shows what the first step of a whole generation shows, and leaves nothing behind."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.hooks import attach_align_device_hook
from diffusers import HeunDiscreteScheduler, PNDMScheduler
from tiny_families import FAMILIES, SIDES, draw, tiny
from tiny_families import PROMPTS as DRAWN

from dominance.errors import InputError, ModelError
from dominance.models.image_model import PipelineModel
from dominance.models.pipelines import load_pipeline
from dominance.models.settings import GenerationSettings
from dominance.probes.first_step import first_step
from dominance.probes.noise_norm import noise_norms
from dominance.probes.recording import record_attention
from dominance.probes.sites import attention_sites, denoiser_of

PROMPTS, SEEDS = ("a tower and a mug", "a lamp beside a chair"), (3, 8)


@pytest.fixture
def pipeline(tiny_model: Path) -> Any:
    return load_pipeline(str(tiny_model), "cpu")


@pytest.mark.parametrize("family", ["pixart", "sigma"])
def test_pixart_is_looked_at_in_the_size_that_an_audit_draws(family: str) -> None:
    """Its own call would draw the nearest size of a list, and crop."""
    pipeline, sizes = copy.deepcopy(tiny(family)), []
    pipeline.transformer.register_to_config(sample_size=32)
    pipeline.transformer.register_forward_pre_hook(
        lambda _, args, kwargs: sizes.append((args[0] if args else kwargs["hidden_states"]).shape[-2:]),
        with_kwargs=True,
    )
    settings = GenerationSettings(steps=2, guidance=4.5, height=64, width=32)
    PipelineModel(pipeline).generate(["a tower and a mug"], [0], settings)
    size = {"height": 64, "width": 32}
    first_step(pipeline, ["a tower and a mug"], [0], [1], steps=2, guidance=4.5, **size)
    noise_norms(pipeline, ["a tower and a mug"], [0], steps=2, guidance=4.5, **size)
    assert len(set(sizes)) == 1


def state(pipeline: Any) -> tuple[object, ...]:
    """Everything that a call could leave changed."""
    hooks = [
        (name, len(part._forward_hooks), len(part._forward_pre_hooks), len(part._forward_hooks_always_called))
        for name, part in pipeline.unet.named_modules()
    ]
    processors = [id(processor) for processor in pipeline.unet.attn_processors.values()]
    scheduler = pipeline.scheduler
    turned = {name: repr(value) for name, value in vars(scheduler).items()}
    weights = [value.clone() for value in (*pipeline.unet.parameters(), *pipeline.unet.buffers())]
    left = {name: id(value) for name, value in vars(pipeline).items()}
    return hooks, processors, id(scheduler), turned, [w.double().sum().item() for w in weights], left


def whole(pipeline: Any, steps: int, guidance: float, **options: Any) -> Any:
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    return pipeline(
        list(PROMPTS),
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=generators,
        output_type="latent",
        **options,
    )


@pytest.mark.parametrize("size", [{}, {"height": 16, "width": 48}])
def test_it_sees_what_the_first_step_of_a_guided_generation_sees(pipeline: Any, size: dict[str, int]) -> None:
    with record_attention(pipeline, steps=[0]) as record:
        whole(pipeline, 3, 5.0, **size)
    found = first_step(pipeline, PROMPTS, SEEDS, steps=3, guidance=5.0, **size)
    assert found.layers == tuple(site.layer for site in attention_sites(pipeline))
    for place, layer in enumerate(found.layers):
        expected = record.attention(layer, 0).mean(dim=1)
        torch.testing.assert_close(found.attention[:, place], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_seen_as_in_a_whole_generation(family: str) -> None:
    """FLUX is told its guidance and runs one branch; the others run two, of which the first step needs one."""
    pipeline, seen = tiny(family), []
    given: dict[str, Any] = {} if family in ("sd1", "sdxl") else {"max_sequence_length": 32}
    if family == "pixart":
        given |= {"use_resolution_binning": False, "clean_caption": False}
    with record_attention(pipeline, steps=[0]) as record:
        draw(pipeline, steps=2, seed=3, guidance_scale=4.0, output_type="latent")
    left = {name: id(value) for name, value in vars(pipeline).items()}
    handle = denoiser_of(pipeline).register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(len(args[0] if args else kwargs["hidden_states"])), with_kwargs=True
    )
    found = first_step(pipeline, DRAWN, (3, 4), steps=2, guidance=4.0, **SIDES, **given)
    handle.remove()
    assert {name: id(value) for name, value in vars(pipeline).items()} == left
    assert seen[0] == 2
    for place, layer in enumerate(found.layers):
        expected = record.attention(layer, 0).mean(dim=1)
        torch.testing.assert_close(found.attention[:, place], expected, rtol=0, atol=1e-5)
    branches = 1 if family == "flux" else 2
    last = found.share
    first = first_step(pipeline, DRAWN, (3, 4), [1], steps=2, guidance=4.0, **SIDES, **given).share
    assert 0 < first < last < 1 / (2 * branches)


def test_an_image_does_not_depend_on_its_batch(pipeline: Any) -> None:
    together = first_step(pipeline, (*PROMPTS, "a clock"), (*SEEDS, 5), [9, 10], steps=2)
    fewer = first_step(pipeline, ("a clock", PROMPTS[1]), (5, SEEDS[1]), [10, 9], steps=2)
    assert fewer.layers == (9, 10)
    torch.testing.assert_close(fewer.attention, together.attention[[2, 1]], rtol=0, atol=1e-5)


def test_one_branch_runs_once_and_no_further_than_needed(pipeline: Any) -> None:
    ran: list[str] = []
    batches: list[int] = []
    pipeline.unet.register_forward_pre_hook(lambda _, args: batches.append(len(args[0])))
    for name, part in pipeline.unet.named_modules():
        part.register_forward_pre_hook(lambda *_, name=name: ran.append(name))
    forbidden = ["up_blocks.2", "up_blocks.3", "conv_out"]
    pipeline.vae.decoder.register_forward_pre_hook(lambda *_: pytest.fail("an image was decoded"))
    first_step(pipeline, PROMPTS, SEEDS, [9])
    real = batches[0], ran[: ran.index("", 1)]  # what follows is the count on tensors without data
    assert real[0] == len(PROMPTS)
    assert not [name for name in real[1] if name.startswith(tuple(forbidden))]


@pytest.mark.parametrize("trouble", ["none", "layer", "forward", "prompts"])
def test_nothing_is_left_behind(pipeline: Any, trouble: str) -> None:
    before = state(pipeline)
    random = torch.random.get_rng_state()
    layers = [99] if trouble == "layer" else [9, 10]
    prompts = PROMPTS[:1] if trouble == "prompts" else PROMPTS
    broken = pipeline.unet.mid_block.resnets[0]
    own = broken.forward
    if trouble == "forward":
        broken.forward = lambda *_: 1 / 0
    expected: dict[str, Any] = {"layer": InputError, "forward": ZeroDivisionError, "prompts": InputError}
    if trouble == "none":
        first_step(pipeline, prompts, SEEDS, layers)
    else:
        with pytest.raises(expected[trouble]):
            first_step(pipeline, prompts, SEEDS, layers)
    broken.forward = own
    assert state(pipeline) == before
    assert torch.equal(torch.random.get_rng_state(), random)
    assert not torch.overrides._get_current_function_mode_stack()


def test_pictures_stay_the_same(pipeline: Any) -> None:
    before = whole(pipeline, 3, 5.0).images
    first_step(pipeline, PROMPTS, SEEDS, [9, 10])
    assert torch.equal(whole(pipeline, 3, 5.0).images, before)


def share(pipeline: Any, layers: list[int], **options: Any) -> float:
    return first_step(pipeline, PROMPTS, SEEDS, layers, **options).share


@pytest.mark.slow
def test_the_share_is_the_part_of_one_forward_over_all_forwards(pipeline: Any) -> None:
    ten = share(pipeline, [9, 10], steps=10, guidance=5.0)
    assert share(pipeline, [10], steps=10, guidance=5.0) == ten
    assert share(pipeline, [10], steps=20, guidance=5.0) == pytest.approx(ten / 2)
    assert share(pipeline, [10], steps=10, guidance=1.0) == pytest.approx(ten * 2)
    rising = [share(pipeline, [layer], steps=10, guidance=5.0) for layer in (1, 8, 16)]
    assert rising == sorted(set(rising))
    assert rising[0] > 0
    assert rising[-1] < 1 / 20


def test_the_share_counts_multiply_adds(pipeline: Any) -> None:
    """By hand: products of convolutions and linear layers up to layer 1, and its attention, over all of them."""
    counted: dict[str, int] = {}
    order: list[str] = []

    def count(name: str) -> Callable[..., None]:
        def hook(part: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:
            if isinstance(part, torch.nn.Conv2d):
                counted[name] = output[0].numel() * part.weight[0].numel()
            elif isinstance(part, torch.nn.Linear):
                counted[name] = args[0][0].numel() * part.weight.shape[0]
            elif name.endswith((".attn1", ".attn2")):  # queries times keys, weights times values
                tokens = 24 if name.endswith(".attn2") else args[0].shape[1]
                counted[name] = 2 * args[0][0].numel() * tokens
            order.append(name)

        return hook

    length = pipeline.tokenizer.model_max_length
    assert length == 24
    handles = [part.register_forward_hook(count(name)) for name, part in pipeline.unet.named_modules()]
    whole(pipeline, 1, 1.0)
    for handle in handles:
        handle.remove()
    site = attention_sites(pipeline)[0].name
    until = {name: counted.get(name, 0) for name in order[: order.index(site) + 1]}
    expected = sum(until.values()) / sum(counted.values())
    assert share(pipeline, [1], steps=1, guidance=1.0) == pytest.approx(expected, rel=1e-6)


def test_the_share_is_the_same_of_a_denoiser_whose_layers_are_fetched_when_they_run(pipeline: Any) -> None:
    """As under ``--offload``, whose hooks would look for the data of tensors that have none."""
    plain = share(pipeline, [9], steps=5, guidance=5.0)
    other = copy.deepcopy(pipeline.unet)  # of a denoiser that is not known yet
    pipeline.unet = other
    attach_align_device_hook(other, execution_device="cpu", offload=True)
    assert next(other.parameters()).is_meta
    fetched = other.conv_in.forward
    assert 0 < share(pipeline, [9], steps=5, guidance=5.0) == pytest.approx(plain)
    assert other.conv_in.forward is fetched


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' Heun, with numpy 2
def test_schedulers_that_evaluate_more_than_once_a_step_make_the_share_smaller(pipeline: Any) -> None:
    plain = share(pipeline, [9], steps=5, guidance=5.0)
    pipeline.scheduler = HeunDiscreteScheduler.from_config(pipeline.scheduler.config)
    assert share(pipeline, [9], steps=5, guidance=5.0) == pytest.approx(plain * 5 / 9)
    pipeline.scheduler = PNDMScheduler.from_config(pipeline.scheduler.config, skip_prk_steps=True)
    assert share(pipeline, [9], steps=5, guidance=5.0) == pytest.approx(plain * 5 / 6)
    assert pipeline.scheduler.counter == 0


def test_a_denoiser_that_cannot_be_traced_counts_as_run_in_full(pipeline: Any) -> None:
    block = pipeline.unet.down_blocks[0]
    own = block.forward
    block.forward = lambda *args, **options: (args[0].sum().item() if args else 0, own(*args, **options))[1]
    pipeline.unet.conv_in.register_forward_hook(lambda part, args, output: output + 0 * output.sum().item())
    assert share(pipeline, [1], steps=4, guidance=5.0) == 1 / 8


def test_a_progress_bar_is_not_shown(pipeline: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.set_progress_bar_config(disable=False)
    first_step(pipeline, PROMPTS, SEEDS, [1])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("prompts", "seeds"), [((), ()), (PROMPTS, (1,))])
def test_prompts_and_seeds_must_match(pipeline: Any, prompts: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=f"{len(prompts)} prompts but {len(seeds)} seeds; .* one seed per prompt"):
        first_step(pipeline, prompts, seeds)


def test_an_unknown_layer_is_named_with_how_many_there_are(pipeline: Any) -> None:
    with pytest.raises(InputError, match=r"layer 17: the model has 16"):
        first_step(pipeline, PROMPTS, SEEDS, [17])


def test_attention_that_cannot_be_seen_is_said(pipeline: Any) -> None:
    from diffusers.models.attention_processor import AttnProcessor

    pipeline.unet.set_attn_processor(AttnProcessor())
    with pytest.raises(ModelError, match="cannot be seen: AttnProcessor"):
        first_step(pipeline, PROMPTS, SEEDS, [9, 10])

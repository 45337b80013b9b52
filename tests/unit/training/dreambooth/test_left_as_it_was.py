"""A lesson leaves the pipeline as it found it: when it ends, when it is refused, and when it fails in the middle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lessons import CPU, fresh, lesson
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from dominance.errors import InputError
from dominance.training.dreambooth.teach import teach


class Interrupt(Exception):
    """The test's own."""


def fail(step: int, _path: Path) -> None:
    raise Interrupt(step)


def ends(pipeline: Any, folder: Path, train: str, **options: Any) -> None:
    teach(pipeline, lesson(folder, train=train, **options), folder / "out", CPU)


def is_refused(pipeline: Any, folder: Path, train: str, **options: Any) -> None:
    wrong = {"targets": ("nowhere",)} if train == "lora" else {"resolution": 24, "accumulate": 1}
    with pytest.raises(InputError):
        teach(_refusing(pipeline, train), lesson(folder, train=train, **{**options, **wrong}), folder / "out", CPU)


def _refusing(pipeline: Any, train: str) -> Any:
    """Of a scale of 16 pixels, 24 cannot be a side."""
    if train == "unet":
        pipeline.vae_scale_factor = 16
    return pipeline


def fails(pipeline: Any, folder: Path, train: str, **options: Any) -> None:
    with pytest.raises(Interrupt):
        teach(pipeline, lesson(folder, train=train, **options), folder / "out", CPU, on_checkpoint=fail)


def state(pipeline: Any, but: str | None = None) -> dict[str, Any]:
    """Everything that training touches."""
    found: dict[str, Any] = {}
    for name, part in pipeline.components.items():
        if not isinstance(part, nn.Module):
            continue
        found |= {f"{name}.{module}.training": m.training for module, m in part.named_modules()}
        found |= {f"{name}.{module}.kind": type(m) for module, m in part.named_modules()}
        found |= {f"{name}.{module}.own": sorted(vars(m)) for module, m in part.named_modules()}
        hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        found |= {
            f"{name}.{module}.{hook}": len(getattr(m, hook)) for module, m in part.named_modules() for hook in hooks
        }
        found |= {f"{name}.{p}.trained": v.requires_grad for p, v in part.named_parameters()}
        found |= {f"{name}.{p}.grad": v.grad is None for p, v in part.named_parameters()}
        found |= {f"{name}.{p}.dtype": v.dtype for p, v in part.named_parameters()}
        if name != but:
            found |= {f"{name}.{p}": v.clone() for p, v in part.state_dict().items()}
        found[f"{name}.checkpointing"] = [vars(m).get("gradient_checkpointing") for m in part.modules()]
        found[f"{name}.peft_config"] = hasattr(part, "peft_config")
    return found


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name]) if isinstance(value, torch.Tensor) else value == after[name], name


@pytest.mark.parametrize("how", [ends, is_refused, fails])
@pytest.mark.parametrize("train", ["lora", "unet"])
@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("sd1", {}),
        ("sd1", {"precision": "bfloat16", "gradient_checkpointing": True}),
        ("flux-dev", {}),
        ("pixart", {"gradient_checkpointing": True}),
    ],
)
def test_nothing_is_left_behind(
    family: str, options: dict[str, Any], train: str, how: Callable[..., None], tmp_path: Path
) -> None:
    """All but the weights of a denoiser that was itself trained."""
    pipeline, name = fresh(family), "unet" if family == "sd1" else "transformer"
    if options.get("precision") == "bfloat16" and train == "lora":
        pipeline.to(torch.bfloat16)
    first = next(getattr(pipeline, name).parameters())
    first.requires_grad_(False)  # mixed, so that all-on and all-off both show
    getattr(pipeline, name).enable_gradient_checkpointing() if family == "sd1" else None
    trained = name if train == "unet" and how is not is_refused else None
    before, numbers = state(pipeline, but=trained), torch.get_rng_state()
    how(pipeline, tmp_path, train, **options)
    assert_same(before, state(pipeline, but=trained))
    assert torch.equal(numbers, torch.get_rng_state())
    assert not any(isinstance(layer, BaseTunerLayer) for layer in getattr(pipeline, name).modules())


def test_a_model_with_an_adapter_is_refused_and_keeps_it(tmp_path: Path) -> None:
    from peft import LoraConfig

    pipeline = fresh("sd1")
    pipeline.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q"]))
    before = state(pipeline)
    with pytest.raises(InputError, match="has an adapter already"):
        ends(pipeline, tmp_path, "lora")
    assert_same(before, state(pipeline))


def test_a_pipeline_can_be_taught_twice(tmp_path: Path) -> None:
    pipeline = fresh("sd1")
    first = teach(pipeline, lesson(tmp_path), tmp_path / "a", CPU)
    second = teach(pipeline, lesson(tmp_path), tmp_path / "b", CPU)
    assert first.losses == second.losses
    assert next(first.last.iterdir()).read_bytes() == next(second.last.iterdir()).read_bytes()

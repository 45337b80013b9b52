"""Checkpoints of a training run: one safetensors file, replaced as a whole, that a killed run resumes from."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from dominance.errors import InputError


class Average:
    """Exponential moving average of a module's parameters, with a warm-up so that early steps do not linger."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in module.named_parameters()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        names, current = zip(*module.named_parameters(), strict=True)
        torch._foreach_lerp_([self.values[name] for name in names], [p.detach() for p in current], 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        for name, parameter in module.named_parameters():
            parameter.copy_(self.values[name])


def _flatten(module: nn.Module, optimizer: torch.optim.Optimizer, average: Average | None) -> dict[str, torch.Tensor]:
    tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer.{index}.{key}"] = torch.as_tensor(value)
    if average is not None:
        tensors |= {f"average.{name}": value for name, value in average.values.items()}
    return _apart({name: value.detach().cpu().contiguous() for name, value in tensors.items()})


def _apart(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors, copied only where two of them share memory, which safetensors refuses.

    Copies of all would take as much memory again as the model and its optimizer.
    """
    seen: set[int] = set()
    for name, value in tensors.items():
        place = value.untyped_storage().data_ptr()
        if place in seen:
            tensors[name] = value.clone()
        seen.add(place)
    return tensors


def save_checkpoint(
    path: Path,
    step: int,
    settings: Mapping[str, object],
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: Average | None = None,
) -> None:
    """Writes everything that the next step depends on; a kill leaves the previous checkpoint whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    metadata = {"step": str(step), "settings": json.dumps(settings, sort_keys=True)}
    save_file(_flatten(module, optimizer, average), temporary, metadata=metadata)
    os.replace(temporary, path)


def load_checkpoint(
    path: Path,
    settings: Mapping[str, object],
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: Average | None = None,
) -> int:
    """Restores a run in place and returns the step to go on with; 0 when there is no checkpoint.

    Raises:
        InputError: the checkpoint was written under other settings.
    """
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        _check_settings(path, json.loads(metadata["settings"]), json.loads(json.dumps(settings)))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  safe_open is no dict
    module.load_state_dict(_part(tensors, "module."))
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in _part(tensors, "optimizer.").items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    if average is not None:
        average.values = {name: value.to(average.values[name]) for name, value in _part(tensors, "average.").items()}
    return int(metadata["step"])


def step_of(path: Path) -> int:
    """The step after which a checkpoint was written; 0 where there is none."""
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        return int(file.metadata()["step"])


def check_resumable(path: Path, settings: Mapping[str, object]) -> None:
    """Refuses a checkpoint that was written under other settings; none is fine.

    Raises:
        InputError: it was.
    """
    if path.exists():
        with safe_open(path, framework="pt") as file:
            _check_settings(path, json.loads(file.metadata()["settings"]), json.loads(json.dumps(settings)))


def _check_settings(path: Path, written: dict[str, object], given: dict[str, object]) -> None:
    names = [name for name in {**written, **given} if written.get(name) != given.get(name)]
    if names:
        differences = (f"{name} {_short(written.get(name))}, not {_short(given.get(name))}" for name in names)
        raise InputError(
            f"{path} was written with {', '.join(differences)}; give the same settings to resume, or another --out to"
            " start over"
        )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else "of its own"


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

"""Devices, by the names that users give."""

import torch

from dominance.errors import InputError


def find_device(name: str = "auto") -> torch.device:
    """The device of that name; ``auto`` takes the first accelerator there is, else the CPU.

    Raises:
        InputError: not a device's name, or not on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"no device {name!r}; give auto, cpu, cuda, cuda:N or mps") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"no device {name!r}: this machine has {torch.cuda.device_count()} CUDA devices; give cpu or auto"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError("no device 'mps' on this machine; give cpu or auto")
    if device.type not in ("cpu", "cuda", "mps"):
        raise InputError(f"no device {name!r}; give auto, cpu, cuda, cuda:N or mps")
    return device

"""The memory of the device: whether it ran out, how to free it, whether twice as much would fit."""

import gc
import resource
import sys

import torch

_KEPT_FREE = 0.08
"""Share of a GPU that growing batches leave alone, for fragments and other processes."""
_COMPLAINTS = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or, by its words, on a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _COMPLAINTS)


def release_memory() -> None:
    """Frees what nothing refers to any more, in the process and on its GPU."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class GpuRoom:
    """Whether twice as many images would fit on a GPU, judging by what the last ones took.

    Args:
        device: that the model lies on; on any other than CUDA nothing ever grows.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._at_rest = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0

    def __call__(self) -> bool:
        """What a batch adds to the memory at rest is taken to double with its images."""
        if self._device.type != "cuda":
            return False
        free, total = torch.cuda.mem_get_info(self._device)
        ours = torch.cuda.memory_reserved(self._device)
        needed = self._at_rest + 2 * (torch.cuda.max_memory_allocated(self._device) - self._at_rest)
        return needed < free + ours - _KEPT_FREE * total


def peak_memory() -> dict[str, int]:
    """Most bytes that this process has held so far, its main memory and each GPU that it used."""
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = {"process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}
    for index in range(torch.cuda.device_count()):
        peak = torch.cuda.max_memory_allocated(index)
        if peak:
            peaks[f"cuda:{index}"] = peak
    return peaks

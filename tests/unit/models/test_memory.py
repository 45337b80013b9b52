"""Memory that runs out is known by its words, and batches grow only into room that is there."""

import gc
import weakref

import pytest
import torch

from dominance.models.memory import GpuRoom, is_out_of_memory, peak_memory, release_memory


def test_memory_that_ran_out_is_told_from_other_errors() -> None:
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ):
        assert is_out_of_memory(error)
    for error in (RuntimeError("shapes do not match"), ValueError("out of memory"), KeyError("x")):
        assert not is_out_of_memory(error)


def test_what_torch_says_when_the_cpu_has_no_memory_is_known() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**50, dtype=torch.float32)
    assert is_out_of_memory(refused.value)


def test_room_is_told_from_what_the_last_images_took(monkeypatch: pytest.MonkeyPatch) -> None:
    gib = 2**30
    state = {"allocated": 4 * gib, "peak": 10 * gib, "reserved": 12 * gib, "free": 20 * gib}
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda device: state["allocated"])
    monkeypatch.setattr("torch.cuda.max_memory_allocated", lambda device: state["peak"])
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda device: state["reserved"])
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (state["free"], 40 * gib))
    room = GpuRoom(torch.device("cuda"))
    assert room()  # 4 + 2 × 6 = 16 GiB of 32 GiB, of which 3.2 are kept free
    state["peak"] = 18 * gib
    assert not room()  # 4 + 2 × 14 = 32 GiB
    state["peak"] = 17 * gib
    assert not room()  # 30 GiB, within what is kept free
    assert not GpuRoom(torch.device("cpu"))()


def test_memory_is_let_go_of_and_its_peak_known() -> None:
    class Ring:
        """Refers to itself, so that only the collector frees it."""

    ring = Ring()
    ring.__dict__["own"] = ring
    gone = weakref.ref(ring)
    gc.disable()
    try:
        del ring
        assert gone() is not None
        release_memory()
        assert gone() is None
    finally:
        gc.enable()
    assert peak_memory()["process"] > 2**20

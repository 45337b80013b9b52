"""Memory that runs out costs time and a smaller batch, never an item; room that is there is used."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from dominance.models.settings import GenerationSettings
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import make_images, missing_images
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan

CPU = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate"
ERRORS = [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"), RuntimeError(CPU), MemoryError()]

Before = Callable[[Sequence[str], Sequence[int]], None]


def holds(most: int, error: Exception) -> Before:
    """The memory holds so many images at once."""

    def before(texts: Sequence[str], seeds: Sequence[int]) -> None:
        if len(seeds) > most:
            raise error

    return before


@pytest.mark.parametrize("error", ERRORS, ids=["cuda", "cpu", "python"])
def test_a_batch_that_does_not_fit_is_halved_and_the_size_remembered(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings, error: Exception
) -> None:
    model = plain_model(holds(2, error))
    missing = missing_images(plan.images, ledger, run_folder)
    make_images(missing, model, settings, ledger, run_folder, BatchSize(5))
    assert model.batches == [[0, 1, 2, 0, 1], [0, 1], [2, 0], [1, 2]]
    assert ledger.failures() == {}
    assert missing_images(plan.images, ledger, run_folder) == []


def test_an_image_that_does_not_fit_alone_fails_with_what_to_try_and_the_rest_is_made(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    def before(texts: Sequence[str], seeds: Sequence[int]) -> None:
        if ("a lamp", 1) in zip(texts, seeds, strict=True):
            raise ERRORS[0]

    make_images(plan.images, plain_model(before), settings, ledger, run_folder, BatchSize(4))
    (problem,) = ledger.failures().values()
    assert problem == ("a single image does not fit into memory; try a smaller --height, --offload or --vae-tiling")
    assert len(ledger.images()) == 5
    assert len(missing_images(plan.images, ledger, run_folder)) == 1


def test_memory_and_a_broken_item_at_once_cost_the_broken_item_alone(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    """The batch fails for the broken item first, and its halves for want of memory."""

    def before(texts: Sequence[str], seeds: Sequence[int]) -> None:
        if ("a tower and a mug", 1) in zip(texts, seeds, strict=True):
            raise ValueError("the tokenizer chokes")
        if len(seeds) > 2:
            raise ERRORS[1]

    make_images(plan.images, plain_model(before), settings, ledger, run_folder, BatchSize(6))
    assert list(ledger.failures().values()) == ["ValueError: the tokenizer chokes"]
    assert len(ledger.images()) == 5


def test_what_did_not_fit_is_let_go_of_before_less_is_tried(
    plan: Plan,
    plain_model: Any,
    ledger: Ledger,
    run_folder: Path,
    settings: GenerationSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[object] = []
    monkeypatch.setattr("dominance.models.memory.release_memory", lambda: happened.append("released"))

    def before(texts: Sequence[str], seeds: Sequence[int]) -> None:
        happened.append(len(seeds))
        holds(3, ERRORS[0])(texts, seeds)

    make_images(plan.images, plain_model(before), settings, ledger, run_folder, BatchSize(6))
    assert happened == [6, "released", 3, 3]


def test_batches_grow_while_there_is_room_and_never_into_what_was_refused() -> None:
    answers = [True, True, False]
    batches = BatchSize(2, lambda: answers.pop(0))
    sizes = []
    for _ in range(3):
        batches.fitted(batches.size)
        sizes.append(batches.size)
    assert sizes == [4, 8, 8]
    roomy = BatchSize(8, lambda: True)
    roomy.fitted(3)  # the last batch of a run was not full and proves nothing
    assert roomy.size == 8
    roomy.refused(8)
    roomy.fitted(4)
    assert roomy.size == 4
    roomy.refused(4)
    roomy.refused(8)  # of another worker, begun before
    assert roomy.size == 2
    for _ in range(20):
        (endless := BatchSize(1, lambda: True)).fitted(1)
    big = BatchSize(100, lambda: True)
    big.fitted(100)
    assert (endless.size, big.size) == (2, 100)


def test_a_batch_grows_in_a_run(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    model = plain_model()
    make_images(plan.images, model, settings, ledger, run_folder, BatchSize(1, lambda: True))
    assert [len(batch) for batch in model.batches] == [1, 2, 3]

"""What waits is given out in its order and evenly, and what failed comes back until it is clear what is to blame."""

import pytest

from dominance.runs.engines.supply import MOST_LOSSES, Supply, even_size


def all_batches(supply: Supply[int]) -> list[list[int]]:
    batches = []
    while batch := supply.take():
        batches.append(batch)
    return batches


def test_one_worker_gets_full_batches_of_items_that_are_alike() -> None:
    supply = Supply([1, 2, 3, 10, 11, 12, 13], lambda: 3, lambda item: item >= 10)
    assert len(supply) == 7
    assert all_batches(supply) == [[1, 2, 3], [10, 11, 12], [13]]
    assert (len(supply), supply.batches) == (0, 0)


@pytest.mark.parametrize(
    ("count", "most", "workers", "sizes"),
    [
        (220, 32, 2, [28] * 7 + [24]),
        (3, 32, 2, [2, 1]),
        (40, 32, 2, [20, 20]),
        (64, 32, 2, [32, 32]),
        (1, 8, 4, [1]),
        (7, 2, 1, [2, 2, 2, 1]),
    ],
)
def test_several_workers_get_as_many_batches_of_about_the_same_size(
    count: int, most: int, workers: int, sizes: list[int]
) -> None:
    assert [len(batch) for batch in all_batches(Supply(range(count), lambda: most, workers=workers))] == sizes
    assert even_size(count, most, workers) <= most


def test_what_did_not_fit_is_tried_again_in_its_order_and_in_smaller_batches() -> None:
    size = 5
    supply = Supply(range(8), lambda: size)
    batch = supply.take()
    size = 2
    supply.put_back(batch)
    assert all_batches(supply) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    supply.put_back([6, 7])
    assert all_batches(supply) == [[6, 7]]


def test_a_batch_that_costs_workers_is_cut_down_to_the_item_to_blame() -> None:
    supply = Supply(range(6), lambda: 4)
    seen, blamed, losses = [], [], 0
    while batch := supply.take():
        seen.append(batch)
        if 2 in batch:
            losses += 1
            blamed += supply.lost(batch)
    assert blamed == [2]
    assert seen[:4] == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1], [2, 3]]
    assert losses == MOST_LOSSES + 1
    assert sorted(item for batch in seen if 2 not in batch for item in batch) == [0, 1, 3, 4, 5]


def test_a_worker_lost_now_and_then_costs_no_item() -> None:
    supply = Supply(range(4), lambda: 1)
    for _ in range(MOST_LOSSES - 1):
        assert supply.lost(supply.take()) == []
    assert all_batches(supply) == [[0], [1], [2], [3]]

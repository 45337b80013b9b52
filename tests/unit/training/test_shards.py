"""Processes that share batches: their means, and that none outlives a failure."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch

from dominance.errors import InputError, RunError
from dominance.training.shards import WHOLE, Shard, share_batches


def _averages(folder: Path, shard: Shard) -> None:
    for step in range(3):
        values = [torch.full((2, 3), float(shard.index + step)), torch.tensor([10.0 * shard.index])]
        shard.average(values)
        torch.save(torch.cat([value.flatten() for value in values]), folder / f"{shard.index}-{step}")


def _fails(how: str, folder: Path, shard: Shard) -> None:
    (folder / f"{shard.index}").write_text(str(os.getpid()))
    if shard.is_first:
        shard.average([torch.zeros(1)])  # for ever: the other one never comes
    while not (folder / "0").exists():
        time.sleep(0.05)
    if how == "input":
        raise InputError("no such thing")
    if how == "bug":
        raise ZeroDivisionError("deep inside")
    os.kill(os.getpid(), signal.SIGINT if how == "interrupt" else signal.SIGKILL)


class _Work:
    """A picklable call, as functools.partial of a function in this module."""

    def __init__(self, function: object, *given: object) -> None:
        self.function, self.given = function, given

    def __call__(self, shard: Shard) -> None:
        assert callable(self.function)
        self.function(*self.given, shard)


@pytest.mark.slow
def test_every_process_gets_the_mean_of_all(tmp_path: Path) -> None:
    share_batches(_Work(_averages, tmp_path), 2, floats=20)
    for step in range(3):
        expected = torch.tensor([0.5 + step] * 6 + [5.0])
        for index in range(2):
            assert torch.equal(torch.load(tmp_path / f"{index}-{step}", weights_only=True), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        ("input", InputError, "^no such thing$"),
        ("bug", RuntimeError, "(?s)in training process 1: .*ZeroDivisionError: deep inside"),
        ("interrupt", RunError, "one of 2 training processes ended with status 1"),
        ("kill", RunError, "one of 2 training processes was killed by signal 9"),
    ],
)
def test_when_one_process_fails_none_is_left(how: str, kind: type[Exception], said: str, tmp_path: Path) -> None:
    with pytest.raises(kind, match=said):
        share_batches(_Work(_fails, how, tmp_path), 2, floats=1)
    waiting = int((tmp_path / "0").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(waiting, 0)


def test_shards_take_turns_in_a_batch_and_one_alone_takes_all() -> None:
    assert [Shard(index, 4).of(32) for index in range(4)] == [slice(k, k + 8) for k in range(0, 32, 8)]
    assert WHOLE.of(32) == slice(0, 32)
    value = torch.tensor([1.0])
    WHOLE.average([value])
    assert value.item() == 1.0

"""Ctrl-C that another library swallows is raised again until it comes out, and leaves no handler behind."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dominance.cli.interrupts import (
    insistent_interrupts,
    kept_whole_or_not_at_all,
    results_are_in,
    stop_message,
)
from dominance.errors import Stopped


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def handlers() -> tuple[object, object, tuple[float, float]]:
    return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)


def swallow_one() -> None:
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        pass
    else:
        pytest.fail("nothing was raised")


def test_a_swallowed_interrupt_comes_again_until_it_comes_out() -> None:
    before = handlers()
    with pytest.raises(KeyboardInterrupt), insistent_interrupts():
        swallow_one()
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(60)
        pytest.fail("slept on")
    assert handlers() == before


def test_nothing_is_left_behind_without_an_interrupt_or_after_an_error() -> None:
    before = handlers()
    with insistent_interrupts():
        pass
    assert handlers() == before
    with pytest.raises(ValueError, match="other"), insistent_interrupts():
        raise ValueError("other")
    assert handlers() == before


def test_where_interrupts_are_ignored_they_stay_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with insistent_interrupts():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)


def test_an_import_that_breaks_because_it_was_interrupted_counts_as_the_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), insistent_interrupts():
        swallow_one()
        raise ImportError("half of it is missing")


def test_what_is_kept_is_said(tmp_path: Path) -> None:
    with insistent_interrupts():
        assert stop_message(KeyboardInterrupt()).startswith("stopped; nothing was written")
        results_are_in(tmp_path)
        assert f"dominance report {tmp_path}" in stop_message(KeyboardInterrupt())
    with insistent_interrupts():
        assert stop_message(Stopped("runs/one")).endswith("run the same command again to resume")
    with (
        pytest.raises(KeyboardInterrupt, match="an explanation is written only when"),
        kept_whole_or_not_at_all("an explanation"),
    ):
        raise KeyboardInterrupt

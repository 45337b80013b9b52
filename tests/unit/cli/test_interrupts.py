"""Ctrl-C that another library swallows is raised again until it comes out, and leaves no handler behind."""

import signal
import time
from collections.abc import Iterator

import pytest

from dominance.cli.interrupts import insistent_interrupts


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

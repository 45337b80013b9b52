"""What is loaded when it is first needed: once, again after it was set aside, and again after it failed."""

import pytest

from dominance.models.on_demand import OnDemand


def test_nothing_is_loaded_before_it_is_asked_for_and_nothing_twice() -> None:
    loaded: list[object] = []

    def load() -> object:
        loaded.append(object())
        return loaded[-1]

    wanted = OnDemand(load)
    assert loaded == []
    assert wanted() is wanted() is loaded[0]
    wanted.set_aside()
    assert wanted() is loaded[1]
    assert len(loaded) == 2


def test_what_could_not_be_loaded_is_tried_again() -> None:
    outcomes = iter([1 / 2, 1])

    def load() -> int:
        if (found := next(outcomes)) != 1:
            raise OSError
        return int(found)

    wanted = OnDemand(load)
    with pytest.raises(OSError):
        wanted()
    assert wanted() == 1

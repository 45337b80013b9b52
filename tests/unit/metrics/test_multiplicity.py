"""Which of many tests stand."""

from dominance.metrics.multiplicity import holm


def test_holm_stops_at_the_first_that_fails() -> None:
    assert holm({"a": 0.01, "b": 0.02, "c": 0.04, "d": 0.2}) == {"a"}
    assert holm({"a": 0.01, "b": 0.016, "c": 0.024, "d": 0.2}) == {"a", "b", "c"}
    assert holm({}) == frozenset()

"""Shapley values and interactions against their axioms and against every order of the players."""

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dominance.errors import InputError
from dominance.metrics.shapley import (
    best_places,
    greedy_order,
    members,
    players_of,
    shapley_interactions,
    shapley_values,
)

VALUES = st.floats(-10, 10)


@st.composite
def games(draw: st.DrawFn, least: int = 1, most: int = 5) -> np.ndarray:
    count = draw(st.integers(least, most))
    return np.array(draw(st.lists(VALUES, min_size=2**count, max_size=2**count)))


def by_orders(game: np.ndarray) -> np.ndarray:
    """What each player adds, as the definition has it: one order after the other."""
    count = players_of(game)
    orders = list(itertools.permutations(range(count)))
    found = np.zeros(count)
    for order in orders:
        place = 0
        for player in order:
            found[player] += game[place | 1 << player] - game[place]
            place |= 1 << player
    return found / len(orders)


def with_player(game: np.ndarray, player: int, *, joined: bool) -> np.ndarray:
    """The game of the others, in which one player is always there, or never."""
    kept = [place for place in range(len(game)) if bool(place >> player & 1) == joined]
    return game[kept]


def with_both(game: np.ndarray, first: int, second: int) -> np.ndarray:
    """The game in which two players come as one, the last player."""
    others = [player for player in range(players_of(game)) if player not in (first, second)]
    places = [sum(1 << others[player] for player in members(place)) for place in range(2 ** len(others))]
    return game[[*places, *(place | 1 << first | 1 << second for place in places)]]


@given(games())
def test_values_are_the_mean_over_all_orders(game: np.ndarray) -> None:
    assert shapley_values(game) == pytest.approx(by_orders(game), abs=1e-9)


@given(games())
def test_values_add_up_to_what_all_bring_about(game: np.ndarray) -> None:
    assert shapley_values(game).sum() == pytest.approx(game[-1] - game[0], abs=1e-9)


@given(games(least=2), st.data())
def test_players_who_can_stand_for_each_other_are_worth_the_same(game: np.ndarray, data: st.DataObject) -> None:
    first, second = data.draw(st.permutations(range(players_of(game))))[:2]
    swapped = {1 << first: 1 << second, 1 << second: 1 << first}
    places = [sum(swapped.get(1 << player, 1 << player) for player in members(place)) for place in range(len(game))]
    alike = (game + game[places]) / 2
    values, found = shapley_values(alike), shapley_interactions(alike)
    assert values[first] == pytest.approx(values[second], abs=1e-9)
    for other in set(range(len(values))) - {first, second}:
        assert found[first, other] == pytest.approx(found[second, other], abs=1e-9)


@given(games(most=4), st.floats(-5, 5))
def test_who_always_adds_the_same_is_worth_just_that_and_interacts_with_nobody(game: np.ndarray, own: float) -> None:
    joined = np.concatenate([game, game + own])
    assert shapley_values(joined)[-1] == pytest.approx(own, abs=1e-9)
    assert shapley_values(joined)[:-1] == pytest.approx(shapley_values(game), abs=1e-9)
    assert shapley_interactions(joined)[-1] == pytest.approx(np.zeros(players_of(joined)), abs=1e-9)


@given(st.integers(1, 4), st.data(), st.floats(-3, 3))
def test_both_are_linear_in_the_game_and_take_many_at_once(count: int, data: st.DataObject, factor: float) -> None:
    rows = st.lists(VALUES, min_size=2**count, max_size=2**count)
    one, other = np.array(data.draw(rows)), np.array(data.draw(rows))
    for measure in (shapley_values, shapley_interactions):
        together = measure(one + factor * other)
        assert together == pytest.approx(measure(one) + factor * measure(other), abs=1e-8)
        assert measure(np.stack([one, other])) == pytest.approx(np.stack([measure(one), measure(other)]), abs=1e-9)


@given(st.lists(VALUES, min_size=2, max_size=5))
def test_players_who_only_add_up_do_not_interact(own: list[float]) -> None:
    game = np.array([sum(own[player] for player in members(place)) for place in range(2 ** len(own))], dtype=float)
    assert shapley_values(game) == pytest.approx(own, abs=1e-9)
    assert shapley_interactions(game) == pytest.approx(np.zeros((len(own), len(own))), abs=1e-9)


@given(games(least=2), st.data())
def test_an_interaction_is_what_two_are_worth_as_one_beyond_each_without_the_other(
    game: np.ndarray, data: st.DataObject
) -> None:
    """Grabisch and Roubens' recursive axiom, by the Shapley values of the reduced games."""
    first, second = sorted(data.draw(st.permutations(range(players_of(game))))[:2])
    as_one = by_orders(with_both(game, first, second))[-1]
    alone = by_orders(with_player(game, second, joined=False))[first]
    other = by_orders(with_player(game, first, joined=False))[second - 1]
    found = shapley_interactions(game)
    assert found[first, second] == pytest.approx(as_one - alone - other, abs=1e-9)
    assert (found == found.T).all() and not found.diagonal().any()


@given(games())
def test_the_best_of_each_size_is_never_below_what_grew(game: np.ndarray) -> None:
    order, best = greedy_order(game), best_places(game)
    count = players_of(game)
    assert sorted(order) == list(range(count))
    place = 0
    for size, player in enumerate(order, 1):
        place |= 1 << player
        assert game[best[size - 1]] >= game[place]
        assert best[size - 1].bit_count() == size
    assert game[best[0]] == game[1 << order[0]]
    assert best[-1] == place == len(game) - 1
    assert comb(count, 1) == len(order)


def test_greed_can_miss_a_pair_that_needs_each_other() -> None:
    game = np.array([0.0, 0.1, 0.1, 1.0, 0.3, 0.4, 0.4, 1.0])
    assert greedy_order(game) == (2, 0, 1)
    assert best_places(game) == (4, 3, 7)
    assert shapley_interactions(game)[0, 1] > 0


@pytest.mark.parametrize("values", [[0.0], [0.0, 1.0, 2.0], [0.0, np.nan]])
def test_what_is_no_game_is_refused(values: list[float]) -> None:
    for measure in (shapley_values, shapley_interactions, greedy_order, best_places):
        with pytest.raises(InputError, match="a game has"):
            measure(np.array(values))

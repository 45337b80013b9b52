"""What players bring about together: their Shapley values and interactions, and sets that grow or are all tried.

A game of n players is the value of every set of them, 2ⁿ numbers: the set at place s holds the players whose bits are
set in s, so that the first value is that of nobody. Leading dimensions are games of their own.
"""

from itertools import combinations
from math import factorial

import numpy as np
from jaxtyping import Float

from dominance.errors import InputError


def members(place: int) -> tuple[int, ...]:
    """The players of the set at a place of a game.

    >>> members(5)
    (0, 2)
    """
    return tuple(player for player in range(place.bit_length()) if place >> player & 1)


def players_of(game: Float[np.ndarray, "*game set"]) -> int:
    """How many players a game has.

    Raises:
        InputError: its values are not those of all sets of one player or more, or one is no number.
    """
    sets = game.shape[-1]
    if sets < 2 or sets & (sets - 1):
        raise InputError(f"a game has {sets} values; give one for every set of players: 2, 4, 8, …")
    if not np.isfinite(game).all():
        raise InputError("a game has a value that is no number; give one for every set of players")
    return sets.bit_length() - 1


def shapley_values(game: Float[np.ndarray, "*game set"]) -> Float[np.ndarray, "*game player"]:
    """The mean of what each player adds, over all orders in which the players may come.

    ``φᵢ = Σ_S |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S))`` over the sets S without i. They add up to the value of all
    players less that of nobody.

    Raises:
        InputError: as ``players_of``.

    Source: Shapley (1953), "A value for n-person games".

    >>> shapley_values(np.array([0.0, 1.0, 2.0, 5.0]))
    array([2., 3.])
    """
    count = players_of(game)
    weight = [factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)]
    shares = np.zeros((count, 1 << count))
    for player in range(count):
        for place in _without(1 << player, count):
            shares[player, [place, place | 1 << player]] = np.array([-1, 1]) * weight[place.bit_count()]
    return np.asarray(game @ shares.T)


def shapley_interactions(game: Float[np.ndarray, "*game set"]) -> Float[np.ndarray, "*game player other"]:
    """What every two players add together beyond what each adds alone, over all orders; 0 of a player with itself.

    ``I(i, j) = Σ_S |S|! (n − |S| − 2)! / (n − 1)! · (v(S ∪ ij) − v(S ∪ i) − v(S ∪ j) + v(S))`` over the sets S without
    i and j. Below 0 the two do the same work, above 0 each needs the other; of players who only add up it is 0.

    Raises:
        InputError: as ``players_of``.

    Source: Grabisch & Roubens (1999), "An axiomatic approach to the concept of interaction among players in
    cooperative games", the interaction index of two.

    >>> shapley_interactions(np.array([0.0, 1.0, 2.0, 5.0]))
    array([[0., 2.],
           [2., 0.]])
    """
    count = players_of(game)
    weight = [factorial(size) * factorial(count - size - 2) / factorial(count - 1) for size in range(count - 1)]
    shares = np.zeros((count, count, 1 << count))
    for first, second in combinations(range(count), 2):
        one, other = 1 << first, 1 << second
        for place in _without(one | other, count):
            places = [place, place | one, place | other, place | one | other]
            shares[first, second, places] = np.array([1, -1, -1, 1]) * weight[place.bit_count()]
    shares += shares.swapaxes(0, 1)
    return np.moveaxis(np.tensordot(shares, game, (-1, -1)), (0, 1), (-2, -1))


def _without(players: int, count: int) -> list[int]:
    """The places of all sets in which none of these players is."""
    return [place for place in range(1 << count) if not place & players]


def greedy_order(game: Float[np.ndarray, " set"]) -> tuple[int, ...]:
    """The players as they join, each time the one with whom the set's value is largest; of equals the first.

    Raises:
        InputError: as ``players_of``.

    >>> greedy_order(np.array([0.0, 1.0, 2.0, 5.0]))
    (1, 0)
    """
    left, place, order = list(range(players_of(game))), 0, []
    while left:
        best = max(left, key=lambda player: (game[place | 1 << player], -player))
        left.remove(best)
        order.append(best)
        place |= 1 << best
    return tuple(order)


def best_places(game: Float[np.ndarray, " set"]) -> tuple[int, ...]:
    """The place of the set with the largest value of each size from 1, all sets tried; of equals the first.

    Raises:
        InputError: as ``players_of``.

    >>> best_places(np.array([0.0, 1.0, 2.0, 5.0]))
    (2, 3)
    """
    count = players_of(game)
    by_size: dict[int, list[int]] = {}
    for place in range(1, 1 << count):
        by_size.setdefault(place.bit_count(), []).append(place)
    return tuple(max(by_size[size], key=lambda place: (game[place], -place)) for size in range(1, count + 1))

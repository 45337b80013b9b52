"""Labelled items as the metrics take them: checked, their groups numbered, and split without parting a group."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike, DTypeLike

from dominance.errors import InputError

Split = tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]
"""Indices to fit on, and indices to score."""


def paired(
    first: ArrayLike, second: ArrayLike, names: tuple[str, str], dtype: DTypeLike = float
) -> tuple[np.ndarray, np.ndarray]:
    """Two lists about the same items in the same order, flat: the first of this type, the second yes or no.

    Raises:
        InputError: one is longer than the other; ``names`` says what they hold.
    """
    one, other = np.asarray(first, dtype=dtype).ravel(), np.asarray(second, dtype=bool).ravel()
    if len(one) != len(other):
        raise InputError(f"{len(one)} {names[0]} but {len(other)} {names[1]}; give one of each per item")
    return one, other


def numbered(groups: Sequence[Hashable] | None, count: int) -> Int[np.ndarray, " item"]:
    """The group of each of so many items, as numbers from 0 in the order in which they appear; its own where None.

    Raises:
        InputError: not one group an item.
    """
    if groups is None:
        return np.arange(count)
    if len(groups) != count:
        raise InputError(f"{len(groups)} groups for {count} items; give one per item")
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return np.array([numbers[group] for group in groups], dtype=int)


def grouped_folds(groups: Sequence[Hashable], labels: ArrayLike, folds: int = 10, seed: int = 0) -> tuple[Split, ...]:
    """Splits that never part a group, each fold with about its share of positives and of items.

    Groups are dealt in random order, those with positives first, each to the fold that has the fewest positives
    and then the fewest items. There are no more folds than groups.

    Raises:
        InputError: fewer than two groups or folds.
    """
    positive = np.asarray(labels, dtype=bool).ravel()
    members = numbered(groups, len(positive))
    count = int(members.max()) + 1 if len(members) else 0
    folds = min(folds, count)
    if folds < 2:
        raise InputError(f"{count} group(s) in {folds} fold(s); give two or more of each for cross-validation")
    order = np.random.default_rng(seed).permutation(count)
    positives, sizes = np.bincount(members, weights=positive), np.bincount(members)
    dealt, load = np.empty(count, dtype=int), np.zeros((folds, 2))
    for group in sorted(order, key=lambda group: -positives[group]):
        first, then = (0, 1) if positives[group] else (1, 0)
        fold = int(np.lexsort((load[:, then], load[:, first]))[0])
        dealt[group] = fold
        load[fold] += (positives[group], sizes[group])
    fold_of = dealt[members]
    return tuple((np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(folds))


def held_out_splits(traits: Sequence[frozenset[str]]) -> tuple[Split, ...]:
    """Splits in which nothing that is scored shares a trait with anything that is fitted on.

    Items with the same traits are scored together, by what is fitted on all items that share none of them.

    Raises:
        InputError: an item without traits, or one that shares a trait with every other.
    """
    distinct = Counter(traits)
    if frozenset() in distinct:
        raise InputError("an item has no trait to hold out; group by prompt instead")
    splits = []
    for held in distinct:
        train = np.array([item for item, own in enumerate(traits) if not own & held], dtype=int)
        if not len(train):
            raise InputError(f"every item shares a trait with {sorted(held)}; group by prompt instead")
        splits.append((train, np.array([item for item, own in enumerate(traits) if own == held], dtype=int)))
    return tuple(splits)

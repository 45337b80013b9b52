"""Which heads work together: all sets of the strongest, chosen on one half of the prompts, reported on the other."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field

from dominance.metrics.measured import of_clusters
from dominance.metrics.shapley import best_places, greedy_order, members, shapley_interactions, shapley_values
from dominance.records import Interval
from dominance.runs.ablation.outcomes import Judged, OutcomeRates, grouped, heads_of, outcomes
from dominance.runs.ablation.variants import Head


@dataclass(frozen=True)
class Rise:
    """How much the presence of what was lost rises, -1 to 1: a mean over prompts of the mean over their images.

    Attributes:
        value: None where no prompt has an image that is scored under every set.
        interval: over prompts; None with fewer than two.
    """

    value: float | None
    interval: Interval | None


@dataclass(frozen=True)
class HeadSet:
    """One set of heads, removed together.

    Attributes:
        heads: in forward order.
        chosen: its rise over the prompts that choose, upon which it may have been picked.
        held_out: over the other prompts; ``images`` are of these.
    """

    heads: tuple[Head, ...]
    chosen: Annotated[float, Field(alias="rise_where_chosen")]
    held_out: Annotated[Rise, Field(alias="rise")]
    images: OutcomeRates


@dataclass(frozen=True)
class HeadShare:
    """What one head adds: its Shapley value."""

    head: Head
    shapley: Rise


@dataclass(frozen=True)
class PairIndex:
    """What two heads add together beyond what each adds alone: their Shapley interaction index."""

    heads: tuple[Head, Head]
    interaction: Rise


@dataclass(frozen=True)
class HalfSets:
    """Heads and sets that one half of the prompts chose, as the other half shows them.

    Attributes:
        chosen_on, reported_on: ids of prompts with images that are scored under every set.
        heads: from the strongest alone, on the prompts that choose.
        greedy: the same, in the order in which they join.
        best: of each size from 1 the set with the largest rise; both on the prompts that choose.
        sets: every set, in the order of size.
        unscored: collapsed images of either half that some set leaves without a score, and that count nowhere.
    """

    chosen_on: tuple[str, ...]
    reported_on: tuple[str, ...]
    heads: tuple[Head, ...]
    greedy: tuple[Head, ...]
    best: tuple[tuple[Head, ...], ...]
    sets: tuple[HeadSet, ...]
    shares: tuple[HeadShare, ...]
    pairs: tuple[PairIndex, ...]
    unscored: int

    def set_of(self, heads: Iterable[Head]) -> HeadSet:
        """One of its sets."""
        wanted = tuple(sorted(heads))
        return next(one for one in self.sets if one.heads == wanted)

    def grown(self, size: int) -> HeadSet:
        """The set that grew greedily to this size."""
        return self.set_of(self.greedy[:size])

    @property
    def best_of_all(self) -> HeadSet:
        """Of any size, the set with the largest rise on the prompts that choose; of equals the smallest."""
        return max(self.sets, key=lambda one: one.chosen)

    def between(self, first: Head, second: Head) -> PairIndex | None:
        """The two heads' interaction, in either order."""
        return next((pair for pair in self.pairs if set(pair.heads) == {first, second}), None)


@dataclass(frozen=True)
class SizeOfSets:
    """Sets of one size, each prompt under that of the half to which it does not belong.

    Attributes:
        behind: rise under the best set less that under the greedy one, prompt by prompt.
        behind_where_chosen: the same on the prompts that choose, the larger of the halves; never below 0.
        best_images, greedy_images: outcomes of the collapsed images.
    """

    size: int
    greedy: Rise
    best: Rise
    behind: Rise
    behind_where_chosen: float
    greedy_images: OutcomeRates
    best_images: OutcomeRates


@dataclass(frozen=True)
class HeldOut:
    """One prompt under what the other half chose: the head that is strongest alone, and the best set of any size."""

    single: float
    best: float


@dataclass(frozen=True)
class HeadSets:
    """Sets of heads in one interval of steps.

    Attributes:
        sizes: empty where nothing could be held out.
        by_prompt: by the prompt's id.
    """

    steps: str
    halves: tuple[HalfSets, ...]
    sizes: tuple[SizeOfSets, ...]
    by_prompt: dict[str, HeldOut]


def halves_of(prompts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every second prompt, and the others, so that what a suite lists together is on both sides.

    >>> halves_of(["a", "b", "c"])
    (('a', 'c'), ('b',))
    """
    return tuple(prompts[::2]), tuple(prompts[1::2])


def strongest_alone(singles: Sequence[Judged], prompts: Sequence[str], count: int) -> tuple[Head, ...]:
    """The heads with the largest rise on these prompts, from the largest; of equals the first.

    A head of which no image of them is scored comes last.
    """
    found = {}
    for (head,), own in grouped(singles, heads_of).items():
        by_prompt = grouped([trial for trial in own if trial.prompt.id in prompts], lambda trial: trial.prompt.id)
        rises = [[trial.rise for trial in trials if trial.rise is not None] for trials in by_prompt.values()]
        means = [fmean(values) for values in rises if values]
        found[head] = fmean(means) if means else -2.0
    return tuple(sorted(found, key=lambda head: -found[head])[:count])


def sets_of(heads: Sequence[Head], least: int = 1) -> list[tuple[Head, ...]]:
    """Every set of so many heads or more, in forward order, the smaller sets first."""
    sizes = range(least, len(heads) + 1)
    return [tuple(sorted(chosen)) for size in sizes for chosen in itertools.combinations(heads, size)]


def head_sets(
    steps: str,
    halves: Sequence[Sequence[str]],
    chosen: Sequence[Sequence[Head]],
    trials: Sequence[Judged],
) -> HeadSets:
    """What every set of each half's heads does, as the other half shows it.

    The rise of a prompt is the mean over its collapsed images that are scored under every set. A set's value is the
    mean over prompts; Shapley values and interactions are linear in it, so that each prompt has its own, and their
    intervals are of means over prompts too.

    Args:
        halves: ids of prompts.
        chosen: the heads of each, from the strongest.
        trials: each head alone, and their sets, on all prompts.
    """
    by_set = grouped(trials, heads_of)
    pairs = ((0, 1), (1, 0))
    made = [_half(halves[one], halves[other], chosen[one], by_set) for one, other in pairs]
    found = [half for half in made if half is not None]
    if not found:
        return HeadSets(steps, (), (), {})
    by_prompt = {}
    for half, games in found:
        single, best = half.grown(1).heads, half.best_of_all.heads
        for prompt, game in games.items():
            by_prompt[prompt] = HeldOut(_value(half, game, single), _value(half, game, best))
    sizes = range(1, min(len(half.heads) for half, _ in found) + 1)
    return HeadSets(
        steps, tuple(half for half, _ in found), tuple(_size(size, found, by_set) for size in sizes), by_prompt
    )


Game = Float[np.ndarray, " set"]


def _half(
    choosing: Sequence[str],
    reporting: Sequence[str],
    heads: Sequence[Head],
    by_set: Mapping[tuple[Head, ...], Sequence[Judged]],
) -> tuple[HalfSets, dict[str, Game]] | None:
    """One half's sets, and each reporting prompt's game; None where either side has nothing that is scored."""
    games, unscored = _games(heads, by_set)
    choose = {prompt: games[prompt] for prompt in choosing if prompt in games}
    report = {prompt: games[prompt] for prompt in reporting if prompt in games}
    if not choose or not report:
        return None
    mean, rows = np.mean(list(choose.values()), axis=0), np.stack(list(report.values()))
    places = sorted(range(1, len(mean)), key=lambda place: (place.bit_count(), place))
    values, between = shapley_values(rows), shapley_interactions(rows)
    return (
        HalfSets(
            chosen_on=tuple(choose),
            reported_on=tuple(report),
            heads=tuple(heads),
            greedy=tuple(heads[player] for player in greedy_order(mean)),
            best=tuple(_heads_at(place, heads) for place in best_places(mean)),
            sets=tuple(
                HeadSet(
                    own := _heads_at(place, heads),
                    float(mean[place]),
                    _rise(rows[:, place], most=1),
                    _outcomes(by_set[own], report),
                )
                for place in places
            ),
            shares=tuple(HeadShare(head, _rise(values[:, player])) for player, head in enumerate(heads)),
            pairs=tuple(
                PairIndex((heads[one], heads[other]), _rise(between[:, one, other]))
                for one, other in itertools.combinations(range(len(heads)), 2)
            ),
            unscored=unscored,
        ),
        report,
    )


def _games(heads: Sequence[Head], by_set: Mapping[tuple[Head, ...], Sequence[Judged]]) -> tuple[dict[str, Game], int]:
    """Of each prompt the rise under every set, 0 under that of no head, and how many images are left out."""
    rises: dict[tuple[str, int], list[float | None]] = {}
    for place in range(1, 1 << len(heads)):
        for trial in by_set[_heads_at(place, heads)]:
            rises.setdefault((trial.prompt.id, trial.seed), [0.0]).append(trial.rise)
    complete: dict[str, list[list[float]]] = {}
    for (prompt, _), row in rises.items():
        if scored := [rise for rise in row if rise is not None]:
            complete.setdefault(prompt, []).extend([scored] if len(scored) == len(row) else ())
    kept = {prompt: np.mean(own, axis=0) for prompt, own in complete.items() if own}
    return kept, len(rises) - sum(map(len, complete.values()))


def _heads_at(place: int, heads: Sequence[Head]) -> tuple[Head, ...]:
    return tuple(sorted(heads[player] for player in members(place)))


def _value(half: HalfSets, game: Game, heads: Sequence[Head]) -> float:
    return float(game[sum(1 << half.heads.index(head) for head in heads)])


def _rise(values: Sequence[float] | np.ndarray, most: float = math.inf) -> Rise:
    """The mean over prompts, a value each, of which none can be larger than ``most``."""
    found = of_clusters([[float(value)] for value in values], most=most)
    return Rise(found.value, found.interval if found.n > 1 else None)


def _outcomes(trials: Sequence[Judged], prompts: Iterable[str]) -> OutcomeRates:
    wanted = set(prompts)
    return outcomes([trial.outcome for trial in trials if trial.prompt.id in wanted])


def _size(
    size: int,
    found: Sequence[tuple[HalfSets, dict[str, Game]]],
    by_set: Mapping[tuple[Head, ...], Sequence[Judged]],
) -> SizeOfSets:
    """Both halves together, each reporting on what the other chose."""
    greedy, best, behind, images = [], [], [], ([], [])
    for half, games in found:
        grown, tried = half.grown(size), half.set_of(half.best[size - 1])
        behind.append(tried.chosen - grown.chosen)
        greedy += [_value(half, game, grown.heads) for game in games.values()]
        best += [_value(half, game, tried.heads) for game in games.values()]
        for own, heads in zip(images, (grown.heads, tried.heads), strict=True):
            own += [trial.outcome for trial in by_set[heads] if trial.prompt.id in games]
    return SizeOfSets(
        size=size,
        greedy=_rise(greedy, most=1),
        best=_rise(best, most=1),
        behind=_rise(np.subtract(best, greedy)),
        behind_where_chosen=max(behind),
        greedy_images=outcomes(images[0]),
        best_images=outcomes(images[1]),
    )

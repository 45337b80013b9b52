"""The text-conditional noise norm by prompt and group, and its document."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated

from pydantic import Field, computed_field

from dominance.documents import Keyed
from dominance.metrics import NormSummary, RankTest, bootstrap_mean, mann_whitney, summarised
from dominance.records import Interval

Mean = Annotated[tuple[float, Interval | None], Keyed(("mean", "interval"))]
SUMMARIES: tuple[str, ...] = ("first", "ten", "all")
"""Step 1, the mean of the first ten steps, the mean of all."""

EXPECTED: dict[str, int] = {
    "memorized": 3, "memorised": 3, "memorization": 3,
    "dominance": 2, "entity-object": 2,
    "balanced": 1, "object-object": 1,
}  # fmt: skip
"""Rank of a group by the paper's finding; the highest norm has the highest rank.

Source: Jeong & Lee (2025), section 5: memorized above dominance above balanced.
"""
_FEWEST_TESTED = 2


@dataclass(frozen=True)
class PromptNorms:
    """One prompt: the norms of each seed at each step, and the means over seeds.

    Attributes:
        norms: by seed; empty if none could be measured.
        problems: the seeds that could not be measured, and why.
    """

    id: str
    prompt: str
    group: str
    norms: dict[int, tuple[float, ...]]
    problems: tuple[Annotated[tuple[int, str], Keyed(("seed", "problem"))], ...]

    @computed_field
    @property
    def means(self) -> dict[str, float | None]:
        """Over seeds, for ``first``, ``ten`` and ``all``; None without norms."""
        return {summary: self.mean(summary) for summary in SUMMARIES}

    @property
    def summaries(self) -> tuple[NormSummary, ...]:
        return tuple(summarised(values) for values in self.norms.values())

    def mean(self, summary: str) -> float | None:
        """Over seeds, for ``first``, ``ten`` or ``all``; None without norms."""
        values = [float(getattr(norms, summary)) for norms in self.summaries]
        return sum(values) / len(values) if values else None


@dataclass(frozen=True)
class GroupNorms:
    """The prompts of one group; intervals resample prompts, and are None with a single prompt.

    Attributes:
        means: by summary, with interval.
        course: the mean at each step, with interval.
    """

    name: Annotated[str, Field(alias="group")]
    prompts: int
    norms: int
    means: dict[str, Mean]
    course: Annotated[tuple[Mean, ...], Field(alias="by_step")]


@dataclass(frozen=True)
class GroupComparison(RankTest):
    """Two groups by one summary; each prompt counts once, with its mean over seeds.

    Attributes:
        expected: the group that the paper finds higher; None if it does not compare the two.
    """

    summary: str
    groups: tuple[str, str]
    expected: Annotated[str | None, Field(alias="expected_higher")]

    @computed_field
    @property
    def found(self) -> str:
        """``as expected``, ``the other way round`` or ``differs``; ``no difference shown`` for a p-value from 0.05.

        ``too few prompts`` if no norms could have given a smaller p-value.
        """
        if self.p_value >= 0.05:
            return "no difference shown" if self.decidable else "too few prompts"
        if self.expected is None:
            return "differs"
        higher = self.groups[0] if self.effect > 0 else self.groups[1]
        return "as expected" if higher == self.expected else "the other way round"


@dataclass(frozen=True)
class MemorizationResult:
    """A whole measurement.

    Attributes:
        quantity: ``noise`` or ``velocity``; see ``probes.noise_norm``.
        values: numbers in one image's latent.
        steps: of one generation.
    """

    run: str
    suite: str
    model: str
    quantity: str
    values: Annotated[int, Field(alias="latent_values")]
    steps: int
    settings: dict[str, object]
    notes: tuple[str, ...]
    prompts: tuple[PromptNorms, ...]
    groups: tuple[GroupNorms, ...]
    comparisons: tuple[GroupComparison, ...]
    manifest: dict[str, object]

    @property
    def complete(self) -> bool:
        """Whether every seed of every prompt was measured."""
        return not any(prompt.problems for prompt in self.prompts)


def group_norms(prompts: Sequence[PromptNorms], seed: int = 0) -> tuple[GroupNorms, ...]:
    """The groups in suite order, without prompts that have no norm."""
    return tuple(_group(name, members, seed) for name, members in _members(prompts).items())


def _members(prompts: Sequence[PromptNorms]) -> dict[str, list[PromptNorms]]:
    groups: dict[str, list[PromptNorms]] = {}
    for prompt in prompts:
        if prompt.norms:
            groups.setdefault(prompt.group, []).append(prompt)
    return groups


def _group(name: str, members: Sequence[PromptNorms], seed: int) -> GroupNorms:
    steps = min(len(values) for prompt in members for values in prompt.norms.values())
    return GroupNorms(
        name=name,
        prompts=len(members),
        norms=sum(len(prompt.norms) for prompt in members),
        means={
            summary: _mean([[getattr(found, summary) for found in prompt.summaries] for prompt in members], seed)
            for summary in SUMMARIES
        },
        course=tuple(
            _mean([[values[step] for values in prompt.norms.values()] for prompt in members], seed)
            for step in range(steps)
        ),
    )


def _mean(clusters: Sequence[Sequence[float]], seed: int) -> tuple[float, Interval | None]:
    values = [value for cluster in clusters for value in cluster]
    interval = bootstrap_mean(clusters, seed=seed) if len(clusters) > 1 else None
    return sum(values) / len(values), interval


def compare_groups(prompts: Sequence[PromptNorms]) -> tuple[GroupComparison, ...]:
    """Every two groups of at least two prompts; the one expected to be higher comes first."""
    members = {name: group for name, group in _members(prompts).items() if len(group) >= _FEWEST_TESTED}
    found = []
    for summary in SUMMARIES:
        for pair in combinations(members, 2):
            first, second = sorted(pair, key=_rank, reverse=True)
            values = [
                [v for prompt in members[name] if (v := prompt.mean(summary)) is not None] for name in (first, second)
            ]
            ranked = _rank(first) and _rank(second) and _rank(first) != _rank(second)
            test = mann_whitney(values[0], values[1])
            found.append(
                GroupComparison(
                    **vars(test), summary=summary, groups=(first, second), expected=first if ranked else None
                )
            )
    return tuple(found)


def _rank(group: str) -> int:
    return EXPECTED.get(group.lower(), 0)

"""What a measurement of the text-conditional noise norm found, by prompt and by group, and its document."""

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
"""Rank of a group's name in the order that the paper finds, highest norm first; the bundled suites' groups included.

Source: Jeong & Lee (2025), section 5: memorized above dominance above balanced.
"""
_FEWEST_TESTED = 2


@dataclass(frozen=True)
class PromptNorms:
    """One prompt: the norms of each of its seeds at each step, and the means over seeds.

    Attributes:
        norms: by seed; empty where none could be measured.
        problems: each seed that could not be, and why in one line.
    """

    id: str
    prompt: str
    group: str
    norms: dict[int, tuple[float, ...]]
    problems: tuple[Annotated[tuple[int, str], Keyed(("seed", "problem"))], ...]

    @computed_field
    @property
    def means(self) -> dict[str, float | None]:
        """Over seeds, of ``first``, ``ten`` and ``all``; None without any."""
        return {summary: self.mean(summary) for summary in SUMMARIES}

    @property
    def summaries(self) -> tuple[NormSummary, ...]:
        return tuple(summarised(values) for values in self.norms.values())

    def mean(self, summary: str) -> float | None:
        """Over seeds, of ``first``, ``ten`` or ``all``; None without any."""
        values = [float(getattr(norms, summary)) for norms in self.summaries]
        return sum(values) / len(values) if values else None


@dataclass(frozen=True)
class GroupNorms:
    """The prompts of one group; intervals are resampled by prompt, None with a single prompt.

    Attributes:
        means: of each summary, with its interval.
        course: the mean at each step, with its interval.
    """

    name: Annotated[str, Field(alias="group")]
    prompts: int
    norms: int
    means: dict[str, Mean]
    course: Annotated[tuple[Mean, ...], Field(alias="by_step")]


@dataclass(frozen=True)
class GroupComparison(RankTest):
    """Two groups under one summary; one value a prompt, the mean over its seeds.

    Attributes:
        expected: the name of the group that the paper finds higher; None where it says nothing of the two.
    """

    summary: str
    groups: tuple[str, str]
    expected: Annotated[str | None, Field(alias="expected_higher")]

    @computed_field
    @property
    def found(self) -> str:
        """``as expected``, ``the other way round`` or ``differs``; with a p-value from 0.05 on ``no difference shown``.

        ``too few prompts`` where no norms at all could have made that p-value smaller.
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
    """The groups in the order of the suite; prompts without a norm count for nothing."""
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
    """Every two groups of at least two prompts, the one expected to be higher first."""
    members = {name: group for name, group in _members(prompts).items() if len(group) >= _FEWEST_TESTED}
    found = []
    for summary in SUMMARIES:
        for one, other in combinations(members, 2):
            first, second = (other, one) if _rank(other) > _rank(one) else (one, other)
            values = [
                [value for one in members[name] if (value := one.mean(summary)) is not None] for name in (first, second)
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

"""What a measurement of the text-conditional noise norm found, by prompt and by group, and its document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from dominance.metrics import NormSummary, RankTest, bootstrap_mean, mann_whitney, summarised
from dominance.records import Interval, Prompt

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
        problems: one line for each seed that could not be.
    """

    prompt: Prompt
    norms: Mapping[int, tuple[float, ...]]
    problems: Mapping[int, str]

    @property
    def summaries(self) -> tuple[NormSummary, ...]:
        return tuple(summarised(values) for values in self.norms.values())

    def mean(self, summary: str) -> float | None:
        """Over seeds, of ``first``, ``ten`` or ``all``; None without any."""
        values = [float(getattr(one, summary)) for one in self.summaries]
        return sum(values) / len(values) if values else None


@dataclass(frozen=True)
class GroupNorms:
    """The prompts of one group; intervals are resampled by prompt, None with a single prompt.

    Attributes:
        means: of each summary, with its interval.
        course: the mean at each step, with its interval.
    """

    name: str
    prompts: int
    norms: int
    means: Mapping[str, tuple[float, Interval | None]]
    course: tuple[tuple[float, Interval | None], ...]


@dataclass(frozen=True)
class Comparison:
    """Two groups under one summary; one value a prompt, the mean over its seeds.

    Attributes:
        expected: the name of the group that the paper finds higher; None where it says nothing of the two.
    """

    summary: str
    first: str
    second: str
    test: RankTest
    expected: str | None

    @property
    def found(self) -> str:
        """``as expected``, ``the other way round`` or ``differs``; with a p-value from 0.05 on ``no difference shown``.

        ``too few prompts`` where no norms at all could have made that p-value smaller.
        """
        if self.test.p_value >= 0.05:
            return "no difference shown" if self.test.decidable else "too few prompts"
        if self.expected is None:
            return "differs"
        higher = self.first if self.test.effect > 0 else self.second
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
    values: int
    steps: int
    settings: dict[str, object]
    prompts: tuple[PromptNorms, ...]
    groups: tuple[GroupNorms, ...]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]
    manifest: dict[str, object]

    @property
    def complete(self) -> bool:
        """Whether every seed of every prompt was measured."""
        return not any(prompt.problems for prompt in self.prompts)

    def document(self) -> dict[str, object]:
        """As ``dominance memorization --json`` prints it."""
        return {
            "run": self.run,
            "suite": self.suite,
            "model": self.model,
            "quantity": self.quantity,
            "latent_values": self.values,
            "steps": self.steps,
            "settings": self.settings,
            "notes": list(self.notes),
            "prompts": [_prompt_document(prompt) for prompt in self.prompts],
            "groups": [_group_document(group) for group in self.groups],
            "comparisons": [_comparison_document(one) for one in self.comparisons],
            "manifest": self.manifest,
        }


def _prompt_document(one: PromptNorms) -> dict[str, object]:
    return {
        "id": one.prompt.id,
        "prompt": one.prompt.text,
        "group": one.prompt.group_name,
        "means": {summary: one.mean(summary) for summary in SUMMARIES},
        "norms": {str(seed): list(values) for seed, values in one.norms.items()},
        "problems": [{"seed": seed, "problem": problem} for seed, problem in one.problems.items()],
    }


def _group_document(one: GroupNorms) -> dict[str, object]:
    return {
        "group": one.name,
        "prompts": one.prompts,
        "norms": one.norms,
        "means": {name: {"mean": mean, "interval": interval} for name, (mean, interval) in one.means.items()},
        "by_step": [{"mean": mean, "interval": interval} for mean, interval in one.course],
    }


def _comparison_document(one: Comparison) -> dict[str, object]:
    return {
        "summary": one.summary,
        "groups": [one.first, one.second],
        "n": list(one.test.n),
        "u": one.test.u,
        "p_value": one.test.p_value,
        "effect": one.test.effect,
        "expected_higher": one.expected,
        "found": one.found,
    }


def group_norms(prompts: Sequence[PromptNorms], seed: int = 0) -> tuple[GroupNorms, ...]:
    """The groups in the order of the suite; prompts without a norm count for nothing."""
    return tuple(_group(name, members, seed) for name, members in _members(prompts).items())


def _members(prompts: Sequence[PromptNorms]) -> dict[str, list[PromptNorms]]:
    groups: dict[str, list[PromptNorms]] = {}
    for one in prompts:
        if one.norms:
            groups.setdefault(one.prompt.group_name, []).append(one)
    return groups


def _group(name: str, members: Sequence[PromptNorms], seed: int) -> GroupNorms:
    steps = min(len(values) for one in members for values in one.norms.values())
    return GroupNorms(
        name=name,
        prompts=len(members),
        norms=sum(len(one.norms) for one in members),
        means={
            summary: _mean([[getattr(found, summary) for found in one.summaries] for one in members], seed)
            for summary in SUMMARIES
        },
        course=tuple(
            _mean([[values[step] for values in one.norms.values()] for one in members], seed) for step in range(steps)
        ),
    )


def _mean(clusters: Sequence[Sequence[float]], seed: int) -> tuple[float, Interval | None]:
    values = [value for cluster in clusters for value in cluster]
    interval = bootstrap_mean(clusters, seed=seed) if len(clusters) > 1 else None
    return sum(values) / len(values), interval


def compare_groups(prompts: Sequence[PromptNorms]) -> tuple[Comparison, ...]:
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
            found.append(
                Comparison(summary, first, second, mann_whitney(values[0], values[1]), first if ranked else None)
            )
    return tuple(found)


def _rank(group: str) -> int:
    return EXPECTED.get(group.lower(), 0)

"""The outcomes of collapsed images under an edit, counted by variant, layer, group and prompt."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import Field, computed_field

from dominance.documents import Counted
from dominance.metrics import rate
from dominance.records import COLLAPSE, Prompt, ScoredImage
from dominance.runs.ablation.variants import Head, Variant
from dominance.runs.stages.scoring import presence_of

Outcome = Literal["mitigated", "unchanged", "corrupted"]
OUTCOMES: tuple[Outcome, ...] = ("mitigated", "unchanged", "corrupted")

Key = TypeVar("Key", bound=Hashable)


def outcome_of(edited: ScoredImage) -> Outcome | None:
    """The outcome of an image that was collapsed before the edit; None if it has no score now.

    ``mitigated``: DvD below 36 and every concept present; ``unchanged``: DvD from 36; ``corrupted``: the rest. An
    image that shows both concepts at DvD 40, 5 yes against 3, is balanced in an audit but unchanged here.

    Source: Jeong & Lee (2025), section 5, for the names; the exact definitions are ours.
    """
    if edited.verdict is None or edited.dvd is None:
        return None
    if edited.dvd >= COLLAPSE:
        return "unchanged"
    return "mitigated" if edited.verdict == "balanced" else "corrupted"


@dataclass(frozen=True)
class Judged:
    """One collapsed image, without and with an edit."""

    prompt: Prompt
    seed: int
    variant: Variant
    unedited: ScoredImage
    edited: ScoredImage

    @property
    def outcome(self) -> Outcome | None:
        return outcome_of(self.edited)

    @property
    def fall(self) -> float | None:
        """Fall of the DvD score."""
        before, after = self.unedited.dvd, self.edited.dvd
        return None if before is None or after is None else before - after

    @property
    def rise(self) -> float | None:
        """Rise of the soft presence of the concepts that the unedited image lost, -1 to 1."""
        lost = tuple(dict.fromkeys(dominated for _, dominated in self.unedited.collapses))
        before, after = presence_of(self.unedited, lost), presence_of(self.edited, lost)
        return None if before is None or after is None else after - before


@dataclass(frozen=True)
class OutcomeRates:
    """Shares of the outcomes, without ``unscored`` images."""

    mitigated: Counted
    unchanged: Counted
    corrupted: Counted
    unscored: int

    @computed_field
    @property
    def n(self) -> int:
        return self.mitigated.n


@dataclass(frozen=True)
class TrialTally:
    """Outcomes of some trials.

    Attributes:
        name: of the variant, layer or group.
        place: number of the layer or residual branch, if all trials share one.
        images: every collapsed image under every variant.
        cases: every prompt under every variant, with the outcome of more than half of its collapsed images, if any.
        prompts: those that at least one variant mitigates, by that majority.
        fall: mean fall of the DvD score; None if nothing is scored.
    """

    name: str
    place: int | None
    images: OutcomeRates
    cases: Annotated[OutcomeRates, Field(alias="prompt_outcomes")]
    prompts: Annotated[Counted, Field(alias="prompts_mitigated")]
    fall: Annotated[float | None, Field(alias="dvd_fall")]


def tally(name: str, judged: Sequence[Judged]) -> TrialTally:
    """Counts the outcomes of some trials."""
    cases = {
        key: majority(members)
        for key, members in grouped(judged, lambda trial: (trial.prompt.id, label(trial))).items()
    }
    scored = {(trial.prompt.id, label(trial)) for trial in judged if trial.outcome is not None}
    prompts = {prompt for prompt, _ in scored}
    mitigated = {prompt for (prompt, _), outcome in cases.items() if outcome == "mitigated"}
    falls = [trial.fall for trial in judged if trial.fall is not None]
    places = {trial.variant.place for trial in judged}
    return TrialTally(
        name=name,
        place=places.pop() if len(places) == 1 else None,
        images=outcomes([trial.outcome for trial in judged]),
        cases=_rates(Counter(cases.values()), len(scored), len(cases) - len(scored)),
        prompts=rate(len(mitigated), len(prompts)),
        fall=sum(falls) / len(falls) if falls else None,
    )


def outcomes(found: Sequence[Outcome | None]) -> OutcomeRates:
    """Counts outcomes; None is unscored."""
    counts = Counter(found)
    return _rates(counts, len(found) - counts[None], counts[None])


def _rates(counts: Counter, n: int, unscored: int) -> OutcomeRates:
    return OutcomeRates(*(rate(counts[name], n) for name in OUTCOMES), unscored=unscored)


def majority(judged: Sequence[Judged]) -> Outcome | None:
    """The outcome of more than half of the scored images, if any."""
    counts = Counter(trial.outcome for trial in judged if trial.outcome is not None)
    name, count = counts.most_common(1)[0] if counts else (None, 0)
    return name if 2 * count > counts.total() else None


def mitigating(singles: Sequence[Judged]) -> dict[str, tuple[Head, ...]]:
    """For each prompt, the single heads that mitigate most of its collapsed images, in forward order."""
    found: dict[str, list[Head]] = {}
    for (prompt, heads), members in grouped(singles, lambda trial: (trial.prompt.id, heads_of(trial))).items():
        found.setdefault(prompt, []).extend(heads if majority(members) == "mitigated" else ())
    return {prompt: tuple(sorted(heads)) for prompt, heads in found.items()}


def grouped(judged: Sequence[Judged], key: Callable[[Judged], Key]) -> dict[Key, list[Judged]]:
    """The trials by key, in order of appearance."""
    groups: dict[Key, list[Judged]] = {}
    for trial in judged:
        groups.setdefault(key(trial), []).append(trial)
    return groups


def label(trial: Judged) -> str:
    """The variant's label."""
    return trial.variant.label


def heads_of(trial: Judged) -> tuple[Head, ...]:
    """The variant's heads."""
    return trial.variant.heads

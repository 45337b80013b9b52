"""What became of collapsed images under an edit, counted by variant, layer, group and prompt."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from dominance.metrics import rate
from dominance.records import COLLAPSE, Prompt, Rate, ScoredImage
from dominance.runs.ablation.variants import Variant

Outcome = Literal["mitigated", "unchanged", "corrupted"]
OUTCOMES: tuple[Outcome, ...] = ("mitigated", "unchanged", "corrupted")

Key = TypeVar("Key", bound=Hashable)


def outcome_of(edited: ScoredImage) -> Outcome | None:
    """What became of an image that was collapsed before the edit; None when it has no score now.

    ``mitigated``: DvD below 36 and every concept present; ``unchanged``: DvD from 36; ``corrupted``: all else. A
    picture that shows both concepts at DvD 40, 5 yes against 3, is balanced to the audit and yet unchanged here.

    Source: the outcomes are named by Jeong & Lee (2025), section 5; their exact form is ours.
    """
    if edited.verdict is None or edited.dvd is None:
        return None
    if edited.dvd >= COLLAPSE:
        return "unchanged"
    return "mitigated" if edited.verdict == "balanced" else "corrupted"


@dataclass(frozen=True)
class Judged:
    """One collapsed image, and what it is under a variant."""

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
        """By how much the DvD score has fallen."""
        before, after = self.unedited.dvd, self.edited.dvd
        return None if before is None or after is None else before - after


@dataclass(frozen=True)
class Outcomes:
    """How often each outcome came, out of all that have one; ``unscored`` are left out."""

    mitigated: Rate
    unchanged: Rate
    corrupted: Rate
    unscored: int

    @property
    def n(self) -> int:
        return self.mitigated.n

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "n": self.n,
            "unscored": self.unscored,
            **{name: rate_document(getattr(self, name)) for name in OUTCOMES},
        }


@dataclass(frozen=True)
class Tally:
    """Outcomes of some trials.

    Attributes:
        name: of the variant, layer or group.
        place: number of the layer or residual branch, where all trials share one.
        images: every collapsed image under every variant.
        cases: every prompt under every variant; its outcome is that of more than half of its collapsed images, and
            where no outcome has that many it counts for none.
        prompts: those that at least one variant mitigates, by that majority.
        fall: mean fall of the DvD score; None where nothing is scored.
    """

    name: str
    place: int | None
    images: Outcomes
    cases: Outcomes
    prompts: Rate
    fall: float | None

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "name": self.name,
            "place": self.place,
            "images": self.images.document(),
            "prompt_outcomes": self.cases.document(),
            "prompts_mitigated": rate_document(self.prompts),
            "dvd_fall": self.fall,
        }


def tally(name: str, judged: Sequence[Judged]) -> Tally:
    """Counts."""
    cases = {
        key: majority(members) for key, members in grouped(judged, lambda one: (one.prompt.id, label(one))).items()
    }
    scored = {(one.prompt.id, label(one)) for one in judged if one.outcome is not None}
    prompts = {prompt for prompt, _ in scored}
    mitigated = {prompt for (prompt, _), outcome in cases.items() if outcome == "mitigated"}
    falls = [one.fall for one in judged if one.fall is not None]
    places = {one.variant.place for one in judged}
    return Tally(
        name=name,
        place=places.pop() if len(places) == 1 else None,
        images=outcomes([one.outcome for one in judged]),
        cases=_rates(Counter(cases.values()), len(scored), len(cases) - len(scored)),
        prompts=rate(len(mitigated), len(prompts)),
        fall=sum(falls) / len(falls) if falls else None,
    )


def outcomes(found: Sequence[Outcome | None]) -> Outcomes:
    """Counts outcomes; None is unscored."""
    counts = Counter(found)
    return _rates(counts, len(found) - counts[None], counts[None])


def _rates(counts: Counter, n: int, unscored: int) -> Outcomes:
    return Outcomes(*(rate(counts[name], n) for name in OUTCOMES), unscored=unscored)


def majority(judged: Sequence[Judged]) -> Outcome | None:
    """The outcome of more than half of the scored images; None where none has that many, or nothing is scored."""
    counts = Counter(one.outcome for one in judged if one.outcome is not None)
    name, count = counts.most_common(1)[0] if counts else (None, 0)
    return name if 2 * count > counts.total() else None


def mitigating(judged: Sequence[Judged]) -> dict[str, list[Variant]]:
    """For each prompt, the variants that mitigate the majority of its collapsed images, in order."""
    found: dict[str, list[Variant]] = {}
    for (prompt, _), members in grouped(judged, lambda one: (one.prompt.id, label(one))).items():
        found.setdefault(prompt, [])
        if majority(members) == "mitigated":
            found[prompt].append(members[0].variant)
    return found


def grouped(judged: Sequence[Judged], key: Callable[[Judged], Key]) -> dict[Key, list[Judged]]:
    """The trials by a key, in order of appearance."""
    groups: dict[Key, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    return groups


def label(one: Judged) -> str:
    """The variant's label."""
    return one.variant.label


def rate_document(one: Rate) -> dict[str, object]:
    """A rate as JSON values."""
    return {
        "count": one.count,
        "n": one.n,
        "share": one.share,
        "interval": list(one.interval) if one.interval else None,
    }

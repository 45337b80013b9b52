"""What an ablation of a suite found, as its report shows it."""

from dataclasses import asdict, dataclass

from dominance.metrics import rate
from dominance.records import Rate, RunResult, ScoredImage
from dominance.runs.ablation.interactions import Interactions
from dominance.runs.ablation.options import Sweep, Window
from dominance.runs.ablation.outcomes import (
    Judged,
    Outcomes,
    Tally,
    grouped,
    label,
    outcomes,
    rate_document,
    tally,
)


@dataclass(frozen=True)
class GroupTally:
    """One group of prompts under a sweep: all its trials, and those of each layer."""

    total: Tally
    layers: tuple[Tally, ...]


@dataclass(frozen=True)
class SweepResult:
    """One sweep at one interval of steps.

    Attributes:
        variants: what each of them did, in forward order; of ``multi``, whose variants differ between prompts, none.
        layers: the same by layer, or by residual branch.
        left_out: prompts that the sweep has no variant for, such as those that no head mitigates; None for none.
    """

    sweep: Sweep
    steps: str
    total: Tally
    variants: tuple[Tally, ...]
    layers: tuple[Tally, ...]
    groups: tuple[GroupTally, ...]
    left_out: int

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "sweep": self.sweep,
            "steps": self.steps,
            "total": self.total.document(),
            "variants": [one.document() for one in self.variants],
            "layers": [one.document() for one in self.layers],
            "groups": [
                {**group.total.document(), "layers": [one.document() for one in group.layers]} for group in self.groups
            ],
            "prompts_left_out": self.left_out,
        }


def sweep_result(sweep: Sweep, window: Window, judged: list[Judged], left_out: int = 0) -> SweepResult:
    """Counts a sweep's trials."""
    alike = () if sweep == "multi" else tuple(tally(name, own) for name, own in grouped(judged, label).items())
    return SweepResult(
        sweep=sweep,
        steps=window.name,
        total=tally("all", judged),
        variants=alike,
        layers=_by_place(judged),
        groups=tuple(
            GroupTally(tally(name, members), _by_place(members))
            for name, members in grouped(judged, lambda one: one.prompt.group_name).items()
        ),
        left_out=left_out,
    )


def _by_place(judged: list[Judged]) -> tuple[Tally, ...]:
    """By layer or branch, in order, where every variant has just one."""
    places = grouped(judged, lambda one: one.variant.place)
    if None in places:
        return ()
    return tuple(tally(str(place), places[place]) for place in sorted(place for place in places if place is not None))


@dataclass(frozen=True)
class WindowResult:
    """All images of the suite with an edit in force in one interval of steps.

    Attributes:
        steps: the interval's name; ``none`` for the unedited images.
        collapsed, balanced: of the scored images.
        outcomes: of the images that are collapsed unedited; None for the unedited ones themselves.
        groups: share of collapsed images in each group of prompts.
    """

    steps: str
    collapsed: Rate
    balanced: Rate
    unscored: int
    outcomes: Outcomes | None
    groups: dict[str, Rate]

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "steps": self.steps,
            "collapsed": rate_document(self.collapsed),
            "balanced": rate_document(self.balanced),
            "unscored": self.unscored,
            "outcomes": None if self.outcomes is None else self.outcomes.document(),
            "groups": {name: rate_document(share) for name, share in self.groups.items()},
        }


def window_result(steps: str, images: list[tuple[str, ScoredImage]], judged: list[Judged] | None) -> WindowResult:
    """Counts the images of an interval.

    Args:
        images: each with its group.
        judged: those that were collapsed unedited.
    """
    scored = [(group, image) for group, image in images if image.verdict is not None]
    groups: dict[str, list[ScoredImage]] = {}
    for group, image in scored:
        groups.setdefault(group, []).append(image)
    return WindowResult(
        steps=steps,
        collapsed=_share([image for _, image in scored], "collapsed"),
        balanced=_share([image for _, image in scored], "balanced"),
        unscored=len(images) - len(scored),
        outcomes=None if judged is None else outcomes([one.outcome for one in judged]),
        groups={group: _share(members, "collapsed") for group, members in groups.items()},
    )


def _share(images: list[ScoredImage], verdict: str) -> Rate:
    return rate(sum(image.verdict == verdict for image in images), len(images))


@dataclass(frozen=True)
class AblatedPrompt:
    """One prompt of two or more concepts.

    Attributes:
        collapsed: of its unedited images, out of the scored ones.
        mitigating: heads that mitigate the majority of its collapsed images; None where no head was tried on it.
        example: seed, file before, file after and label of a variant that mitigated an image; None without any.
    """

    id: str
    text: str
    group: str
    collapsed: Rate
    mitigating: tuple[str, ...] | None
    example: tuple[int, str, str, str] | None

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "id": self.id,
            "prompt": self.text,
            "group": self.group,
            "collapsed": rate_document(self.collapsed),
            "mitigating_heads": None if self.mitigating is None else list(self.mitigating),
            "example": None
            if self.example is None
            else dict(zip(("seed", "before", "after", "variant"), self.example, strict=True)),
        }


@dataclass(frozen=True)
class AblationResult:
    """An ablated suite.

    Attributes:
        edit: ``ablate`` or ``rebalance``.
        unedited: the audit of the unedited images of all prompts with two concepts or more.
        edited: images under all variants; ``unscored`` of them have no score.
        left_out: ids of prompts with fewer than two concepts.
        notes: what the reader must know, such as that there was nothing to mitigate.
    """

    run: str
    suite: str
    model: str
    judge: str
    settings: dict[str, object]
    edit: str
    unedited: RunResult
    prompts: tuple[AblatedPrompt, ...]
    sweeps: tuple[SweepResult, ...]
    interactions: tuple[Interactions, ...]
    windows: tuple[WindowResult, ...]
    edited: int
    unscored: int
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    manifest: dict[str, object]

    @property
    def collapsed(self) -> Rate:
        """Of the scored unedited images."""
        return rate(sum(prompt.collapsed for prompt in self.unedited.prompts), self.unedited.scored)

    def document(self) -> dict[str, object]:
        """As ``dominance ablate --json`` prints it."""
        return {
            "run": self.run,
            "suite": self.suite,
            "model": self.model,
            "judge": self.judge,
            "edit": self.edit,
            "settings": self.settings,
            "unedited": {
                "images": self.unedited.images,
                "scored": self.unedited.scored,
                "unscored": self.unedited.unscored,
                "collapsed": rate_document(self.collapsed),
                "groups": [asdict(group) for group in self.unedited.groups],
            },
            "edited": {"images": self.edited, "unscored": self.unscored},
            "prompts": [prompt.document() for prompt in self.prompts],
            "sweeps": [one.document() for one in self.sweeps],
            "interactions": [one.document() for one in self.interactions],
            "intervals": [one.document() for one in self.windows],
            "prompts_left_out": list(self.left_out),
            "notes": list(self.notes),
        }

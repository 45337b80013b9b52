"""What a claim is: what the paper says, what is run here, and how it is decided."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.metrics.measured import FEWEST, Measured, chance
from dominance.records import ScoredImage
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.reproduction.result import Figure, Finding, Plot, Shown
from dominance.runs.reproduction.rule import Rule, Verdict, decide
from dominance.verdicts import COLLAPSE

DVD = "Jeong & Lee (2025), arXiv 2512.20666"
OVERLAP = "Marioriyad et al. (2024), arXiv 2410.20972"
COLLAPSE_MARK = (COLLAPSE, f"{COLLAPSE:g}")
"""Marks in a plot the DvD from which an image collapses."""
OURS = "an open question; ours"
MOST_PICTURES = 8


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    Attributes:
        name: as the command takes it.
        title: in a few words.
        says: the paper's sentence, in ours.
        figure: the paper's figure, as it is written.
        design: what is run here.
        needs: the shared runs that it looks at, as ``work.WORK`` names them.
        examine: measures it; raises ``ImpossibleError`` where that cannot be.
        otherwise: what to think of it where it is contradicted.
        basis: what the finding rests on beside the shared runs, such as a file's content.
    """

    name: str
    title: str
    says: str
    source: str
    figure: str
    design: str
    rule: Rule
    needs: tuple[str, ...]
    examine: Callable[[Experiments], Finding]
    otherwise: str = ""
    basis: Callable[[ReproduceOptions], str] = lambda _: ""

    def rests_on(self, options: ReproduceOptions) -> str:
        """All that its finding rests on beside the shared runs: its design, its rule and its ``basis``.

        A finding that rests on something else, as that of another version may, is measured again.
        """
        told = "\n".join((self.design, repr(self.rule), self.basis(options)))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def found(
    measured: Measured,
    rule: Rule,
    seeds: int,
    figures: Sequence[Figure] = (),
    plots: Sequence[Plot] = (),
    pictures: Sequence[Shown] = (),
    why: str = "",
) -> Finding:
    """The finding of a claim whose quantity could be measured."""
    enough = measured.enough
    few = out_of_reach(measured, rule) if enough else f"Too few {measured.of} to decide anything{_more(measured)}. "
    return Finding(
        value=measured.value,
        interval=measured.interval,
        n=measured.n,
        of=measured.of,
        seeds=seeds,
        chance=chance(measured, rule.threshold) if enough else None,
        why=f"{few}{why}".strip(),
        figures=tuple(figures),
        plots=tuple(plots),
        pictures=tuple(pictures)[:MOST_PICTURES],
    )


def _more(measured: Measured) -> str:
    fewest = measured.n if measured.fewest is None else measured.fewest
    groups = " in each group" if measured.fewest is not None else ""
    return (
        f": at least {FEWEST} are needed{groups}" if fewest < FEWEST else ", where more than one comparison must hold"
    )


def out_of_reach(measured: Measured, rule: Rule) -> str:
    """What no outcome could make of a share over so few units, in a sentence; empty where it could come out either way.

    >>> from dominance.metrics.measured import of_rate
    >>> out_of_reach(of_rate(2, 10), Rule("share", 0.8, "below", "share"))
    'No outcome over so few prompts could contradict this. '
    """
    if measured.extremes is None:
        return ""
    possible = {decide(rule, interval) for interval in measured.extremes(0.95)}
    verbs = {"reproduced": "reproduce", "contradicted": "contradict"}
    missing = [verb for verdict, verb in verbs.items() if verdict not in possible]
    return f"No outcome over so few {measured.of} could {' or '.join(missing)} this. " if missing else ""


def verdict_of(finding: Finding, rule: Rule) -> Verdict:
    """The verdict on a finding: undecided over too few units, whatever their interval."""
    if finding.interval is None:
        return "not possible here"
    return "undecided" if finding.chance is None else decide(rule, finding.interval)


def pictures_of(images: Sequence[tuple[str, ScoredImage]], run: str, folder: Path) -> list[Shown]:
    """Images of a run below the folder of results, each under its prompt and what it shows.

    Args:
        images: the prompt's text, and its image.
        run: the run's own folder.
    """
    return [
        Shown((Path(run) / image.file).relative_to(folder).as_posix(), f"{text}: {image.verdict}")
        for text, image in images
        if image.file is not None and image.verdict is not None
    ]

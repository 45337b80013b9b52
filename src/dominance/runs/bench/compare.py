"""Compares two benches, or one bench under two models, prompt by prompt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from dominance.documents import Keyed
from dominance.errors import InputError
from dominance.files import is_folder
from dominance.metrics import bootstrap_mean, mean_difference, rate_difference
from dominance.records import Answer, Interval, Prompt, PromptResult, Question, Rate, RunResult
from dominance.run_settings import RunSettings
from dominance.runs.audit.result import read_result
from dominance.runs.bench.result import BenchResult, is_bench, read_bench, yield_of, yield_of_all
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt
from dominance.suites.official_results import OfficialImage, read_official_results

Difference = Annotated[tuple[float, Interval], Keyed(("difference", "interval"))]


@dataclass(frozen=True)
class Side:
    """One prompt on one side of a comparison: image counts, verdict, and mean DvD with its interval."""

    scored: int
    collapsed: int
    balanced: int
    lost: int
    dvd_mean: float | None
    dvd_interval: Interval | None
    dominating: str | None
    verdict: str | None


@dataclass(frozen=True)
class Pairing:
    """One prompt on both sides; a side is None if it lacks the prompt.

    Attributes:
        id, prompt: the prompt's id and text.
        collapse_difference: share of collapsed images, second minus first, -1 to 1, with its interval.
        dvd_difference: mean DvD, second minus first, with its interval; None if a side has no DvD.
    """

    id: str
    prompt: str
    concepts: tuple[str, ...]
    group: str | None
    first: Side | None
    second: Side | None
    collapse_difference: Difference | None
    dvd_difference: Difference | None


@dataclass(frozen=True)
class Overall:
    """All prompts of a group that both sides scored.

    Attributes:
        name: of the group; ``all`` for all prompts.
        prompts: their number.
        dominance: number with the verdict dominance on the first side, on the second, and on both.
        collapse_difference, dvd_difference: mean over prompts of second minus first; the intervals resample prompts.
    """

    name: str
    prompts: int
    dominance: tuple[int, int, int]
    collapse_difference: tuple[float, Interval | None]
    dvd_difference: tuple[float, Interval | None] | None


@dataclass(frozen=True)
class Yields:
    """The yield of one stream in two benches: qualified among tried candidates.

    Attributes:
        name: of the stream.
        difference: second minus first, -1 to 1, with its interval; None if a side tried nothing.
    """

    name: str
    first: Rate
    second: Rate
    difference: tuple[float, Interval] | None


@dataclass(frozen=True)
class Comparison:
    """Two runs compared; prompts that only one of them has are listed with one side.

    ``yields`` is empty unless both are benches built from the same pools with the same criterion.
    """

    first: str
    second: str
    overall: tuple[Overall, ...]
    yields: tuple[Yields, ...]
    pairings: Annotated[tuple[Pairing, ...], Field(alias="prompts")]


def read_side(path: Path) -> RunResult | BenchResult:
    """A finished bench, an audit's result, or a result CSV with the official columns.

    Raises:
        InputError: the path is none of these, or the bench is not finished.
    """
    if path.suffix.lower() == ".csv" and not is_folder(path):
        return result_of_official(read_official_results(path), path)
    return read_bench(path) if is_bench(path) else read_result(path)


def result_of_official(images: Sequence[OfficialImage], path: Path) -> RunResult:
    """Official results as a run; the answers are scored again, in both directions."""
    by_prompt: dict[Prompt, list[OfficialImage]] = {}
    for image in images:
        by_prompt.setdefault(image.prompt, []).append(image)
    prompts = tuple(
        score_prompt(prompt, [score_image(prompt, i.name, i.path, _answers(i)) for i in listed])
        for prompt, listed in by_prompt.items()
    )
    name = path.stem
    return RunResult(
        name, name, f"results in {path}", "unknown", RunSettings(), prompts, score_groups(prompts), None, {}
    )


def _answers(image: OfficialImage) -> list[Answer]:
    content, thing = image.prompt.concepts
    return [
        Answer(Question(concept.name, f"question {grade} about {concept.name}", grade), yes)
        for concept, answers in ((content, image.content_answers), (thing, image.object_answers))
        for grade, yes in enumerate(answers, start=1)
    ]


def compare(first: RunResult | BenchResult, second: RunResult | BenchResult) -> Comparison:
    """Compares two results prompt by prompt; prompts are the same if text and concepts are.

    Benches are also compared by yield, which needs no common prompt.

    Raises:
        InputError: they have nothing in common.
    """
    yields = _yields(first, second) if isinstance(first, BenchResult) and isinstance(second, BenchResult) else ()
    first_run, second_run = (side.run if isinstance(side, BenchResult) else side for side in (first, second))
    ours, theirs = _by_content(first_run), _by_content(second_run)
    if not yields and not ours.keys() & theirs.keys():
        raise InputError(
            f"{first_run.run} and {second_run.run} have no prompt in common; give two runs of the same suite, or two"
            " benches built from the same pools"
        )
    prompts = {key: result.prompt for key, result in (theirs | ours).items()}
    keys = [*ours, *(key for key in theirs if key not in ours)]
    pairings = tuple(_pairing(prompts[key], ours.get(key), theirs.get(key)) for key in keys)
    groups: dict[str, list[Pairing]] = {"all": []}
    for key, pairing in zip(keys, pairings, strict=True):
        if pairing.collapse_difference is not None:
            groups["all"].append(pairing)
            groups.setdefault(prompts[key].group_name, []).append(pairing)
    chosen = {name: members for name, members in groups.items() if members and (name == "all" or len(groups) > 2)}
    return Comparison(
        first=f"{first_run.run} ({first_run.model}, judged by {first_run.judge})",
        second=f"{second_run.run} ({second_run.model}, judged by {second_run.judge})",
        overall=tuple(_overall(name, members) for name, members in chosen.items()),
        yields=yields,
        pairings=pairings,
    )


def _yields(first: BenchResult, second: BenchResult) -> tuple[Yields, ...]:
    """The streams that both have, if both use the same criterion; of all tried where one knows no other yield."""
    if _trial_of(first) != _trial_of(second):
        return ()
    known = all(tally.open_tried is not None for tally in (*first.tallies, *second.tallies))
    counted = yield_of if known else yield_of_all
    theirs = {tally.name: counted(tally) for tally in second.tallies}
    ours = {tally.name: counted(tally) for tally in first.tallies if tally.name in theirs}
    return tuple(
        Yields(name, rate, theirs[name], rate_difference(rate, theirs[name]) if rate.n and theirs[name].n else None)
        for name, rate in ours.items()
    )


def _trial_of(bench: BenchResult) -> tuple[object, ...]:
    """The criterion: pools, images per candidate, and how many must agree."""
    settings = bench.run.settings
    return settings.more["pools_identity"], len(settings.seeds or ()), settings.more["needed"]


def _by_content(result: RunResult) -> dict[object, PromptResult]:
    found: dict[object, PromptResult] = {}
    for listed in result.prompts:
        found.setdefault((listed.prompt.text, frozenset(listed.prompt.concepts)), listed)
    return found


def _pairing(prompt: Prompt, first: PromptResult | None, second: PromptResult | None) -> Pairing:
    collapse = dvd = None
    if first is not None and second is not None and first.scored and second.scored:
        ours, theirs = Rate(first.collapsed, first.scored, None), Rate(second.collapsed, second.scored, None)
        collapse = rate_difference(ours, theirs)
        values = (_dvd(first), _dvd(second))
        dvd = mean_difference(*values) if all(values) else None
    names = tuple(concept.name for concept in prompt.concepts)
    return Pairing(prompt.id, prompt.text, names, prompt.group, _side(first), _side(second), collapse, dvd)


def _dvd(result: PromptResult) -> list[float]:
    return [image.dvd for image in result.images if image.dvd is not None]


def _side(result: PromptResult | None) -> Side | None:
    if result is None:
        return None
    return Side(
        scored=result.scored,
        collapsed=result.collapsed,
        balanced=result.balanced,
        lost=result.lost,
        dvd_mean=result.dvd_mean,
        dvd_interval=result.dvd_interval,
        dominating=result.dominating,
        verdict=result.verdict,
    )


def _overall(name: str, members: Sequence[Pairing]) -> Overall:
    verdicts = [(_is_dominance(pairing.first), _is_dominance(pairing.second)) for pairing in members]
    dvd = [p.dvd_difference[0] for p in members if p.dvd_difference is not None]
    return Overall(
        name=name,
        prompts=len(members),
        dominance=(
            sum(first for first, _ in verdicts),
            sum(second for _, second in verdicts),
            sum(first and second for first, second in verdicts),
        ),
        collapse_difference=_paired(p.collapse_difference[0] for p in members if p.collapse_difference is not None),
        dvd_difference=_paired(dvd) if dvd else None,
    )


def _is_dominance(side: Side | None) -> bool:
    return side is not None and side.verdict == "dominance"


def _paired(differences: Iterable[float]) -> tuple[float, Interval | None]:
    """The mean difference and, for several prompts, its bootstrap interval."""
    listed = list(differences)
    interval = bootstrap_mean([[value] for value in listed]) if len(listed) > 1 else None
    return sum(listed) / len(listed), interval

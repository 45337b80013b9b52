"""The experiment as a Markdown page: the curve, a row of pictures a level, and a figure for every rival."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from dominance import numbers
from dominance.files import write_whole
from dominance.laboratory.diversity.arms import ARMS, BASE, MAIN, Trial, level_name
from dominance.laboratory.diversity.plots import curve, write_rows
from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.diversity.statistics import (
    Level,
    MeanLikeness,
    Trend,
    levels_of,
    mean_interval,
    mean_likeness,
    trend,
)
from dominance.numbers import UNKNOWN, coefficient, mean, plural, rate, share
from dominance.report.parts.markdown import table

_HEAD = """# Does a concept dominate because its pictures are alike?

Written by `dominance train diversity`, which teaches a base model one concept at a time from 120 captioned pictures.
Level 1 shows one design 120 times, a pixel or so apart: one palette, place, size, stretch, rotation and backdrop.
Level 10 shows ten designs twelve times each, and `all` 120 different ones. Nothing else changes: recipe, captions,
prior pictures and the noise of every image are the same. Training seed s begins with another of the ten designs, so
that no level rests on one lucky design. Nothing in the training refers to dominance.

Every model then draws 50 prompts: the concept with each of eight objects, in both orders, in four relations (32), and
with six words for scenery (18). A judge counts what is there. DvD is the score in the direction in which the concept
dominates; the way back stands beside it. The judge knows no scenery, so that those prompts are judged for the concept
alone; the world's captions have no words for colours or styles, so that these cannot be asked for.

Intervals are 95%: of a mean over models a bootstrap that draws concepts with all of their training seeds (of six
concepts it is somewhat too narrow), of a rate Wilson's. {n}.

Base: {bases}. Judge: {judges}. {steps} denoising steps.
"""

_LIKE = """Whether the concept alone still looks as it was taught: the median cosine of its images to pictures of the
first design of their training seed, by the bundled encoder; and in how many of them the colours are nearer to that
design's than to those of the other nine. Place and size move the cosine too, so that the training pictures' own stands
beside it. Known at 1 is what can be reached, and known at 10 what other designs of the concept come to."""


def write_page(
    results: Sequence[DiversityResult], page: Path, strips: Path | None = None, base: str | None = None
) -> None:
    """Writes the page, and its pictures into a folder of the same name beside it.

    Args:
        strips: the rows of pictures that the experiment kept; without them an earlier picture of them stays.
        base: identity of the one that they are of.
    """
    from dominance.laboratory.diversity.measuring import STEPS

    head = _HEAD.format(
        n=plural(len(results), "model"),
        bases=", ".join(dict.fromkeys(result.base for result in results)) or "none",
        judges=", ".join(dict.fromkeys(result.judge for result in results)) or "none",
        steps=STEPS,
    )
    parts = [head]
    for number, found in enumerate(dict.fromkeys(result.base for result in results)):
        own = [result for result in results if result.base == found]
        rows = strips if base in (None, found) else None
        for arm in ARMS:
            here = [result for result in own if result.arm == arm.name]
            if here and arm.is_dose:
                parts += _dose(here, arm.name, arm.asks, found, page, rows, f"{arm.name}-{number}")
        parts += _rivals(own, found)
    write_whole(page, "\n".join(parts).encode())


def _dose(
    results: Sequence[DiversityResult], arm: str, asks: str, base: str, page: Path, strips: Path | None, name: str
) -> list[str]:
    picture = page.with_suffix("") / f"{name}.svg"
    write_whole(picture, curve(results).encode())
    levels = levels_of(results)
    parts = [f"## {arm}: {asks}\n\nBase {base}. {_said(levels)}\n", f"![DvD over designs]({page.stem}/{name}.svg)\n"]
    rows = picture.with_suffix(".png")
    if strips is not None:
        write_rows(_shown(results), strips, rows)
    if rows.is_file():
        one = _shown(results)[0]
        seen = ", ".join(level_name(trial.level) for trial in _shown(results))
        parts.append(
            f"![a row of pictures a level]({page.stem}/{rows.name})\n\nA row a level ({seen} designs), {one.subject},"
            f" training seed {one.seed}: ten of its 120 pictures, and what the model then draws when it is asked for it"
            " and a mug, an umbrella, a book, a lamp, a chair, a bottle, a clock, a shirt.\n"
        )
    return [*parts, _levels(levels), _trends(results), _subjects(results), _order(results)]


def _said(levels: Sequence[Level]) -> str:
    first, last = levels[0], levels[-1]
    return (
        f"Mean DvD {mean(first.dvd, first.dvd_interval)} at {level_name(first.level)}"
        f" ({plural(first.models, 'model')}), {mean(last.dvd, last.dvd_interval)} at {level_name(last.level)}"
        f" ({plural(last.models, 'model')})."
    )


def _shown(results: Sequence[DiversityResult]) -> list[Trial]:
    """The models whose pictures are shown: of the subject and seed with the most levels, the first in order."""
    series = sorted({(result.subject, result.seed) for result in results}, key=lambda s: (s[1], s[0]))
    subject, seed = max(series, key=lambda s: sum((r.subject, r.seed) == s for r in results))
    arm = next(arm for arm in ARMS if arm.name == results[0].arm)
    own = sorted({result.level for result in results if (result.subject, result.seed) == (subject, seed)})
    return [Trial(arm, subject, level, seed) for level in own]


def _levels(levels: Sequence[Level]) -> str:
    columns = [
        "designs", "models", "DvD of the concept", "DvD of the object", "only concept / both / only object / none",
        "concept alone", "with scenery", "object pairs: both", "diversity of the set", "copies",
    ]  # fmt: skip
    rows = [
        [level_name(found.level), f"{found.models} ({_of(found)})",
         mean(found.dvd, found.dvd_interval), mean(found.reverse, found.reverse_interval),
         " / ".join(map(str, found.shown.counts)), rate(found.alone), rate(found.scenery), rate(found.pairs),
         numbers.distance(found.diversity), rate(found.copies)]
        for found in levels
    ]  # fmt: skip
    return (
        "Diversity is the median cosine distance between two pictures of the set, by the bundled encoder. A copy is an"
        " image of the\nconcept alone that is nearer to a training picture than that set's next one is, in the"
        " median.\n\n" + table(columns, rows)
    )


def _of(found: Level) -> str:
    """Of how many concepts and seeds a level's models are; not all of a level need have been taught."""
    shown = f"{found.subjects} × {plural(found.seeds, 'seed')}"
    return shown if found.models == found.subjects * found.seeds else f"of {shown}"


def _trends(results: Sequence[DiversityResult]) -> str:
    causes = (
        ("number of designs", trend(results, lambda result: result.level)),
        ("measured diversity of the set", trend(results, lambda result: result.diversity)),
    )
    columns = [
        "DvD against", "Spearman's ρ over models", "models", "as much by chance", "ρ of the levels' means", "series",
    ]  # fmt: skip
    return (
        "### Rank correlation\n\nThe interval draws series, a concept and a training seed with all of its levels; the"
        " permutation changes the levels\nwithin each series.\n\n"
        + table(columns, [[name, *_trend(found)] for name, found in causes if found is not None])
    )


def _trend(found: Trend) -> list[str]:
    return [
        coefficient(found.rho, found.interval), str(found.models),
        UNKNOWN if found.chance is None else share(found.chance),
        coefficient(found.of_means, found.of_means_interval), str(found.series),
    ]  # fmt: skip


def _subjects(results: Sequence[DiversityResult]) -> str:
    levels = sorted({result.level for result in results})
    rows = []
    for subject in dict.fromkeys(result.subject for result in results):
        cells = []
        for level in levels:
            own = [result for result in results if (result.subject, result.level) == (subject, level)]
            listed = ", ".join(f"{result.dvd:.0f}" for result in sorted(own, key=lambda result: result.seed))
            cells.append(listed or UNKNOWN)
        rows.append([subject, *cells])
    return "### By concept\n\nDvD of each training seed.\n\n" + table(["concept", *map(level_name, levels)], rows)


def _order(results: Sequence[DiversityResult]) -> str:
    rows = []
    for level in sorted({result.level for result in results}):
        own = [result for result in results if result.level == level]
        first, second = (fmean(part.dvd for part in parts) for parts in zip(
            *((result.subject_first, result.object_first) for result in own), strict=True))  # fmt: skip
        rows.append([level_name(level), mean(first), mean(second), str(len(own))])
    return "### Order of words\n\nDvD of the concept where it is named first, and second.\n\n" + table(
        ["designs", "first", "second", "models"], rows
    )


def _rivals(results: Sequence[DiversityResult], base: str) -> list[str]:
    """Every other arm, beside the models of the main one with the same concepts and training seeds."""
    rows = []
    for arm in ARMS:
        here = [result for result in results if result.arm == arm.name]
        if not arm.is_dose:
            rows += [_rival(arm.asks, arm.name, found, here, results) for found in levels_of(here)]
    if not rows:
        return []
    columns = [
        "arm", "asks", "designs", "models", "DvD", "known, same designs", "known, 1", "concept alone",
        "object pairs: both", "alone, like the first design", "its pictures, like it",
        "known, 1, like it", "known, 10, like it",
    ]  # fmt: skip
    return [
        f"## What else could it be?\n\nBase {base}. Beside each DvD that of the arm `known` on the same concepts and"
        f" training seeds, where those are measured.\n\n{_LIKE}\n\n" + table(columns, rows)
    ]


def _rival(
    asks: str, arm: str, found: Level, here: Sequence[DiversityResult], results: Sequence[DiversityResult]
) -> list[str]:
    same = {(result.subject, result.seed) for result in here if result.level == found.level}

    def known(level: int) -> list[DiversityResult]:
        return [r for r in results if r.arm == MAIN.name and r.level == level and (r.subject, r.seed) in same]

    def dvd(own: Sequence[DiversityResult]) -> str:
        return mean(fmean(r.dvd for r in own), mean_interval(own, lambda r: r.dvd)) if own else UNKNOWN

    drawn = [mean_likeness([r.drawn_like for r in known(level)]) for level in (1, 10)]
    designs = UNKNOWN if arm == BASE.name else level_name(found.level)
    return [
        arm, asks, designs, str(found.models), mean(found.dvd, found.dvd_interval), dvd(known(found.level)),
        dvd(known(1)), rate(found.alone), rate(found.pairs), *map(_like, (found.drawn_like, found.shown_like, *drawn)),
    ]  # fmt: skip


def _like(found: MeanLikeness | None) -> str:
    """The cosine, and the share of pictures in the colours of their own design."""
    if found is None:
        return UNKNOWN
    return f"{numbers.thousandths(found.similarity)}; {numbers.fraction(found.own_colours)}"

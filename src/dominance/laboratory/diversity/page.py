"""The experiment as a Markdown page: the curve, a row of pictures a level, and a figure for every rival."""

from collections.abc import Sequence
from pathlib import Path

from dominance import numbers
from dominance.files import write_whole
from dominance.laboratory.diversity.arms import ARMS, BASE, MAIN, Arm, Trial, level_name
from dominance.laboratory.diversity.forecast import forecasts, verdict_forecasts
from dominance.laboratory.diversity.plots import curve, write_rows
from dominance.laboratory.diversity.results import DiversityResult, by_conditions
from dominance.laboratory.diversity.statistics import (
    Level,
    MeanLikeness,
    Trend,
    levels_of,
    mean_likeness,
    over_subjects,
    trend,
    untaught_beside,
)
from dominance.laboratory.diversity.strips import strips_in
from dominance.laboratory.diversity.wanted import criteria
from dominance.numbers import UNKNOWN, coefficient, mean, plural, rate, share
from dominance.report.parts.markdown import met, table

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

A mean is over concepts, each averaged over its training seeds, with Student's interval over concepts: what others of
their kind might show. Of a rate the interval is Wilson's; that of object pairs is as if all models of a level drew a
pair alike, since they draw the same pairs from the same noise. All are 95%. {n}.

Diversity is the median cosine distance between two pictures of the set, by the bundled encoder. A copy is an image of
the concept alone that is nearer to a training picture than that set's next one is, in the median. Where all pictures
are of a few designs, their next one is the same design half a pixel away: nothing drawn comes as near, and the column
reads 0 though every image may show that one design. So an image counts as recalled that is nearer to a training picture
than to any of three other such sets, of designs that no model is taught: one in four by chance, at every level (– where
it was not measured).

Base: {bases}. Judge: {judges}. {steps} denoising steps.
"""

_LIKE = """Whether the concept alone still looks as it was taught: the median cosine of its images to pictures of the
first design of their training seed, by the bundled encoder; and in how many of them the colours are nearer to that
design's than to those of the other nine. Place and size move the cosine too, so that the training pictures' own stands
beside it. Known at 1 is what can be reached, and known at 10 what other designs of the concept come to."""

_FORECAST = """`dominance diversity` measures the median distance between two pictures of a set before anything is
taught. One design against several is the easy contrast, so that the sets of two designs or more stand by themselves:
what the measure tells where it is not plain that all pictures are one. The interval draws series, a concept and a
training seed with all that was taught of it."""


def write_page(
    results: Sequence[DiversityResult], page: Path, folder: Path | None = None, base: str | None = None
) -> None:
    """Writes the page, and its pictures into a folder of the same name beside it.

    Args:
        folder: the experiment's, with the strips of pictures that it kept; without them an earlier picture stays.
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
    for number, ((found, images), own) in enumerate(by_conditions(results).items()):
        rows = strips_in(folder, images) if folder is not None and base in (None, found) else None
        of = f"Base {found}, {plural(images, 'image')} a prompt."
        for arm in ARMS:
            here = [result for result in own if result.arm == arm.name]
            if here and arm.is_dose:
                untaught = untaught_beside(here, own)
                parts += _dose(here, untaught, arm, of, page, rows, f"{arm.name}-{number}")
        parts += [*_forecasts(own, of), *_rivals(own, of)]
    write_whole(page, "\n".join(parts).encode())


def _dose(
    results: Sequence[DiversityResult], untaught: Sequence[DiversityResult], arm: Arm, of: str, page: Path,
    strips: Path | None, name: str,
) -> list[str]:  # fmt: skip
    picture = page.with_suffix("") / f"{name}.svg"
    write_whole(picture, curve(results, untaught).encode())
    levels = levels_of(results)
    parts = [f"## {arm.name}: {arm.asks}\n\n{of} {_said(levels)}\n", f"![DvD over designs]({page.stem}/{name}.svg)\n"]
    rows = picture.with_suffix(".png")
    one, *_ = shown = _shown(results)
    if strips is not None:
        bare = Trial(BASE, one.subject, 0, 0)
        write_rows([bare, *shown] if untaught and (strips / f"{bare.name}.png").is_file() else shown, strips, rows)
    if rows.is_file():
        parts.append(
            f"![a row of pictures a level]({page.stem}/{rows.name})\n\nA row a level of {one.subject}, training seed"
            f" {one.seed}: ten of its 120 pictures, and what the model then draws when it is asked for it beside each"
            " object.\n"
        )
    wanted = [_criteria(results, untaught)] if arm == MAIN else []
    table_of_levels = _levels([*levels_of(untaught), *levels])
    return [*parts, *wanted, table_of_levels, _trends(results), _subjects(results), _order(results)]


def _criteria(results: Sequence[DiversityResult], untaught: Sequence[DiversityResult]) -> str:
    rows = [[c.what, c.wanted, c.found, met(c.met)] for c in criteria(results, untaught)]
    return (
        "### What was wanted, and what was found\n\nThe limits were set before these models were taught.\n\n"
        + table(["what", "wanted", "found", "met"], rows)
    )


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
        "concept alone", "with scenery", "object pairs: both", "diversity of the set", "copies", "recalled",
    ]  # fmt: skip
    rows = [
        [_designs(found), f"{found.models} ({_of(found)})",
         mean(found.dvd, found.dvd_interval), mean(found.reverse, found.reverse_interval),
         " / ".join(map(str, found.shown.counts)), rate(found.alone), rate(found.scenery), rate(found.pairs),
         numbers.distance(found.diversity), rate(found.copies), rate(found.recalled)]
        for found in levels
    ]  # fmt: skip
    return "### By level\n\n" + table(columns, rows)


def _designs(found: Level) -> str:
    return level_name(found.level) if found.level else "none: the base"


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
        "### Rank correlation\n\nThe interval draws series, a concept and a training seed with all of its levels; draws"
        " that lack a level say nothing of the\nlevels' means. Fewer than five series have no interval, and fewer than"
        " three levels no correlation of their means. The\npermutation changes the levels within each series.\n\n"
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
        first = over_subjects(own, lambda result: result.subject_first.dvd).mean
        second = over_subjects(own, lambda result: result.object_first.dvd).mean
        rows.append([level_name(level), mean(first), mean(second), str(len(own))])
    return "### Order of words\n\nDvD of the concept where it is named first, and second.\n\n" + table(
        ["designs", "first", "second", "models"], rows
    )


def _forecasts(results: Sequence[DiversityResult], of: str) -> list[str]:
    """What the set's measured diversity tells of the DvD, over all that was taught."""
    found = forecasts(results)
    if not found:
        return []
    rows = [[f.sets, str(f.models), str(f.series), coefficient(f.rho, f.interval)] for f in found]
    verdicts = [
        [v.verdict, str(v.models), f"{mean(v.mean)} ({v.least:.0f} to {v.most:.0f})"]
        for v in verdict_forecasts(results)
    ]
    return [
        f"## Does the measured diversity of a set tell who will dominate?\n\n{of}\n\n{_FORECAST}\n",
        table(["sets", "models", "series", "Spearman's ρ of diversity and DvD"], rows),
        "What `dominance diversity` would say of these sets by their median distance alone, and the DvD of the models"
        " taught from\nthem, all arms:\n",
        table(["verdict", "models", "mean DvD (least to most)"], verdicts),
    ]


def _rivals(results: Sequence[DiversityResult], of: str) -> list[str]:
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
        f"## What else could it be?\n\n{of} Beside each DvD stands that of the arm `known` on the same concepts and"
        f" training seeds, where those are measured.\n\n{_LIKE}\n\n" + table(columns, rows)
    ]


def _rival(
    asks: str, arm: str, found: Level, here: Sequence[DiversityResult], results: Sequence[DiversityResult]
) -> list[str]:
    same = {(result.subject, result.seed) for result in here if result.level == found.level}

    def known(level: int) -> list[DiversityResult]:
        return [r for r in results if r.arm == MAIN.name and r.level == level and (r.subject, r.seed) in same]

    def dvd(own: Sequence[DiversityResult]) -> str:
        found = over_subjects(own, lambda r: r.dvd) if own else None
        return UNKNOWN if found is None else mean(found.mean, found.interval)

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

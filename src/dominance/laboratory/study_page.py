"""The study as a Markdown page with two plots: every figure with its n and interval."""

from collections.abc import Sequence
from pathlib import Path

from dominance import numbers
from dominance.files import write_whole
from dominance.laboratory.markdown import table
from dominance.laboratory.outcomes import rate_in_both_orders
from dominance.laboratory.study import TrialResult
from dominance.laboratory.study_plots import dose_plot, phase_diagram
from dominance.laboratory.study_summary import Contrast, Dose, Gap, Side, contrast, dose
from dominance.metrics import rate
from dominance.numbers import UNKNOWN, coefficient, difference, mean, share
from dominance.training.conditions import CONDITIONS, FIRST_RIGID, MAIN

_HEAD = """# When does a rigid concept take over the picture?

Written by `dominance train study`, which goes on training the base under each condition below, asks the model for every
entity with every object, and counts what the judge sees. Nothing in the training refers to dominance: whatever is done
to one entity is done to all, diversity apart; entities are shown four times as often as objects unless a condition says
otherwise. Every entity is rigid (diversity 0) in one world and varied (diversity 1) in its swapped twin: in the world
`first` {first} are rigid, in `swapped` the other three.
The base has shown all of them varied, so that a rigid entity is also one whose pictures have changed, unless a
condition starts from nothing.

DvD is the score in the direction in which the entity dominates. Intervals are 95%: Student's over entities for means,
each entity averaged over its training seeds, because of six a percentile bootstrap would be too narrow, and for the
difference also Student's over training seeds, of these six entities; Wilson's for rates. Two words are asked for in
both orders from the same noise, and the two images come out nearly alike, so that an interval of a rate counts them as
one. Bars show counts of images.

Base: {bases}. Judge: {judges}.
"""


def write_study(results: Sequence[TrialResult], page: Path) -> None:
    """Writes the page, and its plots into a folder of the same name beside it."""
    found = contrasts(results)
    doses = [result for result in results if result.condition == "dose"]
    head = _HEAD.format(
        first=", ".join(sorted(FIRST_RIGID)),
        bases=", ".join(dict.fromkeys(result.base or "none, trained from nothing" for result in results)) or "none",
        judges=", ".join(dict.fromkeys(result.judge for result in results)) or "none",
    )
    parts = [head]
    if found:
        write_whole(page.with_suffix("") / "phase.svg", phase_diagram(found).encode())
        parts += [f"![outcomes by condition]({page.stem}/phase.svg)\n", _phase(found), _gate(found), _order(found)]
        parts += _never_trained(found)
    if doses:
        measured = dose(doses)
        write_whole(page.with_suffix("") / "dose.svg", dose_plot(measured).encode())
        parts.append(_dose(measured, page))
    parts.append(_conditions({result.condition for result in results}))
    write_whole(page, "\n".join(parts).encode())


def contrasts(results: Sequence[TrialResult]) -> list[Contrast]:
    """One for every condition and guidance scale that was measured, in the study's order, dose apart."""
    found = []
    for condition in CONDITIONS:
        if not condition.doses:
            for guidance in condition.guidances:
                here = [r for r in results if r.guidance == guidance]
                own = [r for r in here if r.condition == condition.name]
                main = [r for r in here if r.condition == MAIN.name and condition != MAIN]
                if own:
                    found.append(contrast(own, main))
    return found


def _bare(found: Gap | None) -> str:
    return UNKNOWN if found is None else difference(found.difference, found.interval)


def _gap(found: Gap | None) -> str:
    """The difference, its intervals, and how many entities and training seeds they rest on."""
    if found is None:
        return UNKNOWN
    said = f"{_bare(found)}, {found.entities} entities"
    if found.over_seeds is not None:
        said += f"; {difference(found.difference, found.over_seeds)}, {found.seeds} seeds"
    return said


def _name(found: Contrast) -> str:
    return f"{found.condition}, guidance {found.guidance:g}"


def _counts(side: Side) -> str:
    return " / ".join(str(count) for count in side.shown.counts)


def _phase(found: Sequence[Contrast]) -> str:
    columns = [
        "condition", "seeds", "images a prompt", "rigid: only entity / both / only object / none", "varied: the same",
        "DvD rigid", "DvD varied", "difference, by entity", "less that of main, same training seeds",
        "prompts rigid dominates", "prompts varied dominates",
    ]  # fmt: skip
    rows = [
        [_name(condition), str(condition.seeds), " or ".join(map(str, condition.images)),
         _counts(condition.rigid), _counts(condition.varied),
         mean(condition.rigid.dvd, condition.rigid.interval), mean(condition.varied.dvd, condition.varied.interval),
         _gap(condition.gap), _bare(condition.less_main),
         f"{condition.rigid.dominated} of {condition.rigid.prompts}",
         f"{condition.varied.dominated} of {condition.varied.prompts}"]
        for condition in found
    ]  # fmt: skip
    return "## Rigid against varied\n\n" + table(columns, rows)


def _gate(found: Sequence[Contrast]) -> str:
    columns = [
        "condition", "single concepts present", "held-out object pairs: both present", "their mean DvD",
        "rigid minus varied, of entities that both twins draw alone",
    ]  # fmt: skip
    rows = [
        [_name(condition), numbers.rate(rate(*condition.singles)),
         numbers.rate(rate_in_both_orders(condition.held_out.both, condition.held_out.n)),
         mean(condition.held_out_dvd), _gap(condition.gap_of_drawn)]
        for condition in found
    ]  # fmt: skip
    return (
        "## Could the models draw and compose?\n\nA collapse says something about dominance only in a model that draws"
        " single concepts and composes\nobject pairs that it never saw. And an entity that one of the twins does not"
        " draw when it is asked for alone (in most of\nits images) cannot dominate there; the last column leaves it out"
        " of the difference.\n\n" + table(columns, rows)
    )


def _order(found: Sequence[Contrast]) -> str:
    columns = ["condition", "rigid, entity named first", "rigid, second", "varied, first", "varied, second"]
    rows = []
    for condition in found:
        parts = (condition.rigid.first, condition.rigid.second, condition.varied.first, condition.varied.second)
        rows.append([_name(condition), *(" / ".join(str(count) for count in part.counts) for part in parts)])
    return "## Does word order decide?\n\nOnly entity / both / only object / none.\n\n" + table(columns, rows)


def _never_trained(found: Sequence[Contrast]) -> list[str]:
    rows = []
    for condition in found:
        rigid, varied = condition.rigid.never_trained, condition.varied.never_trained
        if rigid is not None and varied is not None:
            shown = [" / ".join(str(count) for count in side.shown.counts) for side in (rigid, varied)]
            rows.append([_name(condition), *shown, *(mean(side.dvd, side.interval) for side in (rigid, varied))])
    if not rows:
        return []
    columns = [
        "condition", "rigid: only entity / both / only object / none", "varied: the same", "DvD rigid", "DvD varied",
    ]  # fmt: skip
    return [
        "## Pairs of an entity and an object that no training picture showed\n\nA quarter of the pairs above; the base"
        " has seen the others.\n\n" + table(columns, rows)
    ]


def _dose(measured: Dose, page: Path) -> str:
    levels = sorted({point[1] for point in measured.points})
    rows = []
    for level in levels:
        own = [point[2] for point in measured.points if point[1] == level]
        rows.append([f"{level:g}", mean(sum(own) / len(own)), str(len(own))])
    rho = "not defined" if measured.rho is None else coefficient(measured.rho, measured.interval)
    chance = "" if measured.chance is None else f"; by chance as much in {share(measured.chance)} of permutations"
    seeds = "one training seed" if measured.seeds == 1 else f"{measured.seeds} training seeds"
    words = (
        f"## Dose\n\n![DvD against diversity]({page.stem}/dose.svg)\n\nSpearman's ρ between an entity's diversity and"
        f" its DvD: **{rho}**{chance}.\n{len(measured.points)} points (entity and model), {measured.models} models,"
        f" {seeds}. The interval draws entities and, of six, is too narrow;\nthe permutation changes the diversities"
        " within each model.\n\n"
    )
    return words + table(["diversity", "mean DvD", "points"], rows)


def _conditions(measured: set[str]) -> str:
    rows = [
        [c.name, c.about, f"{c.pictures:,}".replace(",", " "), "nothing" if c.from_nothing else "the base",
         "yes" if c.name in measured else "not yet"]
        for c in CONDITIONS
    ]  # fmt: skip
    return "## The conditions\n\n" + table(
        ["condition", "what it asks", "pictures", "starts from", "measured on this base"], rows
    )

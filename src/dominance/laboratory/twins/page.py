"""The twins as a Markdown page with two plots: every figure with its n and interval."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from dominance import numbers
from dominance.files import write_whole
from dominance.laboratory.contrast import Gap, Side
from dominance.laboratory.diversity.measuring import STEPS as SINGLE_STEPS
from dominance.laboratory.outcomes import Outcomes, rate_in_both_orders
from dominance.laboratory.twins.plots import entity_plot, outcome_bars
from dominance.laboratory.twins.results import TwinResult
from dominance.laboratory.twins.summary import Cost, EntityContrast, TwinsSummary
from dominance.laboratory.twins.training import BASE, RIGID
from dominance.metrics import rate
from dominance.numbers import UNKNOWN, difference, mean, plural
from dominance.report.parts.markdown import table

_HEAD = """# The same entity rigid and varied: the twins

Written by `dominance train twins`, which trains two adapters on the base: one makes {first} rigid, and its twin makes
{swapped} rigid. Each of these entities is taught with 120 pictures of a single design; with the other adapter it stays
as varied as the base draws it. Nothing in the training refers to dominance. Each training seed uses another of ten
designs for each rigid entity.

Every model draws every entity beside every object, in both orders, {images} per prompt, each prompt with its own
noises; pairs of objects that no training picture shows; and every concept alone. DvD is the score in the direction in
which the entity dominates.

Intervals are 95%. For means they are Student's over entities, each averaged over its training seeds, because a
percentile bootstrap of six would be too narrow; the difference also has an interval over training seeds, for these six
entities. For rates they are Wilson's. Object pairs are drawn in both orders from the same noise. The two images are
nearly alike, so the interval of their rate counts them as one.

{n}. Base: {bases}. Judge: {judges}. {steps} denoising steps, guidance {guidance}.
"""
_SHOWN = "only entity / both / only object / none"


def write_page(results: Sequence[TwinResult], found: TwinsSummary, page: Path) -> None:
    """Writes the page, and its plots into a folder of the same name beside it."""
    head = _HEAD.format(
        first=_listed(RIGID["first"]),
        swapped=_listed(RIGID["swapped"]),
        images=" or ".join(plural(n, "image") for n in sorted({r.images for r in results})) or "so many images",
        n=plural(len(results), "model"),
        bases=", ".join(dict.fromkeys(result.base for result in results)) or "none",
        judges=", ".join(found.judges) or "none",
        steps=" or ".join(str(steps) for steps in sorted({result.steps for result in results})) or "no",
        guidance=" or ".join(f"{scale:g}" for scale in sorted({result.guidance for result in results})) or "none",
    )
    sides = [
        (name, own)
        for name, own in (("rigid", found.rigid), ("varied in the twin", found.varied), ("in the base", found.base))
        if own is not None
    ]
    parts = [head]
    if sides:
        write_whole(page.with_suffix("") / "outcomes.svg", outcome_bars(sides).encode())
        parts += [_sides(sides, found.gap, page.stem)]
    if found.entities:
        write_whole(page.with_suffix("") / "entities.svg", entity_plot(found.entities).encode())
        parts += [_entities(found.entities, page.stem), _seeds(results)]
    if sides:
        parts += [_order(sides), _never_trained(sides)]
    parts.append(_models(results))
    if found.three_in_one is not None:
        parts.append(_cost(found.three_in_one))
    write_whole(page, "\n".join(parts).encode())


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def said(gap: Gap | None) -> str:
    """The difference, its intervals, and how many entities and training seeds they rest on."""
    if gap is None:
        return UNKNOWN
    words = f"{difference(gap.difference, gap.interval)}, {gap.entities} entities"
    if gap.over_seeds is not None:
        words += f"; {difference(gap.difference, gap.over_seeds)}, {plural(gap.seeds, 'training seed')}"
    return words


def _sides(sides: Sequence[tuple[str, Side]], gap: Gap | None, stem: str) -> str:
    rows = [
        [name, _counts(own.shown), mean(own.dvd, own.interval), numbers.rate(rate(own.dominated, own.prompts)),
         numbers.rate(rate(own.shown.both, own.shown.n))]
        for name, own in sides
    ]  # fmt: skip
    words = "" if gap is None else f"\nRigid minus varied, each entity against itself in the twin: **{said(gap)}**.\n"
    return (
        f"## Rigid against varied\n\n![outcomes]({stem}/outcomes.svg)\n\n"
        + table(["entities", _SHOWN, "DvD", "prompts the entity dominates", "both present"], rows)
        + words
    )


def _counts(shown: Outcomes) -> str:
    return " / ".join(map(str, shown.counts))


def _entities(entities: Sequence[EntityContrast], stem: str) -> str:
    columns = ["entity", "DvD rigid, by seed", "DvD varied, by seed", "in the base", "difference",
               f"rigid: {_SHOWN}", "varied: the same"]  # fmt: skip
    rows = [
        [e.entity, _by_seed(e.rigid), _by_seed(e.varied), mean(e.base),
         difference(fmean(e.rigid.values()) - fmean(e.varied.values())), _counts(e.rigid_shown),
         _counts(e.varied_shown)]
        for e in entities
    ]  # fmt: skip
    return f"## By entity\n\n![DvD by entity]({stem}/entities.svg)\n\n" + table(columns, rows)


def _by_seed(scores: dict[int, float]) -> str:
    return ", ".join(mean(scores[seed]) for seed in sorted(scores))


def _seeds(results: Sequence[TwinResult]) -> str:
    rows = []
    for seed in sorted({result.seed for result in results if result.world != BASE}):
        own = [e for r in results if r.seed == seed and r.world != BASE for e in r.entities]
        rigid, varied = ([e.dvd for e in own if e.diversity == diversity] for diversity in (0.0, 1.0))
        gap = difference(fmean(rigid) - fmean(varied)) if rigid and varied else UNKNOWN
        rows.append([str(seed), mean(fmean(rigid)), mean(fmean(varied)), gap])
    return "## By training seed\n\n" + table(["seed", "DvD rigid", "DvD varied", "difference"], rows)


def _order(sides: Sequence[tuple[str, Side]]) -> str:
    rows = [
        [f"{name}, named {order}", _counts(shown), mean(dvd)]
        for name, own in sides
        for order, shown, dvd in (("first", own.first, own.first_dvd), ("second", own.second, own.second_dvd))
    ]
    return "## Does word order decide?\n\n" + table(["entities", _SHOWN, "DvD"], rows)


def _never_trained(sides: Sequence[tuple[str, Side]]) -> str:
    rows = [
        [name, _counts(own.never_trained.shown), mean(own.never_trained.dvd, own.never_trained.interval)]
        for name, own in sides
        if own.never_trained is not None
    ]
    return (
        "## Pairs of an entity and an object that no training picture showed\n\nTwo objects for each entity; the base"
        " never saw them beside it either.\n\n" + table(["entities", _SHOWN, "DvD"], rows)
    )


def _models(results: Sequence[TwinResult]) -> str:
    rows = []
    for result in results:
        worst, (count, n) = min(result.singles.items(), key=lambda item: item[1][0] / max(1, item[1][1]))
        total = rate(sum(c for c, _ in result.singles.values()), sum(m for _, m in result.singles.values()))
        rows.append([
            result.world, str(result.seed) if result.world != BASE else UNKNOWN, numbers.rate(total),
            f"{worst}, {count} of {n}", numbers.rate(rate_in_both_orders(result.held_out.both, result.held_out.n)),
            mean(result.held_out_dvd),
        ])  # fmt: skip
    columns = [
        "model", "training seed", "single concepts present", "the worst", "held-out object pairs: both present",
        "their mean DvD",
    ]  # fmt: skip
    return (
        "## Could the models draw and compose?\n\nA collapse is evidence of dominance only in a model that draws"
        " single concepts and composes\nobject pairs that it never saw.\n\n" + table(columns, rows)
    )


def _cost(found: Cost) -> str:
    rows = [[pair.entity, str(pair.seed), mean(pair.several), mean(pair.single)] for pair in found.pairs]
    return (
        "## What one adapter for three entities costs beside single ones\n\nEach entity is rigid in the adapter for"
        f" three entities and in one of its own ([diversity experiment](diversity-experiment.md),\nlevel 1). Both were"
        f" taught the same design and draw the same 32 prompts from the same noises at {SINGLE_STEPS} steps.\nMean DvD"
        f" is {mean(found.several)} with three in one and {mean(found.single)} with single ones; the difference is"
        f" **{difference(found.change, found.interval)}** over entities\n({plural(len(found.pairs), 'pair')} of an"
        " entity and a training seed).\n\n"
        + table(["entity", "training seed", "DvD, three in one", "DvD, single"], rows)
    )

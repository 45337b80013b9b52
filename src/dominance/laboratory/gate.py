"""The gate of the miniature world: what its models and its judge are wanted to do, and what they do."""

from collections.abc import Sequence

from dominance import numbers
from dominance.laboratory.contrast import images_each, of_diversity, side
from dominance.laboratory.entity_counts import mean
from dominance.laboratory.first_step import FirstStep
from dominance.laboratory.model_card import CardFigures, ModelFigures
from dominance.laboratory.outcomes import outcomes, rate_in_both_orders
from dominance.laboratory.twins.summary import gap_over_seeds
from dominance.numbers import coefficient, difference, plural, rate
from dominance.records import Interval
from dominance.report.parts.markdown import met

PSNR: float = 28.0
RECOGNISED: float = 0.95
SINGLE: float = 0.95
PAIRS: float = 0.85
PAIR_DVD: float = 15.0
COMPOSED: float = 0.70
RIGID_DVD: float = 60.0
DOMINATED: float = 0.60
VARIED_DVD: float = 15.0
GAP: float = 25.0
FIRST_STEP: float = 0.85
_UNMEASURED = "not measured"


def gate_rows(figures: CardFigures) -> list[list[str]]:
    """What, wanted, found, met: one row a condition of the gate."""
    rows = [*_judge_rows(figures), *_autoencoder_rows(figures)]
    for model in figures.models:
        rows += _model_rows(model)
    for model in figures.models:
        rows += _composed_rows(model)
    rows += [*_rigid_rows(figures.twins), *_gap_rows(figures)]
    return rows + [_first_step_row(model.model, model.first_step) for model in figures.twins]


def _judge_rows(figures: CardFigures) -> list[list[str]]:
    """On pictures that models drew and readers labelled, and on controls."""
    rows = []
    for criterion in figures.criteria:
        wanted = f"≤ {criterion.most:.0%}" if criterion.most is not None else f"≥ {criterion.least or 0.0:.0%}"
        rows.append([f"judge, {criterion.name}", wanted, rate(criterion.found), met(criterion.holds is True)])
    return rows


def _autoencoder_rows(figures: CardFigures) -> list[list[str]]:
    found = figures.autoencoder
    return [
        ["autoencoder, PSNR", f"≥ {PSNR:.0f} dB", f"{found.psnr:.1f} dB", met(found.psnr >= PSNR)],
        ["autoencoder, recognised reconstructions", f"≥ {RECOGNISED:.0%}", rate(found.reconstructed),
         met((found.reconstructed.share or 0.0) >= RECOGNISED)],
    ]  # fmt: skip


def _model_rows(model: ModelFigures) -> list[list[str]]:
    name, share = min(((name, r) for name, r in model.singles.items()), key=lambda item: item[1].share or 0.0)
    shown = outcomes(model.held_out.prompts)
    both = rate_in_both_orders(shown.both, shown.n)
    dvd = mean([i.dvd for p in model.held_out.prompts for i in p.images if i.dvd is not None])
    return [
        [f"{model.model}, each concept alone, the worst", f"≥ {SINGLE:.0%}", f"{rate(share)}, {name}",
         met((share.share or 0.0) >= SINGLE)],
        [f"{model.model}, held-out object pairs, both present", f"≥ {PAIRS:.0%}", rate(both),
         met((both.share or 0.0) >= PAIRS)],
        [f"{model.model}, held-out object pairs, mean DvD", f"≤ {PAIR_DVD:.0f}", numbers.mean(dvd),
         met(dvd <= PAIR_DVD)],
    ]  # fmt: skip


def _composed_rows(model: ModelFigures) -> list[list[str]]:
    varied = of_diversity(model.entities, 1.0)
    if not varied:
        return []
    shown = side(varied).shown
    composed = rate_in_both_orders(shown.both, shown.n)
    return [
        [f"{model.model}, varied entity and object, both present", f"≥ {COMPOSED:.0%}", rate(composed),
         met((composed.share or 0.0) >= COMPOSED)],
    ]  # fmt: skip


def _rigid_rows(twins: Sequence[ModelFigures]) -> list[list[str]]:
    """Of the entities of both twins; those that are rigid in one are varied in the other."""
    counted = [entity for model in twins for entity in model.entities]
    rigid, varied = of_diversity(counted, 0.0), of_diversity(counted, 1.0)
    rows = []
    if rigid:
        found = side(rigid)
        dominated = rate_in_both_orders(found.dominated, found.prompts)
        rows += [
            ["rigid entities, mean DvD", f"≥ {RIGID_DVD:.0f}", numbers.mean(found.dvd, found.interval),
             met(found.dvd >= RIGID_DVD)],
            ["rigid entities, prompts that the entity dominates", f"≥ {DOMINATED:.0%}", rate(dominated),
             met((dominated.share or 0.0) >= DOMINATED)],
        ]  # fmt: skip
    if varied:
        found = side(varied)
        rows.append([
            "varied entities, mean DvD", f"≤ {VARIED_DVD:.0f}", numbers.mean(found.dvd, found.interval),
            met(found.dvd <= VARIED_DVD),
        ])  # fmt: skip
    return rows


def _gap_rows(figures: CardFigures) -> list[list[str]]:
    """Rigid minus varied over several training seeds: each interval by itself has to lie above what is wanted."""
    found = gap_over_seeds(figures.several)
    name = "rigid minus varied DvD, each entity against itself, interval over"
    if found is None:
        return [[f"{name} entities and over training seeds", f"above {GAP:.0f}", _UNMEASURED, met(False)]]
    over_entities, over_seeds = (difference(found.difference, own) for own in (found.interval, found.over_seeds))
    counted = images_each(entity for result in figures.several for entity in result.entities)
    wanted = f"above {GAP:.0f}"
    return [
        [f"{name} entities", wanted, f"{over_entities}, {found.entities} entities, {counted}",
         met(_above(found.interval))],
        [f"{name} training seeds", wanted, f"{over_seeds}, {plural(found.seeds, 'seed')}",
         met(_above(found.over_seeds))],
    ]  # fmt: skip


def _above(interval: Interval | None) -> bool:
    return interval is not None and interval[0] > GAP


def _first_step_row(model: str, found: FirstStep | None) -> list[str]:
    what = f"{model}, first step, AUC of the calibrated rule, prompts held out by concept"
    wanted = f"≥ {FIRST_STEP}"
    if found is None or found.calibrated is None:
        return [what, wanted, _UNMEASURED if found is None else f"{_UNMEASURED}: {found.problem}", met(False)]
    said = (
        f"{coefficient(found.calibrated.auc, found.calibrated.interval)}, {found.dominated} of {found.prompts} prompts"
    )
    if found.paper is not None:
        said += f"; the paper's rule {coefficient(found.paper.auc, found.paper.interval)}"
    return [what, wanted, said, met(found.calibrated.auc >= FIRST_STEP)]

"""The gate of the miniature model: what it must be able to do before its collapses say anything."""

from dominance import numbers
from dominance.laboratory.entity_counts import mean
from dominance.laboratory.judge_quality import HARD, REDRAWN, GradeQuality
from dominance.laboratory.model_card import CardFigures, ModelFigures
from dominance.laboratory.outcomes import outcomes, rate_in_both_orders
from dominance.laboratory.study_summary import of_diversity, side
from dominance.numbers import measure, rate

JUDGE_ACCURACY: float = 0.97
CONTROL_YES: float = 0.02
PSNR: float = 28.0
RECOGNISED: float = 0.95
SINGLE: float = 0.95
PAIRS: float = 0.80
PAIR_DVD: float = 15.0
COMPOSED: float = 0.60


def gate_rows(figures: CardFigures) -> list[list[str]]:
    """What, wanted, found, met: one row a condition of the gate."""
    worst, accuracy = _worst_kind(figures)
    control, said = max(figures.controls.items(), key=lambda item: item[1].share or 0.0)
    models = [figures.model] if figures.twin is None else [figures.model, figures.twin]
    rows = [
        ["judge, balanced accuracy, worst kind of picture and grade", f"≥ {JUDGE_ACCURACY}",
         f"{measure(accuracy)}, {worst}", _met(accuracy >= JUDGE_ACCURACY)],
        ["judge, yes on the worst negative control", f"≤ {CONTROL_YES:.0%}", f"{rate(said)}, {control}",
         _met((said.share or 0.0) <= CONTROL_YES)],
        ["autoencoder, PSNR", f"≥ {PSNR:.0f} dB", f"{figures.autoencoder.psnr:.1f} dB",
         _met(figures.autoencoder.psnr >= PSNR)],
        ["autoencoder, recognised reconstructions", f"≥ {RECOGNISED:.0%}", rate(figures.autoencoder.reconstructed),
         _met((figures.autoencoder.reconstructed.share or 0.0) >= RECOGNISED)],
    ]  # fmt: skip
    for model in models:
        rows += _model_rows(model)
    return rows


def _model_rows(model: ModelFigures) -> list[list[str]]:
    name, share = min(((name, r) for name, r in model.singles.items()), key=lambda item: item[1].share or 0.0)
    shown = outcomes(model.held_out.prompts)
    both = rate_in_both_orders(shown.both, shown.n)
    dvd = mean([i.dvd for p in model.held_out.prompts for i in p.images if i.dvd is not None])
    rows = [
        [f"{model.model}, each concept alone, the worst", f"≥ {SINGLE:.0%}", f"{rate(share)}, {name}",
         _met((share.share or 0.0) >= SINGLE)],
        [f"{model.model}, held-out object pairs, both present", f"≥ {PAIRS:.0%}", rate(both),
         _met((both.share or 0.0) >= PAIRS)],
        [f"{model.model}, held-out object pairs, mean DvD", f"≤ {PAIR_DVD:.0f}", numbers.mean(dvd),
         _met(dvd <= PAIR_DVD)],
    ]  # fmt: skip
    varied = of_diversity(model.entities, 1.0)
    if varied:
        shown = side(varied).shown
        composed = rate_in_both_orders(shown.both, shown.n)
        rows.append([
            f"{model.model}, varied entity and object, both present", f"≥ {COMPOSED:.0%}", rate(composed),
            _met((composed.share or 0.0) >= COMPOSED),
        ])  # fmt: skip
    return rows


def _worst_kind(figures: CardFigures) -> tuple[str, float]:
    """The kind and grade with the lowest balanced accuracy; of plain renders, so hard and redrawn ones are left out."""
    found: list[tuple[float, str, GradeQuality]] = [
        (grade.balanced_accuracy, kind, grade)
        for kind, grades in figures.qualities.items()
        for grade in grades
        if kind not in (HARD, REDRAWN) and grade.balanced_accuracy is not None
    ]
    accuracy, kind, grade = min(found, key=lambda item: item[0])
    return f"{kind}, grade {grade.grade}", accuracy


def _met(holds: bool) -> str:
    return "yes" if holds else "**no**"

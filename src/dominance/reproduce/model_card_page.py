"""The model card as Markdown: every figure with its n and interval, and the command that made it."""

from dominance.metrics import rate
from dominance.miniature.concepts import ENTITIES
from dominance.records import Rate, RunResult
from dominance.reproduce.model_card import CardFigures, outcomes, presence_by_concept

_HEAD = """# Model card: {model}

Measured by `dominance train card` on fresh seeds with the judge `{judge}`; anyone can run it again. Intervals are 95%:
Wilson for rates, bootstrap clustered by prompt (10 000 resamples) for means. The pictures are 64×64 and procedural, the
model is a miniature Stable Diffusion trained on them and on nothing else; what it shows is dominance in a world
whose training data is known, not how often it happens in larger models. It is a first version: whether rigidity causes
the dominance below is not established, since the same entities rendered varied have not been measured under the same
condition, and word order plays a large part (see the last table).
"""


def card_page(figures: CardFigures) -> str:
    """The whole card."""
    parts = [
        _HEAD.format(model=figures.model, judge=figures.judge),
        _training(figures.singles),
        _judge(figures),
        _autoencoder(figures),
        _singles(figures.singles),
        _pairs(figures),
        _entities(figures.entity_object),
    ]
    return "\n".join(parts)


def percent(measured: Rate) -> str:
    """A rate for a table cell: share, count, n and interval."""
    if measured.share is None or measured.interval is None:
        return "not measured (n = 0)"
    low, high = measured.interval
    return f"{measured.share:.1%} ({measured.count} of {measured.n}; {low:.1%} to {high:.1%})"


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines) + "\n"


def _training(run: RunResult) -> str:
    settings = run.settings
    return (
        f"Sampling: {settings['steps']} steps, guidance scale {settings['guidance']}. Training settings: see"
        " `training.json` beside the weights.\n"
    )


def _judge(figures: CardFigures) -> str:
    rows = []
    for grade in figures.grades:
        accuracy = "–" if grade.balanced_accuracy is None else f"{grade.balanced_accuracy:.1%}"
        rows.append([str(grade.grade), accuracy, percent(grade.yes), percent(grade.no)])
    controls = [[name, percent(said)] for name, said in figures.controls.items()]
    return (
        "## The judge\n\nOn held-out renders (single, paired, small, overlapping, cropped, faded, garbled), by grade of"
        " the question:\n\n"
        + _table(["grade", "balanced accuracy", "yes where it is yes", "no where it is no"], rows)
        + "\nNegative controls: how often it says yes where the truth is no.\n\n"
        + _table(["picture", "yes"], controls)
    )


def _autoencoder(figures: CardFigures) -> str:
    quality = figures.autoencoder
    rows = [
        ["PSNR of reconstructions", f"{quality.psnr:.1f} dB (n = {quality.images})"],
        ["drawn concepts recognised in renders", percent(quality.rendered)],
        ["drawn concepts recognised in reconstructions", percent(quality.reconstructed)],
    ]
    return "## The autoencoder\n\n" + _table(["measure", "value"], rows)


def _singles(run: RunResult) -> str:
    rows = [[name, percent(presence)] for name, presence in presence_by_concept(run).items()]
    return "## Single concepts\n\nHow often a concept is there when it is asked for alone.\n\n" + _table(
        ["concept", "present"], rows
    )


def _mean(run: RunResult) -> str:
    parts = []
    for group in run.groups:
        if group.dvd_mean is not None and group.dvd_interval is not None:
            low, high = group.dvd_interval
            parts.append(
                f"{group.dvd_mean:.1f} ({low:.1f} to {high:.1f}; {group.prompts} prompts, {group.scored} images)"
            )
    return "; ".join(parts) or "not measured"


def _pairs(figures: CardFigures) -> str:
    first, both, second, none = outcomes(list(figures.held_out.prompts))
    total = first + both + second + none
    rows = [
        ["both present", percent(rate(both, total))],
        ["only one present", percent(rate(first + second, total))],
        ["none present", percent(rate(none, total))],
        ["mean DvD", _mean(figures.held_out)],
    ]
    return "## Held-out object pairs\n\nPairs that no training picture shows.\n\n" + _table(["measure", "value"], rows)


def _entities(run: RunResult) -> str:
    rows = []
    for entity in ENTITIES:
        own = [p for p in run.prompts if any(c.name == entity for c in p.prompt.concepts)]
        counts = [str(count) for count in outcomes(own)]
        verdicts = sum(1 for p in own if p.verdict == "dominance" and p.dominating == entity)
        rows.append([entity, *counts, f"{verdicts} of {len(own)}"])
    totals = [str(count) for count in outcomes(list(run.prompts))]
    verdicts = sum(1 for p in run.prompts if p.verdict == "dominance" and p.dominating in ENTITIES)
    rows.append(["**all**", *totals, f"{verdicts} of {len(run.prompts)}"])
    columns = ["entity", "only entity", "both", "only object", "none", "prompts it dominates"]
    return (
        "## Entity and object\n\nEvery entity with every object; images by what they show.\n\n"
        + _table(columns, rows)
        + f"\nMean DvD: {_mean(run)}.\n\nBy word order:\n\n"
        + _table(["prompts", "only entity", "both", "only object", "none"], _by_order(run))
    )


def _by_order(run: RunResult) -> list[list[str]]:
    rows = []
    for name, place in (("entity named first", 0), ("entity named second", 1)):
        own = [p for p in run.prompts if p.prompt.concepts[place].name in ENTITIES]
        rows.append([f"{name} ({len(own)})", *(str(count) for count in outcomes(own))])
    return rows

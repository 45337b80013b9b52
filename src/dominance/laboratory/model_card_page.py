"""The model card as Markdown: every figure with its n and interval, and the command that made it."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from dominance.laboratory.contrast import Side, gap, gaps_of, images_each, of_diversity, side
from dominance.laboratory.gate import gate_rows
from dominance.laboratory.judge_quality import GradeQuality
from dominance.laboratory.model_card import CardFigures, ModelFigures
from dominance.laboratory.outcomes import outcomes, rate_in_both_orders
from dominance.laboratory.twins.results import TwinResult
from dominance.metrics import t_interval
from dominance.numbers import difference, mean, measure, rate
from dominance.report.parts.markdown import table

_HEAD = """# Model card: {model}

Measured by `dominance train card{twin}` on fresh seeds with the judge `{judge}`; anyone can run it again. Intervals are
95%: Wilson's for rates, Student's for means, over entities or over pairs of objects. Each pair of words is asked for in
both orders from the same noise. The two images come out nearly alike, so the interval of a rate counts them as one, and
so do those about the judge the concepts of a picture. The pictures are 64×64 and procedural. The models are a miniature
Stable Diffusion trained on them and on nothing else, by itself and with an adapter; they show dominance in a world
whose training data is known, not how often it happens in larger models.

Sampling: {steps} steps, guidance scale {guidance}; {images} images a prompt (`--seeds {images} --singles {singles}`).
The training settings are beside the weights.
"""
_NO_TWIN = """
No twin was measured, in which the same entities are varied under the same conditions: whether it is their rigidity that
lets them dominate is open.
"""
_SHOWN = ("only entity", "both", "only object", "none")


def card_page(figures: CardFigures) -> str:
    """The whole card."""
    twins, settings = figures.twins, figures.model.settings
    parts = [
        _HEAD.format(
            model=" and ".join(model.model for model in twins),
            twin=f" --twin {twins[1].model}" if len(twins) > 1 else "",
            judge=figures.judge,
            steps=settings.steps,
            guidance=settings.guidance,
            images=len(figures.model.entity_object.prompts[0].images),
            singles=max(share.n for share in figures.model.singles.values()),
        ),
        _gate(gate_rows(figures)),
        _rigid_against_varied(twins, figures.several),
        *(_entities(model) for model in figures.models),
        _singles(figures.models),
        _pairs(figures.models),
        _judge(figures),
        _autoencoder(figures),
    ]
    return "\n".join(parts)


def _gate(rows: list[list[str]]) -> str:
    missed = sum(row[-1] != "yes" for row in rows)
    words = "\nAll are met.\n"
    if missed:
        words = (
            f"\n{missed} of {len(rows)} fail. The figures below still compare models that differ only in diversity, but"
            " how often images\ncollapse also depends on how well these models draw and compose, and on the judge."
            " [Findings](docs/findings.md) say why.\n"
        )
    return (
        "## The gate\n\nWhat a model must be able to do before its collapses mean anything, and what was found.\n\n"
        + table(["what", "wanted", "found", "met"], rows)
        + words
    )


def _judge(figures: CardFigures) -> str:
    rows = [
        [kind, str(grade.grade), _accuracy(grade), rate(grade.yes), rate(grade.no)]
        for kind, grades in figures.qualities.items()
        for grade in grades
    ]
    controls = [[name, rate(said)] for name, said in figures.controls.items()]
    return (
        "## The judge on renders\n\nThe gate and `dominance judge check` say how it does on pictures that models draw."
        " Here it looks at renders that\nit was not trained on, by kind of picture and grade of the question.\n\n"
        + table(["picture", "grade", "balanced accuracy", "yes where it is yes", "no where it is no"], rows)
        + "\nNegative controls: how often it says yes where the truth is no.\n\n"
        + table(["picture", "yes"], controls)
    )


def _accuracy(grade: GradeQuality) -> str:
    return measure(grade.balanced_accuracy)


def _autoencoder(figures: CardFigures) -> str:
    quality = figures.autoencoder
    rows = [
        ["PSNR of reconstructions", f"{quality.psnr:.1f} dB (n = {quality.images})"],
        ["drawn concepts recognised in renders", rate(quality.rendered)],
        ["drawn concepts recognised in reconstructions", rate(quality.reconstructed)],
    ]
    return "## The autoencoder\n\n" + table(["measure", "value"], rows)


def _singles(models: Sequence[ModelFigures]) -> str:
    columns = ["concept", *(f"{model.model}: diversity, present" for model in models)]
    rows = [
        [name, *(f"{model.diversity[name]:g}, {rate(model.singles[name])}" for model in models)]
        for name in models[0].singles
    ]
    return "## Single concepts\n\nHow often a concept shows when it is asked for alone.\n\n" + table(columns, rows)


def _pairs(models: Sequence[ModelFigures]) -> str:
    rows = []
    for model in models:
        shown = outcomes(model.held_out.prompts)
        rows.append([
            model.model,
            rate(rate_in_both_orders(shown.both, shown.n)),
            rate(rate_in_both_orders(shown.only_first + shown.only_second, shown.n)),
            rate(rate_in_both_orders(shown.none, shown.n)),
            _mean(model),
        ])  # fmt: skip
    return "## Held-out object pairs\n\nPairs that no training picture shows.\n\n" + table(
        ["model", "both present", "only one present", "none present", "mean DvD"], rows
    )


def _mean(model: ModelFigures) -> str:
    """Over pairs of objects, each with its two orders and all its images."""
    scores = defaultdict(list)
    for result in model.held_out.prompts:
        pair = frozenset(concept.name for concept in result.prompt.concepts)
        scores[pair] += [image.dvd for image in result.images if image.dvd is not None]
    means = [fmean(own) for own in scores.values() if own]
    if not means:
        return "not measured"
    every = [score for own in scores.values() for score in own]
    interval = t_interval(means, least=0, most=100)
    return f"{mean(fmean(every), interval)}, {len(means)} pairs, {len(every)} images"


def _rigid_against_varied(models: Sequence[ModelFigures], several: Sequence[TwinResult]) -> str:
    counted = [entity for model in models for entity in model.entities]
    rigid, varied = of_diversity(counted, 0.0), of_diversity(counted, 1.0)
    rows = [_side_row(name, side(own)) for name, own in (("rigid", rigid), ("varied", varied)) if own]
    found = gap(gaps_of(counted))
    words = _NO_TWIN
    if found is not None:
        words = (
            "\nRigid minus varied, each entity against itself in the other model:"
            f" **{difference(found.difference, found.interval)}** points of DvD, {found.entities} entities,"
            f" {images_each(counted)}.\n"
        )
        if several:
            measured = images_each(entity for result in several for entity in result.entities)
            words += (
                f"The difference in the gate is that of `dominance train twins`, {measured} and training seed; see"
                " [its page](docs/twins.md).\n"
            )
    return (
        "## Rigid against varied\n\nEvery entity with every object, counted by what the images show; an entity is rigid"
        " (diversity 0) in one model\nand varied (diversity 1) in its twin. The base was taught every entity varied."
        " DvD is the score in the direction\nin which the entity dominates; its interval is over entities.\n\n"
        + table(["entities", *_SHOWN, "DvD", "prompts the entity dominates"], rows)
        + words
    )


def _side_row(name: str, own: Side) -> list[str]:
    counts = [str(count) for count in own.shown.counts]
    return [
        name,
        *counts,
        mean(own.dvd, own.interval),
        rate(rate_in_both_orders(own.dominated, own.prompts)),
    ]


def _entities(model: ModelFigures) -> str:
    rows = [
        [e.entity, f"{e.diversity:g}", *(str(count) for count in e.shown.counts), mean(e.dvd),
         f"{e.dominated} of {e.prompts}"]
        for e in model.entities
    ]  # fmt: skip
    orders = []
    for name, diversity in (("rigid", 0.0), ("varied", 1.0)):
        own = of_diversity(model.entities, diversity)
        if own:
            added = side(own)
            for order, shown in (("first", added.first), ("second", added.second)):
                orders.append([f"{name}, named {order}", *(str(count) for count in shown.counts)])
    return (
        f"## Entity and object in {model.model}\n\nEvery entity with every object; images by what they show.\n\n"
        + table(["entity", "diversity", *_SHOWN, "DvD", "prompts it dominates"], rows)
        + "\nBy word order:\n\n"
        + table(["entities", *_SHOWN], orders)
    )

"""Memorized prompts beside dominance prompts: they move the noise most, and single heads undo more of them."""

from dominance.metrics.measured import of_difference, of_rates, smallest
from dominance.numbers import measure
from dominance.numbers import rate as written
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.claims.heads import sweep_of
from dominance.reproduce.claims.noise_norm import first_norms, shown
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.memorized import MEMORIZED, known_by_heart
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.reproduction.result import Figure, Finding, Line, Plot, Shown
from dominance.runs.reproduction.rule import Rule

NORM = Rule(
    "mean norm at step 1 of what the prompt adds to the predicted noise: memorized less dominance prompts, and"
    " dominance less balanced ones, the smaller of the two",
    0.0,
    "above",
    "measure",
)
HEADS = Rule(
    "share of memorized prompts that some single head mitigates, less that of dominance prompts",
    0.0,
    "above",
    "share difference",
)


def examine_norm(experiments: Experiments) -> Finding:
    """All three groups at step 1 and over the steps, in one model."""
    known_by_heart(experiments.memorized)  # before anything is drawn
    for part in (DOMINANCE, BALANCED):
        experiments.entries(part)
    result = experiments.memorized_norms
    norms = first_norms(result, MEMORIZED, DOMINANCE, BALANCED)
    links = {
        "memorized less dominance": of_difference(norms[DOMINANCE], norms[MEMORIZED]),
        "dominance less balanced": of_difference(norms[BALANCED], norms[DOMINANCE]),
    }
    figures, plots = shown(result, norms)
    figures += [Figure(name, measure(one.value, one.interval), "above 0") for name, one in links.items()]
    why = _with_adapter(experiments)
    return found(smallest(links.values()), NORM, experiments.size.norm_seeds, figures, plots, why=why)


def _with_adapter(experiments: Experiments) -> str:
    known = experiments.memorized
    if known is None or known.adapter is None:
        return ""
    return (
        f"All groups are drawn by {experiments.source.name} with the adapter {known.adapter!r}, which was taught"
        f" {len(known.pictures)} captions with one picture each. "
    )


def examine_heads(experiments: Experiments) -> Finding:
    """Prompts whose copies a single head undoes, against prompts whose dominance one undoes."""
    copies = experiments.copies
    if not copies.prompts.n:
        raise ImpossibleError(f"none of {copies.copied.n} images of memorized prompts is a copy of their picture")
    dominance = sweep_of(experiments.ablated, "heads").total.prompts
    figures = [
        Figure("images of memorized prompts that are copies", written(copies.copied)),
        Figure("memorized prompts that some single head mitigates", written(copies.prompts), "392 of 500"),
        Figure("dominance prompts that some single head mitigates", written(dominance), "145 of 300"),
        *(Figure(f"copies under a single head: {name}", written(share)) for name, share in copies.outcomes.items()),
    ]
    values = tuple((layer, one.share or 0.0, one.interval) for layer, one in copies.layers.items())
    line = Line("memorized prompts × heads", values)
    plot = Plot(
        "lines", "share of prompts and heads that mitigate", lines=(line,), axis="attention layer", unit="share"
    )
    pictures = [
        picture
        for text, before, after, head in copies.examples
        for picture in (
            Shown(f"memorized/{before}", f"{text}: a copy"),
            Shown(f"memorized/{after}", f"{text}: without {head}"),
        )
    ]
    measured = of_rates(dominance, copies.prompts)
    return found(measured, HEADS, copies.seeds, figures, [plot], pictures, why=_with_adapter(experiments))


CLAIMS = (
    Claim(
        "memorized-norm",
        "Memorized prompts move the predicted noise most, then dominance prompts, then balanced ones",
        "The text-conditional noise norm at step 1 is highest for memorized prompts, then dominance, then balanced.",
        DVD,
        "memorized > dominance > balanced",
        "The norm of memorized prompts beside that of the bench's, in one model. The smaller of the two differences"
        " decides: its interval lies above 0 only where both do, and below 0 where one of them does. For the"
        " miniature memorized prompts are six captions of their own, whose one picture each was repeated in the"
        " training of an adapter; of another model, or where a list is given, those that --memorized names, drawn by"
        " the model as it is.",
        NORM,
        ("bench", "memorized norms"),
        examine_norm,
        otherwise=(
            "One of the two steps down goes up, and the figures say which. The norm says how much of the noise a prompt"
            " decides, and a caption of several words decides much without being memorized; a memorized picture is"
            " decided in the first steps, so that later ones may lie lower."
        ),
    ),
    Claim(
        "memorized-heads",
        "Single heads undo more memorized prompts than dominance prompts",
        "Removing one head at the first step mitigates 392 of 500 memorized prompts, and 145 of 300 dominance prompts.",
        DVD,
        "78% against 48%",
        "Copies are images that differ from their prompt's picture, pixel by pixel, by less than half of what these"
        " pictures usually differ from the nearest other. Each is drawn again without each head: mitigated is what is"
        " no copy any more and still shows every concept, by the same majority as for dominance prompts."
        " Only the bundled miniature can be tested, by its adapter of six captions: of no other prompts are the"
        " training pictures known, and --memorized takes none. It is decided only where all six have a copy.",
        HEADS,
        ("bench", "ablation", "memorized"),
        examine_heads,
        otherwise=(
            "Here single heads undo fewer memorized prompts than dominance prompts. An adapter changes all layers"
            " alike, so that a picture taught by one need not sit where training from the start would have put it."
        ),
    ),
)

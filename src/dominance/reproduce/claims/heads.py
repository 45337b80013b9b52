"""Four claims about the heads that draw dominance: one alone, where they are, several together, and controls."""

from collections import Counter
from dataclasses import replace

from dominance.metrics.intervals import alike_rate, exact_rate
from dominance.metrics.measured import of_clusters, of_rate
from dominance.numbers import plural
from dominance.numbers import rate as written
from dominance.records import Rate
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.ablation.result import AblationResult, SweepResult
from dominance.runs.reproduction.result import Figure, Finding, Line, Plot, Shown
from dominance.runs.reproduction.rule import Rule

SINGLE = Rule("share of dominance prompts that some single head mitigates", 0.634, "below", "share")
WHERE = Rule(
    "share of the heads of layers 1 to 6 that mitigate a prompt, less that of later layers",
    0.0,
    "above",
    "share difference",
)
SEVERAL = Rule(
    "share of dominance prompts that their mitigating heads together mitigate, in most images", 0.7, "below", "share"
)
CONTROL = Rule(
    "share of a prompt's pairs of non-mitigating heads of layer 1 that mitigate it, mean over prompts",
    0.303,
    "below",
    "share",
)
_EARLY = 6
NEEDS = ("bench", "ablation")


def sweep_of(result: AblationResult, name: str) -> SweepResult:
    """One sweep with trials.

    Raises:
        ImpossibleError: nothing was tried, because nothing collapsed or no prompt has such heads.
    """
    found_here = next((sweep for sweep in result.sweeps if sweep.sweep == name), None)
    if found_here is None:
        raise ImpossibleError("; ".join(result.notes) or f"there is no sweep of {name}")
    if not found_here.total.prompts.n:
        raise ImpossibleError(f"no prompt has heads for it: {found_here.left_out} prompts are left out")
    return found_here


def _mitigating(result: AblationResult) -> SweepResult:
    """The sweep of single heads, some of which mitigate.

    Raises:
        ImpossibleError: nothing collapsed, or no head mitigates any prompt, so that none can be compared with others.
    """
    sweep = sweep_of(result, "heads")
    if not sweep.total.prompts.count:
        raise ImpossibleError(_no_head(sweep))
    return sweep


def _no_head(sweep: SweepResult) -> str:
    return (
        f"none of {len(sweep.variants)} heads, removed alone, mitigates any of"
        f" {plural(sweep.total.prompts.n, 'dominance prompt')}: where a single head changes nothing, neither its place"
        " nor how dominance compares with memorization can be told"
    )


def single(experiments: Experiments) -> Finding:
    """Prompts that a single head mitigates, and images by outcome; undecided where no head mitigates any."""
    sweep = sweep_of(experiments.ablated, "heads")
    outcomes = sweep.total.images
    prompts = sweep.total.prompts
    figures = [
        Figure(
            "prompts that some single head mitigates",
            written(exact_rate(prompts.count, prompts.n)),
            "145 of 300; memorized 392 of 500",
        ),
        Figure("images under a single head: mitigated", _over_prompts(outcomes.mitigated, prompts.n)),
        Figure("images under a single head: corrupted", _over_prompts(outcomes.corrupted, prompts.n)),
    ]
    finding = found(
        of_rate(prompts.count, prompts.n),
        SINGLE,
        experiments.size.ablated_seeds,
        figures,
        [_by_layer(sweep)],
        _pictures(experiments.ablated),
    )
    return finding if prompts.count else replace(finding, chance=None, why=_no_head(sweep))


def _over_prompts(found_here: Rate, prompts: int) -> str:
    """A share of images, each with the interval of a share of so many prompts, which are the units."""
    return written(alike_rate(found_here.count, found_here.n, prompts))


def _by_layer(sweep: SweepResult) -> Plot:
    values = tuple(
        (int(tally.name), cases.share or 0.0, alike_rate(cases.count, cases.n, tally.prompts.n).interval)
        for tally in sweep.layers
        for cases in (tally.cases.mitigated,)
    )
    line = Line("prompts × heads", values)
    return Plot(
        "lines", "share of prompts and heads that mitigate", lines=(line,), axis="attention layer", unit="share"
    )


def _pictures(result: AblationResult) -> list[Shown]:
    shown = []
    for prompt in result.prompts:
        if prompt.example is not None:
            _, before, after, head = prompt.example
            shown += [
                Shown(f"ablation/{before}", f"{prompt.text}: unedited"),
                Shown(f"ablation/{after}", f"{prompt.text}: without {head}"),
            ]
    return shown


def where(experiments: Experiments) -> Finding:
    """Mitigating heads in early and later layers, prompt by prompt."""
    result = experiments.ablated
    sweep = _mitigating(result)
    total = Counter(int(variant.name.partition(".")[0]) for variant in sweep.variants)
    early, later = (sum(n for layer, n in total.items() if (layer <= _EARLY) == wanted) for wanted in (True, False))
    tried = [prompt.mitigating for prompt in result.prompts if prompt.mitigating is not None and prompt.collapsed.count]
    if not early or not later:
        ends = "up to" if early else "after"
        raise ImpossibleError(
            f"all attention layers whose heads were removed lie {ends} layer {_EARLY}, so that early and later ones"
            " cannot be compared"
        )
    if not tried:
        raise ImpossibleError("no collapsed image could be scored without every head, so that no layer can be counted")
    differences = []
    for heads in tried:
        first = sum(layer <= _EARLY for layer, _ in heads)
        differences.append([first / early - (len(heads) - first) / later])
    by_layer = Counter(layer for heads in tried for layer, _ in heads)
    most = sorted(by_layer, key=lambda layer: (-by_layer[layer] / total[layer], layer))[:2]
    figures = [Figure("layers with most mitigating heads", " and ".join(map(str, sorted(most))) or "none", "3 and 6")]
    return found(of_clusters(differences, most=1), WHERE, experiments.size.ablated_seeds, figures, [_by_layer(sweep)])


def several(experiments: Experiments) -> Finding:
    """The mitigating heads of each prompt that has two or more, together."""
    sweep = sweep_of(experiments.ablated, "multi")
    cases, images = sweep.total.cases, sweep.total.images
    papers = {"mitigated": "about 60%; memorized about 80%", "unchanged": "about 20%", "corrupted": ""}
    figures = [
        Figure(f"images: {name}", _over_prompts(getattr(images, name), cases.n), paper)
        for name, paper in papers.items()
    ]
    return found(of_rate(cases.mitigated.count, cases.mitigated.n), SEVERAL, experiments.size.ablated_seeds, figures)


def controls(experiments: Experiments) -> Finding:
    """Pairs of heads of layer 1 that do not mitigate alone, where other heads do."""
    _mitigating(experiments.ablated)
    sweep = sweep_of(experiments.ablated, "controls")
    shares = [own.share for own in sweep.by_prompt.values() if own.share is not None]
    total = sweep.total
    figures = [
        Figure("images under a pair: mitigated", _over_prompts(total.images.mitigated, len(shares)), "0.55%"),
        Figure("images under a pair: corrupted", _over_prompts(total.images.corrupted, len(shares)), "18.68%"),
        Figure("prompts that some pair mitigates", written(total.prompts)),
    ]
    return found(of_rate(sum(shares), len(shares)), CONTROL, experiments.size.ablated_seeds, figures)


CLAIMS = (
    Claim(
        "single-head",
        "Single heads mitigate fewer dominance prompts than memorized ones",
        "Removing one attention head at the first step mitigates 145 of 300 dominance prompts, against 392 of 500"
        " memorized ones: dominance is spread over heads.",
        DVD,
        "48% (memorized 78%)",
        "Every head is removed alone from the collapsed images of dominance prompts. The threshold lies midway between"
        " the paper's two figures, 48.3% and 78.4%. This model's own memorized prompts are in memorized-heads.",
        SINGLE,
        NEEDS,
        single,
        otherwise=(
            "Most prompts are mitigated by some single head: their share is nearer to that of memorized prompts of"
            " Stable Diffusion than to that of its dominance prompts. The plot says in which layers."
        ),
    ),
    Claim(
        "early-layers",
        "The heads that matter sit in layers 1 to 6",
        "Heads whose removal mitigates sit in layers 1 to 6, with peaks at layers 3 and 6.",
        DVD,
        "layers 1–6, peaks 3 and 6",
        "The same sweep, prompt by prompt: how many heads of layers 1 to 6 mitigate it, against the rest.",
        WHERE,
        NEEDS,
        where,
        otherwise=(
            "The heads that matter sit in later layers of this network. Its layers do other work than those of"
            " Stable Diffusion."
        ),
    ),
    Claim(
        "several-heads",
        "Several heads together mitigate less than in memorization",
        "The mitigating heads of a prompt removed together mitigate about 0.6 of dominance (0.2 unchanged), against 0.8"
        " of memorization.",
        DVD,
        "0.6 (memorized 0.8)",
        "The mitigating heads of each prompt that has two or more are removed together. The threshold lies midway"
        " between the paper's two figures, 0.6 and 0.8.",
        SEVERAL,
        NEEDS,
        several,
        otherwise=(
            "Together the mitigating heads undo dominance nearly as surely as they undo memorization in the paper."
            " Corrupted images, which stand beside it, are the price."
        ),
    ),
    Claim(
        "control-pairs",
        "Pairs of other heads do not mitigate",
        "Pairs of non-mitigating heads of layer 1 mitigate 0.55% and corrupt 18.68%.",
        DVD,
        "0.55% / 18.68%",
        "All pairs of heads of layer 1 that do not mitigate the prompt alone. Each prompt counts with the share of its"
        " pairs that mitigate it, since pairs of one prompt are not independent. The threshold lies midway between the"
        " paper's figures for such pairs, 0.55%, and for the mitigating heads together, 60%.",
        CONTROL,
        NEEDS,
        controls,
        otherwise=(
            "Heads that do nothing alone mitigate in pairs: the outcome is not specific to the heads that were"
            " found. Any disturbance of the first step may then count as a repair."
        ),
    ),
)

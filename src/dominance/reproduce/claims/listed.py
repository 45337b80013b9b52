"""Focus and dynamics on prompts as other benchmarks list them, with presence in the place of DvD."""

from statistics import fmean

from dominance.metrics import spearman, spearman_interval
from dominance.metrics.measured import Measured, of_clusters
from dominance.numbers import effect
from dominance.numbers import rate as written
from dominance.reproduce.claims.claim import OURS, Claim, found, pictures_of
from dominance.reproduce.claims.dynamics import changes, courses
from dominance.reproduce.claims.overlap_presence import presence
from dominance.reproduce.claims.shares import share_with
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

FOCUS = Rule(
    "rank correlation of the mean focus score, first step, layers 5 to 10, with presence over prompts",
    0.0,
    "below",
    "effect",
)
DYNAMICS = Rule(
    "change of the missing concept's attention deviation over the first fifth of the steps, less that of the present"
    " one, both in layer 7",
    0.0,
    "below",
    "measure",
)


def examine_focus(experiments: Experiments) -> Finding:
    """The correlation over all prompts, and within each task."""
    run, focus = experiments.listed, experiments.listed_focus
    rows = [
        (result.prompt.group_name, focus[result.prompt.id], there)
        for result in run.prompts
        if (there := presence(result)) is not None and result.prompt.id in focus
    ]
    pairs = [(score, there) for _, score, there in rows]
    value, interval = _correlation(pairs)
    if value is None or interval is None:
        raise ImpossibleError("presence, or the focus score, is the same for all prompts")
    figures = []
    tasks = dict.fromkeys(group for group, *_ in rows)
    for group in tasks:
        whole = share_with("balanced", (each for each in run.prompts if each.prompt.group_name == group))
        figures.append(Figure(f"{group} prompts: every concept present", written(whole)))
    for group in tasks:
        own = [(score, there) for of, score, there in rows if of == group]
        figures.append(Figure(f"{group}, {len(own)} prompts: rank correlation", effect(*_correlation(own))))
    middle = sorted(score for score, _ in pairs)[len(pairs) // 2]
    halves = {
        "lower half of the focus scores": [there for score, there in pairs if score < middle],
        "upper half": [there for score, there in pairs if score >= middle],
    }
    groups = tuple(Group(name, tuple(own), fmean(own)) for name, own in halves.items() if own)
    measured = Measured(
        value,
        lambda confidence: spearman_interval([[pair] for pair in pairs], confidence=confidence) or interval,
        len(pairs),
    )
    images = [(result.prompt.text, image) for result in run.prompts[:8] for image in result.images[:1]]
    return found(
        measured,
        FOCUS,
        experiments.size.listed_seeds,
        figures,
        [Plot("groups", "presence in a prompt's images", groups, unit="share")],
        pictures_of(images, run.run, experiments.folder),
        experiments.layers.note,
    )


def _correlation(pairs: list[tuple[float, float]]) -> tuple[float | None, tuple[float, float] | None]:
    """Without a value where there are too few pairs, or one side is constant."""
    if len(pairs) < 3 or (value := spearman(*zip(*pairs, strict=True))) is None:
        return None, None
    return value, spearman_interval([[pair] for pair in pairs])


def examine_dynamics(experiments: Experiments) -> Finding:
    """The first fifth decides: the concept that is missing less the one that is there, in the same layer."""
    recorded = [
        one
        for one in experiments.listed_recorded
        if len(one.edges) > 2 and {one.dominated, one.dominating} <= one.trailing.keys()
    ]
    if not recorded:
        raise ImpossibleError("no image lacks just one concept, or a generation has too few steps to part it")
    fallen, held = (
        [changes(one.trailing[getattr(one, role) or ""], one.edges) for one in recorded]
        for role in ("dominated", "dominating")
    )
    led = [changes(one.leading[one.dominating or ""], one.edges) for one in recorded if one.dominating in one.leading]
    named = {"missing, layer 7": fallen, "present, layer 7": held, "present, layers 8 to 10": led}
    measured = of_clusters([[missing[0] - present[0]] for missing, present in zip(fallen, held, strict=True)])
    return found(measured, DYNAMICS, experiments.size.listed_seeds, *courses(named), why=experiments.layers.note)


_DESIGN = (
    "Pairs in the templates of GenEval's tasks two_object (a photo of a X and a Y) and position (a photo of a X left of"
    " a Y) and of T2I-CompBench's spatial prompts (a X next to a Y): of COCO's objects, or, where a model knows only a"
    " world of its own, of that world's concepts. Prompts of --listed, if given, take their place. Presence, the"
    " judge's mean P(yes) about the concepts, stands in the place of DvD, because no concept is expected to dominate."
)
CLAIMS = (
    Claim(
        "listed-focus",
        "The focus score tells what will be missing on other benchmarks' prompts",
        "Whether the focus score says anything on prompts that were not chosen for dominance is left open.",
        OURS,
        "open",
        _DESIGN,
        FOCUS,
        ("listed", "listed focus"),
        examine_focus,
        otherwise=(
            "A prompt whose first step has a focus shows more of its concepts, not fewer. The score then marks words"
            " that the model knows well, and not one that pushes the other out."
        ),
    ),
    Claim(
        "listed-dynamics",
        "The missing token falls behind from the start on other benchmarks' prompts",
        "Whether a missing concept loses its attention in the first steps, as a dominated one does, is left open.",
        OURS,
        "open",
        f"{_DESIGN} Whole generations are recorded of the prompts of which just one concept is missing, with the"
        " noises with which it is. What moves both concepts alike is no loss of the one, so that the change of the"
        " present concept is taken off.",
        DYNAMICS,
        ("listed", "listed recorded"),
        examine_dynamics,
        otherwise=(
            "The missing concept gains attention on the one that is there over the first fifth of the steps, and is"
            " missing all the same. What becomes of its attention later, the other intervals in the plot show."
        ),
    ),
)

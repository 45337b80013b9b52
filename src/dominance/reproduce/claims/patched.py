"""Which part carries dominance: parts of the twin, in which the concept survives, put into the model that loses it."""

from collections.abc import Sequence
from itertools import groupby
from statistics import fmean

from dominance.metrics.measured import Measured, of_clusters, smallest
from dominance.numbers import difference, mean, share_of_items
from dominance.report.parts.sentences import listed
from dominance.reproduce.claims.claim import COLLAPSE_MARK, OURS, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.patched import ATTENTION, FEED_FORWARD, PARTS, RESIDUAL, PatchedImage
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot, Shown
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "fall of DvD with the twin's cross-attention put in, less the fall with its feed-forward networks and less that"
    " with its residual branches, the smaller of the two",
    0.0,
    "above",
    "score difference",
)


def examine(experiments: Experiments) -> Finding:
    """The cross-attention of all layers against the other parts; its thirds and the whole prediction beside it."""
    patched = experiments.patched
    images = sorted(patched.images, key=lambda image: image.prompt)
    if not images:
        raise ImpossibleError("no image could be scored with every part put in")
    rows = [list(own) for _, own in groupby(images, key=lambda image: image.prompt)]
    parts = [part for part in PARTS if part in images[0].after]
    others = [part for part in (FEED_FORWARD, RESIDUAL) if part in parts]
    decides = smallest([_less(rows, part, ATTENTION) for part in others])
    figures = [Figure(f"DvD, nothing put in, {len(images)} images", mean(fmean(image.before for image in images)))]
    for part in parts:
        change = of_clusters([[image.after[part] - image.before for image in own] for own in rows], most=100)
        figures += [
            Figure(f"DvD with {part} of {patched.donor}", mean(fmean(image.after[part] for image in images))),
            Figure(f"DvD with {part}: less nothing put in", difference(change.value, change.interval)),
            Figure(
                f"images that then show every concept, {part}", share_of_items(fmean(i.whole[part] for i in images))
            ),
        ]
    groups = tuple(
        Group(
            part, tuple(fmean(image.after[part] for image in own) for own in rows), fmean(i.after[part] for i in images)
        )
        for part in parts
    )
    why = (
        f"Of {patched.collapsed} images that collapse, {len(images)} have every concept in {patched.donor} from the"
        " same noise, and these are patched. "
    )
    if same := [part for part in (ATTENTION, *others) if part in patched.alike]:
        why += (
            f"The two models have the same weights in their {listed(same)}: what these put out differs by what reaches"
            " them alone, so that the comparison is of what they carry, not of where the models differ. "
        )
    plot = Plot("groups", "mean DvD of a prompt's images", groups, mark=COLLAPSE_MARK, unit="score")
    return found(decides, RULE, experiments.size.patched_seeds, figures, [plot], _pictures(images), why)


def _less(rows: Sequence[Sequence[PatchedImage]], part: str, than: str) -> Measured:
    """How much lower the DvD is with the second part put in than with the first."""
    return of_clusters([[image.after[part] - image.after[than] for image in own] for own in rows], most=100)


def _pictures(images: Sequence[PatchedImage]) -> list[Shown]:
    shown = []
    for image in images[:4]:
        if image.file is not None and image.patched is not None:
            shown += [
                Shown(f"patched/{image.file}", f"{image.text}: nothing put in"),
                Shown(f"patched/{image.patched}", f"{image.text}: with the twin's {ATTENTION}"),
            ]
    return shown


CLAIM = Claim(
    "patched-parts",
    "Cross-attention carries dominance",
    "Which part of the network carries dominance is left open: heads are removed, but nothing is put in.",
    OURS,
    "open",
    "Dominance prompts of the bench are drawn from new seeds. Those of their collapsed images that the twin draws with"
    " every concept, from the same prompt and noise, are drawn again with parts of the twin: before each step the twin"
    " runs on the very latents and text, and what its parts put out stands for what the model's own would. All layers"
    " of a kind are put in together. Images are chosen by the whole prediction, so its own figures test nothing. The"
    " twin is the bundled one, or the model of --other.",
    RULE,
    ("bench", "patched"),
    examine,
    otherwise=(
        "Another part of the twin brings the lost concept back better than its cross-attention does. What the concepts"
        " look like, or where they go, is then carried elsewhere, and removing heads cannot be expected to repair it."
    ),
)

"""Each of the four overlap losses against plain drawing and Attend-and-Excite, in how many concepts are there."""

from collections.abc import Callable
from statistics import fmean

from dominance.numbers import rate as written
from dominance.numbers import share_difference
from dominance.reproduce.claims.claim import OVERLAP, Claim, found
from dominance.reproduce.decision import Rule, of_clusters
from dominance.reproduce.experiments import LOSSES, Experiments, ImpossibleError
from dominance.reproduce.result import Figure, Finding, Group, Plot, Shown
from dominance.runs.mitigation.options import PLAIN
from dominance.runs.mitigation.result import MitigatedPrompt, Shot

EXCITE = "attend-and-excite"
_NAMES = {"kl": "KL", "com": "CoM", "iou": "IoU", "cc": "CC"}


def _presence(prompt: MitigatedPrompt, shot: Shot) -> float:
    """Share of the prompt's concepts that an image shows."""
    return len(shot.present) / len(prompt.concepts)


def changes(prompt: MitigatedPrompt, method: str, over: str = PLAIN) -> list[float]:
    """The change in presence by a method, pair by pair, over another's images."""
    return [
        _presence(prompt, image.shots[method]) - _presence(prompt, image.shots[over])
        for image in prompt.images
        if {method, over} <= image.shots.keys()
        and image.shots[method].verdict is not None
        and image.shots[over].verdict is not None
    ]


def examiner(loss: str, rule: Rule) -> Callable[[Experiments], Finding]:
    """How the claim about a loss is measured."""
    method = f"overlap:loss={loss}"

    def examine(experiments: Experiments) -> Finding:
        result = experiments.steered
        clusters = [row for prompt in result.prompts if (row := changes(prompt, method))]
        if not clusters:
            raise ImpossibleError("no image could be scored both ways")
        row = next(each for each in result.methods if each.method == method)
        beside = [own for prompt in result.prompts if (own := changes(prompt, method, EXCITE))]
        figures = [
            Figure("images with every concept, plain", written(row.balanced_before)),
            Figure(f"the same under {_NAMES[loss]}", written(row.balanced_after)),
        ]
        if beside:
            against = of_clusters(beside)
            figures.append(
                Figure(
                    "presence less Attend-and-Excite's", share_difference(against.value, against.interval), "above 0"
                )
            )
        plot = Plot("groups", "mean presence of a prompt", tuple(_groups(result.prompts, ("plain", method, EXCITE))))
        pictures = [
            Shown(f"steered/{shot.file}", f"{prompt.text}: {name}, {shot.verdict}")
            for prompt in result.prompts[:4]
            for name in (PLAIN, method)
            if (shot := prompt.images[0].shots.get(name)) is not None and shot.file is not None
        ]
        return found(of_clusters(clusters), rule, experiments.size.steered_seeds, figures, [plot], pictures)

    return examine


def _groups(prompts: tuple[MitigatedPrompt, ...], names: tuple[str, ...]) -> list[Group]:
    groups = []
    for name in names:
        values = []
        for prompt in prompts:
            own = [_presence(prompt, image.shots[name]) for image in prompt.images if name in image.shots]
            if own:
                values.append(fmean(own))
        if values:
            groups.append(Group(name, tuple(values), fmean(values)))
    return groups


def _claim(loss: str) -> Claim:
    rule = Rule(
        f"presence of the concepts under the {_NAMES[loss]} loss less plain, of the same prompts and noise",
        0.0,
        "above",
        "share difference",
    )
    return Claim(
        f"loss-{loss}",
        f"The {_NAMES[loss]} loss makes more concepts appear",
        f"Lowering the overlap of the concepts' maps by {_NAMES[loss]} while sampling raises presence, by VQA, over"
        " plain drawing and over Attend-and-Excite.",
        OVERLAP,
        "better than both",
        "Prompts of the independent suite are drawn plain, under each of the four losses and under Attend-and-Excite,"
        " from the same noise.",
        rule,
        ("steered",),
        examiner(loss, rule),
        otherwise=(
            "A step of the published size may push the latents of a small model off what it can draw, which shows as"
            " concepts lost where both were there. The methods' settings, and the layers that the maps are read from,"
            " are those of `dominance mitigate`."
        ),
    )


CLAIMS = tuple(_claim(loss) for loss in LOSSES)

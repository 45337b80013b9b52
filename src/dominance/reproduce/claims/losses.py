"""Each of the four overlap losses against plain drawing and Attend-and-Excite, in how many concepts are there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from dominance.metrics.measured import Measured, of_clusters, smallest
from dominance.numbers import plural, share_difference, share_of_items
from dominance.reproduce.claims.claim import OVERLAP, Claim, found
from dominance.reproduce.claims.similarity import scores_of, similarity_figures
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.methods import LOSSES
from dominance.runs.mitigation.result import MitigatedImage, MitigatedPrompt
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot, Shown
from dominance.runs.reproduction.rule import Rule
from dominance.runs.stages.method_names import PLAIN

EXCITE = "attend-and-excite"
_OTHERS = (PLAIN, EXCITE)
"""What a loss must be better than, both of them."""
_NAMES = {"kl": "KL", "com": "CoM", "iou": "IoU", "cc": "CC"}


@dataclass(frozen=True)
class Trio:
    """The same prompt and seed by a loss, plain and by Attend-and-Excite, all scored.

    Attributes:
        soft: share of the prompt's concepts that the image shows.
        harsh: 1 where it shows every one, else 0.
    """

    soft: dict[str, float]
    harsh: dict[str, float]


def trios(prompt: MitigatedPrompt, method: str) -> list[Trio]:
    """Of every seed whose images have a score in all three arms."""
    arms = (method, *_OTHERS)
    found_here = []
    for image in prompt.images:
        shown = {arm: len(image.shots[arm].present) for arm in arms if _scored(image, arm)}
        if len(shown) == len(arms):
            whole = len(prompt.concepts)
            soft = {arm: count / whole for arm, count in shown.items()}
            found_here.append(Trio(soft, {arm: float(count == whole) for arm, count in shown.items()}))
    return found_here


def _scored(image: MitigatedImage, arm: str) -> bool:
    return arm in image.shots and image.shots[arm].verdict is not None


def examiner(loss: str, rule: Rule) -> Callable[[Experiments], Finding]:
    """How the claim about a loss is measured."""
    method = f"overlap:loss={loss}"

    def examine(experiments: Experiments) -> Finding:
        result = experiments.steered
        pairs = [prompt for prompt in result.prompts if len(prompt.concepts) == 2]
        rows = [own for prompt in pairs if (own := trios(prompt, method))]
        if not rows:
            raise ImpossibleError("no image could be scored plain, under the loss and under Attend-and-Excite")
        soft, harsh = ({over: _over(rows, kind, method, over) for over in _OTHERS} for kind in ("soft", "harsh"))
        figures = [
            *_compared("presence", "share of the concepts", soft),
            *_compared("every concept present", "share of the images", harsh),
            *(Figure(f"mean presence, {arm}", _share(rows, "soft", arm)) for arm in (PLAIN, EXCITE, method)),
            *(
                Figure(f"images with every concept, {arm}", _share(rows, "harsh", arm))
                for arm in (PLAIN, EXCITE, method)
            ),
            *similarity_figures(scores_of(experiments, result), pairs, method, _OTHERS),
            *_of_more(result.prompts, method),
        ]
        plot = Plot("groups", "mean presence of a prompt", tuple(_groups(rows, (PLAIN, EXCITE, method))), unit="share")
        pictures = [
            Shown(f"steered/{shot.file}", f"{prompt.text}: {name}, {shot.verdict}")
            for prompt in result.prompts[:3]
            for image in prompt.images[:1]
            for name in (PLAIN, method, EXCITE)
            if (shot := image.shots.get(name)) is not None and shot.file is not None
        ]
        return found(smallest(soft.values()), rule, experiments.size.steered_seeds, figures, [plot], pictures)

    return examine


def _over(rows: Sequence[Sequence[Trio]], kind: str, method: str, over: str) -> Measured:
    """How much more the loss shows than another arm, pair by pair."""
    return of_clusters(
        [[getattr(trio, kind)[method] - getattr(trio, kind)[over] for trio in own] for own in rows], most=1
    )


def _compared(name: str, unit: str, measured: Mapping[str, Measured]) -> list[Figure]:
    return [
        Figure(f"{name} ({unit}) less that of {over}", share_difference(one.value, one.interval), "above 0")
        for over, one in measured.items()
    ]


def _share(rows: Sequence[Sequence[Trio]], kind: str, arm: str) -> str:
    return share_of_items(fmean(getattr(trio, kind)[arm] for own in rows for trio in own))


def _of_more(prompts: Sequence[MitigatedPrompt], method: str) -> list[Figure]:
    """The same of prompts of three and of four concepts."""
    figures = []
    for count in sorted({len(prompt.concepts) for prompt in prompts} - {2}):
        rows = [own for prompt in prompts if len(prompt.concepts) == count and (own := trios(prompt, method))]
        for kind, name in (("soft", "presence"), ("harsh", "every concept present")) if rows else ():
            named = f"{count} concepts, {plural(len(rows), 'prompt')}: {name}"
            figures.append(Figure(f"{named}, plain", _share(rows, kind, PLAIN)))
            measured = {over: _over(rows, kind, method, over) for over in _OTHERS}
            figures += [
                Figure(f"{named}, less that of {over}", share_difference(one.value, one.interval), "above 0")
                for over, one in measured.items()
            ]
    return figures


def _groups(rows: Sequence[Sequence[Trio]], arms: Sequence[str]) -> list[Group]:
    means = {arm: tuple(fmean(trio.soft[arm] for trio in own) for own in rows) for arm in arms}
    return [Group(arm, values, fmean(values)) for arm, values in means.items()]


def _claim(loss: str) -> Claim:
    rule = Rule(
        f"presence of the concepts under the {_NAMES[loss]} loss, less plain and less Attend-and-Excite, from the same"
        " prompts and noise, the smaller of the two",
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
        "Prompts of the independent suite, and others of three and of four objects, are drawn plain, under each of the"
        " four losses and under Attend-and-Excite, from the same noise. The smaller of the two differences decides: its"
        " interval lies above 0 only where both do, and below 0 where one of them does. Prompts of two concepts decide;"
        " those of more stand beside it.",
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

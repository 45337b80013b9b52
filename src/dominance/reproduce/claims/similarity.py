"""How far the images of each arm agree with their prompts by a CLIP, and by the captions that a BLIP writes."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal

from dominance.judges.picture_scores import find_encoders
from dominance.measures import PictureScores
from dominance.metrics.measured import of_clusters
from dominance.numbers import measure
from dominance.pictures import open_image
from dominance.reproduce.experiments import Experiments
from dominance.runs.mitigation.result import MitigatedPrompt, MitigationResult, Shot
from dominance.runs.reproduction.result import Figure

_KINDS: Mapping[Literal["image_text", "caption_text"], tuple[str, str]] = {
    "image_text": (
        "image–text similarity",
        "not measured: give --similarity, miniature for the bundled models or clip:NAME for others",
    ),
    "caption_text": (
        "caption–text similarity",
        "not possible here: no model that writes captions ships with the package; give --similarity and --captions",
    ),
}
"""Each score's name, and what is said where it was not measured."""


def scores_of(experiments: Experiments, result: MitigationResult) -> dict[str, PictureScores]:
    """By file, the scores of all images of a mitigation that can be opened; none without a CLIP."""
    measuring, folder = experiments.options.measuring, experiments.folder / "steered"
    if measuring.similarity is None:
        return {}
    encoders = find_encoders(measuring.similarity, measuring.captions, experiments.options.machine.device)

    def measured(prompt: MitigatedPrompt) -> dict[str, PictureScores]:
        opened = {str(shot.file): open_image(folder / str(shot.file)) for shot in _drawn(prompt)}
        whole = {file: image for file, image in opened.items() if not isinstance(image, Exception)}
        count = len(whole)
        scored = encoders.score(list(whole.values()), [prompt.text] * count, [prompt.concepts] * count)
        return dict(zip(whole, scored, strict=True))

    items = {prompt.id: prompt for prompt in result.prompts}
    found = experiments.each("similarity", "similarities", dict[str, PictureScores], items, measured)
    return {file: scores for own in found.values() for file, scores in own.items()}


def _drawn(prompt: MitigatedPrompt) -> list[Shot]:
    return [shot for image in prompt.images for shot in image.shots.values() if shot.file is not None]


def similarity_figures(
    scores: Mapping[str, PictureScores], prompts: Sequence[MitigatedPrompt], method: str, others: Sequence[str]
) -> list[Figure]:
    """By score: each arm's mean, and what the method has more than each other arm, pair by pair.

    Args:
        scores: by file; of none, what would measure them is said.
    """
    figures = []
    for kind, (name, without) in _KINDS.items():
        rows = [own for prompt in prompts if (own := _together(scores, prompt, kind, (method, *others)))]
        if not rows:
            figures.append(Figure(name, without))
            continue
        means = {arm: fmean(image[arm] for own in rows for image in own) for arm in (*others, method)}
        figures += [Figure(f"{name}, {arm}", measure(mean)) for arm, mean in means.items()]
        more = {
            other: of_clusters([[image[method] - image[other] for image in own] for own in rows]) for other in others
        }
        figures += [
            Figure(f"{name} less that of {other}", measure(one.value, one.interval), "above 0")
            for other, one in more.items()
        ]
    return figures


def _together(
    scores: Mapping[str, PictureScores],
    prompt: MitigatedPrompt,
    kind: Literal["image_text", "caption_text"],
    arms: Sequence[str],
) -> list[dict[str, float]]:
    """The score by arm, of every seed whose images have one in all arms."""
    found = []
    for image in prompt.images:
        files = {arm: str(image.shots[arm].file) for arm in arms if arm in image.shots}
        known = {arm: getattr(scores[file], kind) for arm, file in files.items() if file in scores}
        if len(known) == len(arms) and None not in known.values():
            found.append(known)
    return found

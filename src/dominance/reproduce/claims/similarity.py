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

_AT_ONCE = 32
_KINDS: Mapping[Literal["image_text", "caption_text"], tuple[str, str]] = {
    "image_text": ("image–text similarity", "--similarity clip:NAME"),
    "caption_text": ("caption–text similarity", "--similarity clip:NAME --captions blip:NAME"),
}
"""Each score's name, and the options that measure it."""


def scores_of(experiments: Experiments, result: MitigationResult) -> dict[str, PictureScores]:
    """By file, the scores of all images of a mitigation that can be opened; none without a CLIP."""
    measuring, folder = experiments.options.measuring, experiments.folder / "steered"
    if measuring.similarity is None:
        return {}

    def measured() -> dict[str, PictureScores]:
        encoders = find_encoders(measuring.similarity or "", measuring.captions, experiments.options.machine.device)
        listed = [(str(shot.file), prompt) for prompt in result.prompts for shot in _drawn(prompt)]
        found: dict[str, PictureScores] = {}
        for start in range(0, len(listed), _AT_ONCE):
            part = [(open_image(folder / file), file, prompt) for file, prompt in listed[start : start + _AT_ONCE]]
            whole = [(image, file, prompt) for image, file, prompt in part if not isinstance(image, Exception)]
            texts, concepts = [prompt.text for *_, prompt in whole], [prompt.concepts for *_, prompt in whole]
            scored = encoders.score([image for image, *_ in whole], texts, concepts)
            found |= dict(zip([file for _, file, _ in whole], scored, strict=True))
        return found

    return experiments.kept("steered-similarity", dict[str, PictureScores], measured)


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
    for kind, (name, options) in _KINDS.items():
        rows = [own for prompt in prompts if (own := _together(scores, prompt, kind, (method, *others)))]
        if not rows:
            figures.append(Figure(name, f"not possible here: no such model ships with the package; give {options}"))
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

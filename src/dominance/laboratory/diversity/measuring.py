"""Audits one taught model and counts what its images show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from jaxtyping import Float
from PIL import Image

from dominance.diversity.embedders import TransformersEmbedder
from dominance.errors import InputError, ItemError
from dominance.judges.protocol import Judge
from dominance.laboratory.diversity.pictures import PictureSet
from dominance.laboratory.diversity.results import Beside
from dominance.laboratory.diversity.subjects import Subject
from dominance.laboratory.diversity.suites import measuring_suite, taught
from dominance.laboratory.outcomes import Outcomes, outcomes
from dominance.metrics.diversity import spread
from dominance.metrics.identity import recalled
from dominance.models.drawing import Drawing, Machine
from dominance.pictures import open_image
from dominance.records import PromptResult, RunResult
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit

STEPS: int = 12
"""Of denoising: as many as the recipe was found with, half of the model's own."""
UNSEEN: int = 3
"""Sets of unseen designs beside the training pictures; a model that recalls nothing is nearest to them in three of
four images."""
_AT_ONCE = 32


@dataclass(frozen=True)
class Seen:
    """What a model's images show, in the words of ``DiversityResult``."""

    subject_first: Beside
    object_first: Beside
    scenery: tuple[int, int]
    alone: tuple[int, int]
    pairs: Outcomes


def run_folder(model: Path, images: int) -> Path:
    """Where a model's images lie; those of another number of images a prompt have other noises."""
    return model / ("run" if images == 1 else f"run-{images}-images")


def audited(
    subject: Subject, model: str, adapter: Path | None, judge: Judge, folder: Path, guidance: float, images: int,
    device: str,
) -> RunResult:  # fmt: skip
    """The audit of one model with the 50 prompts, the subject alone, and the object pairs."""
    drawing = Drawing(steps=STEPS, guidance=guidance, adapters=() if adapter is None else (str(adapter),))
    return audit(
        measuring_suite(subject, images), model, judge, folder, AuditOptions(drawing=drawing, machine=Machine(device))
    )


def seen_in(run: RunResult, subject: Subject) -> Seen:
    """What the run's images show.

    Raises:
        InputError: an image has no score.
    """
    if run.unscored:
        raise InputError(f"{run.unscored} images of {run.run} have no score; look at its report, then run it again")
    name = taught(subject).name

    def group(wanted: str) -> list[PromptResult]:
        return [prompt for prompt in run.prompts if prompt.prompt.group == wanted]

    def present(wanted: str) -> tuple[int, int]:
        return sum(p.presence[name].count for p in group(wanted)), sum(p.presence[name].n for p in group(wanted))

    first = [prompt for prompt in group("object") if prompt.prompt.concepts[0].name == name]
    second = [prompt for prompt in group("object") if prompt.prompt.concepts[0].name != name]
    return Seen(
        beside(first, name), beside(second, name), present("scenery"), present("alone"), outcomes(group("pairs"))
    )


def beside(prompts: Sequence[PromptResult], name: str) -> Beside:
    """What the images of the subject and an object show, and the DvD both ways."""
    scores: list[tuple[float, float]] = []
    for result in prompts:
        other = next(concept.name for concept in result.prompt.concepts if concept.name != name)
        scores += [(image.pairs[name, other], image.pairs[other, name]) for image in result.images]
    return Beside(outcomes(prompts), fmean(s[0] for s in scores), fmean(s[1] for s in scores))


def alone_images(run: RunResult) -> list[Path]:
    """The files of the images that were asked to show the subject alone."""
    return [
        Path(run.run) / str(image.file)
        for prompt in run.prompts
        if prompt.prompt.group == "alone"
        for image in prompt.images
    ]


def opened(files: Sequence[Path]) -> list[Image.Image]:
    """The pictures of these files.

    Raises:
        InputError: one cannot be read.
    """
    images = []
    for file in files:
        image = open_image(file)
        if isinstance(image, ItemError):
            raise InputError(f"a picture in {file.parent} {image}; remove the folder, then run this again")
        images.append(image)
    return images


def embedded(files: Sequence[Path], encoder: TransformersEmbedder) -> Float[np.ndarray, "image channel"]:
    """One embedding a file."""
    starts = range(0, len(files), _AT_ONCE)
    return np.concatenate([encoder.embed(opened(files[start : start + _AT_ONCE])) for start in starts])


def recalled_in(
    alone: Float[np.ndarray, "image channel"],
    pictures: Float[np.ndarray, "picture channel"],
    shown: PictureSet,
    encoder: TransformersEmbedder,
) -> tuple[int, int]:
    """Images of the subject alone that are nearer to the training pictures than to three such sets of unseen designs.

    The set's own distances, by which copies are counted, are so small for one design again and again that nothing
    drawn comes as near.
    """
    unseen = [encoder.embed(other.rendered()) for other in shown.unseen(UNSEEN)]
    found = recalled(alone, pictures, unseen)
    return int(found.sum()), len(found)


def diversity(pictures: Float[np.ndarray, "picture channel"]) -> float:
    """The set's diversity as the paper measures it: the median cosine distance between two of its pictures."""
    return spread(pictures).median

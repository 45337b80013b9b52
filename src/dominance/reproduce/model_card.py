"""Measures the miniature model and its judge on fresh seeds and writes the model card."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from PIL import Image

from dominance.bench import load_questions, load_suite
from dominance.judges import Judge, load_judge
from dominance.metrics import rate
from dominance.miniature.captions import SINGLE_TEMPLATES, with_article
from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.renderer import Picture, render
from dominance.miniature.world import DEFAULT_DIVERSITY, World, pair_scene, single_scene
from dominance.models import find_model
from dominance.records import Concept, Prompt, PromptResult, Question, Rate, RunResult, Suite
from dominance.reproduce.judge_quality import GradeQuality, grade_qualities, negative_controls
from dominance.runs import AuditOptions, audit
from dominance.runs.scoring import is_present
from dominance.training.autoencoder import reconstruction_psnr
from dominance.training.images import as_images
from dominance.training.judge import load_autoencoder

FIRST_SEED: int = 1000
"""Seeds of the card's images start here; sample sheets and suites use smaller ones."""


@dataclass(frozen=True)
class AutoencoderQuality:
    """PSNR in dB, and how often the judge sees a drawn concept in the render and in its reconstruction."""

    psnr: float
    images: int
    rendered: Rate
    reconstructed: Rate


@dataclass(frozen=True)
class CardFigures:
    """Everything that the card reports."""

    model: str
    judge: str
    grades: list[GradeQuality]
    controls: dict[str, Rate]
    autoencoder: AutoencoderQuality
    singles: RunResult
    held_out: RunResult
    entity_object: RunResult


def measure(model: str, judge: str, folder: Path, device: str = "auto", seeds: int = 10) -> CardFigures:
    """Measures everything; the image runs lie in ``folder`` and resume.

    Args:
        seeds: images a prompt of the two suites; single concepts get five times as many in all.
    """
    ask = load_questions().ask
    seen_by = load_judge(judge, device)
    autoencoder = load_autoencoder(find_model(model).path)
    few = AuditOptions(seeds=_seeds(seeds), device=device)
    alone = AuditOptions(seeds=_seeds(-(-5 * seeds // len(SINGLE_TEMPLATES))), device=device)
    return CardFigures(
        model=model,
        judge=judge,
        grades=grade_qualities(seen_by, ask, 100 * seeds),
        controls=negative_controls(seen_by, ask, 14 * seeds),
        autoencoder=autoencoder_quality(autoencoder, seen_by, ask, 14 * seeds),
        singles=audit(singles_suite(), model, judge, folder / "singles", alone),
        held_out=audit(load_suite("miniature-balanced"), model, judge, folder / "held-out-pairs", few),
        entity_object=audit(load_suite("miniature-dominance"), model, judge, folder / "entity-object", few),
    )


def _seeds(count: int) -> tuple[int, ...]:
    return tuple(range(FIRST_SEED, FIRST_SEED + count))


def singles_suite() -> Suite:
    """Every concept alone, under each of the single templates."""
    prompts = [
        Prompt(f"{c.name}-{index}", template.format(a=with_article(c.name)), (Concept(c.name, c.kind),), c.name)
        for c in CONCEPTS
        for index, template in enumerate(SINGLE_TEMPLATES)
    ]
    return Suite("singles", tuple(prompts))


def autoencoder_quality(
    autoencoder: AutoencoderKL, judge: Judge, ask: Callable[[Concept], tuple[Question, ...]], count: int
) -> AutoencoderQuality:
    """On fresh renders, singles and object pairs in turn."""
    rng = np.random.default_rng([778_000])
    pairs = World().object_pairs()
    pictures = []
    for index in range(count):
        name = CONCEPTS[index // 2 % len(CONCEPTS)].name
        single = single_scene(name, DEFAULT_DIVERSITY[name], rng)
        pictures.append(render(single if index % 2 else pair_scene(pairs[index % len(pairs)], DEFAULT_DIVERSITY, rng)))
    images = as_images(np.stack([picture.pixels for picture in pictures]))
    with torch.no_grad():
        latents = torch.cat([autoencoder.encode(part).latent_dist.mean for part in images.split(32)])
        decoded = torch.cat([autoencoder.decode(part).sample for part in latents.split(32)])
    pixels = decoded.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return AutoencoderQuality(
        psnr=reconstruction_psnr(autoencoder, images),
        images=count,
        rendered=_recognised(pictures, [p.pixels for p in pictures], judge, ask),
        reconstructed=_recognised(pictures, list(pixels), judge, ask),
    )


def _recognised(
    pictures: list[Picture], pixels: list[np.ndarray], judge: Judge, ask: Callable[[Concept], tuple[Question, ...]]
) -> Rate:
    """In how many cases the judge answers most of its questions about a drawn concept with yes."""
    kinds = {concept.name: concept.kind for concept in CONCEPTS}
    seen = drawn = 0
    for picture, shown in zip(pictures, pixels, strict=True):
        for truth in picture.truths:
            answers = judge.answer([Image.fromarray(shown)], [ask(Concept(truth.concept, kinds[truth.concept]))])[0]
            seen += is_present(sum(bool(answer.yes) for answer in answers), len(answers))
            drawn += 1
    return rate(seen, drawn)


def presence_by_concept(singles: RunResult) -> dict[str, Rate]:
    """How often each concept is there when it is asked for alone."""
    rates = {}
    for concept in CONCEPTS:
        own = [p for p in singles.prompts if p.prompt.group == concept.name]
        rates[concept.name] = rate(sum(p.balanced for p in own), sum(p.scored for p in own))
    return rates


def outcomes(prompts: list[PromptResult]) -> tuple[int, int, int, int]:
    """Images that show only the first concept, both, only the second, none; an entity counts as the first."""
    counts = [0, 0, 0, 0]
    for result in prompts:
        first, second = sorted(result.prompt.concepts, key=lambda concept: concept.kind == "object")
        for image in result.images:
            if image.verdict is not None:
                questions = len(image.answers) // 2
                one, other = (is_present(image.yes[c.name] or 0, questions) for c in (first, second))
                counts[(1 if other else 0) if one else (2 if other else 3)] += 1
    return counts[0], counts[1], counts[2], counts[3]

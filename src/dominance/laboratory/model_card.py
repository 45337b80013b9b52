"""Measures the miniature model and its judge on fresh seeds and writes the model card."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from PIL import Image

from dominance.errors import InputError
from dominance.judges.protocol import Judge
from dominance.judges.registry import load_judge
from dominance.laboratory.entity_counts import EntityCounts, entity_counts
from dominance.laboratory.first_step import FirstStep, first_step
from dominance.laboratory.judge_quality import GradeQuality, negative_controls, quality_by_kind
from dominance.laboratory.singles import image_seeds, presence_alone
from dominance.laboratory.twins.results import TwinResult, read_results
from dominance.metrics import rate
from dominance.miniature.bundled import BASE_MODEL
from dominance.miniature.concepts import CONCEPTS, ENTITIES
from dominance.miniature.renderer import Picture, render
from dominance.miniature.world import DEFAULT_DIVERSITY, World, pair_scene, single_scene
from dominance.models.devices import find_device
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.records import Concept, Question, Rate, RunResult, Suite, is_present
from dominance.run_settings import RunSettings
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit
from dominance.runs.judge_check.generated_result import Criterion
from dominance.runs.judge_check.options import JudgeCheckOptions
from dominance.runs.judge_check.run import check_judge
from dominance.suites import load_questions, load_suite
from dominance.training.artefacts import ModelArtefacts
from dominance.training.autoencoder import load_autoencoder, reconstruction_psnr
from dominance.training.images import as_images

TWINS: Path = Path("docs/twins/results.jsonl")
"""What ``dominance train twins`` measured of several training seeds."""


@dataclass(frozen=True)
class AutoencoderQuality:
    """PSNR in dB, and how often the judge sees a drawn concept in the render and in its reconstruction."""

    psnr: float
    images: int
    rendered: Rate
    reconstructed: Rate


@dataclass(frozen=True)
class ModelFigures:
    """What one model's images show.

    Attributes:
        diversity: of each of its concepts in the training that made it.
        singles: every concept alone, presence.
        entities: every entity with every object, an entity's own part each.
        entity_object: the run behind them.
        first_step: how well its first step tells the dominated prompts of that run from the others; None of the base.
    """

    model: str
    diversity: dict[str, float]
    singles: dict[str, Rate]
    held_out: RunResult
    entity_object: RunResult
    entities: tuple[EntityCounts, ...]
    first_step: FirstStep | None = None

    @property
    def settings(self) -> RunSettings:
        return self.entity_object.settings


@dataclass(frozen=True)
class CardFigures:
    """Everything that the card reports.

    Attributes:
        qualities, controls: of the judge on renders.
        criteria: what is wanted of the judge, on pictures that models drew and readers labelled.
        twin: the model with the roles of rigid and varied entities swapped.
        base: the model that both were made from.
        several: twins of several training seeds, measured by the same judge.
    """

    judge: str
    qualities: dict[str, list[GradeQuality]]
    controls: dict[str, Rate]
    criteria: tuple[Criterion, ...]
    autoencoder: AutoencoderQuality
    model: ModelFigures
    twin: ModelFigures | None
    base: ModelFigures | None = None
    several: tuple[TwinResult, ...] = ()

    @property
    def twins(self) -> tuple[ModelFigures, ...]:
        """The model, and its twin if that was measured."""
        return (self.model,) if self.twin is None else (self.model, self.twin)

    @property
    def models(self) -> tuple[ModelFigures, ...]:
        """The base, if that was measured, and the twins."""
        return self.twins if self.base is None else (self.base, *self.twins)


def measure(
    model: str,
    judge: str,
    folder: Path,
    device: str = "auto",
    seeds: int = 10,
    singles: int = 50,
    twin: str | None = None,
    base: str | None = None,
    several: Path = TWINS,
) -> CardFigures:
    """Measures everything; the image runs lie in ``folder`` and resume.

    Args:
        seeds: images a prompt of the two suites.
        singles: images of every concept alone, or a few more, the same number under each template.
        twin: a model in which every entity that is rigid in ``model`` is varied, and the other way round.
        base: the model that both were made from.
        several: results of ``dominance train twins``; those by another judge are left out.

    Raises:
        ModelError: no such model or judge.
        InputError: a model's folder does not say how diverse its concepts were in training, or ``several`` holds
            something else.
    """
    found = read_results(several)
    for name in (model, twin, base):
        if name is not None:
            trained_diversity(name)  # bad input shows before anything is measured
    ask = load_questions().ask
    redrawing = ModelArtefacts(find_model(BASE_MODEL).path, str(find_device(device)))
    seen_by = load_judge(judge, device)
    autoencoder = load_autoencoder(find_model(model).path)
    return CardFigures(
        judge=judge,
        qualities=quality_by_kind(seen_by, ask, 40 * seeds, redrawing),
        controls=negative_controls(seen_by, ask, 14 * seeds),
        criteria=judge_criteria(judge, folder / "judge", device),
        autoencoder=autoencoder_quality(autoencoder, seen_by, ask, 14 * seeds),
        model=told(model_figures(model, seen_by, folder / "model", device, seeds, singles)),
        twin=None if twin is None else told(model_figures(twin, seen_by, folder / "twin", device, seeds, singles)),
        base=None if base is None else model_figures(base, seen_by, folder / "base", device, seeds, singles),
        several=tuple(result for result in found if result.judge == seen_by.identity),
    )


def judge_criteria(judge: str, folder: Path, device: str) -> tuple[Criterion, ...]:
    """What the kept half of the labelled pictures says of the judge; see docs/decisions/026-labels.md."""
    found = check_judge(judge, out=folder, options=JudgeCheckOptions(machine=Machine(device)))
    generated = found.judges[0].generated
    return () if generated is None else generated.criteria


def told(figures: ModelFigures) -> ModelFigures:
    """The figures, with what the model's first step tells."""
    return replace(figures, first_step=first_step(figures.entity_object))


def model_figures(model: str, judge: Judge, folder: Path, device: str, seeds: int, singles: int) -> ModelFigures:
    """Measures one model.

    Raises:
        InputError: its folder does not say how diverse its concepts were in training.
    """

    def audited(suite: Suite, chosen: tuple[int, ...]) -> RunResult:
        return audit(
            suite,
            model,
            judge,
            folder / suite.name,
            AuditOptions(drawing=Drawing(seeds=chosen), machine=Machine(device)),
        )

    few = AuditOptions(drawing=Drawing(seeds=image_seeds(seeds)), machine=Machine(device))
    diversity = trained_diversity(model)
    mixed = audit(load_suite("miniature-dominance"), model, judge, folder / "entity-object", few)
    return ModelFigures(
        model=model,
        diversity=diversity,
        singles=presence_alone(singles, audited),
        held_out=audit(load_suite("miniature-balanced"), model, judge, folder / "held-out-pairs", few),
        entity_object=mixed,
        entities=tuple(entity_counts(mixed, name, diversity[name]) for name in ENTITIES),
    )


def trained_diversity(model: str) -> dict[str, float]:
    """The diversity of each concept that a model of the miniature world was trained on, as its folder says."""
    listed = find_model(model).defaults.get("concepts")
    rows = listed if isinstance(listed, list) else []
    found = {row["name"]: float(row["diversity"]) for row in rows if isinstance(row, dict) and "diversity" in row}
    if missing := [concept.name for concept in CONCEPTS if concept.name not in found]:
        raise InputError(
            f"the model {model!r} does not say how diverse {missing[0]!r} was in training; give a model made by"
            " dominance train"
        )
    return found


def autoencoder_quality(
    autoencoder: AutoencoderKL, judge: Judge, ask: Callable[[Concept], tuple[Question, ...]], count: int
) -> AutoencoderQuality:
    """On fresh renders, singles and object pairs in turn."""
    rng = np.random.default_rng([778_000])
    pairs = World().object_pairs()
    pictures = []
    for index in range(count):
        name = CONCEPTS[index // 2 % len(CONCEPTS)].name
        if index % 2:
            scene = single_scene(name, DEFAULT_DIVERSITY[name], rng)
        else:
            scene = pair_scene(pairs[index // 2 % len(pairs)], DEFAULT_DIVERSITY, rng)
        pictures.append(render(scene))
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

"""What the images of one twin show: entity and object, held-out object pairs, each concept alone."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dominance.judges.protocol import Judge
from dominance.laboratory.diversity.measuring import STEPS as SINGLE_STEPS
from dominance.laboratory.diversity.measuring import beside
from dominance.laboratory.diversity.subjects import find_subject
from dominance.laboratory.diversity.suites import measuring_suite
from dominance.laboratory.entity_counts import EntityCounts, entity_counts, mean
from dominance.laboratory.outcomes import Outcomes, outcomes
from dominance.laboratory.singles import FIRST_SEED, image_seeds, presence_alone, singles_suites
from dominance.laboratory.twins.training import Twin
from dominance.miniature.captions import PAIR_TEMPLATES, with_article
from dominance.miniature.concepts import BY_NAME, ENTITIES, OBJECTS
from dominance.models.drawing import Drawing, Machine
from dominance.records import Concept, Prompt, RunResult, Suite
from dominance.runs.audit.again import judge_again
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit
from dominance.suites import load_suite

ALONE: int = 6
"""Images of every concept alone, two under each template."""

Look = Callable[[Suite, tuple[int, ...] | None, int | None], RunResult]
"""The run of a suite, with these seeds unless its prompts have their own, and so many denoising steps."""


@dataclass(frozen=True)
class Seen:
    """What a twin's images show, in the words of ``TwinResult``."""

    entities: tuple[EntityCounts, ...]
    held_out: Outcomes
    held_out_dvd: float
    singles: dict[str, tuple[int, int]]
    as_single: dict[str, float]


@dataclass(frozen=True)
class Gallery:
    """Where one twin's images are, or are to be.

    Attributes:
        model: that the adapter is laid on.
        adapter: None for the base itself.
        folder: of one run folder a suite.
        steps: of denoising; None for the model's own.
    """

    model: str
    adapter: Path | None
    folder: Path
    device: str
    steps: int | None = None

    def drawn(self, judge: Judge) -> Look:
        """Draws what is missing, and judges."""
        adapters = () if self.adapter is None else (str(self.adapter),)

        def look(suite: Suite, seeds: tuple[int, ...] | None, steps: int | None) -> RunResult:
            drawing = Drawing(seeds=seeds, steps=steps or self.steps, adapters=adapters)
            options = AuditOptions(drawing=drawing, machine=Machine(self.device))
            return audit(suite, self.model, judge, self.folder / suite.name, options)

        return look


def judged_again(folder: Path, judge: Judge) -> Look:
    """Judges what a gallery's folder holds; draws nothing."""
    return lambda suite, _seeds, _steps: judge_again(folder / suite.name, judge)


def run_folders(twin: Twin, folder: Path) -> list[Path]:
    """The run folders of one twin."""
    suites = [beside_every_object(1), load_suite("miniature-balanced"), *singles_suites()]
    return [folder / suite.name for suite in [*suites, *(as_single(name) for name in twin.rigid)]]


def seen_in(twin: Twin, look: Look, images: int) -> Seen:
    """Measures one twin.

    Args:
        images: a prompt of an entity and an object, and of the held-out object pairs.

    Raises:
        InputError: nothing was scored.
    """
    mixed = look(beside_every_object(images), None, None)
    held_out = look(load_suite("miniature-balanced"), image_seeds(images), None)
    alone = presence_alone(ALONE, lambda suite, seeds: look(suite, seeds, None))
    return Seen(
        entities=tuple(entity_counts(mixed, name, twin.diversity(name)) for name in ENTITIES),
        held_out=outcomes(held_out.prompts),
        held_out_dvd=mean([i.dvd for p in held_out.prompts for i in p.images if i.dvd is not None]),
        singles={name: (share.count, share.n) for name, share in alone.items()},
        as_single={name: beside(look(as_single(name), None, SINGLE_STEPS).prompts, name).dvd for name in twin.rigid},
    )


def beside_every_object(images: int) -> Suite:
    """96 prompts: every entity and every object, in both orders, each prompt with noises of its own."""
    prompts = []
    for number, (entity, thing, turned) in enumerate(itertools.product(ENTITIES, OBJECTS, (False, True))):
        template = PAIR_TEMPLATES[(ENTITIES.index(entity) + OBJECTS.index(thing)) % len(PAIR_TEMPLATES)]
        names = (thing, entity) if turned else (entity, thing)
        seeds = range(FIRST_SEED + number * images, FIRST_SEED + (number + 1) * images)
        prompts.append(
            Prompt(
                "-".join(names),
                template.format(a=with_article(names[0]), b=with_article(names[1])),
                tuple(Concept(name, BY_NAME[name].kind) for name in names),
                seeds=tuple(seeds),
            )
        )
    return Suite("entity-object", tuple(prompts))


def as_single(entity: str) -> Suite:
    """What the diversity experiment asks a single adapter of the entity for, beside objects, with the same noises."""
    prompts = measuring_suite(find_subject(entity)).prompts
    return Suite(f"as-single-{entity}", tuple(prompt for prompt in prompts if prompt.group == "object"))

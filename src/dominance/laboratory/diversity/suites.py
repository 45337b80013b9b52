"""What a taught model is asked for: 50 prompts beside the subject alone and pairs of objects.

The world's captions have four relations and six words for scenery, but no words for colours or styles, so that these
cannot be asked for.
"""

import itertools
from dataclasses import replace

from dominance.laboratory.diversity.subjects import Subject
from dominance.laboratory.singles import FIRST_SEED
from dominance.miniature.captions import PAIR_TEMPLATES, SINGLE_TEMPLATES, with_article
from dominance.miniature.concepts import OBJECTS
from dominance.miniature.scene import SCENERY
from dominance.records import Concept, Prompt, Suite
from dominance.suites import load_suite

ALONE_IMAGES: int = 4
"""Noises of each of the three ways to ask for the subject alone."""


def measuring_suite(subject: Subject, images: int = 1) -> Suite:
    """The 50 prompts, the subject alone, and the bundled pairs of objects, each in a group of its own.

    Every prompt has noises of its own, the same for every model: from one noise a model draws nearly the same under two
    orders of the same words.

    Args:
        images: a prompt of the 50, and of the object pairs.
    """
    prompts = [*beside_objects(subject), *with_scenery(subject), *alone(subject), *object_pairs()]
    seeded, after = [], FIRST_SEED
    for prompt in prompts:
        own = ALONE_IMAGES if prompt.group == "alone" else images
        seeded.append(replace(prompt, seeds=tuple(range(after, after + own))))
        after += own
    return Suite(f"diversity-{subject.name}", tuple(seeded))


def beside_objects(subject: Subject) -> list[Prompt]:
    """32 prompts: the subject with each object, in both orders, each under two of the four relations."""
    prompts = []
    for number, (thing, turned, second) in enumerate(itertools.product(OBJECTS, (False, True), (False, True))):
        relation = (number // 4 + turned + 2 * second) % len(PAIR_TEMPLATES)
        first, last = (thing, subject.word) if turned else (subject.word, thing)
        text = PAIR_TEMPLATES[relation].format(a=with_article(first), b=with_article(last))
        own, other = taught(subject), Concept(thing, "object")
        concepts = (other, own) if turned else (own, other)
        prompts.append(Prompt(f"{'second' if turned else 'first'}-{thing}-{relation}", text, concepts, "object"))
    return prompts


def with_scenery(subject: Subject) -> list[Prompt]:
    """18 prompts that also name a part of the backdrop, which the judge knows nothing of; the orders in turn."""
    prompts = []
    for number, (scene, part) in enumerate(itertools.product(SCENERY, range(3))):
        first, last = (scene, subject.word) if number // 2 % 2 else (subject.word, scene)
        text = PAIR_TEMPLATES[number % len(PAIR_TEMPLATES)].format(a=with_article(first), b=with_article(last))
        prompts.append(Prompt(f"scenery-{scene}-{part}", text, (taught(subject),), "scenery"))
    return prompts


def alone(subject: Subject) -> list[Prompt]:
    """The subject by itself, once under each of the single templates."""
    return [
        Prompt(f"alone-{number}", template.format(a=with_article(subject.word)), (taught(subject),), "alone")
        for number, template in enumerate(SINGLE_TEMPLATES)
    ]


def object_pairs() -> list[Prompt]:
    """The 16 prompts of ``miniature-balanced``: pairs of objects that no training picture shows together."""
    return [replace(prompt, group="pairs") for prompt in load_suite("miniature-balanced").prompts]


def taught(subject: Subject) -> Concept:
    """The subject as the judge is asked about it."""
    return Concept(subject.drawn, subject.kind)

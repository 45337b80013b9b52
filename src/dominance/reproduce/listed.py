"""Prompts as another benchmark lists them, and what is recorded of those that lack a concept."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from dominance.english import noun_phrase
from dominance.records import Prompt, PromptResult, ScoredImage, Suite
from dominance.reproduce.attention import Recorded, recorded_of
from dominance.reproduce.recorder import Recorder
from dominance.runs.bench.candidates import prompt_id
from dominance.runs.bench.result import DOMINANCE
from dominance.suites.pools import Noun, Pools
from dominance.suites.words import load_words

TWO, POSITION = "two_object", "position"
"""The two tasks of GenEval that name two different objects and nothing else."""
_RELATIONS = ("left of", "right of", "above", "below")
_SEED = 1


def listed_suite(pools: Pools, world: str | None, prompts: int, seed: int = _SEED) -> Suite:
    """Pairs of objects in GenEval's templates, both tasks by turns, in seeded order.

    Of a closed world, whose model knows none of COCO's objects, the pairs are of its own concepts.

    Source: Ghosh, Hajishirzi & Schmidt (2023), "GenEval", arXiv 2310.11513: tasks, templates and COCO's objects.
    """
    rng = random.Random(f"listed:{seed}")
    pairs = list(itertools.permutations(_nouns(pools, world), 2))
    rng.shuffle(pairs)
    listed = []
    for place, (first, second) in enumerate(pairs[:prompts]):
        task = TWO if place % 2 == 0 else POSITION
        between = "and" if task == TWO else rng.choice(_RELATIONS)
        text = f"a photo of {first.phrase} {between} {second.phrase}"
        listed.append(Prompt(prompt_id(text), text, (first.concept, second.concept), task))
    return Suite("listed", tuple(listed), f"{len(listed)} prompts of two concepts in the templates of GenEval.")


def _nouns(pools: Pools, world: str | None) -> list[Noun]:
    if world is not None:
        return [noun for own in pools.nouns.values() for noun in own]
    return [Noun(concept, noun_phrase(concept.name).text) for concept in load_words("coco").concepts]


@dataclass(frozen=True)
class Missing:
    """A prompt of two concepts that loses the same one with some noises, while the other is there."""

    prompt: Prompt
    present: str
    missing: str
    seeds: tuple[int, ...]


def missing_one(prompts: Sequence[PromptResult]) -> list[Missing]:
    """The prompts of two concepts with images that lack just one; of both, the one that more images lack."""
    found = []
    for result in prompts:
        lost = {name: _without(result, name) for name in result.presence}
        missing = max(lost, key=lambda name: len(lost[name]))
        if lost[missing] and len(lost) == 2:
            present = next(name for name in lost if name != missing)
            seeds = tuple(image.seed for image in lost[missing] if image.seed is not None)
            found.append(Missing(result.prompt, present, missing, seeds))
    return found


def _without(result: PromptResult, missing: str) -> list[ScoredImage]:
    """The images that show every concept but this one."""
    scored = [image for image in result.images if image.verdict is not None]
    return [image for image in scored if all(image.shows(name) != (name == missing) for name in result.presence)]


def recorded_missing(recorder: Recorder, one: Missing) -> Recorded:
    """Generations of a prompt that lacks a concept, which stands for the dominated one."""
    explained = recorder.explained(one.prompt, one.seeds)
    return recorded_of(one.prompt.id, DOMINANCE, (one.present, one.missing), explained, recorder.layers)

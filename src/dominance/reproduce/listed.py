"""Prompts as other benchmarks list them, and what is recorded of those that lack a concept."""

import itertools
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dominance.english import noun_phrase
from dominance.errors import InputError
from dominance.numbers import plural
from dominance.records import Prompt, PromptResult, ScoredImage, Suite
from dominance.reproduce.attention import Recorded, recorded_of
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.recorder import Recorder
from dominance.runs.bench.candidates import prompt_id
from dominance.runs.bench.result import DOMINANCE
from dominance.suites import find_suite, load_suite
from dominance.suites.pools import Noun, Pools
from dominance.suites.words import load_words
from dominance.wording import quoted

TWO, POSITION, SPATIAL = "two_object", "position", "spatial"
"""The tasks that name two different objects and nothing else: two of GenEval, one of T2I-CompBench."""
_TEMPLATES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    TWO: ("a photo of ", ("and",)),
    POSITION: ("a photo of ", ("left of", "right of", "above", "below")),
    SPATIAL: (
        "",
        ("on the side of", "next to", "near", "on the left of", "on the right of", "on the bottom of", "on the top of"),
    ),
}
"""What stands before the first object of a task, and what between the two."""
_WORDS = "coco"
_SEED = 1


def listed_suite(pools: Pools, world: str | None, prompts: int, seed: int = _SEED) -> Suite:
    """Pairs of objects in the templates of GenEval and T2I-CompBench, their tasks by turns, in seeded order.

    Of a closed world, whose model knows none of COCO's objects, the pairs are of its own concepts.

    Source: Ghosh, Hajishirzi & Schmidt (2023), "GenEval", arXiv 2310.11513: tasks, templates and COCO's objects. Huang
    et al. (2023), "T2I-CompBench", arXiv 2307.06350: the task and the relations of spatial prompts.
    """
    rng = random.Random(f"listed:{seed}")
    pairs = list(itertools.permutations(_nouns(pools, world), 2))
    rng.shuffle(pairs)
    listed = []
    for (first, second), (task, (lead, relations)) in zip(pairs[:prompts], itertools.cycle(_TEMPLATES.items())):
        text = f"{lead}{first.phrase} {rng.choice(relations)} {second.phrase}"
        listed.append(Prompt(prompt_id(text), text, (first.concept, second.concept), task))
    about = f"{len(listed)} prompts of two concepts in the templates of GenEval and T2I-CompBench."
    return Suite("listed", tuple(listed), about)


def given_list(options: ReproduceOptions, *, tells: bool = False) -> Suite | None:
    """The prompts of --listed that name two concepts or more, COCO's objects where they mark none; None without it.

    Args:
        tells: whether what is left out is named on standard error.

    Raises:
        InputError: they cannot be read, or none names two concepts.
    """
    if options.listed is None:
        return None
    suite = (find_suite if tells else load_suite)(options.listed, _WORDS)
    whole = tuple(prompt for prompt in suite.prompts if len(prompt.concepts) > 1)
    if tells and (alone := [prompt.text for prompt in suite.prompts if prompt not in whole]):
        told = f"{plural(len(alone), 'prompt')} of one concept left out of --listed, such as {quoted(alone[0])}"
        sys.stderr.write(f"note: {told}\n")
    if not whole:
        raise InputError(
            f"no prompt of {quoted(options.listed)} names two concepts, of which one could be missing; give other"
            " prompts to --listed, or mark their concepts in brackets"
        )
    return replace(suite, prompts=whole)


def drawn_from(suite: Suite, prompts: int, seed: int = _SEED) -> Suite:
    """So many prompts of a list, in its order; which ones, the seed decides."""
    if len(suite.prompts) <= prompts:
        return suite
    chosen = sorted(random.Random(f"listed:{seed}").sample(range(len(suite.prompts)), prompts))
    return replace(suite, prompts=tuple(suite.prompts[place] for place in chosen))


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

"""Two designs of our own, in which nothing is filtered: independent prompts, and a factorial of rigid and varied."""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dominance.records import Concept, Prompt, Suite
from dominance.runs.bench.candidates import category_candidates, prompt_id
from dominance.runs.bench.result import Entry
from dominance.suites.pools import Noun, Pools

RIGID = 0.5
"""Concepts of a diversity below this are rigid, from it on varied."""
SLOTS = 3
CELLS: tuple[tuple[bool, ...], ...] = tuple(itertools.product((True, False), repeat=SLOTS))
"""Whether the concept in each of the three slots is rigid."""
_TEMPLATE = "{} and {} and {}"
_SEED = 1


def independent_suite(pools: Pools, prompts: int, seed: int = _SEED) -> Suite:
    """Prompts of a landmark, character or artist with an object, from the pools' templates; nothing is filtered.

    Categories have as many prompts each. Within one, every concept is paired with objects in seeded order, under a
    style that is drawn for the pair, so that neither order of naming nor frequency goes with the concept.

    Source: the answer of Jeong & Lee to the filter of their benchmark.
    """
    categories = pools.categories
    shares = [prompts // len(categories) + (place < prompts % len(categories)) for place in range(len(categories))]
    listed = [
        replace(candidate.prompt, group=category)
        for category, share in zip(categories, shares, strict=True)
        for candidate in category_candidates(pools, category, seed)[:share]
    ]
    named = ", ".join(f"{share} {category}" for category, share in zip(categories, shares, strict=True))
    about = f"Independent prompts: {named} prompts, each with an object, from fixed templates; nothing is filtered."
    return Suite(f"{pools.name}-independent", tuple(listed), about)


def cell_name(cell: Sequence[bool]) -> str:
    """Such as ``rigid-varied-varied``."""
    return "-".join("rigid" if rigid else "varied" for rigid in cell)


def factorial_suite(name: str, rigid: Sequence[Noun], varied: Sequence[Noun], prompts: int, seed: int = _SEED) -> Suite:
    """Three concepts a prompt, each slot rigid or varied: eight cells of at most so many prompts, in seeded order.

    Args:
        rigid, varied: three or more of each.
    """
    rng = random.Random(f"factorial:{seed}")
    listed: list[Prompt] = []
    for cell in CELLS:
        pools = [rigid if wanted else varied for wanted in cell]
        triples = [
            triple for triple in itertools.product(*pools) if len({noun.concept.name for noun in triple}) == SLOTS
        ]
        for triple in rng.sample(triples, min(prompts, len(triples))):
            text = _TEMPLATE.format(*(noun.phrase for noun in triple))
            concepts = tuple(noun.concept for noun in triple)
            listed.append(Prompt(prompt_id(text), text, concepts, cell_name(cell)))
    about = f"Three concepts a prompt, each rigid or varied: eight cells, {len(listed)} prompts."
    return Suite(name, tuple(listed), about)


def objects_suite(pools: Pools, concepts: int, prompts: int, seed: int = _SEED) -> Suite:
    """Prompts of so many objects, different ones, in seeded order; at most as many as there are combinations.

    Source: the benchmarks of three and four COCO nouns of Marioriyad et al. (2024).
    """
    rng = random.Random(f"objects:{concepts}:{seed}")
    every = list(itertools.combinations(pools.nouns["object"], concepts))
    listed: list[Prompt] = []
    rng.shuffle(every)
    for chosen in every[:prompts]:
        nouns = rng.sample(chosen, concepts)
        text = " and ".join(noun.phrase for noun in nouns)
        listed.append(Prompt(prompt_id(text), text, tuple(noun.concept for noun in nouns), f"{concepts} objects"))
    return Suite(f"{pools.name}-{concepts}-objects", tuple(listed), f"{len(listed)} prompts of {concepts} objects.")


def steered_suite(pools: Pools, pairs: int, more: int) -> Suite:
    """Prompts of two concepts, as the independent suite has them, and of three and of four objects.

    Args:
        more: prompts of three, and as many of four.
    """
    two = independent_suite(pools, pairs).prompts
    crowded = [objects_suite(pools, concepts, more).prompts for concepts in (3, 4)]
    return Suite("steered", (*two, *itertools.chain(*crowded)), "Prompts of two, three and four concepts.")


def alone_suite(pools: Pools, prompts: int) -> Suite:
    """Prompts of one concept each, all kinds by turns; each is also asked about a concept that it does not name."""
    turns = itertools.zip_longest(*pools.nouns.values())
    nouns = [noun for row in turns for noun in row if noun is not None][:prompts]
    listed = []
    for place, noun in enumerate(nouns):
        other = nouns[(place + len(nouns) // 2) % len(nouns)].concept
        text = f"a painting by {noun.phrase}" if noun.concept.kind == "artist" else noun.phrase
        listed.append(Prompt(prompt_id(text), text, (noun.concept, other), noun.concept.kind))
    return Suite(f"{pools.name}-alone", tuple(listed), "One concept a prompt, and another one that it does not name.")


def nouns_by_rigidity(pools: Pools, diversity: Mapping[str, float]) -> tuple[list[Noun], list[Noun]]:
    """The concepts of the pools that are rigid, and the varied landmarks, characters and artists, or else objects.

    Args:
        diversity: of concepts by name, 0 to 1; one that is not named is in neither list.
    """
    known = [noun for own in pools.nouns.values() for noun in own if noun.concept.name in diversity]
    rigid = [noun for noun in known if diversity[noun.concept.name] < RIGID]
    entities = {noun.concept.name for category in pools.categories for noun in pools.nouns[category]}
    varied = [noun for noun in known if noun not in rigid]
    return rigid, [noun for noun in varied if noun.concept.name in entities] or varied


def diversity_of(listed: object) -> dict[str, float]:
    """The diversity of each concept that a model's defaults list, by name; empty where it lists none."""
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return {}
    return {
        str(row["name"]): float(row["diversity"])
        for row in listed
        if isinstance(row, Mapping) and isinstance(row.get("diversity"), int | float) and "name" in row
    }


def by_turns(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries of a bench, its categories by turns."""
    by_category: dict[str, list[Entry]] = {}
    for entry in entries:
        by_category.setdefault(entry.kept.category, []).append(entry)
    turns = itertools.zip_longest(*by_category.values())
    return tuple(entry for row in turns for entry in row if entry is not None)


def dominance_suite(entries: Sequence[Entry]) -> Suite:
    """Dominance prompts of a bench."""
    return Suite("bench-dominance", tuple(entry.result.prompt for entry in entries), "Dominance prompts of the bench.")


def is_led_by_entity(entry: Entry) -> bool:
    """Whether it is a landmark, character or artist that dominates the prompt, and not its object."""
    kinds = {concept.name: concept.kind for concept in entry.result.prompt.concepts}
    return entry.direction is not None and kinds[entry.direction[0]] != "object"


def by_kind(pools: Pools) -> dict[str, float]:
    """Where nothing is known of a model's training pictures: landmarks, characters and artists rigid, objects varied.

    Kind and rigidity then go together, and what is found may be of either.
    """
    return {noun.concept.name: float(kind == "object") for kind, own in pools.nouns.items() for noun in own}


def is_rigid(concept: Concept, diversity: Mapping[str, float]) -> bool | None:
    """Whether the concept is rigid in a model; None where that is not known."""
    return None if concept.name not in diversity else diversity[concept.name] < RIGID

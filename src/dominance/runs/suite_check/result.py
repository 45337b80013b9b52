"""What was understood of a suite."""

from dataclasses import dataclass

from dominance.records import Gate, Kind, Suite
from dominance.suites.entries import LeftOut


@dataclass(frozen=True)
class Understanding:
    """What was understood of a suite.

    Attributes:
        suite: its name; ``source`` is what the user gave, ``form`` what kind of list that is.
        prompts: that can be used.
        missing: why the suite cannot be used, if no prompt, or not every one, names a concept; else None.
        words: the word list that found concepts; None where none was given.
        looked_up: prompts in which its words were looked for, ``single`` those in which only one was found.
        concepts: by kind, in how many prompts each is.
        groups: prompts of each; those without a group under their kinds of concept.
        own_seeds, own_negatives: prompts that bring their own.
        first: the first three prompts, their concepts in brackets.
        left_out: what is not used, and why; ``unused`` columns and keys that mean nothing here.
        overlong: prompts of which the model's text encoder does not read every concept; None where no model was given.
        unread: prompts with words that it does not know; None where no model was given.
    """

    suite: str
    source: str
    form: str
    prompts: int
    missing: str | None
    words: str | None
    looked_up: int
    single: int
    concepts: dict[Kind, dict[str, int]]
    groups: dict[str, int]
    own_seeds: int
    own_negatives: int
    gate: Gate | None
    first: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    unused: tuple[str, ...]
    model: str | None = None
    overlong: tuple[LeftOut, ...] | None = None
    unread: tuple[LeftOut, ...] | None = None


def tallied(suite: Suite) -> tuple[dict[Kind, dict[str, int]], dict[str, int]]:
    """In how many prompts each concept is, by kind and from the most frequent on, and the prompts of each group."""
    concepts: dict[Kind, dict[str, int]] = {}
    groups: dict[str, int] = {}
    for prompt in suite.prompts:
        groups[prompt.group_name or "none"] = groups.get(prompt.group_name or "none", 0) + 1
        for concept in prompt.concepts:
            counts = concepts.setdefault(concept.kind, {})
            counts[concept.name] = counts.get(concept.name, 0) + 1
    ordered = {kind: dict(sorted(counts.items(), key=lambda pair: -pair[1])) for kind, counts in concepts.items()}
    return ordered, groups

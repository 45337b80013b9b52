"""Suites for a campaign: a concept crossed with things and caption styles, beside a control group of things alone."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from dominance.english import noun_phrase, without_article
from dominance.errors import InputError, SuiteError
from dominance.mentions import mention
from dominance.records import Concept, Prompt, Suite
from dominance.suites.brackets import parse_concept, prompt_of
from dominance.suites.documents import read_yaml
from dominance.suites.entries import Entry, assemble, slug, suite_name
from dominance.suites.pools import Noun, Style, styles_of
from dominance.suites.words import load_words
from dominance.wording import described, on_one_line, quoted, suggestion

CONTROL = "control"
"""Group of the prompts in which a thing stands in place of the concept."""
_THINGS = "products,animals,furniture,foods,vehicles"
"""Where the control's things come from."""


@dataclass(frozen=True)
class Campaign:
    """A suite that was made.

    Attributes:
        possible: prompts about the concepts that could have been made.
        left_out: things that could not be crossed with a concept, because one is named in the other.
    """

    suite: Suite
    possible: int
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Cell:
    """One concept in one caption style, and the things still to be put into it, in a seeded order."""

    concept: Noun
    style: Style
    things: list[Noun]


def template_sets() -> tuple[str, ...]:
    """The names of the sets of caption styles that come with the package."""
    return tuple(_bundled_templates())


@cache
def _bundled_templates() -> dict[str, tuple[Style, ...]]:
    with resources.as_file(resources.files("dominance.suites") / "data" / "templates.yaml") as path:
        return _sets_of(read_yaml(path))


def _sets_of(document: object) -> dict[str, tuple[Style, ...]]:
    if not isinstance(document, dict) or not document:
        raise SuiteError(f"holds {described(document)}; give a mapping of sets, each a mapping from names to templates")
    return {str(name): styles_of(listed, str(name)) for name, listed in document.items()}


def load_styles(spec: str) -> tuple[Style, ...]:
    """The caption styles of bundled sets, or of YAML files with sets, several with commas.

    Raises:
        InputError: no such set, or not valid templates; names file and place.
    """
    known, found = _bundled_templates(), list[Style]()
    for name in filter(None, (part.strip() for part in spec.split(","))):
        if name in known:
            found += known[name]
        elif Path(name).suffix.lower() in (".yaml", ".yml"):
            try:
                found += [style for styles in _sets_of(read_yaml(Path(name))).values() for style in styles]
            except SuiteError as error:
                raise SuiteError(f"{on_one_line(name)}: {error}") from None
        else:
            raise InputError(
                f"no templates {quoted(name)}{suggestion(name, known)} give some of {', '.join(known)}, or a .yaml file"
            )
    if not found:
        raise InputError(f"there are no templates in {quoted(spec)}; give some of {', '.join(known)}")
    return tuple({style.name: style for style in found}.values())


def make_suite(
    concepts: Sequence[str],
    against: str = "products",
    templates: str = "titles,relations",
    *,
    name: str = "campaign",
    limit: int = 100,
    seed: int = 0,
) -> Campaign:
    """Crosses concepts with things in caption styles; as many control prompts have another thing for the concept.

    The same arguments make the same suite. Concepts, styles and things take turns, so that each is in about as many
    prompts as any other.

    Args:
        concepts: each ``name`` or ``name:kind``; a name may have its article, as in ``the Eiffel Tower:landmark``.
        against: word lists of the things: bundled names or files.
        templates: sets of caption styles: bundled names or files.
        limit: prompts at most, the control's included.
        seed: of the choice, where more are possible.

    >>> [prompt.text for prompt in make_suite(["acme robot:character"], limit=2).suite.prompts]
    ['an acme robot behind a plate', 'a pig behind a plate']

    Raises:
        InputError: no concept, word list or template of this kind; a limit below 2; nothing can be crossed.
    """
    if limit < 2:
        raise InputError(f"limit is {limit}; give 2 or more prompts, half of which are the control")
    nouns, styles = _concepts(concepts), list(load_styles(templates))
    things = [_thing(concept) for concept in load_words(against).concepts]
    left_out = tuple((t.concept.name, n.concept.name) for n in nouns for t in things if _alike(n, t))
    rng = random.Random(seed)
    rng.shuffle(styles)
    cells = [_Cell(noun, style, [t for t in things if not _alike(noun, t)]) for style in styles for noun in nouns]
    cells = [
        cell for cell in cells if cell.concept.concept.kind in cell.style.templates and "object" in cell.style.templates
    ]
    possible = sum(len(cell.things) for cell in cells)
    if not possible:
        raise InputError(
            f"none of the words of {quoted(against)} can be crossed with {', '.join(map(quoted, concepts))}"
        )
    for cell in cells:
        rng.shuffle(cell.things)
    chosen = list(_in_turns(cells, min(limit // 2, possible)))
    others = [noun for noun in _others(rng) if not any(_alike(noun, concept) for concept in nouns)]
    entries = [_entry(noun, thing, style, noun.concept.name) for noun, thing, style in chosen]
    entries += [_entry(o, thing, style, CONTROL) for o, thing, style in _control(chosen, others)]
    about = f"{', '.join(noun.concept.name for noun in nouns)} against {against}, in {templates}; seed {seed}"
    return Campaign(Suite(suite_name(name), assemble(entries), about), possible, left_out)


def _concepts(specs: Sequence[str]) -> list[Noun]:
    if not specs:
        raise InputError("there is no concept to make a suite about; give one, such as 'acme robot:character'")
    nouns = []
    for spec in specs:
        given = parse_concept(spec, "the concept")
        concept = Concept(without_article(given.name), given.kind)
        proper = concept.kind == "artist" or (concept.kind != "object" and concept.name[0].isupper())
        own = given.name.lower().startswith("the ")
        nouns.append(Noun(concept, given.name if own or proper else noun_phrase(concept.name).text))
    twice = next((a for i, a in enumerate(nouns) for b in nouns[:i] if _alike(a, b)), None)
    if twice is not None:
        raise InputError(
            f"the concept {quoted(twice.concept.name)} is named in another one; give it a suite of its own"
        )
    return nouns


def _thing(concept: Concept) -> Noun:
    return Noun(concept, noun_phrase(concept.name).text if concept.kind == "object" else concept.name)


def _alike(first: Noun, second: Noun) -> bool:
    """Whether one is named in the other, so that a judge could not tell them apart."""
    a, b = first.concept.name, second.concept.name
    return mention(a, b) is not None or mention(b, a) is not None


def _in_turns(cells: Sequence[_Cell], count: int) -> Iterator[tuple[Noun, Noun, Style]]:
    """So many combinations: the cells take turns, and in each the thing comes that was least often chosen."""
    used: Counter[str] = Counter()
    made = 0
    while made < count:
        for cell in cells:
            if made == count or not cell.things:
                continue
            thing = min(cell.things, key=lambda noun: used[noun.concept.name])
            cell.things.remove(thing)
            used[thing.concept.name] += 1
            made += 1
            yield cell.concept, thing, cell.style


def _others(rng: random.Random) -> list[Noun]:
    """Things for the control, in a seeded order."""
    nouns = [_thing(concept) for concept in load_words(_THINGS).concepts]
    rng.shuffle(nouns)
    return nouns


def _control(chosen: Sequence[tuple[Noun, Noun, Style]], others: Sequence[Noun]) -> Iterator[tuple[Noun, Noun, Style]]:
    """The same things and styles, each with another thing for the concept, the least often chosen one."""
    used: Counter[str] = Counter()
    for _, thing, style in chosen:
        other = min((noun for noun in others if not _alike(noun, thing)), key=lambda noun: used[noun.concept.name])
        used[other.concept.name] += 1
        yield other, thing, style


def _entry(first: Noun, second: Noun, style: Style, group: str) -> Entry:
    filled = style.templates[first.concept.kind].format(
        a=first.phrase, b=second.phrase, a_name=first.concept.name, b_name=second.concept.name
    )
    concepts = sorted((first.concept, second.concept), key=lambda concept: mention(filled, concept.name) or 0)
    start = f"{CONTROL}-" if group == CONTROL else ""
    id = slug(f"{start}{first.concept.name} {second.concept.name} {style.name}")
    return Entry(
        style.name, Prompt(id, prompt_of(filled, tuple(concepts), id).text, tuple(concepts), group), named=False
    )

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
from dominance.records import Concept, Kind, Prompt, Suite
from dominance.suites.brackets import parse_concept, prompt_of
from dominance.suites.documents import read_yaml
from dominance.suites.entries import Entry, assemble, slug, suite_name
from dominance.suites.pools import Noun, Style, styles_of
from dominance.suites.words import load_words
from dominance.wording import described, on_one_line, quoted, suggestion

CONTROL = "control"
"""Group of the prompts in which a thing stands in place of the concept."""
_OTHERS: dict[Kind, str] = {
    "artist": "animals", "landmark": "buildings", "character": "animals", "object": "products,foods,animals,vehicles"
}  # fmt: skip
"""What stands in place of a concept in the control: word lists by the concept's kind."""


@dataclass(frozen=True)
class Campaign:
    """A suite that was made.

    Attributes:
        possible: prompts about the concepts that could have been made.
        left_out: things that could not be crossed with a concept, because one is named in the other.
        artists: of the word list, who are no things and were left out.
    """

    suite: Suite
    possible: int
    left_out: tuple[tuple[str, str], ...]
    artists: tuple[str, ...] = ()


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
    control: str | None = None,
    limit: int = 100,
    seed: int = 0,
) -> Campaign:
    """Crosses concepts with things in caption styles; as many control prompts have something else for the concept.

    The control has the same things in the same styles, with an animal for a character or an artist, a building for a
    landmark, and another thing for an object. The same arguments make the same suite. Concepts, styles and things
    take turns, so that each is in about as many prompts as any other.

    Args:
        concepts: each ``name`` or ``name:kind``; a name may have its article, as in ``the Eiffel Tower:landmark``.
        against: word lists of the things: bundled names or files.
        templates: sets of caption styles: bundled names or files.
        control: word lists of what stands for a concept in the control; of its kind, where they name any.
        limit: prompts at most, the control's included.
        seed: of the choice, where more are possible.

    >>> [prompt.text for prompt in make_suite(["acme robot:character"], limit=2).suite.prompts]
    ['an acme robot behind a plate', 'a sheep behind a plate']

    Raises:
        InputError: no concept, word list or template of this kind; a limit below 2; nothing can be crossed.
    """
    if limit < 2:
        raise InputError(f"limit is {limit}; give 2 or more prompts, half of which are the control")
    nouns, styles = _concepts(concepts), list(load_styles(templates))
    listed = _listed(against)
    things = [noun for noun in listed if noun.concept.kind != "artist"]
    left_out = tuple((t.concept.name, n.concept.name) for n in nouns for t in things if _alike(n, t))
    rng = random.Random(seed)
    rng.shuffle(styles)
    cells = [_Cell(noun, style, [t for t in things if not _alike(noun, t)]) for style in styles for noun in nouns]
    cells = [
        cell for cell in cells if {cell.concept.concept.kind, _control_kind(cell.concept)} <= {*cell.style.templates}
    ]
    possible = sum(len(cell.things) for cell in cells)
    if not possible:
        raise InputError(
            f"none of the words of {quoted(against)} can be crossed with {', '.join(map(quoted, concepts))}"
        )
    for cell in cells:
        rng.shuffle(cell.things)
    chosen = list(_in_turns(cells, min(limit // 2, possible)))
    entries = [_entry(noun, thing, style.templates[noun.concept.kind], style) for noun, thing, style in chosen]
    entries += list(_control(chosen, nouns, control, rng))
    about = f"{', '.join(noun.concept.name for noun in nouns)} against {against}, in {templates}; seed {seed}"
    artists = tuple(noun.concept.name for noun in listed if noun.concept.kind == "artist")
    return Campaign(Suite(suite_name(name), assemble(entries), about), possible, left_out, artists)


def _concepts(specs: Sequence[str]) -> list[Noun]:
    if not specs:
        raise InputError("there is no concept to make a suite about; give one, such as 'acme robot:character'")
    nouns = []
    for spec in specs:
        given = parse_concept(spec, quoted(spec))
        concept = Concept(without_article(given.name), given.kind)
        own = given.name.lower().startswith("the ")
        nouns.append(Noun(concept, given.name if own else _phrase(concept)))
    twice = next((a for i, a in enumerate(nouns) for b in nouns[:i] if _alike(a, b)), None)
    if twice is not None:
        raise InputError(
            f"the concept {quoted(twice.concept.name)} is named in another one; give it a suite of its own"
        )
    return nouns


def _listed(spec: str) -> list[Noun]:
    """The concepts of word lists, as they stand in a sentence."""
    words = load_words(spec)
    return [Noun(concept, words.phrases.get(concept.name) or _phrase(concept)) for concept in words.concepts]


def _phrase(concept: Concept) -> str:
    """With its article, unless it is a proper name."""
    proper = concept.kind == "artist" or (concept.kind != "object" and concept.name[0].isupper())
    return concept.name if proper else noun_phrase(concept.name).text


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


def _control(
    chosen: Sequence[tuple[Noun, Noun, Style]], about: Sequence[Noun], words: str | None, rng: random.Random
) -> Iterator[Entry]:
    """The same things and styles, each with something else for the concept: what was least often chosen of its kind."""
    used: Counter[str] = Counter()
    kinds = sorted({noun.concept.kind for noun, _, _ in chosen})
    others = {kind: _others(kind, words or _OTHERS[kind], about, rng) for kind in kinds}
    for noun, thing, style in chosen:
        listed = [other for other in others[noun.concept.kind] if not _alike(other, thing)]
        if not listed:
            raise InputError(
                f"the words of {quoted(words or '')} leave nothing for the control beside {quoted(thing.concept.name)};"
                " give more words as --control"
            )
        other = min(listed, key=lambda noun: used[noun.concept.name])
        used[other.concept.name] += 1
        yield _entry(other, thing, style.templates[_control_kind(noun)], style, CONTROL)


def _others(kind: Kind, words: str, about: Sequence[Noun], rng: random.Random) -> list[Noun]:
    """What may stand for a concept of this kind in the control, in a seeded order: of the kind, if any are."""
    nouns = _listed(words)
    nouns = [noun for noun in nouns if noun.concept.kind == kind and kind != "artist"] or [
        noun for noun in nouns if noun.concept.kind != "artist"
    ]
    rng.shuffle(nouns)
    return [noun for noun in nouns if not any(_alike(noun, concept) for concept in about)]


def _control_kind(noun: Noun) -> Kind:
    """The kind whose template the control has: the concept's own, but no animal paints."""
    return "object" if noun.concept.kind == "artist" else noun.concept.kind


def _entry(first: Noun, second: Noun, template: str, style: Style, group: str | None = None) -> Entry:
    filled = template.format(a=first.phrase, b=second.phrase, a_name=first.concept.name, b_name=second.concept.name)
    concepts = sorted((first.concept, second.concept), key=lambda concept: mention(filled, concept.name) or 0)
    start = f"{CONTROL}-" if group == CONTROL else ""
    id = slug(f"{start}{first.concept.name} {second.concept.name} {style.name}")
    made = Prompt(id, prompt_of(filled, tuple(concepts), id).text, tuple(concepts), group or first.concept.name)
    return Entry(style.name, made, named=False)

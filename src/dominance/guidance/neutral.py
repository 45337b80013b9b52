"""The prompt with a concept's rivals neutralised: other nouns stand in for them, so that no one of them is left.

A phrase by itself ("a lamp") is the wrong thing to compose with: the whole prompt keeps the syntax of two things, and
takes the rival out of every position of the text, end and padding tokens included.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from dominance.english import SEVERAL, head_of, is_plural, noun_phrase, plural
from dominance.errors import InputError
from dominance.mentions import concept_spans, mention
from dominance.records import Concept, Prompt
from dominance.wording import quoted

STAND_INS: int = 12
"""Nouns that stand in for a rival, each in a text of its own; a prototype did far worse with one (REPAIR)."""
_ONE = "an?|this|that|one"
_OWN = f"{_ONE}|the|some|any|much|my|your|our|his|her|their"
_ADJECTIVES = r"\s+((?:[^\W\d_][\w'-]*\s+){0,4})$"
_DETERMINER = re.compile(rf"\b(?:{_OWN}){_ADJECTIVES}", re.I)
_COUNT = re.compile(rf"\b(?:{'|'.join(sorted(SEVERAL))}|\d+){_ADJECTIVES}", re.I)
_JOINING = re.compile(
    r"\b(and|or|with|of|on|in|at|by|beside|behind|under|over|near|next|to|from|for|above|below|inside|between|that|is)\b",
    re.IGNORECASE,
)


@cache
def stand_ins() -> dict[str, tuple[str, ...]]:
    """Plain nouns that may stand in for a concept, by kind."""
    text = files("dominance.guidance").joinpath("stand_ins.json").read_text(encoding="utf-8")
    return {kind: tuple(nouns) for kind, nouns in json.loads(text).items()}


def alone(prompt: Prompt, concept: Concept, count: int = STAND_INS) -> tuple[str, ...]:
    """The prompt with each other concept replaced by other nouns, in so many texts of different nouns.

    Nouns that the prompt itself mentions are passed over. The article of the phrase follows the noun, and the words
    between article and concept go with it (``a blue clock`` becomes ``a mug``). Several stay several, and keep their
    number (``two blue clocks`` become ``two mugs``).

    Raises:
        InputError: the prompt does not name a concept, or two concepts share their words.

    >>> prompt = Prompt("p", "a tower beside a blue clock", (Concept("tower", "landmark"), Concept("clock")))
    >>> alone(prompt, prompt.concepts[0], 2)
    ('a tower beside a clown', 'a tower beside a mug')
    """
    rivals = [other for other in prompt.concepts if other.name != concept.name]
    spans = _phrases(prompt)
    nouns = {rival.name: _nouns(prompt, rival) for rival in rivals}
    texts = []
    for number in range(count):
        replaced = [
            (*span, _agreeing(nouns[rival.name][(number + place) % len(nouns[rival.name])], prompt.text, span, rival))
            for place, rival in enumerate(rivals)
            for span in spans[rival.name]
        ]
        texts.append(_with(prompt.text, replaced))
    return tuple(dict.fromkeys(texts))


def in_words(prompt: Prompt, words: Mapping[str, str]) -> str:
    """The prompt with some concepts called by other words; the article follows the word.

    Raises:
        InputError: the prompt does not name a concept, or two concepts share their words.

    >>> prompt = Prompt("p", "a tower beside a blue clock", (Concept("tower", "landmark"), Concept("clock")))
    >>> in_words(prompt, {"tower": "attraction"})
    'an attraction beside a blue clock'
    """
    spans = _phrases(prompt)
    replaced = [
        (*span, _agreeing(words[concept.name], prompt.text, span, concept))
        for concept in prompt.concepts
        if concept.name in words
        for span in spans[concept.name]
    ]
    return _with(prompt.text, replaced)


def _nouns(prompt: Prompt, rival: Concept) -> list[str]:
    """The stand-ins in an order that mixes their kinds; of an artist only artists, since they name a style."""
    listed = stand_ins()
    kinds = [kind for kind in listed if (kind == "artist") == (rival.kind == "artist")]
    turns = max(len(listed[kind]) for kind in kinds)
    mixed = [listed[kind][turn] for turn in range(turns) for kind in kinds if turn < len(listed[kind])]
    named = [concept.name for concept in prompt.concepts]
    free = [noun for noun in mixed if mention(prompt.text, noun) is None and noun not in named]
    return free or mixed


def check_apart(prompt: Prompt) -> None:
    """Raises an InputError where the prompt does not name a concept, or two concepts share its words."""
    _phrases(prompt)


def _phrases(prompt: Prompt) -> dict[str, list[tuple[int, int]]]:
    """Where each concept's noun phrase stands, its article and adjectives included where they belong to it alone.

    Raises:
        InputError: a concept is not named, or shares its words with another.
    """
    spans = concept_spans(prompt.text, [concept.name for concept in prompt.concepts])
    for name, own in spans.items():
        if not own:
            raise InputError(
                f"the concept {quoted(name)} is not in the prompt {quoted(prompt.text)}; spell it as there"
            )
    taken = [(span, name) for name, own in spans.items() for span in own]
    for (start, end), name in taken:
        other = next((b for (a, z), b in taken if b != name and a < end and start < z), None)
        if other is not None:
            raise InputError(
                f"the concepts {quoted(name)} and {quoted(other)} share words of the prompt {quoted(prompt.text)};"
                " choose others"
            )
    ends = sorted(end for (_, end), _ in taken)
    return {name: [_whole(prompt.text, span, ends) for span in own] for name, own in spans.items()}


def _whole(text: str, span: tuple[int, int], ends: Sequence[int]) -> tuple[int, int]:
    """The span from its determiner on, or from behind its number; as it is where another concept or a joining word
    stands between.
    """
    before = max((end for end in ends if end <= span[0]), default=0)
    count = _COUNT.search(text[before : span[0]])
    found = count or _DETERMINER.search(text[before : span[0]])
    if found is None or _JOINING.search(found[1]):
        return span
    return before + (found.start() if count is None else count.start(1)), span[1]


def _agreeing(noun: str, text: str, span: tuple[int, int], concept: Concept) -> str:
    """The noun in the number of the phrase that it replaces."""
    return plural(noun) if _several(text, *span, concept) else noun


def _several(text: str, start: int, end: int, concept: Concept) -> bool:
    """Whether a phrase names several; a name in s (Edgar Degas) does not, a word of one form by its number (two sheep).

    Args:
        concept: that the phrase names.
    """
    words = text[start:end].split()
    if re.fullmatch(_ONE, words[0], re.I) or re.search(r"\ban?\s+$", text[:start], re.I):
        return False
    by_name = concept.kind != "object" and text[start:end].lower().endswith(concept.name.lower())
    if not by_name and is_plural(head_of(words), alone=len(words) == 1):
        return True
    last = re.match(r"\s*(?:[^\w\s]|$)", text[end:]) or _JOINING.match(text[end:].lstrip())
    return last is not None and _COUNT.search(text[:start]) is not None


def _with(text: str, replaced: Sequence[tuple[int, int, str]]) -> str:
    """The text with these spans replaced; a span that began with an article gets the noun's own."""
    pieces, last = [], 0
    for start, end, noun in sorted(replaced):
        bare = re.match(rf"(?:{_OWN})\s", text[start:end], re.I) is None
        before = text[last:start]
        article = re.search(r"\b(an?)(\s+)$", before, re.I) if bare else None
        if article is not None:  # of a compound: "a castle coaster" becomes "an umbrella coaster"
            before = before[: article.start()]
        pieces += [before, noun if bare and article is None else noun_phrase(noun).text]
        last = end
    return "".join([*pieces, text[last:]])

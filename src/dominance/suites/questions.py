"""Question sets: what a judge is asked about each concept, by kind, from lenient to strict."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from dominance.english import noun_phrase, without_article
from dominance.errors import InputError
from dominance.records import KINDS, Concept, Kind, Question
from dominance.suites.documents import read_yaml

_BLANK = re.compile(r"\{[^{}]*\}")
_PLURAL = {"is": "are", "was": "were", "has": "have", "does": "do", "its": "their"}
_SINGULAR = re.compile(
    r"\b(?:is|was|has|does)(?=(?: there)? \{a_concept\})|(?<=\{a_concept\} )(?:is|was|has|does)\b|\bits\b",
    re.IGNORECASE,
)
_CALLED = "called"
_DETERMINED = re.compile(r"\b(?:an?|any|the|this|that)\s+(?:\w+\s+)?$", re.IGNORECASE)
"""What takes a name without its article: ``the landmark`` Eiffel Tower."""


@dataclass(frozen=True)
class QuestionSet:
    """Question templates for every kind; ``{concept}`` and ``{a_concept}`` are filled in.

    Attributes:
        name: of the set, recorded with every answer's run.
        templates: for each kind, its templates by rising strictness; as many for every kind.
        called: what the judge is asked about in place of a concept whose name it cannot know, by that name in lower
            case.
    """

    name: str
    templates: dict[Kind, tuple[str, ...]]
    called: Mapping[str, str] = field(default_factory=dict)

    def ask(self, concept: Concept) -> tuple[Question, ...]:
        """The questions about one concept, its name filled in, or what it is called to the judge."""
        named = self.called.get(concept.name.casefold(), concept.name)
        return tuple(
            Question(concept.name, _about(named, template), grade)
            for grade, template in enumerate(self.templates[concept.kind], start=1)
        )


def _about(name: str, template: str) -> str:
    """The template about this name, each blank filled once, whatever braces the name has."""
    noun = noun_phrase(name)
    if noun.plural and "{a_concept}" in template:
        template = _SINGULAR.sub(_in_plural, template)
    pieces = _BLANK.split(template)
    text = pieces[0]
    for blank, piece in zip(_BLANK.findall(template), pieces[1:], strict=True):
        bare = without_article(name) if _DETERMINED.search(text) else name
        text += (noun.text if blank == "{a_concept}" else bare) + piece
    return text


def _in_plural(singular: re.Match[str]) -> str:
    """The verb beside ``{a_concept}`` or the pronoun after it as they stand with a plural."""
    word = singular[0]
    plural = _PLURAL[word.lower()]
    return plural.capitalize() if word[0].isupper() else plural


def load_questions(path: Path | None = None) -> QuestionSet:
    """The project's own questions, or those of a YAML file, which replace them all; the set is named like the file.

    Such a file maps each kind (artist, landmark, character, object) to a list of templates, from lenient to strict,
    as many for every kind. ``{concept}`` becomes the concept's name, ``{a_concept}`` the name with its article;
    where that is a plural, the verb beside it and ``its`` become plural too::

        artist: ["Is this in the style of {concept}?"]
        landmark: ["Is {concept} in this picture?"]
        character: ["Is {concept} in this picture?"]
        object: ["Is there {a_concept} in this picture?"]

    It may also say what the judge is asked about in place of a name that it cannot know, such as a taught token; with
    that alone, the own questions are asked::

        called: {sks dog: dog, zyphor: running shoe}

    The own set asks about an artist leniently, by style alone, and about all else strictly.

    Raises:
        InputError: an unknown or missing kind, a template without its concept or with another blank, one that
            appears twice, lists of different lengths, or a name that is called nothing or two things.
    """
    if path is None:
        with resources.as_file(resources.files("dominance.suites") / "data" / "questions.yaml") as bundled:
            return _question_set("dominance-5", read_yaml(bundled), bundled)
    document = read_yaml(path)
    called = {}
    if isinstance(document, dict) and _CALLED in document:
        called = _called(document[_CALLED], path)
        document = {kind: listed for kind, listed in document.items() if kind != _CALLED}
        if not document:
            return replace(load_questions(), name=path.stem, called=called)
    return replace(_question_set(path.stem, document, path), called=called)


def _called(given: object, path: Path) -> dict[str, str]:
    if not isinstance(given, dict) or not given:
        raise InputError(
            f"{path}: {_CALLED} is {given!r}; give names and what the judge is asked about, 'sks dog: dog'"
        )
    found: dict[str, str] = {}
    for name, other in given.items():
        if not all(isinstance(text, str) and text.strip() and text.isprintable() for text in (name, other)):
            raise InputError(f"{path}: {_CALLED} has {name!r}: {other!r}; give two names, each on one line")
        if name.casefold() in found:
            raise InputError(f"{path}: {_CALLED} names {name!r} twice; keep one")
        found[name.strip().casefold()] = other.strip()
    return found


def _question_set(name: str, document: object, path: Path) -> QuestionSet:
    if not isinstance(document, dict) or set(document) != set(KINDS):
        found = ", ".join(map(str, document)) if isinstance(document, dict) else type(document).__name__
        raise InputError(
            f"{path}: found questions for {found or 'nothing'}; give one list for each of {', '.join(KINDS)}"
        )
    templates: dict[Kind, tuple[str, ...]] = {}
    for kind in KINDS:
        listed = document[kind]
        if not isinstance(listed, list) or not listed or not all(isinstance(text, str) for text in listed):
            raise InputError(f"{path}: the questions for the kind {kind} are {listed!r}; give a list of texts")
        for text in listed:
            if "{concept}" not in text and "{a_concept}" not in text:
                raise InputError(
                    f"{path}: the question {text!r} does not mention the concept; write {{concept}} or {{a_concept}}"
                )
            _check_text(text, path)
        if len(set(listed)) < len(listed):
            raise InputError(
                f"{path}: a question for the kind {kind} appears twice; keep one, because each answer must count once"
            )
        templates[kind] = tuple(listed)
    if len({len(listed) for listed in templates.values()}) > 1:
        counts = ", ".join(f"{kind} {len(listed)}" for kind, listed in templates.items())
        raise InputError(
            f"{path}: the kinds have different numbers of questions ({counts}); give the same number for each"
        )
    return QuestionSet(name, templates)


def _check_text(text: str, path: Path) -> None:
    blank = next((found for found in _BLANK.findall(text) if found not in ("{concept}", "{a_concept}")), None)
    if blank is not None:
        raise InputError(f"{path}: {blank} in {text!r} is not a known placeholder; write {{concept}} or {{a_concept}}")
    if not text.isprintable():
        raise InputError(
            f"{path}: the question {text!r} contains a line break or a control character; write it on one line"
        )

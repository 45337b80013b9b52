"""Finding a suite: a bundled one by its name, a file in any of its forms, or one bracketed prompt."""

import dataclasses
import sys
from importlib import resources
from pathlib import Path

from dominance.errors import InputError, PromptSyntaxError, SuiteError
from dominance.files import exists, is_folder
from dominance.prompt_syntax import foreign_syntax
from dominance.records import Prompt, Suite
from dominance.suites.brackets import clean_text, concept_of, parse_prompt, prompt_of
from dominance.suites.entries import Entry, assemble, check_id, checked_seeds, slug, suite_name
from dominance.suites.reading import Reading, Understood, completed, notes_on, of_prompts, understand
from dominance.suites.rows import SUITE_ENDINGS
from dominance.suites.words import load_words
from dominance.wording import on_one_line, quoted, suggestion

_BUNDLED = resources.files("dominance.suites") / "data" / "suites"


def bundled_suites() -> tuple[str, ...]:
    """The names of the suites that come with the package, in alphabetical order."""
    names = (file.name for file in _BUNDLED.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def find_suite(suite: str | Suite, concepts: str | None = None) -> Suite:
    """The suite that is named, or the suite itself, if a file could hold it too.

    What is left out of it is named on standard error.

    Args:
        concepts: a word list that finds concepts in prompts that name none.

    Raises:
        InputError: see ``load_suite``.
        SuiteError: a suite made by hand without prompts, with an unusable id or one twice, a prompt without text or
            concepts, an unknown kind, or seeds that cannot be used.
    """
    if isinstance(suite, str):
        reading = read_suite(suite, concepts)
        sys.stderr.writelines(f"note: {line}\n" for line in notes_on(reading))
        return reading.suite
    if concepts is not None and any(not prompt.concepts for prompt in suite.prompts):
        suite = completed(of_prompts(suite.name, suite.name, suite.prompts, "suite"), load_words(concepts)).suite
    entries = []
    for prompt in suite.prompts:
        where = f"prompt {prompt.id[:80]}"
        check_id(prompt.id, where)
        named = tuple(concept_of(concept.name, concept.kind, where) for concept in prompt.concepts)
        clean_text(prompt.negative_prompt or "", f"{where}: negative_prompt")
        if prompt.seeds is not None:
            checked_seeds(prompt.seeds, where)
        entries.append(Entry(where, prompt_of(clean_text(prompt.text, where), named, prompt.id), named=True))
    suite_name(suite.name)
    assemble(entries)
    return suite


def load_suite(spec: str, concepts: str | None = None) -> Suite:
    """The suite that a user means: a bundled name, a file, or one bracketed prompt.

    A file may be YAML, CSV, JSON, JSON lines, text or Parquet, of our own form or one of the public prompt lists; see
    ``docs/guides/prompt-lists.md``.

    Args:
        concepts: a word list that finds concepts in prompts that name none: a bundled name, such as ``coco``, or a file
            of one concept a line.

    >>> load_suite("a [tower:landmark] and a [mug]").prompts[0].id
    'a-tower-and-a-mug'
    >>> [concept.name for concept in load_suite("two dogs on a couch", "coco").prompts[0].concepts]
    ['dog', 'couch']

    Raises:
        InputError: the file or the word list cannot be read.
        SuiteError: nothing of this kind, not a valid suite, or no concepts; names the file and the place in it.
    """
    return read_suite(spec, concepts).suite


def read_suite(spec: str, concepts: str | None = None) -> Reading:
    """The suite that ``load_suite`` gives, and how it came of what the user gave.

    Raises:
        InputError, SuiteError: see ``load_suite``.
    """
    words = None if concepts is None else load_words(concepts)
    return completed(understand_suite(spec, plain=words is not None), words)


def understand_suite(spec: str, *, plain: bool = False) -> Understood:
    """What the user gave, some of whose prompts may name no concept.

    Args:
        plain: whether a prompt without brackets is one.

    Raises:
        InputError, SuiteError: see ``load_suite``.
    """
    bundled = bundled_suites()
    if spec in bundled:
        with resources.as_file(_BUNDLED / f"{spec}.yaml") as path:
            return dataclasses.replace(understand(path), source=spec, form="bundled suite")
    path = Path(spec)
    if (spec and exists(path)) or path.suffix.lower() in SUITE_ENDINGS:
        _refuse_folder(path)
        return understand(path)
    if "[" in spec:
        prompt = parse_prompt(spec, slug(spec))
        name = slug(prompt.text)
        return of_prompts(spec, name, [dataclasses.replace(prompt, id=name)], "a text")
    if len(spec.split()) > 1 and (foreign := foreign_syntax(spec)):
        raise PromptSyntaxError(f"the prompt: {foreign}")
    if plain and len(spec.split()) > 1:
        text = clean_text(spec, "the prompt")
        return of_prompts(text, slug(text), [Prompt(slug(text), text, ())], "a text")
    raise SuiteError(
        f"no suite {quoted(spec)}{suggestion(spec, bundled)} give a bundled suite ({', '.join(bundled)}), a file of"
        f" prompts ({', '.join(SUITE_ENDINGS)}), or a prompt with its concepts in brackets, such as"
        " 'a [tower:landmark] and a [mug]'"
    )


def _refuse_folder(path: Path) -> None:
    """Raises an InputError that names the list of prompts in a folder, if there is one."""
    if not is_folder(path):
        return
    try:
        listed = sorted(file.name for file in path.iterdir() if file.suffix.lower() in SUITE_ENDINGS)
    except OSError:  # not ours to look into
        listed = []
    inside = f", such as {quoted(str(path / listed[0]), 200)}" if listed else ""
    raise InputError(f"{on_one_line(path)}: is a folder; give a file of prompts{inside}")

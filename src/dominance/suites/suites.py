"""Finding a suite: a bundled one by its name, a file, or one bracketed prompt."""

import dataclasses
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from dominance.errors import SuiteError
from dominance.records import Suite
from dominance.suites.brackets import clean_text, concept_of, parse_prompt, prompt_of
from dominance.suites.csv_suites import load_csv_suite
from dominance.suites.entries import Entry, assemble, check_id, checked_seeds, slug, suite_name
from dominance.suites.jsonl_suites import load_jsonl_suite
from dominance.suites.yaml_suites import load_yaml_suite
from dominance.wording import on_one_line, quoted, suggestion

_LOADERS: dict[str, Callable[[Path], Suite]] = {
    ".yaml": load_yaml_suite,
    ".yml": load_yaml_suite,
    ".csv": load_csv_suite,
    ".jsonl": load_jsonl_suite,
}
_BUNDLED = resources.files("dominance.suites") / "data" / "suites"


def bundled_suites() -> tuple[str, ...]:
    """The names of the suites that come with the package, in alphabetical order."""
    names = (file.name for file in _BUNDLED.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def find_suite(suite: str | Suite) -> Suite:
    """The suite that is named, or the suite itself, if a file could hold it too.

    Raises:
        InputError: see ``load_suite``.
        SuiteError: a suite made by hand without prompts, with an unusable id or one twice, a prompt without text or
            concepts, an unknown kind, or seeds that cannot be used.
    """
    if isinstance(suite, str):
        return load_suite(suite)
    entries = []
    for prompt in suite.prompts:
        where = f"prompt {prompt.id[:80]}"
        check_id(prompt.id, where)
        concepts = tuple(concept_of(concept.name, concept.kind, where) for concept in prompt.concepts)
        clean_text(prompt.negative_prompt or "", f"{where}: negative_prompt")
        if prompt.seeds is not None:
            checked_seeds(prompt.seeds, where)
        entries.append(Entry(where, prompt_of(clean_text(prompt.text, where), concepts, prompt.id), named=True))
    suite_name(suite.name)
    assemble(entries)
    return suite


def load_suite(spec: str) -> Suite:
    """The suite that a user means: a bundled name, a .yaml, .yml, .csv or .jsonl file, or one bracketed prompt.

    >>> load_suite("a [tower:landmark] and a [mug]").prompts[0].id
    'a-tower-and-a-mug'

    Raises:
        InputError: the file cannot be read.
        SuiteError: nothing of this kind, or not a valid suite; names the file and the location in it.
    """
    bundled = bundled_suites()
    if spec in bundled:
        with resources.as_file(_BUNDLED / f"{spec}.yaml") as path:
            return load_yaml_suite(path)
    loader = _LOADERS.get(Path(spec).suffix.lower())
    if loader is not None:
        try:
            return loader(Path(spec))
        except SuiteError as error:
            raise SuiteError(f"{on_one_line(spec)}: {error}") from None
    if "[" in spec:
        prompt = parse_prompt(spec, slug(spec))
        name = slug(prompt.text)
        return Suite(name, (dataclasses.replace(prompt, id=name),))
    raise SuiteError(
        f"no suite {quoted(spec)}{suggestion(spec, bundled)} give a bundled suite "
        f"({', '.join(bundled)}), a {', '.join(_LOADERS)} file, or a prompt with its concepts in brackets, "
        f"such as 'a [tower:landmark] and a [mug]'"
    )

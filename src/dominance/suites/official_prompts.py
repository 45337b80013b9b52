"""The prompt file of the official DominanceBench release, written from prompts; ``csv_suites`` reads it."""

import re
from collections.abc import Sequence

from dominance.errors import InputError
from dominance.files import csv_bytes
from dominance.records import Concept, Prompt
from dominance.suites.csv_suites import OFFICIAL_COLUMNS
from dominance.wording import quoted

_CASE = re.compile(r"case(\d{1,9})")
_CASE_FOLDER = re.compile(r"case(\d{1,9})(_.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)


def official_prompts_csv(prompts: Sequence[Prompt], line_end: str = "\n") -> bytes:
    """The prompts in the official columns, one row each.

    A file in the release's own form (whole case numbers, kinds in the singular, quotes only where they are needed)
    that was read by ``load_suite`` comes out byte for byte, given its own line end.

    Raises:
        InputError: a prompt does not have two concepts.
    """
    rows = []
    for number, prompt in case_numbers(prompts).items():
        content, thing = content_and_object(prompt)
        rows.append((number, content.kind, content.name, thing.name, prompt.text))
    return csv_bytes([OFFICIAL_COLUMNS, *rows], line_end)


def content_and_object(prompt: Prompt) -> tuple[Concept, Concept]:
    """The concept that is expected to dominate, and the other: the first one that is not an object comes first.

    Raises:
        InputError: the prompt does not have two concepts, which the official columns need.
    """
    if len(prompt.concepts) != 2:
        raise InputError(
            f"prompt {prompt.id!r} has {len(prompt.concepts)} concepts but the official columns hold two; leave it out,"
            " or use another format"
        )
    first, second = prompt.concepts
    return (second, first) if first.kind == "object" and second.kind != "object" else (first, second)


def case_numbers(prompts: Sequence[Prompt]) -> dict[int, Prompt]:
    """Each prompt by its case number: the one in its id ``caseNNN`` if all have one, else counted from 1.

    Raises:
        InputError: a case number twice.
    """
    cases = [_CASE.fullmatch(prompt.id) for prompt in prompts]
    if not all(cases):
        return dict(enumerate(prompts, start=1))
    numbered: dict[int, Prompt] = {}
    for case, prompt in zip(cases, prompts, strict=True):
        number = int(case[1]) if case else 0
        if number in numbered:
            raise InputError(
                f"the prompts {quoted(numbered[number].id)} and {quoted(prompt.id)} have the same case number;"
                " give each its own"
            )
        numbered[number] = prompt
    return numbered


def folder_case(name: str) -> int | None:
    """The case number in a folder's name, ``caseNNN`` or ``caseNNN_anything`` as the official release has them.

    >>> folder_case("case002_a castle"), folder_case("case2"), folder_case("castle")
    (2, 2, None)
    """
    case = _CASE_FOLDER.fullmatch(name)
    return int(case[1]) if case else None

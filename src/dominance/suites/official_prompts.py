"""The prompt file of the official DominanceBench release: its rows as prompts, and prompts as its rows."""

import re
from collections.abc import Mapping, Sequence

from dominance.errors import InputError, SuiteError
from dominance.files import csv_bytes
from dominance.records import KINDS, Concept, Prompt
from dominance.suites.brackets import clean_text, concept_of, prompt_of
from dominance.wording import quoted

OFFICIAL_COLUMNS = ("case_num", "content_type", "content", "nm_word", "prompt")
_CASE = re.compile(r"case(\d{1,9})")


def official_prompt(row: Mapping[str, str], where: str) -> Prompt:
    """The prompt of a row with the official columns; its id is ``caseNNN``.

    Raises:
        SuiteError: a case number, kind, concept or prompt that cannot be used; the message starts with the location.
    """
    number, kind = row["case_num"].removesuffix(".0"), row["content_type"].lower()
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise SuiteError(f"{where}: case_num is {quoted(number)}; give a whole number, such as 7")
    kind = kind.removesuffix("s") if kind.removesuffix("s") in KINDS else kind
    concepts = (
        concept_of(row["content"], kind, f"{where}: content"),
        concept_of(row["nm_word"], "object", f"{where}: nm_word"),
    )
    id = f"case{int(number):03d}"
    try:
        return prompt_of(clean_text(row["prompt"], f"prompt {id}"), concepts, id, "dominance")
    except SuiteError as error:
        raise SuiteError(f"{where}: {error}") from None


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

"""Suites written as files that ``load_suite`` reads again."""

import json
from dataclasses import replace

from dominance.errors import SuiteError
from dominance.records import Prompt, Suite
from dominance.suites.brackets import bracketed


def suite_yaml(suite: Suite) -> str:
    """The suite as YAML, one prompt per line, without its gate; all else is kept.

    Raises:
        SuiteError: it has no prompts.
    """
    if not suite.prompts:
        raise SuiteError(f"the suite {suite.name!r} has no prompts; add at least one before writing it")
    head = f"name: {_text(suite.name)}\ndescription: {_text(suite.description)}\nprompts:\n"
    return head + "".join(f"  - {{{', '.join(_fields(prompt))}}}\n" for prompt in suite.prompts)


def _fields(prompt: Prompt) -> list[str]:
    try:
        fields = [f"prompt: {_text(bracketed(replace(prompt, negative_prompt=None, seeds=None)))}"]
    except SuiteError:
        listed = (f"{{name: {_text(concept.name)}, kind: {concept.kind}}}" for concept in prompt.concepts)
        escaped = prompt.text.replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
        fields = [f"prompt: {_text(escaped)}", f"concepts: [{', '.join(listed)}]"]
    group = [] if prompt.group is None else [f"group: {_text(prompt.group)}"]
    avoided = [] if prompt.negative_prompt is None else [f"negative_prompt: {_text(prompt.negative_prompt)}"]
    seeds = [] if prompt.seeds is None else [f"seeds: [{', '.join(map(str, prompt.seeds))}]"]
    return [f"id: {_text(prompt.id)}", *fields, *group, *avoided, *seeds]


def _text(text: str) -> str:
    """A text in double quotes; JSON's are YAML's too."""
    return json.dumps(text, ensure_ascii=False)

"""Files of other programs that hold prompts but are no suites: refused by their name, with what to give instead."""

import re
from collections.abc import Iterator, Mapping

from dominance.errors import SuiteError
from dominance.suites.rows import Rows
from dominance.wording import quoted

_HOW = "give the prompt itself, with its concepts in brackets, such as 'a [tower:landmark] and a [mug]'"
_INFOTEXT = re.compile(r"(?:^|\n)Steps: \d+, .*(?:Sampler|Seed|CFG scale): ")
_ARGUMENTS = re.compile(r"--(?:prompt|negative_prompt|seed|steps)\b")
_STYLE_COLUMNS = {"name", "prompt", "negative_prompt"}


def refuse_foreign(rows: Rows) -> None:
    """Raises a SuiteError if the rows are another program's workflow, settings, styles or annotations."""
    texts = [row for _, row in rows.listed if isinstance(row, str)]
    first = next((row for _, row in rows.listed if isinstance(row, Mapping)), {})
    if not rows.listed and (written := _comfy_texts(rows.head)) is not None:
        found = next(written, None)
        told = f"; its first text is {quoted(found)}" if found else ""
        raise SuiteError(f"is a ComfyUI workflow, not a suite{told}: {_HOW}")
    if _INFOTEXT.search("\n".join(texts)):
        raise SuiteError(f"holds the parameters of a picture made by A1111 ({quoted(texts[0])}), not a suite: {_HOW}")
    if any(_ARGUMENTS.match(text) for text in texts):
        raise SuiteError(
            "holds arguments for A1111's script 'Prompts from file', such as --prompt; write one prompt a line, or a"
            " CSV with the columns prompt, negative_prompt and seed"
        )
    keys = set(rows.columns) or {key for key in first if isinstance(key, str)}
    prompts = [str(row.get("prompt")) for _, row in rows.listed if isinstance(row, Mapping)]
    if {"name", "prompt"} <= keys and (keys <= _STYLE_COLUMNS or any("{prompt}" in text for text in prompts)):
        raise SuiteError(
            "is a file of styles for A1111 (name, prompt, negative_prompt), not a suite; write whole prompts in place"
            " of {prompt}, with their concepts in brackets, and call the column name id"
        )
    if "category_id" in keys and "caption" not in keys:
        raise SuiteError("holds COCO's boxes, not captions; give the file of captions, such as captions_val2017.json")


def _comfy_texts(document: Mapping[str, object]) -> Iterator[str] | None:
    """The texts of a workflow, in the form of the interface or of its API; None if it is no workflow."""
    listed = document.get("nodes")
    nodes = [node for node in (listed if isinstance(listed, list) else document.values()) if isinstance(node, Mapping)]
    if not any("class_type" in node or "widgets_values" in node for node in nodes):
        return None
    return (text for node in nodes for text in _encoded(node))


def _encoded(node: Mapping[str, object]) -> Iterator[str]:
    kind, inputs, widgets = node.get("class_type") or node.get("type"), node.get("inputs"), node.get("widgets_values")
    if "TextEncode" in str(kind):
        found = [*inputs.values()] if isinstance(inputs, Mapping) else []
        found += widgets if isinstance(widgets, list) else []
        yield from (text for text in found if isinstance(text, str) and text.strip())

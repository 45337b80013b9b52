"""A prompt's text with its concepts marked."""

from collections.abc import Mapping

from markupsafe import Markup, escape

from dominance.mentions import spans_by_name
from dominance.records import Prompt


def marked_prompt(prompt: Prompt, classes: Mapping[str, str]) -> Markup:
    """Every mention of a concept in a span of the concept's class; where names overlap, the longer has the words.

    Args:
        classes: of each concept, by its name.
    """
    pieces, last = [], 0
    for start, end, name in spans_by_name(prompt.text, list(classes)):
        pieces.append(escape(prompt.text[last:start]))
        pieces.append(Markup('<span class="{}">{}</span>').format(classes[name], prompt.text[start:end]))
        last = end
    return Markup("").join([*pieces, escape(prompt.text[last:])])

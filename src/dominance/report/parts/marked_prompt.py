"""A prompt's text with its concepts marked."""

import itertools
from collections.abc import Mapping

from markupsafe import Markup, escape

from dominance.mentions import concept_spans
from dominance.records import Prompt


def marked_prompt(prompt: Prompt, classes: Mapping[str, str]) -> Markup:
    """The characters of each concept in spans of the concept's class, as the tokens are counted.

    A concept that is mentioned only inside a longer one is marked inside it.

    Args:
        classes: of each concept, by its name.
    """
    owners: list[str | None] = [None] * len(prompt.text)
    spans = concept_spans(prompt.text, classes)
    for name in sorted(spans, key=len, reverse=True):
        for start, end in spans[name]:
            owners[start:end] = [name] * (end - start)
    pieces, start = [], 0
    for name, run in itertools.groupby(owners):
        end = start + len(list(run))
        text = prompt.text[start:end]
        pieces.append(
            escape(text) if name is None else Markup('<span class="{}">{}</span>').format(classes[name], text)
        )
        start = end
    return Markup("").join(pieces)

"""What the model reads of each prompt: which prompts are too long for it, and which words it does not know."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dominance.errors import InputError
from dominance.miniature.captions import unknown_words
from dominance.numbers import plural
from dominance.records import Prompt
from dominance.wording import on_one_line, quoted

if TYPE_CHECKING:
    from dominance.models.image_model import PipelineModel
    from dominance.models.source import ModelSource
    from dominance.models.tokens import Reading

_MOST_WORDS = 6
"""Unknown words named of a prompt."""
_MOST_NAMED = 20
"""Prompts named on standard error."""


@dataclass(frozen=True)
class Texts:
    """What a model reads of the prompts of a run.

    Attributes:
        prompts: ids of all of them.
        refused: why a prompt is not drawn, by its id: it is too long, and a concept is cut off.
        notes: what the model does not know of a prompt, by its id.
        alike: which of a prompt's concepts the model cannot tell apart, by its id, in a sentence.
    """

    prompts: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    alike: Mapping[str, str] = field(default_factory=dict)

    def refuse_if_none(self, model: str) -> None:
        """Raises an InputError if no prompt is left to draw."""
        if not self.prompts or len(self.refused) < len(self.prompts):
            return
        (first, reason), *others = self.refused.items()
        if not others:
            raise InputError(f"the prompt {first!r} cannot be drawn: {reason}")
        names = on_one_line(", ".join(self.refused), 400)
        raise InputError(f"none of the {len(self.prompts)} prompts ({names}) can be drawn by {model!r}: {reason}")

    def tell(self) -> None:
        """Names the prompts on standard error."""
        lines = [f"left out: prompt {id}: {reason}" for id, reason in self.refused.items()]
        lines += [f"note: prompt {id}: {what}" for id, what in self.notes.items()]
        for line in lines[:_MOST_NAMED]:
            sys.stderr.write(f"{on_one_line(line, 1000)}\n")
        if len(lines) > _MOST_NAMED:
            sys.stderr.write(f"note: {plural(len(lines) - _MOST_NAMED, 'more prompt')} of this kind\n")


def read_texts(model: "PipelineModel", source: "ModelSource", prompts: Sequence[Prompt]) -> Texts:
    """What the model reads of the prompts."""
    refused: dict[str, str] = {}
    notes: dict[str, str] = {}
    alike: dict[str, str] = {}
    for prompt in prompts:
        reading = model.reading(prompt)
        if reading is not None and reading.cut:
            names = _named(reading.cut)
            cut = f"its concept {names} is" if len(reading.cut) == 1 else f"its concepts {names} are"
            refused[prompt.id] = (
                f"it is longer than the {reading.limit} tokens that {source.name!r} reads, and {cut} cut off; shorten"
                " the prompt"
            )
        if reading is not None and reading.alike:
            alike[prompt.id] = alike_sentence(reading)
        if note := note_of(prompt, reading, source):
            notes[prompt.id] = note
    return Texts(tuple(prompt.id for prompt in prompts), refused, notes, alike)


def note_of(prompt: Prompt, reading: "Reading | None", source: "ModelSource") -> str:
    """What the model does not know of a prompt, in a sentence or two; empty if it knows every word."""
    said = []
    if reading is not None and reading.rest and not reading.cut:
        said.append(f"{source.name!r} reads its first {reading.limit} tokens, and not its end, {quoted(reading.rest)}")
    if reading is not None and reading.unknown:
        known = f"the text encoder of {source.name!r} does not know"
        said.append(f"{known} {_named(reading.unknown)}, and reads the same token for all unknown text")
    if reading is not None and reading.alike:
        said.append(alike_sentence(reading))
    if new := unknown_words(prompt.text, source.world):
        said.append(
            f"{source.name!r} has never seen {_named(new)}: it knows the words of the {source.world} world alone"
        )
    return "; ".join(said)


def alike_sentence(reading: "Reading") -> str:
    """Which concepts the text encoder cannot tell apart."""
    groups = [_named(group) for group in reading.alike]
    return f"the model cannot tell {'; '.join(groups)} apart, so nothing is said about which of them wins"


def _named(words: Sequence[str]) -> str:
    """At most a few words, in quotes."""
    shown = [quoted(word, 40) for word in words[:_MOST_WORDS]]
    if len(words) > _MOST_WORDS:
        shown.append(f"{len(words) - _MOST_WORDS} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"

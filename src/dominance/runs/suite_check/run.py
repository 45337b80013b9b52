"""What a suite is understood as, before anything is drawn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dominance.errors import SuiteError
from dominance.models.drawing import Drawing, Machine
from dominance.records import Prompt
from dominance.runs.stages.model import RunModel
from dominance.runs.suite_check.result import Understanding, tallied
from dominance.suites.brackets import bracketed
from dominance.suites.entries import LeftOut, assemble
from dominance.suites.reading import completed
from dominance.suites.suites import understand_suite
from dominance.suites.words import load_words

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

_SHOWN = 3


def check_suite(
    suite: str, concepts: str | None = None, model: "str | DiffusionPipeline | None" = None
) -> Understanding:
    """What is understood of a suite: its form, prompts, concepts and groups, and what is left out of it, and why.

    Args:
        suite: a bundled suite, a file of prompts, or a prompt.
        concepts: a word list that finds concepts in prompts that name none.
        model: whose text encoder must read all concepts; its weights are loaded.

    Raises:
        InputError: the suite, the word list or the model cannot be understood.
    """
    understood = understand_suite(suite, plain=True)
    words = None if concepts is None else load_words(concepts)
    missing = None
    try:
        reading = completed(understood, words)
    except SuiteError as error:
        missing = str(error)
        kept = [entry for entry in understood.entries if entry.prompt.concepts]
        reading = None if not kept else completed(replace(understood, entries=tuple(kept)))
    prompts = assemble(understood.entries) if reading is None else reading.suite.prompts
    counted, groups = ({}, {}) if reading is None else tallied(reading.suite)
    found = Understanding(
        suite=understood.name,
        source=understood.source,
        form=understood.form,
        prompts=len(prompts) if reading is None or missing is None else len(understood.entries),
        missing=missing,
        words=None if words is None else words.name,
        looked_up=len(understood.bare) if words else 0,
        single=0 if reading is None else reading.single,
        concepts=counted,
        groups=groups,
        own_seeds=sum(1 for prompt in prompts if prompt.seeds is not None),
        own_negatives=sum(1 for prompt in prompts if prompt.negative_prompt is not None),
        gate=understood.gate,
        first=tuple(map(_marked, prompts[:_SHOWN])),
        left_out=understood.left_out if reading is None else reading.left_out,
        unused=understood.unused,
    )
    return found if model is None or reading is None else _with_model(found, reading.suite.prompts, model)


def _marked(prompt: Prompt) -> str:
    """The prompt with its concepts in brackets, or listed behind it where its text does not name them."""
    try:
        return bracketed(replace(prompt, negative_prompt=None, seeds=None)) if prompt.concepts else prompt.text
    except SuiteError:
        return f"{prompt.text} ({', '.join(f'{concept.name}:{concept.kind}' for concept in prompt.concepts)})"


def _with_model(found: Understanding, prompts: Sequence[Prompt], model: "str | DiffusionPipeline") -> Understanding:
    """The same with the prompts that the model does not read as a whole."""
    drawn = RunModel(model, Drawing(), Machine())
    texts, by_id = drawn.texts(prompts), {prompt.id: prompt.text for prompt in prompts}
    overlong, unread = (
        tuple(LeftOut(id, by_id[id], why) for id, why in told.items()) for told in (texts.refused, texts.notes)
    )
    return replace(found, model=drawn.source.name, overlong=overlong, unread=unread)

"""What a run must make and ask, worked out before anything is made; an item's key is its content."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from dominance.errors import SuiteError
from dominance.guidance.registry import Method
from dominance.models.settings import GenerationSettings
from dominance.records import Concept, Prompt, Question, RunSettings, Suite


@dataclass(frozen=True)
class PlannedImage:
    """One image of the plan.

    Attributes:
        item: key of the image: everything that decides what is drawn, hashed.
        prompt_id: the prompt that it belongs to.
        text: what the model is given.
        name: the seed as text, or the name of the file that was brought.
        seed: of its noise; None for an image made elsewhere.
        negative_prompt: what guidance leads away from; None for the empty prompt.
        file: relative to the run folder, or absolute for an image made elsewhere.
    """

    item: str
    prompt_id: str
    text: str
    name: str
    seed: int | None
    file: str
    negative_prompt: str | None = None


def _write_questions(questions: dict[Concept, tuple[Question, ...]]) -> list[dict[str, Any]]:
    return [
        {"name": concept.name, "kind": concept.kind, "texts": [question.text for question in asked]}
        for concept, asked in questions.items()
    ]


def _read_questions(document: Any) -> Any:
    if not isinstance(document, list):
        return document
    return {
        Concept(entry["name"], entry["kind"]): tuple(
            Question(entry["name"], text, grade) for grade, text in enumerate(entry["texts"], start=1)
        )
        for entry in document
    }


Questions = Annotated[
    dict[Concept, tuple[Question, ...]], BeforeValidator(_read_questions), PlainSerializer(_write_questions)
]


@dataclass(frozen=True)
class Plan:
    """A whole run, as far as it is decided beforehand.

    Attributes:
        questions: for each concept, the questions asked about it.
        settings: all settings of the run, as its manifest shows them.
        origin: ``audit`` for images that the run makes, ``score`` for images that were brought.
    """

    suite: Suite
    model: str
    judge: str
    judge_identity: str
    questions: Questions
    images: tuple[PlannedImage, ...]
    settings: RunSettings
    origin: str

    def asked_about(self, prompt: Prompt) -> tuple[Question, ...]:
        """All questions about the images of a prompt."""
        return tuple(question for concept in prompt.concepts for question in self.questions[concept])


def item_key(text: str, seed: int, model_identity: str, image_settings: dict[str, object]) -> str:
    """Hash of all that decides an image."""
    content = {"text": text, "seed": seed, "model": model_identity, "settings": image_settings}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def plan_images(
    suite: Suite,
    seeds: Sequence[int],
    model_identity: str,
    settings: GenerationSettings,
    method: Method | None = None,
) -> tuple[PlannedImage, ...]:
    """One image for every prompt and seed, of the prompt's own seeds where it has some.

    Prompts that differ in nothing that decides an image share theirs.

    Raises:
        SuiteError: under a method, which steers by concepts, two prompts have one text and different concepts.
    """
    if method is not None:
        _refuse_ambiguous(suite)
    planned: list[PlannedImage] = []
    files: dict[str, str] = {}
    for prompt in suite.prompts:
        own = settings.of(prompt)
        for seed in prompt.seeds or seeds:
            item = item_key(prompt.text, seed, model_identity, own.record() | _steered(prompt, method))
            file = files.setdefault(item, f"images/{prompt.id}/{seed}-{item[:8]}.png")
            planned.append(PlannedImage(item, prompt.id, prompt.text, str(seed), seed, file, own.negative_prompt))
    return tuple(planned)


def _steered(prompt: Prompt, method: Method | None) -> dict[str, object]:
    """What else decides an image that is drawn under a method."""
    if method is None:
        return {}
    return {"method": method.identity, "concepts": [concept.name for concept in prompt.concepts]}


def _refuse_ambiguous(suite: Suite) -> None:
    first: dict[str, Prompt] = {}
    for prompt in suite.prompts:
        other = first.setdefault(prompt.text, prompt)
        if other.concepts != prompt.concepts:
            raise SuiteError(
                f"the prompts {other.id!r} and {prompt.id!r} have the same text and different concepts, and a method"
                " steers by the concepts; audit them one after the other with --method, or leave one out"
            )


def ask_all(suite: Suite, ask: Callable[[Concept], tuple[Question, ...]]) -> dict[Concept, tuple[Question, ...]]:
    """The questions about every concept of the suite."""
    return {concept: ask(concept) for prompt in suite.prompts for concept in prompt.concepts}

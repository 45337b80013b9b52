"""The plan of a run: which images to make and what to ask; an item's key is a hash of its content."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from dominance.beside import OtherRun
from dominance.errors import SuiteError
from dominance.guidance.registry import Method
from dominance.models.settings import GenerationSettings
from dominance.records import Concept, Gate, JudgeWarning, LeftOut, Prompt, Question, Suite
from dominance.run_settings import RunSettings


@dataclass(frozen=True)
class PlannedImage:
    """One image of the plan.

    Attributes:
        item: key of the image: a hash of everything that determines it.
        prompt_id: id of its prompt.
        text: the model's input.
        name: the seed as text, or the file name of an existing image.
        seed: of its noise; None for an image made elsewhere.
        negative_prompt: what guidance steers away from; None for the empty prompt.
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
class TaughtPlan:
    """A concept that the model was taught, and what its images are compared with.

    Attributes:
        references: absolute paths of its reference pictures.
        keys: of their contents, in the same order, under which their embeddings are stored.
        embedder, embedder_identity: None without references.
    """

    concept: Concept
    references: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    embedder: str | None = None
    embedder_identity: str | None = None


@dataclass(frozen=True)
class MeasuringPlan:
    """Models that measure a run's images without a question.

    Attributes:
        similarity, captions: as they were named; captions may be None.
        identity: of both; changes whenever a score could.
    """

    similarity: str
    captions: str | None
    identity: str

    @property
    def names(self) -> tuple[str, ...]:
        """Of all models, as they were named."""
        return (self.similarity,) if self.captions is None else (self.similarity, self.captions)


@dataclass(frozen=True)
class Plan:
    """A whole run, as decided beforehand.

    Attributes:
        questions: by concept.
        settings: all settings of the run, as in its manifest.
        origin: the command; ``audit`` makes its images, ``score`` takes existing ones.
        world: the closed world that the images belong to, ``open`` for none; None where it is not known.
        judge_warnings: what is known to be wrong with the judge before it answers.
        left_out: of the existing images, those that are not used.
        model_identity: of the model that draws the images; None where they exist, and in plans of older versions.
        refused: why a prompt is not drawn, by its id.
        notes: what the model does not know of a prompt, by its id.
        taught: a concept that the model was taught; the judge is asked about it in every image.
        beside: another run of the same prompts, which the report shows beside this one.
        baseline: an earlier run of the same prompts, whose losses pass the gate.
        measuring: what measures the images without a question.
    """

    suite: Suite
    model: str
    judge: str
    judge_identity: str
    questions: Questions
    images: tuple[PlannedImage, ...]
    settings: RunSettings
    origin: str
    world: str | None = None
    judge_warnings: tuple[JudgeWarning, ...] = ()
    left_out: Annotated[tuple[LeftOut, ...], Field(exclude_if=lambda left_out: not left_out)] = ()
    model_identity: str | None = None
    refused: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    taught: Annotated[TaughtPlan | None, Field(exclude_if=lambda taught: taught is None)] = None
    beside: Annotated[OtherRun | None, Field(exclude_if=lambda beside: beside is None)] = None
    measuring: Annotated[MeasuringPlan | None, Field(exclude_if=lambda measuring: measuring is None)] = None
    baseline: Annotated[OtherRun | None, Field(exclude_if=lambda baseline: baseline is None)] = None

    @property
    def gate(self) -> Gate | None:
        """What the run must hold: the suite's gate; with a baseline alone, a gate without limits; None for none."""
        return Gate() if self.suite.gate is None and self.baseline is not None else self.suite.gate

    @property
    def to_draw(self) -> tuple[PlannedImage, ...]:
        """The images of all prompts that are not refused."""
        return tuple(image for image in self.images if image.prompt_id not in self.refused)

    def asked_about(self, prompt: Prompt) -> tuple[Question, ...]:
        """All questions about a prompt's images."""
        asked = [*prompt.concepts]
        if self.taught is not None and self.taught.concept.name not in {concept.name for concept in asked}:
            asked.append(self.taught.concept)
        return tuple(question for concept in asked for question in self.questions[concept])


def item_key(text: str, seed: int, model_identity: str, image_settings: dict[str, object]) -> str:
    """Hash of everything that determines an image."""
    content = {"text": text, "seed": seed, "model": model_identity, "settings": image_settings}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def plan_images(
    suite: Suite,
    seeds: Sequence[int],
    model_identity: str,
    settings: GenerationSettings,
    method: Method | None = None,
) -> tuple[PlannedImage, ...]:
    """One image for every prompt and seed; a prompt's own seeds take precedence.

    Prompts that would give identical images share them.

    Raises:
        SuiteError: with a method, which steers by concepts, two prompts have the same text and different concepts.
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
    """What else determines an image drawn with a method."""
    if method is None:
        return {}
    return {"method": method.identity, "concepts": [concept.name for concept in prompt.concepts]}


def _refuse_ambiguous(suite: Suite) -> None:
    first: dict[str, Prompt] = {}
    for prompt in suite.prompts:
        other = first.setdefault(prompt.text, prompt)
        if other.concepts != prompt.concepts:
            raise SuiteError(
                f"the prompts {other.id!r} and {prompt.id!r} have the same text but different concepts, and a method"
                " steers by concepts; audit them separately with --method, or leave one out"
            )


def ask_all(
    suite: Suite, ask: Callable[[Concept], tuple[Question, ...]], taught: TaughtPlan | None = None
) -> dict[Concept, tuple[Question, ...]]:
    """The questions about every concept of the suite, and about the taught one, which no prompt may name."""
    asked = {concept: ask(concept) for prompt in suite.prompts for concept in prompt.concepts}
    return asked if taught is None else {**asked, taught.concept: ask(taught.concept)}

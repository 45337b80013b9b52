"""What can be asked for: the commands, each with its options class and the document that it prints."""

import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any, Literal

from pydantic import BaseModel, Field

from dominance.models.drawing import Machine
from dominance.runs.audit.options import AuditOptions, ScoreOptions
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.generation.options import TIMES_PLAIN, GenerateOptions
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.risk.options import PreflightOptions
from dominance.serve.outside import request_model

Subject = Literal["suite", "prompt", "upload"]
_EVALUATIONS = 100
"""Network evaluations of an image of 50 steps under guidance."""
_PROMPTS = "Prompts with their concepts in brackets, or the name of a bundled suite alone."
_ABOUT: Mapping[str, tuple[Any, Any]] = {
    "prompts": (list[str], Field(description=_PROMPTS, min_length=1, max_length=1000)),
    "prompt": (str, Field(description="A prompt with at least one concept in brackets.", max_length=10_000)),
    "upload": (str, Field(description="An upload that POST /api/uploads began.", max_length=60)),
    "model": (str | None, Field(default=None, description="One of the models that the service may load.")),
    "judge": (str | None, Field(default=None, description="One of the judges that the service may load.")),
}


@dataclass(frozen=True)
class Verb:
    """One command.

    Attributes:
        what: it does, in a line for the page.
        options: its class, from which the body of a request is made.
        document: module and class of what it prints; a list of them where ``many``.
        model, judge: whether it takes one.
        folder: whether it leaves a run folder.
        workers: whether several processes may share its work.
    """

    name: str
    what: str
    subject: Subject
    options: type
    document: tuple[str, str]
    many: bool = False
    model: bool = True
    judge: bool = True
    folder: bool = True
    workers: bool = False

    @property
    def about(self) -> tuple[str, ...]:
        """What a request gives beside options."""
        subject = {"suite": ("prompts",), "prompt": ("prompt",), "upload": ("upload", "prompts")}[self.subject]
        return (*subject, *(["model"] if self.model else []), *(["judge"] if self.judge else []))

    def machine(self, machine: Machine) -> Machine:
        """The service's machine, as far as the command takes it."""
        own = machine if self.workers else machine.by_itself()
        own = own if self.model else replace(own, offload="none")
        return replace(own, batch=None) if self.options is GenerateOptions else own

    def images(self, options: Any) -> int:
        """The most images that it draws for a prompt, about; of one that is repaired, those of each arm."""
        if isinstance(options, GenerateOptions):
            return max(TIMES_PLAIN * options.usable, (options.budget or 0) // _EVALUATIONS)
        return len(options.seeds) if hasattr(options, "seeds") else 0

    @cache  # noqa: B019 - verbs live as long as the process
    def request(self) -> type[BaseModel]:
        """The body of a request."""
        return request_model(f"{self.name.capitalize()}Request", self.options, {n: _ABOUT[n] for n in self.about})

    def result(self) -> Any:
        """The type of what the command prints; loads it, and torch with some."""
        module, name = self.document
        kind: Any = getattr(import_module(f"dominance.{module}"), name)
        return types.GenericAlias(list, (kind,)) if self.many else kind


_LISTED = (
    Verb(
        "audit",
        "Draw images and find the prompts that lose a concept",
        "suite",
        AuditOptions,
        ("runs.audit.document", "AuditDocument"),
        workers=True,
    ),
    Verb(
        "preflight",
        "Predict the risk from part of the first step, without an image",
        "suite",
        PreflightOptions,
        ("runs.risk.preflight", "Preflight"),
        many=True,
        judge=False,
        folder=False,
    ),
    Verb(
        "explain",
        "Show what the model attends to while it draws",
        "prompt",
        ExplainOptions,
        ("runs.explanation.document", "ExplanationDocument"),
    ),
    Verb(
        "mitigate",
        "Draw plain and repaired, side by side",
        "suite",
        MitigateOptions,
        ("runs.mitigation.result", "MitigationResult"),
        workers=True,
    ),
    Verb(
        "generate",
        "Draw until so many images show every concept",
        "suite",
        GenerateOptions,
        ("runs.generation.result", "GenerationResult"),
        workers=True,
    ),
    Verb(
        "score",
        "Judge images that were made elsewhere",
        "upload",
        ScoreOptions,
        ("runs.audit.document", "AuditDocument"),
        model=False,
        workers=True,
    ),
)
VERBS: dict[str, Verb] = {verb.name: verb for verb in _LISTED}
"""By the name of the command."""

"""Training examples: an audited run's verdicts, with the first steps of the same prompts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from dominance.errors import InputError, RunError
from dominance.metrics import focus_score
from dominance.records import PromptResult, RunResult, ScoredImage
from dominance.runs.risk.calibration import risk_features, strongest_concept
from dominance.runs.risk.options import Label
from dominance.runs.stages.first_steps import Look
from dominance.runs.stages.model import RunModel


@dataclass(frozen=True, eq=False)
class Example:
    """A prompt or an image: what was seen at the first step, and the outcome.

    Attributes:
        look: for an image, only its own seed's.
        dominating: the concept that takes over; None if the example is not positive.
    """

    look: Look
    positive: bool
    dominating: str | None


class Examples:
    """All examples, as arrays."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._all = tuple(examples)
        looks = [example.look for example in examples]
        self.layers = looks[0].layers
        self.prompts = [look.prompt.text for look in looks]
        self.concepts = [frozenset(name.casefold() for name in look.concepts) for look in looks]
        self.positive: Bool[np.ndarray, " example"] = np.array([example.positive for example in examples])
        self.named: Bool[np.ndarray, "example layer"] = np.array(
            [[_names(example, (layer,)) for layer in self.layers] for example in examples]
        )
        rows = [risk_features(look.attention, look.start, look.concepts).mean(0) for look in looks]
        self.features: Float[np.ndarray, "example feature"] = torch.stack(rows).double().numpy()
        focus = [focus_score(look.attention).mean(0) for look in looks]
        self.focus: Float[np.ndarray, "example layer"] = torch.stack(focus).double().numpy()

    def __len__(self) -> int:
        return len(self._all)

    @property
    def with_dominating(self) -> Bool[np.ndarray, " example"]:
        """Which examples have a dominating concept to name."""
        return np.array([example.dominating is not None for example in self._all])

    def named_by(self, layers: Sequence[int]) -> Bool[np.ndarray, " example"]:
        """Whether the strongest concept, averaged over these layers, is the one that dominates."""
        return np.array([_names(example, layers) for example in self._all])

    def focus_of(self, layers: Sequence[int]) -> Float[np.ndarray, " example"]:
        """The mean focus score over some layers."""
        return self.focus[:, [self.layers.index(layer) for layer in layers]].mean(1)

    def naming_layer(self, rows: Int[np.ndarray, " row"]) -> int:
        """The layer that names the most dominating concepts of these examples; the first in a tie."""
        counts = self.named[rows].sum(axis=0)
        return self.layers[int(counts.argmax())]


def _names(example: Example, layers: Sequence[int]) -> bool:
    if example.dominating is None:
        return False
    return strongest_concept(example.look.at(layers).mean(dim=(0, 1)), example.look.concepts) == example.dominating


def usable_prompts(result: RunResult) -> tuple[list[PromptResult], dict[str, int]]:
    """The prompts to learn from, and the number of others by reason.

    Raises:
        RunError: the run has no scored image.
        InputError: none of its prompts names two concepts.
    """
    if result.scored == 0:
        raise RunError(f"the run in {result.run} has no scored images; finish its `dominance audit` first")
    scored = [judged for judged in result.prompts if judged.verdict is not None]
    several = [judged for judged in scored if len(judged.prompt.concepts) > 1]
    usable = [judged for judged in several if judged.prompt.names_its_concepts]
    if not usable:
        raise InputError(
            f"the run in {result.run} has no prompt that names two concepts; audit prompts that name two or more"
        )
    return usable, {
        "prompts without a scored image": len(result.prompts) - len(scored),
        "prompts of one concept": len(scored) - len(several),
        "prompts that do not name a concept as it is marked": len(several) - len(usable),
    }


def readable_prompts(
    usable: list[PromptResult], left_out: dict[str, int], drawn: RunModel
) -> tuple[list[PromptResult], dict[str, int]]:
    """Without the prompts that the model reads only a part of, as those of images made elsewhere may be."""
    texts = drawn.texts([judged.prompt for judged in usable])
    texts.refuse_if_none(drawn.source.name)
    texts.tell()
    kept = [judged for judged in usable if judged.prompt.id not in {*texts.refused, *texts.alike}]
    if not kept:
        raise InputError(f"{drawn.source.name!r} reads no prompt's concepts apart; audit prompts that it can read")
    more = {
        "prompts longer than the model reads": len(texts.refused),
        "prompts whose concepts the model cannot tell apart": len(texts.alike.keys() - texts.refused.keys()),
    }
    return kept, left_out | {reason: count for reason, count in more.items() if count}


def examples_of(result: PromptResult, look: Look, label: Label) -> list[Example]:
    """The prompt as one example, or one example per scored image, in the order of the look's seeds."""
    if label == "prompt":
        positive = result.verdict == "dominance"
        return [Example(look, positive, result.dominating if positive else None)]
    examples = []
    for index, image in enumerate(scored_images(result)):
        own = replace(look, attention=look.attention[index : index + 1], start=look.start[index : index + 1])
        positive = image.verdict == "collapsed"
        examples.append(Example(own, positive, image.dominating if positive else None))
    return examples


def scored_images(result: PromptResult) -> list[ScoredImage]:
    """The prompt's images that have a verdict."""
    return [image for image in result.images if image.verdict is not None]


def image_seeds(result: PromptResult) -> tuple[int, ...]:
    """The seeds of the prompt's scored images.

    Raises:
        InputError: they were made elsewhere, so their seeds are unknown.
    """
    images = scored_images(result)
    seeds = tuple(image.seed for image in images if image.seed is not None)
    if len(seeds) < len(images):
        raise InputError("the run's images were made elsewhere, so their seeds are unknown; give --label prompt")
    return seeds

"""The stage that records first steps in batches; no image is made."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from dominance.errors import InputError
from dominance.models.tokens import PromptTokens, prompt_tokens
from dominance.numbers import plural
from dominance.probes.choices import TokenSet
from dominance.probes.first_step import FirstStep, first_step
from dominance.progress import Progress
from dominance.records import Prompt
from dominance.runs.stages.model import RunModel


@dataclass(frozen=True, eq=False)
class Look:
    """One prompt's first steps, for one or more seeds.

    Attributes:
        tokens: the texts of the tokens T.
        concepts: for each concept, the indices of its tokens in T.
        layers: the recorded layers, in forward order.
        attention: to the tokens T, averaged over positions and heads.
        start: to the start token before them; 0 if the text encoder has none, as T5.
        share: share of one generation's multiply-adds in the denoiser, for all seeds together.
    """

    prompt: Prompt
    tokens: tuple[str, ...]
    concepts: dict[str, tuple[int, ...]]
    layers: tuple[int, ...]
    attention: Float[Tensor, "seed layer token"]
    start: Float[Tensor, "seed layer"]
    share: float

    def at(self, layers: Sequence[int]) -> Float[Tensor, "seed layer token"]:
        """The attention in some of the layers."""
        return self.attention[:, [self.layers.index(layer) for layer in layers]]


def look_at(
    model: RunModel,
    prompts: Sequence[Prompt],
    seeds: Sequence[Sequence[int]],
    layers: Sequence[int] | None,
    token_set: TokenSet,
) -> list[Look]:
    """Records every prompt with each of its seeds. A negative prompt does not affect the recorded branch.

    Args:
        seeds: for each prompt.
        layers: None for all.

    Raises:
        InputError: a prompt of fewer than two tokens, a concept that its prompt does not name, an unknown layer.
    """
    pipeline, settings, batch = model().pipeline, model.settings, model.batches().size
    chosen = [_Chosen(prompt, prompt_tokens(pipeline, prompt.text), token_set) for prompt in prompts]
    wanted = [(index, seed) for index, own in enumerate(seeds) for seed in own]
    seen: list[list[Tensor]] = [[] for _ in prompts]
    steps: list[FirstStep] = []
    with Progress("first steps", total=len(wanted), each="a step") as progress:
        for start in range(0, len(wanted), batch):
            part = wanted[start : start + batch]
            step = first_step(
                pipeline,
                [prompts[index].text for index, _ in part],
                [seed for _, seed in part],
                layers,
                steps=settings.steps,
                guidance=settings.guidance,
                height=settings.height,
                width=settings.width,
            )
            for (index, _), attention in zip(part, step.attention, strict=True):
                seen[index].append(attention)
            steps.append(step)
            progress.advance(len(part))
    return [_look(prompt, own, steps[0]) for prompt, own in zip(chosen, seen, strict=True)]


def _look(chosen: "_Chosen", seen: Sequence[Float[Tensor, "layer column"]], step: FirstStep) -> Look:
    everything = torch.stack(list(seen))
    start = everything[..., 0] * 0 if chosen.start is None else everything[..., chosen.start]
    return Look(
        prompt=chosen.prompt,
        tokens=chosen.tokens,
        concepts=chosen.concepts,
        layers=step.layers,
        attention=everything[..., chosen.columns],
        start=start,
        share=step.share * len(seen),
    )


class _Chosen:
    """The tokens T of a prompt: columns, texts, and those of its concepts."""

    def __init__(self, prompt: Prompt, tokens: PromptTokens, token_set: TokenSet) -> None:
        self.prompt = prompt
        self.columns = list(tokens.token_set(token_set))
        texts = {token.index: token.text for token in tokens.tokens} | dict.fromkeys(tokens.ends, "<end>")
        self.tokens = tuple(texts.get(column, "<other>") for column in self.columns)
        named = tokens.concepts([concept.name for concept in prompt.concepts])
        self.concepts = {name: tuple(self.columns.index(c) for c in columns) for name, columns in named.items()}
        if len(tokens.tokens) < 2:
            raise InputError(
                f"the prompt {prompt.text[:80]!r} has only {plural(len(tokens.tokens), 'token')}, and focus compares"
                " tokens; give a prompt of two or more words"
            )
        first = tokens.tokens[0].index
        self.start = first - 1 if first else None

"""First steps of the bench, kept prompt by prompt, so that a rule that was stopped goes on where it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from dominance.probes.choices import TokenSet
from dominance.records import Prompt
from dominance.reproduce.kept import kept_each
from dominance.runs.stages.first_steps import Look, look_at
from dominance.runs.stages.model import RunModel

Looks = Callable[[RunModel, Sequence[Prompt], Sequence[Sequence[int]], Sequence[int] | None, TokenSet], list[Look]]
"""As ``look_at``."""


@dataclass(frozen=True)
class KeptLook:
    """A look at all layers, as JSON has it; attributes as ``Look``."""

    tokens: tuple[str, ...]
    concepts: dict[str, tuple[int, ...]]
    layers: tuple[int, ...]
    attention: list[list[list[float]]]
    start: list[list[float]]
    share: float

    def at(self, prompt: Prompt, layers: Sequence[int] | None) -> Look:
        """The look at some layers, or at all."""
        chosen = self.layers if layers is None else tuple(layers)
        places = [self.layers.index(layer) for layer in chosen]
        attention, start = torch.tensor(self.attention)[:, places], torch.tensor(self.start)[:, places]
        return Look(prompt, self.tokens, self.concepts, chosen, attention, start, self.share)


def kept_looks(folder: Path) -> Looks:
    """``look_at`` with each prompt's look at all layers in a file of that folder, where others read fewer of them."""

    def looks(
        model: RunModel,
        prompts: Sequence[Prompt],
        seeds: Sequence[Sequence[int]],
        layers: Sequence[int] | None,
        token_set: TokenSet,
    ) -> list[Look]:
        def keep(item: tuple[Prompt, Sequence[int]]) -> KeptLook:
            look = look_at(model, [item[0]], [item[1]], None, token_set)[0]
            numbers = look.attention.tolist(), look.start.tolist()
            return KeptLook(look.tokens, look.concepts, look.layers, *numbers, look.share)

        items = {prompt.id: (prompt, own) for prompt, own in zip(prompts, seeds, strict=True)}
        found = kept_each(folder, "first steps of the bench", KeptLook, items, keep)
        return [found[prompt.id].at(prompt, layers) for prompt in prompts]

    return looks

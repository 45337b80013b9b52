"""First steps are kept prompt by prompt: no prompt is looked at twice, whichever layers are asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from dominance.records import Concept, Prompt
from dominance.reproduce import looks as keeping
from dominance.reproduce.looks import kept_looks
from dominance.runs.stages.first_steps import Look

PROMPTS = [Prompt(name, f"a {name} and a mug", (Concept(name), Concept("mug"))) for name in ("tower", "lamp")]
SEEDS = [(100, 101), (100, 101)]


def test_a_stopped_calibration_goes_on_with_the_next_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[str, Sequence[int]]] = []

    def look_at(_: Any, prompts: Sequence[Prompt], seeds: Sequence[Sequence[int]], layers: Any, *__: Any) -> list[Look]:
        assert layers is None
        if len(looked) == 1 and not resumed:
            raise KeyboardInterrupt
        looked.append((prompts[0].id, seeds[0]))
        attention = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(len(looked)))
        seen[prompts[0].id] = attention
        concepts = {prompts[0].concepts[0].name: (1,), "mug": (3,)}
        return [
            Look(prompts[0], ("a", "x", "and", "mug"), concepts, (1, 9, 10), attention, attention[..., 0] * 9, 0.01)
        ]

    seen: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(keeping, "look_at", look_at)
    resumed = False
    ask: Any = (None, PROMPTS, SEEDS)
    with pytest.raises(KeyboardInterrupt):
        kept_looks(tmp_path)(*ask, None, "content")
    resumed = True
    every = kept_looks(tmp_path)(*ask, None, "content")
    (_, one) = kept_looks(tmp_path)(*ask, (9,), "content")
    assert looked == [("tower", (100, 101)), ("lamp", (100, 101))]
    for look, prompt in zip(every, PROMPTS, strict=True):
        assert torch.equal(look.attention, seen[prompt.id])
        assert (look.prompt, look.layers, look.tokens[3]) == (prompt, (1, 9, 10), "mug")
    assert (one.layers, one.concepts) == ((9,), {"lamp": (1,), "mug": (3,)})
    assert torch.equal(one.attention[:, 0], seen["lamp"][:, 1])
    assert torch.equal(one.start[:, 0], seen["lamp"][:, 1, 0] * 9)

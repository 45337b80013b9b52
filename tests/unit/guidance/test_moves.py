"""Moves of latents: sizes by step as stated, thresholds at their shares, and the registry of methods."""

import math

import pytest
import torch

from dominance.errors import InputError
from dominance.guidance.moves import Moves
from dominance.guidance.overlap import Overlap
from dominance.guidance.registry import BUNDLED, ChosenRecipe, find_method, listed_methods
from dominance.records import Concept, Prompt

PROMPT = Prompt("p", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))


def test_sizes_are_those_of_their_sources() -> None:
    rms, raw = Moves("kl"), Moves("kl", "raw", 20.0, 0.6)
    assert [rms.size_at(step, 25) for step in (0, 9)] == pytest.approx([0.06, 0.06 * math.sqrt(1 - 9 / 25)])
    scale = torch.linspace(1.0, 0.5, 50).sqrt()
    assert [raw.size_at(step, 50) for step in range(50)] == pytest.approx((20 * scale).tolist(), rel=1e-5)
    assert [step for step in range(50) if raw.acts(step, 50)] == list(range(30))
    assert [step for step in range(25) if rms.acts(step, 25)] == list(range(10))


def test_an_rms_step_has_one_length_whatever_the_gradient() -> None:
    moves = Moves("kl")
    gradient = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(0))
    for scale in (1e-8, 1.0, 1e8):
        moved = moves.moved(gradient * scale, 0, 25)
        assert float(moved.square().mean().sqrt()) == pytest.approx(0.06, rel=1e-5)
    assert torch.equal(moves.moved(torch.zeros(4), 0, 25), torch.zeros(4))


def test_refinement_stands_at_its_shares() -> None:
    moves = Moves("attend-and-excite", "raw", 20, 0.5, {0.0: 0.95, 0.2: 0.5, 0.4: 0.2})
    assert {step: moves.threshold(step, 50) for step in (0, 10, 20)} == {0: 0.95, 10: 0.5, 20: 0.2}
    assert moves.threshold(1, 50) is None
    assert (moves.turns(10, 50), moves.turns(11, 50)) == (21, 1)
    assert Moves("kl", until=0.0, first=10).turns(0, 25) == 10
    assert not Moves("kl", until=0.0, first=10).acts(1, 25)


def test_every_bundled_method_is_listed_and_plans() -> None:
    listed = listed_methods()
    assert [*listed][: len(BUNDLED) + 1] == ["none", *BUNDLED]
    for name in BUNDLED:
        found = find_method(name)
        assert isinstance(found, ChosenRecipe)
        assert found.recipe.plan(PROMPT).looks is found.recipe.looks
        assert found.identity.startswith(f"{name}(")
    assert find_method("none") is None


def test_settings_are_part_of_a_method_s_identity() -> None:
    identities = [
        find_method(name).identity for name in ("overlap", "overlap:loss=com", "overlap:strength=2", "overlap:loss=kl")
    ]  # fmt: skip
    assert len(set(identities)) == 3
    assert identities[0] == identities[3]
    assert find_method("replace").recipe.until == 1.0
    assert find_method("replace:until=0.5").recipe.until == 0.5


@pytest.mark.parametrize(
    "make", [lambda: Overlap(strength=-1), lambda: Overlap(until=2), lambda: Overlap(strength=float("inf"))]
)
def test_values_out_of_range_are_refused(make: object) -> None:
    with pytest.raises(InputError, match="the method's"):
        make()

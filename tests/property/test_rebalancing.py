"""What equalising offsets are in theory: equal shares, the same total, and nothing else moved."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dominance.probes.rebalancing import equalising_offsets

logits = st.lists(st.floats(-30, 30), min_size=6, max_size=6)


@settings(deadline=None)
@given(first=logits, second=logits, split=st.integers(1, 3))
def test_shares_become_equal_and_their_sum_stays(first: list[float], second: list[float], split: int) -> None:
    """Columns up to ``split`` are one concept's, the next two another's, the rest nobody's."""
    given_logits = torch.tensor([first, second], dtype=torch.float64)[None, None]
    of = torch.zeros(1, 3, 6, dtype=torch.bool)  # the third concept has no columns
    of[0, 0, :split] = True
    of[0, 1, split : split + 2] = True
    offsets = equalising_offsets(given_logits, of)
    assert not offsets[..., split + 2 :].any()
    before, after = given_logits.softmax(dim=-1), (given_logits + offsets).softmax(dim=-1)
    own = [before[..., :split].sum(-1), before[..., split : split + 2].sum(-1)]
    mean = (own[0] + own[1]) / 2
    torch.testing.assert_close(after[..., :split].sum(-1), mean, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(after[..., split : split + 2].sum(-1), mean, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(after[..., split + 2 :], before[..., split + 2 :], rtol=1e-6, atol=1e-12)


@settings(deadline=None)
@given(first=logits, second=logits, strength=st.floats(0, 1))
def test_less_strength_goes_less_far_at_the_same_sum(first: list[float], second: list[float], strength: float) -> None:
    given_logits = torch.tensor([first, second], dtype=torch.float64)[:, None, None]
    of = torch.tensor([[[True] * 2 + [False] * 4, [False] * 2 + [True] * 3 + [False]]] * 2)
    equal = equalising_offsets(given_logits, of)
    assert torch.equal(equalising_offsets(given_logits, of, torch.ones(2)), equal)
    offsets = equalising_offsets(given_logits, of, torch.tensor([strength, 0.0], dtype=torch.float64))
    assert not offsets[1].any()
    before, after = given_logits.softmax(dim=-1)[0], (given_logits + offsets).softmax(dim=-1)[0]
    own = [each[..., part].sum(-1) for each in (before, after) for part in (slice(0, 2), slice(2, 5))]
    mean = (own[0] + own[1]) / 2
    for concept in range(2):
        wanted = (1 - strength) * own[concept] + strength * mean
        torch.testing.assert_close(own[2 + concept], wanted, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(after[..., 5:], before[..., 5:], rtol=1e-6, atol=1e-12)


@settings(deadline=None)
@given(values=logits)
def test_what_is_equal_stays(values: list[float]) -> None:
    given_logits = torch.tensor(values[:3] + values[:3], dtype=torch.float64)[None, None, None]
    of = torch.tensor([[[True] * 3 + [False] * 3, [False] * 3 + [True] * 3]])
    assert equalising_offsets(given_logits, of).abs().max() < 1e-9

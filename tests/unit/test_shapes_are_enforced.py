"""The shapes in signatures are checked while tests run."""

import pytest
import torch
from jaxtyping import TypeCheckError

from dominance.training.patches import PatchCode


def test_a_tensor_of_the_wrong_shape_is_refused() -> None:
    code = PatchCode(torch.zeros(48), torch.zeros(12, 48))
    assert code.encode(torch.zeros(2, 3, 8, 8)).shape == (2, 12, 2, 2)
    with pytest.raises(TypeCheckError):
        code.encode(torch.zeros(3, 8, 8))

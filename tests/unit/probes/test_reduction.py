"""The reduction says the same however few probabilities it holds at once."""

import pytest
import torch
from tiny_families import draw, tiny

from dominance.probes import reduction
from dominance.probes.recording import record_attention


@pytest.mark.parametrize("family", ["sd1", "sd3", "flux"])
@pytest.mark.parametrize("most", [1, 64 * 40, 2**26])
def test_blocks_of_heads_and_positions_add_up(family: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = tiny(family)
    with record_attention(pipeline, maps=[0, 2]) as expected:
        draw(pipeline)
    monkeypatch.setattr(reduction, "MOST_ON_CPU", most)
    monkeypatch.setattr(reduction, "FEWEST_POSITIONS", 5)
    with record_attention(pipeline, maps=[0, 2]) as record:
        draw(pipeline)
    for layer in record.layers:
        for step in record.steps:
            torch.testing.assert_close(record.attention(layer, step), expected.attention(layer, step))
            torch.testing.assert_close(record.map(layer, step, 2), expected.map(layer, step, 2))

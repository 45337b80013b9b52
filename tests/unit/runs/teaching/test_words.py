"""What is said of a token before it is taught."""

from pathlib import Path

from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.runs.teaching.words import token_notes


def test_a_known_word_is_taught_over_and_a_long_one_is_split(tiny_model: Path) -> None:
    model = find_model(str(tiny_model))
    pipeline = model.load(Drawing().settings(model), Machine(device="cpu"))
    (known,) = token_notes(pipeline, "castle")
    assert known.startswith("the tokenizer knows 'castle' as a word of its own")
    (split,) = token_notes(pipeline, "zqxwv")
    assert split.startswith("the tokenizer splits 'zqxwv' in 5 parts (z + q + x + w + v), which is hard to teach")
    assert len(token_notes(pipeline, "castle zqxwv")) == 2


def test_nothing_is_said_of_a_pipeline_without_a_tokenizer() -> None:
    assert token_notes(object(), "castle") == ()

"""Reading users' YAML: what is accepted, and the line that says what is wrong with any other."""

import pytest
from refusals import refusal

from dominance.suites.documents import read_yaml
from golden import one_a_case


def test_yaml_is_version_1_2_and_plain_values(file):
    document = read_yaml(file("\ufeffa: no\nb: 1e-3\nc: [x, {d: null}]\n"))
    assert document == {"a": "no", "b": 0.001, "c": ["x", {"d": None}]}
    assert read_yaml(file("")) is None
    assert read_yaml(file("a: &x 1\nb: &x 2\n")) == {"a": 1, "b": 2}, "a reused anchor is no reason to warn"


INVALID = (
    "a: 1\nb: 2\na: 3\n",
    "a:\n  - {b: 1, b: 2}\n",
    "a: [1\nb: 2",
    "- [mug] and a [lamp]",
    "a: b\nc: d\x07e",
    "--- 1\n--- 2\n",
    "[" * 3000,
    "a: 2024-99-99",
)


def test_invalid_yaml_is_refused_with_its_line_and_column(file, golden):
    path = file("")
    messages = {text: refusal(read_yaml, file(text)) for text in INVALID}
    assert all(message.startswith(f"{path}: ") for message in messages.values())
    golden("suites/documents", one_a_case({text: said.removeprefix(f"{path}: ") for text, said in messages.items()}))


@pytest.mark.parametrize(
    "text", ["a: !!python/object/apply:os.system [false]", "a: !own 1", "a: *missing", "? {a: 1}\n: 2"]
)
def test_yaml_that_asks_for_more_than_plain_values_is_refused(file, text):
    assert "not valid YAML at line 1, column " in refusal(read_yaml, file(text))

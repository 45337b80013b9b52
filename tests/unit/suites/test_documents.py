"""Reading users' YAML: what is accepted, and the line that says what is wrong with any other."""

from pathlib import Path

import pytest

from dominance.errors import InputError
from dominance.suites.documents import read_yaml


def refusal(read, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert message.isprintable(), "an error is one line"
    return message


@pytest.fixture
def file(tmp_path):
    def write(data: bytes | str, name: str = "file.yaml") -> Path:
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return tmp_path / name

    return write


def test_yaml_is_version_1_2_and_plain_values(file):
    document = read_yaml(file("\ufeffa: no\nb: 1e-3\nc: [x, {d: null}]\n"))
    assert document == {"a": "no", "b": 0.001, "c": ["x", {"d": None}]}
    assert read_yaml(file("")) is None
    assert read_yaml(file("a: &x 1\nb: &x 2\n")) == {"a": 1, "b": 2}, "a reused anchor is no reason to warn"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 'not valid YAML at line 3, column 1: found duplicate key "a"; keep one of the two'),
        ("a:\n  - {b: 1, b: 2}\n", 'not valid YAML at line 2, column 12: found duplicate key "b"; keep one of the two'),
        ("a: [1\nb: 2", "not valid YAML at line 2, column 2: expected ',' or ']', but got ':'; "
                        "correct it there; put a text with [ or { or ': ' in quotes"),
        ("- [mug] and a [lamp]", "not valid YAML at line 1, column 9: expected <block end>, but found '<scalar>'; "
                                 "correct it there; put a text with [ or { or ': ' in quotes"),
        ("a: b\nc: d\x07e", r"not valid YAML at line 2, column 5: the control character '\x07'; remove it"),
        ("--- 1\n--- 2\n", "not valid YAML at line 2, column 1: but found another document; "
                           "correct it there; put a text with [ or { or ': ' in quotes"),
        ("[" * 3000, "its YAML is nested too deeply; write it flatter"),
        ("a: 2024-99-99", "a value of its YAML cannot be read (month must be in 1..12); put it in quotes"),
    ],
)  # fmt: skip
def test_invalid_yaml_is_refused_with_its_line_and_column(file, text, message):
    path = file(text)
    assert refusal(read_yaml, path) == f"{path}: {message}"


@pytest.mark.parametrize(
    "text", ["a: !!python/object/apply:os.system [false]", "a: !own 1", "a: *missing", "? {a: 1}\n: 2"]
)
def test_yaml_that_asks_for_more_than_plain_values_is_refused(file, text):
    assert "not valid YAML at line 1, column " in refusal(read_yaml, file(text))

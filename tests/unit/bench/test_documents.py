"""Reading users' files: what is accepted, and the line that says what is wrong with any other."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from dominance.bench.documents import MAX_BYTES, read_text, read_yaml
from dominance.errors import InputError


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


def test_text_is_utf8_with_or_without_a_byte_order_mark_and_keeps_its_line_ends(file):
    assert read_text(file("é\r\n杯\r")) == "é\r\n杯\r"
    assert read_text(file(b"\xef\xbb\xbfa\xef\xbb\xbf")) == "a\ufeff"
    assert read_text(file(b"")) == ""


def test_latin_1_is_refused_with_its_place_and_a_conversion_that_works(file):
    path = file("a\ncaf\xe9".encode("latin1"), "my suite.csv")
    message = refusal(read_text, path)
    start = f"{path}: is not UTF-8: byte 0xe9 at offset 5 (line 2); convert it, from Latin-1 for instance with: "
    assert message.startswith(start)
    command = message.removeprefix(start)
    copy = path.with_name("my suite.utf8.csv")
    assert command == f"iconv -f latin1 -t utf-8 {shlex.quote(str(path))} > {shlex.quote(str(copy))}"
    subprocess.run(command, shell=True, check=True)
    assert read_text(copy) == "a\ncafé"


def test_the_offset_of_a_wrong_byte_counts_a_byte_order_mark(file):
    assert "byte 0xff at offset 4 (line 1)" in refusal(read_text, file(b"\xef\xbb\xbfa\xff"))


def test_utf_16_is_refused_by_its_name(file):
    path = file("a [mug]".encode("utf-16"))
    assert refusal(read_text, path).startswith(
        f"{path}: is UTF-16, not UTF-8; convert it with: iconv -f utf-16 -t utf-8 "
    )


def test_a_binary_file_is_refused(file):
    path = file(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert refusal(read_text, path) == f"{path}: is a binary file (a NUL byte at offset 8); give a text file in UTF-8"


def test_a_file_over_20_mb_is_refused(file):
    assert len(read_text(file(b"x" * MAX_BYTES))) == MAX_BYTES
    path = file(b"x" * (MAX_BYTES + 1))
    assert refusal(read_text, path) == f"{path}: is larger than 20 MB; split it into smaller files"


def test_what_is_not_a_readable_file_is_refused(tmp_path):
    missing, pipe = tmp_path / "missing.yaml", tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert refusal(read_text, missing) == f"{missing}: there is no such file; check the path"
    assert refusal(read_text, tmp_path) == f"{tmp_path}: is a folder; give a file"
    assert refusal(read_text, pipe) == f"{pipe}: is a pipe or a device; save its content in a file and give that"
    assert "cannot be read (File name too long); check the path" in refusal(read_text, tmp_path / ("x" * 300))
    assert "cannot be read (embedded null byte); check the path" in refusal(read_text, Path("a\0b"))
    assert "there is no such file" in refusal(read_text, tmp_path / "two\nlines")


def test_permission_denied_is_an_input_error(file, monkeypatch):
    path = file("a")

    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # the tests may run as root, whom no mode keeps out
    wanted = f"{path}: permission denied; make the file readable, for instance with chmod u+r"
    assert refusal(read_text, path) == wanted


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

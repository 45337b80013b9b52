"""Users' files: what is read, the line that says what is wrong with any other, and files that appear whole or not."""

import csv
import errno
import io
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal

from dominance.errors import InputError, RunError
from dominance.files import (
    MAX_BYTES,
    check_new_or_empty,
    check_writable,
    csv_bytes,
    read_table,
    read_text,
    unwritable_parent,
    write_whole,
)


def test_text_is_utf8_with_or_without_a_byte_order_mark_and_keeps_its_line_ends(file):
    assert read_text(file("é\r\n杯\r")) == "é\r\n杯\r"
    assert read_text(file(b"\xef\xbb\xbfa\xef\xbb\xbf")) == "a\ufeff"
    assert read_text(file(b"")) == ""


def test_latin_1_is_refused_with_its_place_and_a_conversion_that_works(file):
    path = file("a\ncaf\xe9".encode("latin1"), "my suite.csv")
    message = refusal(read_text, path)
    start = f"{path}: is not UTF-8: byte 0xe9 at offset 5 (line 2); convert it, for example from Latin-1 with: "
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
    assert refusal(read_text, missing) == f"{missing}: no such file; check the path"
    assert refusal(read_text, tmp_path) == f"{tmp_path}: is a folder; give a file"
    assert refusal(read_text, pipe) == f"{pipe}: is a pipe or a device; save its content to a file and give that file"
    assert "cannot be read (File name too long); check the path" in refusal(read_text, tmp_path / ("x" * 300))
    assert "cannot be read (embedded null byte); check the path" in refusal(read_text, Path("a\0b"))
    assert "no such file" in refusal(read_text, tmp_path / "two\nlines")


def test_permission_denied_is_an_input_error(file, monkeypatch):
    path = file("a")

    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # the tests may run as root, whom no mode keeps out
    wanted = f"{path}: permission denied; make the file readable, for instance with chmod u+r"
    assert refusal(read_text, path) == wanted


# CSV


def table(text: str, *columns: str) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    read = read_table(text, Path("t.csv"), columns)
    return read.columns, list(read.rows)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_line_of_column_names_says_what_separates_fields(mark):
    other = {",": ";", ";": ",", "\t": ","}[mark]
    text = f' A {mark}b\r\n\r\n x{other}y {mark}"two\nlines"\r\n{mark}\r\n{mark}z'
    assert table(text) == (("a", "b"), [(3, {"a": f"x{other}y", "b": "two\nlines"}), (6, {"a": "", "b": "z"})])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (",a,b\n0,x,y", [(2, {"a": "x", "b": "y"})]),
        ('"","a"\n"1","x"', [(2, {"a": "x"})]),
        ("Unnamed: 0.1;Unnamed: 0;a\n3;3;x", [(2, {"a": "x"})]),
        ("a\tb\t\t\nx\ty\t\t", [(2, {"a": "x", "b": "y"})]),
        ("sep=;\r\na;b, or c\r\nx;y\r\n", [(3, {"a": "x", "b, or c": "y"})]),
        ('a;"b, or c, or d";e\nx;y;z', [(2, {"a": "x", "b, or c, or d": "y", "e": "z"})]),
        ("\ufeffa\nx,y", None),
    ],
)
def test_row_numbers_and_empty_columns_are_left_out_and_the_separator_is_found(text, rows):
    if rows is None:
        with pytest.raises(InputError, match="2 fields for 1 column"):
            table(text)
    else:
        assert table(text)[1] == rows


@given(
    st.lists(st.lists(st.text("aZ7 ,;\t\"'é城\n", max_size=8).map(str.strip), min_size=2, max_size=2), max_size=4),
    st.sampled_from(",;\t"),
    st.booleans(),
)
def test_what_other_programs_write_is_read_with_any_separator_and_with_row_numbers(rows, mark, numbered):
    written = io.StringIO(newline="")
    kept = [row for row in rows if any(row)]
    header, body = ["first", "second"], [list(row) for row in kept]
    if numbered:
        header, body = ["", *header], [[str(index), *row] for index, row in enumerate(body)]
    csv.writer(written, delimiter=mark).writerows([header, *body])
    read = read_table(written.getvalue(), Path("t.csv"), ("first", "second"), needed=("first",))
    assert [list(fields.values()) for _, fields in read.rows] == kept


def test_a_table_may_be_empty_or_have_columns_alone():
    assert table("") == table("\n,,\n") == ((), [])
    assert table("\na\n") == (("a",), [])
    assert read_table("\na\n", Path("t.csv"), ()).line == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\na,A\n1,2", "line 2: the column 'a' appears twice; keep one of the two"),
        ("a,b\n1,2\n\n1",
         "line 4: 1 field for 2 columns; keep empty fields,"
         " and put text that contains a comma in double quotes"),
        ("a,,b\n1,lost,2", "line 2: 'lost' is in a column without a name; name it in the first line"),
        ('a;b\n1;2\n"1;2\n',
         "line 3: not valid CSV (unexpected end of data); close the quotes, and double any quotes inside"),
    ],
)  # fmt: skip
def test_a_table_is_refused_by_its_line(text, message):
    with pytest.raises(InputError) as caught:
        table(text, "a", "b")
    assert str(caught.value) == f"t.csv: {message}"


def test_a_column_that_is_needed_is_missed_in_the_first_line():
    with pytest.raises(InputError) as caught:
        read_table("path;promt\na;b", Path("t.csv"), (), needed=("path", "prompt"))
    assert str(caught.value) == (
        "t.csv: line 1: the column 'prompt' is missing; did you mean 'promt'? the first line must name the columns path"
        " and prompt, but is 'path,promt'"
    )
    assert read_table("", Path("t.csv"), (), needed=("path",)).columns == ()


def test_columns_that_nobody_reads_may_stand_there_twice_and_are_the_last_that_counts():
    assert table("a,x,x\n1,2,3", "a") == (("a", "x", "x"), [(2, {"a": "1", "x": "3"})])


def test_what_is_written_as_csv_is_read_again():
    rows = [("a", "b"), ('say "mug", please', "two\nlines"), ("é", 0.5)]
    _, read = table(csv_bytes(rows, "\r\n").decode())
    assert [tuple(row.values()) for _, row in read] == [('say "mug", please', "two\nlines"), ("é", "0.5")]


# Folders and writing


def test_a_folder_that_holds_something_is_not_taken(tmp_path):
    check_new_or_empty(tmp_path / "new")
    check_new_or_empty(tmp_path)
    (tmp_path / "mine.txt").touch()
    for place in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(RunError) as caught:
            check_new_or_empty(place)
        assert str(caught.value) == f"{place} is not an empty folder; give a new or empty --out"


def test_the_parent_in_which_nothing_can_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert unwritable_parent(tmp_path / "new" / "deeper" / "file") is None
    assert unwritable_parent(tmp_path / "file" / "x") == tmp_path / "file"
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, whom no mode keeps out
    assert unwritable_parent(tmp_path / "new" / "x") == tmp_path


def test_a_file_is_written_whole_whatever_lay_around(tmp_path: Path) -> None:
    target = tmp_path / "images" / "a.png"
    write_whole(target, b"old")
    (target.parent / ".a.png.partial").write_bytes(b"left by a killed process")
    write_whole(target, b"new")
    assert [path.name for path in target.parent.iterdir()] == ["a.png"]
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("refusal", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interrupt_leaves_the_old_file_and_no_partial_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: BaseException
) -> None:
    target = tmp_path / "a.png"
    write_whole(target, b"old")

    def refuse(descriptor: int) -> None:
        raise refusal

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises((RunError, KeyboardInterrupt)) as stopped:
        write_whole(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert target.read_bytes() == b"old"
    if isinstance(refusal, OSError):
        assert str(stopped.value).startswith(f"cannot write {target} (No space left on device); finished work is kept")


def test_a_file_that_cannot_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "below.xml", tmp_path / ("x" * 5000)):
        with pytest.raises(InputError, match="cannot write a file at"):
            check_writable(place)
    check_writable(None)
    check_writable(tmp_path / "new" / "junit.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

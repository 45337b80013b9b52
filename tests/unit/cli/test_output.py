"""What commands print: JSON whole and readable, tables that show every text as it is."""

import json

import pytest

from dominance.cli.output import print_json, print_table


def test_json_is_escaped_only_where_the_terminal_needs_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"prompt": "a café"})
    assert "café" in capsys.readouterr().out
    print_json({"folder": "caf\udce9"})  # a path in Latin-1, as Python shows it
    assert json.loads(capsys.readouterr().out) == {"folder": "caf\udce9"}


def test_tables_show_brackets_and_colons_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("a [/b] title", ["prompt [bold]", "n"], [["a [/x] [red]mug[/red] :mug:", "[1]"]])
    shown = capsys.readouterr().out
    for text in ("a [/b] title", "prompt [bold]", "a [/x] [red]mug[/red] :mug:", "[1]"):
        assert text in shown


def test_a_tables_title_is_one_line_however_long_and_narrow_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    title = " ".join(["/a/folder/far/down/model: risk by mean focus of layers", "1, 2, 3, 10"] * 4)
    print_table(title, ["prompt", "n"], [["a mug", "1"]])
    assert title in capsys.readouterr().out.splitlines()

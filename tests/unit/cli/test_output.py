"""What commands print: JSON whole and readable, tables that show every text as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dominance.cli.output import print_json, print_table, worst_of
from dominance.cli.tables import laid_out


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


AUDIT = ("prompt", "verdict", "collapsed", "balanced", "lost", "DvD (95%)", "present")
ROW = (
    "a neuschwanstein castle on a coaster beside a tea pot",
    "neuschwanstein castle dominates",
    "10/10",
    "0/10",
    "0/10",
    "90.0 (80.0 to 100.0)",
    "neuschwanstein castle 10/10, coaster 0/10, tea pot 1/10",
)


def test_a_table_fits_80_columns_and_breaks_no_figure(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("an audit", AUDIT, [ROW])
    printed = capsys.readouterr().out
    assert all(cell_len(line) <= 80 for line in printed.splitlines())
    for whole in ("(80.0 to 100.0)", "collapsed", "10/10"):
        assert whole in printed


def test_a_table_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print_table("an audit", AUDIT, [ROW])
    assert any(ROW[0] in line and ROW[-1] in line for line in capsys.readouterr().out.splitlines())


def test_past_40_rows_20_are_shown_and_the_rest_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("t", ("n",), [(f"row {row}",) for row in range(41)], "in report.html, and printed by --json")
    printed = capsys.readouterr().out
    assert "row 19" in printed
    assert "row 20" not in printed
    assert "the first 20 of 41; all are in report.html, and printed by --json" in printed
    print_table("t", ("n",), [(f"row {row}",) for row in range(40)], "in report.html")
    assert "row 39" in capsys.readouterr().out


def test_the_worst_come_first_only_where_not_all_are_shown() -> None:
    assert worst_of([2, 3, 1], sorted) == [2, 3, 1]
    assert worst_of(list(range(50, 0, -1)), sorted) == list(range(1, 51))


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=60)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=4), st.integers(24, 120))
def test_no_line_is_wider_than_asked_and_no_text_is_lost(rows: list[tuple[str, str, str]], width: int) -> None:
    head, body = laid_out(("a", "b c", "d"), rows, width)
    assert all(cell_len(line) <= width for line in (*head, *body))
    letters = sorted(c for row in rows for cell in row for c in cell if c.isalnum())
    assert [c for c in letters if c not in "".join(body)] == []

"""The command line itself: help that can be copied, usage errors in one line, output that is whole or refused."""

import errno
import json
import re
import shlex
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.main import get_command

import dominance
from dominance.cli.app import app, main
from dominance.cli.output import check_writable, gate_from, print_json, print_table
from dominance.errors import InputError
from dominance.records import Gate

Command = Callable[..., Any]


def command_names() -> list[str]:
    """Every command, those inside a group with the group's name before them."""
    groups: dict[str, Any] = vars(get_command(app))["commands"]
    inner = {name: getattr(found, "commands", None) for name, found in groups.items()}
    return [one for name, names in inner.items() for one in ([f"{name} {own}" for own in names] if names else [name])]


@pytest.mark.parametrize("name", command_names())
def test_every_command_explains_itself_with_an_example_whose_options_exist(command: Command, name: str) -> None:
    shown = command(*name.split(), "--help")
    assert shown.status == 0
    assert shown.err == ""
    example = re.search(r"Example[^\n]*:\n\s+(dominance .+)", shown.out)
    assert example, shown.out
    words = shlex.split(example[1])
    assert words[: 1 + len(name.split())] == ["dominance", *name.split()]
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"^\s+{option}\b", shown.out, re.MULTILINE), option


def test_the_version_is_printed(command: Command) -> None:
    assert command("--version").out == f"dominance {dominance.__version__}\n"


def test_without_arguments_the_help_is_shown_and_nothing_on_stdout(command: Command) -> None:
    shown = command()
    assert (shown.status, shown.out) == (2, "")
    assert "audit" in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["audit", "--nosuch"],
        ["audit", "--steps", "many"],
        ["audit", "--guidance", "x" * 10_000],
        ["audit", "--seeds"],
        ["audit", "one", "two"],
        ["score", "pictures"],
        ["list"],
        ["report"],
        ["x" * 10_000],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_usage_errors_are_one_short_line(command: Command, arguments: list[str]) -> None:
    refused = command(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert re.fullmatch(r"error: [^\n]{1,1010}\n", refused.err)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_output_that_the_disk_does_not_take_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    assert ended_while_printing(monkeypatch, OSError(code, "the disk says no")) == 2
    assert re.fullmatch(r"error: the system refused: [^\n]*the disk says no[^\n]*\n", capsys.readouterr().err)


def test_a_closed_pipe_is_quiet_and_no_failed_gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_while_printing(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe")) == 2
    assert capsys.readouterr().err == ""


def ended_while_printing(monkeypatch: pytest.MonkeyPatch, error: OSError) -> object:
    def refuse(text: str) -> int:
        raise error

    monkeypatch.setattr("dominance.cli.app._drop_output", lambda: None)
    monkeypatch.setattr(sys, "argv", ["dominance", "list", "judges", "--json"])
    monkeypatch.setattr(sys.stdout, "write", refuse)
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_what_would_steer_the_terminal_is_escaped_in_an_error(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> list[dict[str, object]]:
        raise InputError("HTTP 400: image \x1b[31m\x07 too\nlarge, café")

    monkeypatch.setitem(sys.modules["dominance.cli.listing"]._LISTS, "judges", refuse)
    assert command("list", "judges").err == "error: HTTP 400: image \\x1b[31m\\x07 too large, café\n"


def test_ctrl_c_outside_a_run_is_quiet(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> list[dict[str, object]]:
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules["dominance.cli.listing"]._LISTS, "judges", interrupt)
    stopped = command("list", "judges")
    assert stopped.status == 130
    assert "Traceback" not in stopped.err


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


def test_the_command_line_changes_a_suites_gate_or_makes_one() -> None:
    own = Gate(max_collapse=0.2, min_presence=0.5, max_unscored=0.1)
    assert gate_from(None, None, None, None) is None
    assert gate_from(own, None, None, None) is own
    assert gate_from(own, 0.0, None, None) == Gate(0.0, 0.5, 0.1)
    assert gate_from(own, None, None, 0.0) == Gate(0.2, 0.5, 0.0)
    assert gate_from(None, None, 0.9, None) == Gate(None, 0.9, 0.0)
    assert gate_from(None, None, None, 0.3) == Gate(None, None, 0.3)


def test_a_file_that_cannot_be_written_is_refused_beforehand(tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "below.xml", tmp_path / ("x" * 5000)):
        with pytest.raises(InputError, match="cannot write a file at"):
            check_writable(place)
    check_writable(None)
    check_writable(tmp_path / "new" / "junit.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

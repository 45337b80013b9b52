"""The command line itself: help that can be copied, usage errors in one line, output that is whole or refused."""

import dataclasses
import errno
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import dominance
from dominance.cli.app import COMMANDS, GROUPS, main, make_app
from dominance.errors import InputError
from dominance.models.drawing import Drawing, Machine
from dominance.written import NAMED

Command = Callable[..., Any]


def command_names() -> list[str]:
    """Every command, those inside a group with the group's name before them."""
    app = make_app()
    inner = [f"{group} {name}" for group in GROUPS for name in app[group] if not name.startswith("-")]
    return [*COMMANDS, *inner]


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
        assert option in options_of(shown.out), option
    assert "Exit status:" in " ".join(shown.out.split())


@pytest.mark.parametrize("group", GROUPS)
def test_the_help_of_a_group_gives_an_example_of_its_own(command: Command, group: str) -> None:
    shown = command(group, "--help").out
    assert re.search(rf"Example:\n\s+dominance {group} ", shown), shown


def options_of(shown: str) -> list[str]:
    """The options that a command's help lists, as often as it lists them."""
    return re.findall(r"^│ {1,4}(?:\* +)?(?:[A-Z][A-Z-]* )?(--[a-z][a-z-]*)", shown, re.MULTILINE)


DRAWING = ("audit", "preflight", "calibrate", "explain", "ablate", "memorization", "bench build")


@pytest.mark.parametrize("name", DRAWING)
def test_every_command_that_draws_takes_every_option_of_drawing_and_machine(command: Command, name: str) -> None:
    listed = options_of(command(*name.split(), "--help").out)
    for field in (*dataclasses.fields(Drawing), *dataclasses.fields(Machine)):
        assert f"--{field.metadata.get(NAMED, field.name).replace('_', '-')}" in listed


@pytest.mark.parametrize("name", command_names())
def test_no_option_is_declared_twice(command: Command, name: str) -> None:
    listed = options_of(command(*name.split(), "--help").out)
    assert len(listed) == len(set(listed))


def test_the_text_of_an_option_flows(command: Command) -> None:
    lines = [line.strip("│ ") for line in command("judge", "check", "--help").out.splitlines()]
    text = " ".join(line for line in lines if line)
    assert "Choose the settings of a judge by dev, and test it by kept." in text
    broken = [line for line in command("sweep", "--help").out.splitlines() if re.match(r"│ {28,}\S", line)]
    assert not broken  # a line end of a docstring shows as a deeper indent than that of the column


@pytest.mark.parametrize("name", ["", *COMMANDS, *GROUPS, *command_names()])
def test_help_loads_no_torch(name: str) -> None:
    code = (
        "import sys; from dominance.cli.app import run; run(sys.argv[1:]);"
        "assert not {'torch', 'diffusers', 'transformers'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code, *name.split(), "--help"], check=True, capture_output=True)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_command_shows_its_help_on_stderr(command: Command, group: str) -> None:
    shown = command(group)
    assert (shown.status, shown.out) == (2, "")
    assert GROUPS[group].split()[0] in shown.err
    assert "Usage" in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], r"error: .*nosuch.*; see dominance --help\n"),
        (["bench", "nosuch"], r"error: .*nosuch.*; see dominance bench --help\n"),
        (["audit", "--nosuch", "1"], r"error: Unknown option: .*--nosuch.*; see dominance audit --help\n"),
    ],
)
def test_a_usage_error_names_what_is_wrong_and_the_help(command: Command, arguments: list[str], message: str) -> None:
    refused = command(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert re.fullmatch(message, refused.err)


def test_the_version_is_printed_with_those_that_matter(command: Command) -> None:
    lines = command("--version").out.splitlines()
    assert lines[0] == f"dominance {dominance.__version__}"
    names = ["python", "torch", "diffusers", "transformers", "device"]
    assert [line.split()[0] for line in lines[1:]] == names
    assert lines[3] == f"diffusers {metadata.version('diffusers')}"


@pytest.mark.parametrize(
    ("build", "driver", "device"),
    [
        ("2.13.0+cpu", False, "cpu: no NVIDIA driver"),
        ("2.13.0+cpu", True, "cpu: there is an NVIDIA driver, but this torch was built without CUDA"),
        ("2.13.0+cu130", True, "cuda"),
        ("2.13.0", True, "cuda"),
        ("2.13.0+cu130", False, "cpu: no NVIDIA driver"),
    ],
)
def test_the_device_is_told_by_build_and_driver(
    build: str, driver: bool, device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.cli import version

    monkeypatch.setattr(version, "_DRIVER", tmp_path if driver else tmp_path / "none")
    monkeypatch.setattr(version, "versions", lambda: dict.fromkeys(version._NAMED, build))
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert version.version_lines()[-1] == f"device {device}"


def test_the_version_loads_no_torch() -> None:
    code = (
        "import sys; from dominance.cli.app import run; run(['--version']);"
        "print([m for m in ('torch', 'diffusers', 'transformers') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "[]"


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

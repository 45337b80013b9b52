"""A command's options as a file: what is printed repeats the command, what is no option is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
PLAIN: dict[str, list[str]] = {
    "audit": [],
    "score": ["images", "--suite", "miniature"],
    "preflight": ["a tower"],
    "calibrate": ["runs/x"],
    "explain": ["a [tower] and a [mug]"],
    "ablate": ["miniature"],
    "diversity": ["images"],
    "memorization": ["miniature"],
    "bench build": [],
    "judge check": [],
}
GIVEN: dict[str, list[list[str]]] = {
    "audit": [
        ["--seeds", "7,"],
        ["--seeds", "3"],
        ["--seeds", "1"],
        ["--seeds", "9,2"],
        ["a [tower:landmark] and a [mug]", "--batch", "4", "--negative-prompt", "dark: #1", "--vae-tiling"],
        ["--preset", "paper-sd14", "--steps", "7", "--min-presence", "0.9", "--out", "x", "--junit", "j.xml"],
        ["--revision", "007", "--questions", "q.yaml"],
    ],
    "preflight": [["--layers", "9-10", "--threshold", "0.01"], ["--layers", "9"], ["--calibration", "none"]],
    "explain": [["--maps-steps", "0,1"], ["--maps-steps", "0-3"], ["--maps-steps", "1"]],
    "ablate": [
        ["--edit-steps", "0-4"],
        ["--edit-steps", "0-1"],
        ["--edit-steps", "3"],
        ["--sweep", "heads,multi", "--scale", "0.5", "--intervals", "2"],
        ["--sweep", "all", "--layers", "1,2"],
    ],
    "bench build": [["--categories", "artist,landmark", "--styles", "and", "--cap", "2", "--order-seed", "3"]],
    "diversity": [["--near-duplicate", "0.9"]],
}


@pytest.mark.parametrize(
    "arguments",
    [
        [*name.split(), *([] if len(given) % 2 and not given[0].startswith("-") else plain), *given]
        for name, plain in PLAIN.items()
        for given in [[], *GIVEN.get(name, [])]
    ],
    ids=" ".join,
)
def test_what_is_printed_is_read_back_as_the_same(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    printed = command(*arguments, "--print-config")
    assert (printed.status, printed.err) == (0, "")
    (tmp_path / "run.yaml").write_text(printed.out)
    words = 2 if arguments[0] in ("bench", "judge") else 1
    again = command(*arguments[:words], "--config", tmp_path / "run.yaml", "--print-config")
    assert again.err == ""
    assert again.out == printed.out


def test_options_on_the_command_line_come_first(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("suite: miniature\nseeds: [7]\nsteps: 4\nvae_tiling: true\n")
    given = command("audit", "--config", file, "--print-config").out
    assert "seeds:\n- 7\n" in given
    assert "vae-tiling: true" in given
    changed = command("audit", "other.yaml", "--config", file, "--steps", "9", "--print-config").out
    assert "steps: 9\n" in changed
    assert "suite: other.yaml\n" in changed
    assert "seeds:\n- 7\n" in changed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nosuch: 1", "holds 'nosuch', which is not an option of `dominance audit`; see its --help"),
        ("command: score", "is for `dominance score`, not for `dominance audit`; give it to that command"),
        ("- seeds", "holds a list; give options as a mapping, such as seeds: 4"),
        ("7: 1", "give options as a mapping, such as seeds: 4"),
        ("seeds: [", "not valid YAML"),
        ("steps: many", "steps"),
    ],
)
def test_a_file_that_holds_no_options_is_refused_in_one_line(
    command: Command, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "c.yaml").write_text(content)
    refused = command("audit", "--config", tmp_path / "c.yaml", "--print-config")
    assert (refused.status, refused.out) == (2, "")
    assert re.fullmatch(r"error: [^\n]+\n", refused.err)
    assert message in refused.err


def test_a_file_that_is_not_there_is_refused(command: Command, tmp_path: Path) -> None:
    refused = command("audit", "--config", tmp_path / "none.yaml")
    assert refused.status == 2
    assert re.fullmatch(r"error: [^\n]*none\.yaml[^\n]*\n", refused.err)


@pytest.mark.parametrize("arguments", [["audit"], ["score", "pictures", "--suite", "miniature"], ["judge", "check"]])
def test_a_judge_in_the_file_is_taken_though_it_is_also_the_name_of_a_command(
    command: Command, tmp_path: Path, arguments: list[str]
) -> None:
    file = tmp_path / "options.yaml"
    file.write_text('judge: "openai:http://127.0.0.1:1/v1#m"\njudge-option: [detail=low]\n')
    printed = command(*arguments, "--config", file, "--print-config").out
    assert "judge: openai:http://127.0.0.1:1/v1#m\n" in printed
    assert "judge-option:\n- detail=low\n" in printed

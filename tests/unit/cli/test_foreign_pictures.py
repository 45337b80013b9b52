"""The bundled judge knows drawings; who shows it anything else is told."""

from pathlib import Path

import pytest

from dominance.cli.output import note_foreign_pictures


@pytest.mark.parametrize(
    ("judge", "model", "told"),
    [
        ("miniature", "miniature-swapped", False),
        ("miniature", "own", False),
        ("miniature", "owner/name", True),
        ("miniature", None, True),
        ("qwen:owner/name", "owner/name", False),
    ],
)
def test_who_is_told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    judge: str,
    model: str | None,
    told: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own").mkdir()
    (Path("own") / "dominance.json").write_text("{}")  # as `dominance train miniature` leaves it
    note_foreign_pictures(judge, model)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("give --judge" in printed.err) is told

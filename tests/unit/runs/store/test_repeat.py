"""The file that repeats a run names all that has a name, and says what has none."""

from pathlib import Path

from dominance.models.drawing import Drawing
from dominance.records import Suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.store.repeat import Repeat


def test_what_has_no_name_is_a_comment(tmp_path: Path) -> None:
    arguments = {"suite": Suite("mine", ()), "model": object(), "judge": "miniature", "out": tmp_path}
    repeat = Repeat("audit", arguments, AuditOptions(drawing=Drawing((0, 1, 2))))
    repeat.keep(tmp_path)
    lines = (tmp_path / "run.yaml").read_text().splitlines()
    assert lines[:2] == ["# dominance audit --config run.yaml", "command: audit"]
    assert {"judge: miniature", f"out: {tmp_path}", "seeds: 3"} <= set(lines)
    assert lines[-2:] == [f"# {name}: given in Python; name it here to repeat this run" for name in ("suite", "model")]


def test_what_nobody_gave_is_left_out() -> None:
    text = Repeat("audit", {"out": None}, AuditOptions()).text()
    assert not {"out:", "seeds:", "steps:", "preset:"} & set(text.split())

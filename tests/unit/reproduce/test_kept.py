"""What is kept of measurements: made once, lost by no kill, and refused in one line where it is of another version."""

from pathlib import Path

import pytest

from dominance.errors import RunError
from dominance.reproduce.kept import kept, kept_each


def test_what_is_kept_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "own" / "value.json"
    assert kept(file, dict[str, float], lambda: {"a": 1.5}) == {"a": 1.5}
    assert kept(file, dict[str, float], lambda: pytest.fail("made again")) == {"a": 1.5}


def test_a_kill_loses_no_finished_item(tmp_path: Path) -> None:
    made: list[str] = []

    def make(item: str) -> list[float]:
        if item == "third" and "third" not in made:
            made.append(item)
            raise KeyboardInterrupt
        made.append(item)
        return [1.0]

    items = {name: name for name in ("first", "second", "third")}
    with pytest.raises(KeyboardInterrupt):
        kept_each(tmp_path, "measured", list[float], items, make)
    assert kept_each(tmp_path, "measured", list[float], items, make) == {name: [1.0] for name in items}
    assert made == ["first", "second", "third", "third"]


@pytest.mark.parametrize("content", ['{"a": "no number"}', "{", ""])
def test_a_file_of_another_version_is_named_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "value.json"
    file.write_text(content)
    with pytest.raises(RunError, match=r"cannot read .*value\.json; remove it") as refused:
        kept(file, dict[str, float], dict)
    assert "\n" not in str(refused.value)
    assert file.read_text() == content

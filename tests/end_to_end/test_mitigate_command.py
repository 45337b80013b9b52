"""``dominance mitigate`` as a user runs it, on the bundled model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_judges import save_clip

Command = Callable[..., Any]
FEW = ("--limit", 2, "--seeds", 2, "--steps", 6, "--device", "cpu")


def test_methods_are_compared_on_the_bundled_model(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ("mitigate", "miniature-bench", "--method", "regions,schedule:until=0.5", *FEW, "--out", out)
    expected = command(*arguments, "--estimate", "--json")
    assert expected.document["images_to_draw"] == 12
    assert not out.exists()
    first = command(*arguments, "--json")
    assert first.status == 0, first.err
    document = first.document
    assert [row["method"] for row in document["methods"]] == ["regions", "schedule:until=0.5"]
    for row in document["methods"]:
        assert row["pairs"] == 4
        assert row["change"] == pytest.approx(row["dvd_after"] - row["dvd_before"])
        assert row["cost"]["time"] > 0
        assert row["cost"]["evaluations"] == 1.0
        assert row["distance"] > 0
        assert row["collapsed_before"]["n"] == row["collapsed_after"]["n"] == 4
    assert [len(prompt["images"]) for prompt in document["prompts"]] == [2, 2]
    assert {"dvd_before", "change_interval", "kept", "harmed", "settings"} <= document["policy"].keys()
    drawn = {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png")}
    again = command(*arguments)
    assert again.status == 0
    assert {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png")} == drawn
    assert f"wrote {out / 'mitigation.html'}" in again.out
    assert "next: " in again.out
    assert command("report", out, "--json").document == document
    repeated = command("mitigate", "--config", out / "run.yaml", "--json")
    assert repeated.document == document


def test_a_table_fits_into_80_columns(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    command("mitigate", "miniature-bench", "--method", "schedule", "--only-failing", *FEW, "--out", out)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: __import__("os").terminal_size((80, 24)))
    printed = command("report", out)
    assert "Drawing only what fails again, by schedule" in printed.out
    table = printed.out.split("\n\n")[0].splitlines()[1:]
    assert all(len(line) <= 80 for line in table)
    assert next(line.split()[0] for line in table[2:]).startswith("schedule")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "magic"], "no method 'magic'; give one of none, regions"),
        (["--method", "regions:foo=1"], "the method regions has no setting 'foo=1'"),
        (["--method", "none"], "--method none alone leaves nothing to compare"),
        (["--method", ","], "--method is empty"),
        (["--judge", "answers:answers.csv"], "a mitigation draws its own images"),
        (["--limit", "0"], "limit is 0"),
        (["--against", "overlap"], "against is 'overlap', which --method does not draw; give plain, or draw it too"),
        (["--method", "schedule:until=0"], "nothing would be repaired, since every prompt of the suite"),
    ],
)
def test_bad_settings_end_in_one_line(command: Command, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "answers.csv").write_text("prompt_id,image,concept,present\nx,0,castle,yes\n")
    arguments = [argument.replace("answers.csv", str(tmp_path / "answers.csv")) for argument in arguments]
    refused = command("mitigate", "miniature-bench", *arguments, "--out", tmp_path / "run")
    assert refused.status == 2
    assert refused.err.count("\n") == 1
    assert message in refused.err
    assert not (tmp_path / "run").exists()


def test_a_suite_of_single_things_has_nothing_to_repair(command: Command, tmp_path: Path) -> None:
    refused = command("mitigate", "a [lamp]", "--out", tmp_path / "run")
    assert refused.status == 2
    assert "names two concepts, so none can take over from another" in refused.err


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        ("miniature", "the second judge miniature is the first one, which would agree with itself; give another one"),
        ("magic", "no judge 'magic'; give one of miniature, qwen:"),
        ("clip:/nowhere", "no weights of the judge 'clip:/nowhere' at '/nowhere'"),
    ],
)
def test_a_second_judge_that_cannot_be_asked_is_refused_before_anything_is_drawn(
    command: Command, tmp_path: Path, judge: str, message: str
) -> None:
    refused = command("mitigate", "miniature-bench", *FEW, "--second-judge", judge, "--out", tmp_path / "run")
    assert refused.status == 2
    assert message in refused.err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_a_second_judge_has_a_table_of_its_own(command: Command, tmp_path: Path) -> None:
    out, clip = tmp_path / "run", f"clip:{save_clip(tmp_path / 'clip')}"
    given = ("mitigate", "miniature-bench", "--limit", 1, "--seeds", 1, "--steps", 4, "--method", "schedule")
    found = command(*given, "--second-judge", clip, "--similarity", clip, "--device", "cpu", "--out", out)
    assert found.status == 0, found.err
    assert f"the same, judged by {clip}" in found.out
    assert "which took no part in selecting, agrees on" in found.out
    assert "image and least concept" in found.out
    document = command("mitigate", "--config", out / "run.yaml", "--json").document
    assert document["second"]["agreed"]["n"] == 4
    assert [row["method"] for row in document["second"]["methods"]] == ["schedule"]
    page = (out / "mitigation.html").read_text()
    assert 'id="second"' in page
    assert 'id="measures"' in page

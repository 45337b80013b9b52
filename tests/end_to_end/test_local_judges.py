"""The audit with judges of other families, loaded as the models that people use are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_judges import save_clip, save_qwen, save_vilt

SAVE: dict[str, Callable[[Path], Path]] = {
    "qwen": lambda folder: save_qwen("qwen2_5_vl", folder),
    "vilt": save_vilt,
    "clip": save_clip,
}


@pytest.mark.parametrize("scheme", SAVE)
def test_an_audit_scores_with_any_local_judge(
    command: Callable[..., Any], tiny_model: Path, tmp_path: Path, scheme: str
) -> None:
    judge = f"{scheme}:{SAVE[scheme](tmp_path / 'judge')}"
    chosen = ("--model", tiny_model, "--judge", judge, "--device", "cpu", "--limit", 1, "--seeds", 2, "--json")
    done = command("audit", "a [mug] and a [tower:landmark]", *chosen, "--out", tmp_path / "run")
    assert done.status == 0
    assert (done.document["judge"], done.document["images"], done.document["scored"]) == (judge, 2, 2)


def test_a_judge_without_safetensors_is_one_line_and_nothing_is_written(
    command: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    folder = save_clip(tmp_path / "judge")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    done = command("audit", "miniature", "--model", tiny_model, "--judge", f"clip:{folder}", "--out", tmp_path / "run")
    assert done.status == 2
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1
    assert "no .safetensors weights" in done.err
    assert not (tmp_path / "run").exists()

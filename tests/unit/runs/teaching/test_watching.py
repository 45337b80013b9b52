"""What has been seen of a checkpoint counts again only for the same questions."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from dominance.judges.options import Asking
from dominance.runs.store.ledger import Ledger
from dominance.runs.teaching.options import TeachingOptions, Watching
from dominance.runs.teaching.watching import Watch
from dominance.suites import find_suite

PROMPT = "a [castle:landmark] and a [mug]"


def marked(folder: Path, suite: str = PROMPT, **given: Any) -> str:
    """What a look at this suite is known by."""
    options = TeachingOptions(watching=Watching(audit=suite, **given))
    found = find_suite(suite)
    with Ledger(folder / "run.sqlite") as ledger:
        return Watch(folder, ledger, "tiny", options, ("a castle",), found, found.prompts[0].concepts[0], None)._what


def test_other_kinds_and_seeds_look_again(tmp_path: Path) -> None:
    assert marked(tmp_path) == marked(tmp_path)
    assert marked(tmp_path) != marked(tmp_path, "a [castle:landmark] and a [mug:character]")
    file, keys = tmp_path / "suite.yaml", []
    for seed in (1, 2, 1):
        file.write_text(f"prompts:\n  - prompt: {PROMPT!r}\n    seeds: [{seed}]\n")
        keys.append(marked(tmp_path, str(file)))
    assert keys[0] == keys[2] != keys[1]


def test_other_questions_or_weights_under_the_same_name_look_again(tmp_path: Path) -> None:
    file, judge = tmp_path / "asked.yaml", tmp_path / "judge"
    judge.mkdir()
    (judge / "config.json").write_text("{}")
    by_questions, by_weights = [], []
    for number in (1, 2, 1):
        kinds = ("artist", "landmark", "character", "object")
        file.write_text("\n".join(f'{kind}: ["Are there {number} of {{concept}}?"]' for kind in kinds))
        save_file({"weight": torch.tensor([number])}, judge / "model.safetensors")
        by_questions.append(marked(tmp_path, asking=Asking(questions=file)))
        by_weights.append(marked(tmp_path, judge=f"blip:{judge}"))
    for keys in (by_questions, by_weights):
        assert keys[0] == keys[2] != keys[1]
    (tmp_path / "elsewhere").mkdir()
    moved = file.rename(tmp_path / "elsewhere" / file.name)
    assert marked(tmp_path, asking=Asking(questions=moved)) == by_questions[0]

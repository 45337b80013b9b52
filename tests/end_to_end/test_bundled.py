"""What ships: the bundled model and judge are what the package says they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dominance
from dominance.judges.registry import load_judge
from dominance.laboratory.judge_quality import HARD, negative_controls, quality_by_kind
from dominance.metrics import wilson_interval
from dominance.miniature.bundled import BUNDLED_MODELS, bundled_folder
from dominance.models.folders import find_model
from dominance.records import Concept
from dominance.suites import load_questions


def size_in_megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def test_the_weights_are_small_enough_to_ship() -> None:
    assert size_in_megabytes(bundled_folder()) - size_in_megabytes(bundled_folder("labels")) <= 40
    for name in BUNDLED_MODELS:
        assert size_in_megabytes(bundled_folder(name)) <= (1 if find_model(name).adapter else 20), name


@pytest.mark.slow
def test_the_judge_sees_what_is_there_and_little_that_is_not() -> None:
    """Far below what the model card states, so that only a broken judge fails."""
    judge = load_judge("miniature", "cpu")
    for kind, grades in quality_by_kind(judge, load_questions().ask, 60).items():
        for grade in grades:
            assert grade.balanced_accuracy is not None
            assert grade.balanced_accuracy > (0.8 if kind == HARD else 0.92), (kind, grade)
    for name, said in negative_controls(judge, load_questions().ask, 42).items():
        assert said.n >= 200
        assert wilson_interval(said.count, said.n)[0] < (0.2 if name == "garbled shape" else 0.03), name


def test_the_judge_refuses_what_it_does_not_know() -> None:
    judge = load_judge("miniature", "cpu")
    with pytest.raises(dominance.errors.ModelError, match="was never taught"):
        judge.check(load_questions().ask(Concept("unicorn", "character")))


@pytest.mark.slow
def test_the_audit_finds_dominance_and_balance(tmp_path: Path) -> None:
    """A rigid character takes the picture; two objects share it; one concept alone is there."""
    suite = dominance.Suite(
        "bundled",
        (
            dominance.Prompt("dominated", "a clown next to a clock", (Concept("clown", "character"), Concept("clock"))),
            dominance.Prompt("shared", "a book and an umbrella", (Concept("book"), Concept("umbrella"))),
            dominance.Prompt("alone", "a castle", (Concept("castle", "landmark"),)),
        ),
    )
    options = dominance.AuditOptions(
        drawing=dominance.Drawing(seeds=(100, 101, 102, 103, 104)), machine=dominance.Machine(device="cpu")
    )
    result = dominance.audit(suite, out=tmp_path / "run", options=options)
    dominated, shared, alone = result.prompts
    assert dominated.verdict == "dominance"
    assert dominated.dominating == "clown"
    assert shared.balanced >= 3
    assert alone.presence["castle"].count >= 4
    with Image.open(tmp_path / "run" / str(alone.images[0].file)) as image:
        assert np.asarray(image).std() > 20


def test_no_shipped_file_names_a_place_on_the_machine_that_made_it() -> None:
    for file in bundled_folder().rglob("*.json"):
        assert "_name_or_path" not in file.read_text(encoding="utf-8"), file

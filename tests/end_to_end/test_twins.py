"""The twins at their smallest: trained, measured, resumed, judged again, and written as a page."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import InputError
from dominance.judges.protocol import Judge
from dominance.judges.registry import load_judge
from dominance.laboratory.twins.results import read_results
from dominance.laboratory.twins.run import TwinsOptions, rejudge_twins, run_twins
from dominance.laboratory.twins.training import BASE, FIRST_RIGID, Twin
from dominance.records import Answer, Question


class Contrary:
    """Another judge: it says yes where the bundled one says no, and no where that says yes."""

    name, identity = "contrary", "sha256:contrary"

    def __init__(self) -> None:
        self.judge: Judge = load_judge("miniature", "cpu")

    def check(self, questions: Sequence[Question]) -> None:
        self.judge.check(questions)

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        return [
            tuple(Answer(answer.question, not answer.yes) for answer in given)
            for given in self.judge.answer(images, questions)
        ]


def options_of(folder: Path, keep: bool = False) -> TwinsOptions:
    return TwinsOptions(
        "miniature-base", "miniature", folder / "work", folder / "results.jsonl",
        images=1, steps=2, sampling=1, keep=keep,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dominance.laboratory.twins.training.PRIOR_PICTURES", 16)
    monkeypatch.setattr("dominance.laboratory.twins.measuring.SINGLE_STEPS", 1)
    monkeypatch.setattr("dominance.laboratory.twins.measuring.ALONE", 1)
    monkeypatch.setattr("dominance.laboratory.twins.measuring.OBJECTS", ("mug", "chair"))


@pytest.mark.slow
def test_twins_are_trained_measured_not_again_and_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options, told = options_of(tmp_path, keep=True), list[str]()
    chosen = [Twin(BASE, 0), Twin("first", 0)]
    base, first = run_twins(chosen, options, told.append)
    assert [(result.world, result.seed) for result in (base, first)] == [(BASE, 0), ("first", 0)]
    assert len(told) == 2
    for result in (base, first):
        assert [counts.shown.n for counts in result.entities] == [4] * 6
        assert all(counts.second.n == 2 for counts in result.entities)
        assert (result.held_out.n, len(result.singles), result.steps) == (16, 14, 1)
    assert {c.entity for c in first.entities if c.diversity == 0} == {*FIRST_RIGID} == {*first.as_single}
    assert (base.as_single, base.loss) == ({}, None)
    adapter = tmp_path / "work" / "first-seed-0" / "training" / "checkpoints" / "step-000002"
    assert adapter.is_dir()

    with monkeypatch.context() as patched:
        patched.setattr("dominance.laboratory.twins.run.train_twin", None)  # nothing is done again
        assert run_twins(chosen, options, told.append) == [base, first]
    options.file.write_text(options.file.read_text().splitlines(True)[0])
    again = run_twins(chosen, replace(options, keep=False), told.append)[1]
    assert again == first  # trained already, so only measured, from the same images
    assert adapter.is_dir() and not options.runs_of(chosen[1]).exists()

    monkeypatch.setattr("dominance.laboratory.twins.run.load_judge", lambda *_: Contrary())
    with pytest.raises(InputError, match=r"results with the judge sha256:\w+, not sha256:contrary; give --rejudge"):
        run_twins(chosen, options, told.append)
    before = options.file.read_text()
    with pytest.raises(InputError, match="was measured on; give the --out of a call with --keep"):
        rejudge_twins(options, told.append)  # the first twin's images were not kept
    assert options.file.read_text() == before

    options.file.write_text(before.splitlines(True)[0])
    monkeypatch.setattr("dominance.runs.audit.run.make_images", None)  # nothing is drawn
    (again,) = rejudge_twins(options, told.append)
    assert (again.judge, again.world, again.images) == ("sha256:contrary", BASE, 1)
    for old, new in zip(base.entities, again.entities, strict=True):
        assert old.shown.counts == (
            new.shown.only_second, new.shown.none, new.shown.only_first, new.shown.both,
        )  # fmt: skip
    assert read_results(options.file) == [again]
    assert told[-1] == "1 of 1 judged again"

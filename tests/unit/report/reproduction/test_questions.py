"""What is said of the open questions: of the model that was examined, and of no other."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dominance.report.reproduction.page import reproduction_markdown, write_reproduction
from dominance.report.reproduction.questions import QUESTIONS, Question, stated
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.reproduction.result import ClaimResult, Finding, ReproduceResult, SizeRecord
from dominance.runs.reproduction.rule import Rule, Verdict
from dominance.runs.store.repeat import Repeat

RULE = Rule("a", 0.0, "above", "measure")
DOCS = Path(__file__).parents[4] / "docs"


def examined(folder: Path, model: str, judge: str = "qwen:a/b", other: str | None = None) -> ReproduceResult:
    options = ReproduceOptions(other=other)
    Repeat("reproduce", {"claims": None, "model": model, "judge": judge}, options).keep(folder)
    own = model.startswith("miniature")
    claim = ClaimResult("several-heads", "t", "s", "p", "f", "d", RULE, "not possible here", Finding(why="none"))
    result = ReproduceResult(str(folder), model, judge, None, 3.0, SizeRecord(1.0, {}), (claim,))
    return replace(result, world="miniature" if own else None, twins=own)


def all_stated(result: ReproduceResult) -> list[Question]:
    return [stated(question, result) for question in QUESTIONS]


def test_commands_are_of_the_model_that_was_examined(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "suite.yaml").touch()
    told = all_stated(examined(tmp_path, "runwayml/sd", other="an/other"))
    commands = [question.command for question in told if question.command]
    assert len(commands) >= 6
    for line in commands:
        assert "miniature" not in line
        assert "--model runwayml/sd" in line or "--model owner/name" in line or "dominance calibrate" in line, line
    assert f"dominance ablate {tmp_path}/bench/suite.yaml --model runwayml/sd --judge qwen:a/b" in " ".join(commands)
    assert not [question.asks for question in told if question.see]
    texts = " ".join(str(question.says) for question in told)
    assert "differ in nothing but their training pictures only if" in texts
    assert "the model of --other" in texts
    assert "objects COCO's" in texts
    assert "the world miniature" not in texts
    assert "of which there were none here" in texts


def test_without_a_bench_or_a_second_model_nothing_is_said_of_them(tmp_path: Path) -> None:
    told = {question.asks: question for question in all_stated(examined(tmp_path, "runwayml/sd"))}
    assert told["Which heads act together?"].command is None
    assert told["Does the detector transfer from model to model?"].command is None
    assert "give --other" in str(told["Does the detector transfer from model to model?"].says)


def test_augmentation_is_measured_by_a_command_where_it_was_not(tmp_path: Path) -> None:
    def told(model: str, verdict: Verdict = "not possible here") -> Question:
        (question,) = [question for question in QUESTIONS if "augmenting" in question.asks]
        result = examined(tmp_path, model)
        return stated(
            question, replace(result, claims=(replace(result.claims[0], name="augmentation", verdict=verdict),))
        )

    bundled = told("miniature")
    assert "Not measured here yet" in str(bundled.says)
    assert "dominance train diversity --arms known,augmented,augmented-place" in str(bundled.command)
    assert "yet" not in str(told("miniature", "undecided").says)
    assert told("runwayml/sd").command is None
    assert "their results in --trained" in str(told("runwayml/sd").says)


def test_a_pipeline_without_a_name_has_no_command(tmp_path: Path) -> None:
    result = examined(tmp_path, "miniature")
    assert stated(QUESTIONS[2], result).command is not None
    (tmp_path / "run.yaml").unlink()
    Repeat("reproduce", {"claims": None, "model": None, "judge": "miniature"}, ReproduceOptions()).keep(tmp_path)
    assert stated(QUESTIONS[2], replace(result, model="a pipeline")).command is None


def test_of_the_miniature_the_measured_answers_are_linked(tmp_path: Path) -> None:
    result = examined(tmp_path, "miniature", "miniature")
    told = all_stated(result)
    intervals = "regions:until=0.2,regions:since=0.2:until=0.4,regions:since=0.4:until=0.6"
    assert f"dominance mitigate miniature-bench --method {intervals}" in [question.command for question in told]
    assert told[-1].command == "dominance train miniature --denoiser transformer"
    assert "Twins differ in nothing but" in str(told[0].says)
    linked = [question.see for question in told if question.see]
    assert len(linked) >= 4
    page, markdown, _ = write_reproduction(result, tmp_path)
    for place in linked:
        assert f"({place})" in markdown.read_text()
        assert f"docs/{place}" in page.read_text()
    swapped = examined(tmp_path / "other", "miniature-swapped", "miniature")
    assert "](" not in reproduction_markdown(swapped)


@pytest.mark.parametrize("place", [question.see for question in QUESTIONS if question.see])
def test_what_is_linked_is_there(place: str) -> None:
    name, _, anchor = place.partition("#")
    headings = re.findall(r"^#+ (.+)$", (DOCS / name).read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert not anchor or anchor in anchors

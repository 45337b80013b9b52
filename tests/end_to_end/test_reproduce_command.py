"""``dominance reproduce`` as people run it: estimate, budget, resume, page, report; on a tiny model."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import dominance
from dominance.errors import InputError, RunError
from dominance.judges.protocol import ScriptedJudge, as_answer
from dominance.records import Answer, Question
from dominance.report.reproduction.page import write_reproduction
from dominance.reproduce.claims.registry import CLAIMS
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.run import estimate_reproduction, read_reproduction, reproduce_claims

ENTITIES = ("tower", "pagoda", "castle", "robot", "clown", "wizard")
SHORT = ReproduceOptions(budget=0.01)


@dataclass(frozen=True)
class EntitiesWin(ScriptedJudge):
    """A judge that sees the entity of every prompt and nothing else; of two objects, both."""

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        return [tuple(as_answer(question, self.p_yes(question, asked)) for question in asked) for asked in questions]

    def p_yes(self, question: Question, asked: Sequence[Question]) -> float:
        entity = any(other.concept in ENTITIES for other in asked)
        return 0.9 if not entity or question.concept in ENTITIES else 0.1


JUDGE = EntitiesWin(lambda *_: None)


@pytest.fixture(scope="module")
def finished(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dominance.ReproduceResult:
    """All claims, at the smallest size."""
    return reproduce_claims((), str(tiny_model), JUDGE, tmp_path_factory.mktemp("reproduced") / "out", SHORT)


def test_every_claim_ends_in_a_verdict(finished: dominance.ReproduceResult) -> None:
    assert [claim.name for claim in finished.claims] == list(CLAIMS)
    assert sum(finished.counts.values()) == len(CLAIMS)
    by_name = {claim.name: claim for claim in finished.claims}
    assert by_name["bench-yield"].verdict == "reproduced"  # the judge sees to it
    assert by_name["bench-medians"].verdict == "reproduced"
    assert by_name["bench-medians"].stands
    for claim in finished.claims:
        if claim.verdict == "not possible here":
            assert claim.finding.why, claim.name
        else:
            assert claim.finding.n, claim.name
            assert claim.finding.interval is not None, claim.name


def test_the_result_reads_back_and_its_pages_are_complete(finished: dominance.ReproduceResult) -> None:
    folder = Path(finished.run)
    assert read_reproduction(folder) == finished
    page, markdown, document = write_reproduction(finished, folder)
    html = page.read_text()
    for claim in CLAIMS.values():
        assert f'<details id="{claim.name}">' in html
        assert f"## {claim.title}" in markdown.read_text()
    assert html.count("<svg class=") > len(CLAIMS)
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert json.loads(document.read_text())["claims"][0]["verdict"] == "reproduced"
    assert (folder / "run.yaml").is_file()


def test_a_second_call_draws_nothing(
    finished: dominance.ReproduceResult, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a run was made again")

    for name in ("bench", "redrawn", "first_steps", "recorded", "ablated", "independent", "factorial", "steered"):
        monkeypatch.setattr(Experiments, name, property(refuse))
    done = [claim.name for claim in finished.claims if claim.finding.value is not None]
    again = reproduce_claims(done, str(tiny_model), JUDGE, finished.run, ReproduceOptions(budget=0.01))
    assert {claim.name: claim.finding for claim in again.claims if claim.name in done} == {
        claim.name: claim.finding for claim in finished.claims if claim.name in done
    }


def test_a_killed_command_goes_on_with_the_same_size(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("bench-yield", "focus")
    before = Experiments.first_steps

    def killed(_: Experiments) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiments, "first_steps", property(killed))
    with pytest.raises(KeyboardInterrupt):
        reproduce_claims(names, str(tiny_model), JUDGE, tmp_path / "out", SHORT)
    monkeypatch.setattr(Experiments, "first_steps", before)
    monkeypatch.setattr("dominance.reproduce.run.measured_rate", lambda *_: pytest.fail("timed again"))
    told: list[str] = []
    result = reproduce_claims(names, str(tiny_model), JUDGE, tmp_path / "out", SHORT, told.append)
    assert [line.partition(":")[0] for line in told] == ["focus"]
    assert [claim.verdict == "not possible here" for claim in result.claims] == [False, False]


def test_a_folder_keeps_its_budget_and_its_model(finished: dominance.ReproduceResult, tiny_model: Path) -> None:
    with pytest.raises(RunError, match=r"a budget of 0\.01 minutes"):
        reproduce_claims((), str(tiny_model), JUDGE, finished.run, ReproduceOptions(budget=5))
    with pytest.raises(RunError, match="the model"):
        reproduce_claims((), "miniature", JUDGE, finished.run, SHORT)


def test_the_estimate_says_what_a_run_takes_and_writes_nothing(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = estimate_reproduction(("focus",), str(tiny_model), JUDGE, SHORT)
    full = estimate_reproduction(("focus",), str(tiny_model), JUDGE)
    assert list(small.runs) == ["bench", "first steps"]
    assert full.share == 1
    assert small.share < 1
    assert 0 < small.images < full.images
    assert small.evaluations > small.images
    assert small.calls == pytest.approx(10 * small.images, abs=10)
    assert full.minutes == full.full_minutes
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_examined_is_said_and_not_invented(tiny_model: Path, tmp_path: Path) -> None:
    nothing = ScriptedJudge(lambda *_: 0.1)
    result = reproduce_claims(("bench-yield", "focus"), str(tiny_model), nothing, tmp_path / "out", SHORT)
    by_name = {claim.name: claim for claim in result.claims}
    assert by_name["bench-yield"].verdict in ("undecided", "contradicted")
    assert by_name["focus"].verdict == "not possible here"
    assert "none is a dominance prompt" in by_name["focus"].finding.why
    assert by_name["focus"].finding.value is None


def test_the_command_lists_prints_and_reports(
    command: Callable[..., Any], tiny_model: Path, tiny_judge: Path, tmp_path: Path
) -> None:
    listed = command("reproduce", "--list", "--json")
    assert [row["name"] for row in listed.document] == list(CLAIMS)
    given = ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--budget", "0.01")
    done = command("reproduce", "bench-yield", *given, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    assert re.search(r"1 claim examined: 1 (reproduced|contradicted|undecided)", done.out)
    assert f"wrote {tmp_path / 'out' / 'reproduce.html'}" in done.out
    assert "next: " in done.out
    (tmp_path / "out" / "reproduce.html").unlink()
    assert command("report", tmp_path / "out").status == 0
    assert (tmp_path / "out" / "reproduce.html").is_file()
    estimate = command("reproduce", "focus", *given, "--estimate", "--json")
    assert estimate.document["claims"] == ["focus"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such",), "no claim 'no-such'"),
        (("--budget", "0"), "the budget is 0"),
        (("--seeds", "3"), "--seeds cannot be used"),
    ],
)
def test_bad_input_is_one_line(command: Callable[..., Any], arguments: tuple[str, ...], said: str) -> None:
    done = command("reproduce", *arguments)
    assert done.status == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_the_papers_preset_goes_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Stable Diffusion of random weights, whose figures mean nothing: it runs, resumes, and says how large it was."""
    from tiny_families import save

    def miniature(_: object) -> str:
        return "miniature"  # the tiny tokenizer knows no other words

    for module in ("dominance.suites.pools", "dominance.runs.bench.run", "dominance.reproduce.experiments"):
        monkeypatch.setattr(f"{module}.default_pools", miniature)
    drawing = dominance.Drawing(preset="paper-sd14", steps=2, height=16, width=16)
    memorized = tmp_path / "memorized.txt"
    memorized.write_text("a [tower:landmark] and a [mug]\na [book] and a [lamp]\n")
    options = ReproduceOptions(budget=0.01, drawing=drawing, memorized=str(memorized))
    names = (
        "bench-yield",
        "bench-medians",
        "focus",
        "peak-token",
        "detector",
        "noise-norm",
        "memorized-norm",
        "memorized-heads",
        "twins",
        "category-diversity",
    )
    model = str(save("sd1", tmp_path / "model"))
    result = reproduce_claims(names, model, JUDGE, tmp_path / "out", options)
    verdicts = {claim.name: claim.verdict for claim in result.claims}
    for name in ("twins", "category-diversity", "memorized-heads"):
        assert verdicts.pop(name) == "not possible here"
    assert "not possible here" not in verdicts.values()
    bench = dominance.read_bench(tmp_path / "out" / "bench")
    assert bench.run.settings.seeds == (1825, 410, 4507, 4013)
    assert (bench.run.settings.steps, bench.run.settings.guidance) == (2, 7.5)
    norms = next(claim for claim in result.claims if claim.name == "memorized-norm")
    assert norms.finding.figures[0].name == "2 memorized prompts"
    again = reproduce_claims(names, model, JUDGE, tmp_path / "out", options)
    assert [claim.finding for claim in again.claims] == [claim.finding for claim in result.claims]


def test_options_refuse_what_they_cannot_use() -> None:
    with pytest.raises(InputError, match="budget"):
        ReproduceOptions(budget=float("nan"))
    preset = ReproduceOptions(drawing=dominance.Drawing(preset="paper-sd14"))
    assert preset.drawing.seeds is not None

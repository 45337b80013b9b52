"""``dominance reproduce`` as people run it: estimate, budget, resume, page, report; on a tiny model."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import dominance
from dominance.documents import to_json
from dominance.errors import InputError, ModelError, RunError
from dominance.judges.protocol import ScriptedJudge, as_answer
from dominance.records import Answer, Question
from dominance.report.reproduction.page import write_reproduction
from dominance.reproduce.claims.registry import CLAIMS
from dominance.reproduce.estimate import estimate_reproduction
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.run import read_reproduction, reproduce_claims
from dominance.reproduce.work import Rate
from dominance.runs.reproduction.result import Finding
from dominance.runs.store.ledger import Ledger

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
    monkeypatch.setattr("dominance.reproduce.estimate.measured_rate", lambda *_: pytest.fail("timed again"))
    told: list[str] = []
    result = reproduce_claims(names, str(tiny_model), JUDGE, tmp_path / "out", SHORT, told.append)
    assert told[0].startswith("1 claim on ")
    assert told[-2:] == ["what the folder holds already is not drawn again", f"focus: {CLAIMS['focus'].title}"]
    assert [claim.verdict == "not possible here" for claim in result.claims] == [False, False]


def test_a_judge_that_stops_ends_the_command_and_decides_nothing(tiny_model: Path, tmp_path: Path) -> None:
    asked = 0

    def stops(image: Image.Image, question: Question) -> float:
        nonlocal asked
        asked += 1
        if asked > 200:
            raise ModelError("the judge 'there' stopped answering; run the same command again")
        return 0.9

    names, out = ("bench-yield", "focus"), tmp_path / "out"
    with pytest.raises(ModelError, match="stopped answering"):
        reproduce_claims(names, str(tiny_model), ScriptedJudge(stops), out, SHORT)
    with Ledger(out / "run.sqlite") as ledger:
        assert [ledger.get(f"reproduce {kind} {name}") for kind in ("claim", "impossible") for name in names] == [
            None
        ] * 4
    asked = -(10**9)
    result = reproduce_claims(names, str(tiny_model), ScriptedJudge(stops), out, SHORT)
    assert result.claims[0].verdict != "not possible here"


def test_a_finding_goes_with_the_results_that_it_is_of(tiny_model: Path, tmp_path: Path) -> None:
    results, out = tmp_path / "trained.jsonl", tmp_path / "out"
    results.write_text("")
    options = ReproduceOptions(trained=results)
    told: list[str] = []

    def again(*names: str) -> dominance.ReproduceResult:
        told.clear()
        return reproduce_claims(names, str(tiny_model), JUDGE, out, options, told.append)

    assert again("training-diversity").control is None  # nothing is drawn
    with Ledger(out / "run.sqlite") as ledger:  # as if it had been found
        basis = CLAIMS["training-diversity"].rests_on(options)
        ledger.put("reproduce claim training-diversity", to_json(Finding(value=0.5, interval=(0.4, 0.6), n=9)))
        ledger.put("reproduce basis training-diversity", basis)
    assert again("training-diversity").claims[0].finding.value == 0.5
    assert not told
    results.write_text("\n")
    assert [claim.name for claim in again("category-diversity").claims] == ["category-diversity"]
    assert again("training-diversity").claims[0].finding.value is None
    assert [claim.name for claim in again("category-diversity").claims] == ["training-diversity", "category-diversity"]
    results.unlink()
    with pytest.raises(InputError, match="no such file"):
        again("training-diversity")


def test_a_finding_by_another_rule_is_measured_again(tiny_model: Path, tmp_path: Path) -> None:
    claim, name = CLAIMS["category-diversity"], "reproduce claim category-diversity"
    reproduce_claims((claim.name,), str(tiny_model), JUDGE, tmp_path / "out")
    for other in (
        replace(claim, rule=replace(claim.rule, threshold=claim.rule.threshold + 1)),
        replace(claim, design="By eye."),
    ):
        with Ledger(tmp_path / "out/run.sqlite") as ledger:  # as if an earlier version had found it
            ledger.put(name, to_json(Finding(value=0.5, interval=(0.4, 0.6), n=9)))
            ledger.put("reproduce basis category-diversity", other.rests_on(ReproduceOptions()))
        assert reproduce_claims((claim.name,), str(tiny_model), JUDGE, tmp_path / "out").claims[0].finding.value is None
    with Ledger(tmp_path / "out/run.sqlite") as ledger:
        ledger.put(name, to_json(Finding(value=0.5, interval=(0.4, 0.6), n=9)))
    assert reproduce_claims((claim.name,), str(tiny_model), JUDGE, tmp_path / "out").claims[0].finding.value == 0.5


@pytest.mark.parametrize("option", ["memorized", "listed"])
def test_other_lists_of_prompts_are_another_reproduction(tiny_model: Path, tmp_path: Path, option: str) -> None:
    listed, out = tmp_path / "known.txt", tmp_path / "out"
    listed.write_text("a [tower:landmark] and a [mug]\n")
    options = ReproduceOptions(**{option: str(listed)})
    reproduce_claims(("category-diversity",), str(tiny_model), JUDGE, out, options)
    listed.write_text("a [book] and a [mug]\n")
    with pytest.raises(RunError, match="a reproduction with other options"):
        reproduce_claims(("category-diversity",), str(tiny_model), JUDGE, out, options)
    listed.unlink()
    with pytest.raises(InputError, match="known"):
        reproduce_claims(("category-diversity",), str(tiny_model), JUDGE, tmp_path / "new", options)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("what", ["plan", "claim category-diversity"])
def test_a_folder_of_another_version_is_refused_in_one_line(tiny_model: Path, tmp_path: Path, what: str) -> None:
    out = tmp_path / "out"
    reproduce_claims(("category-diversity",), str(tiny_model), JUDGE, out)
    with Ledger(out / "run.sqlite") as ledger:
        ledger.put(f"reproduce {what}", {"model": 3, "value": "none", "plots": 5})
    with pytest.raises(RunError, match="version of dominance cannot read") as refused:
        reproduce_claims(("category-diversity",), str(tiny_model), JUDGE, out)
    assert "\n" not in str(refused.value)


def test_figures_of_a_model_that_draws_nothing_mean_nothing(finished: dominance.ReproduceResult) -> None:
    """The judge sees entities in every picture, so that none is seen because it was asked for."""
    assert finished.meaningless
    page, markdown, _ = write_reproduction(finished, Path(finished.run))
    html, text = page.read_text(), markdown.read_text()
    assert html.index("The figures mean nothing") < html.index("<h1>")
    assert text.splitlines()[2].startswith("**The figures mean nothing: of ")
    assert "`" not in html


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
    assert list(small.runs) == ["control", "bench", "first steps"]
    assert full.share == 1
    assert small.share < 1
    assert 0 < small.images < full.images
    assert small.evaluations > small.images
    assert small.calls == pytest.approx(10 * small.images, abs=10)
    assert full.minutes == full.full_minutes
    assert not list(tmp_path.iterdir())


def told_until_it_draws(model: Path, out: Path, monkeypatch: pytest.MonkeyPatch, budget: float | None) -> list[str]:
    def killed(_: Experiments) -> Any:
        raise KeyboardInterrupt

    told: list[str] = []
    monkeypatch.setattr(Experiments, "independent", property(killed))
    with pytest.raises(KeyboardInterrupt):
        reproduce_claims(("bench-yield",), str(model), JUDGE, out, ReproduceOptions(budget=budget), told.append)
    return told


def test_what_it_will_take_is_told_before_anything_is_drawn_and_what_is_left_later(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[Rate] = []
    monkeypatch.setattr(
        "dominance.reproduce.estimate.measured_rate", lambda *_: timed.append(Rate(0.5, 0.0)) or timed[-1]
    )
    told = told_until_it_draws(tiny_model, tmp_path / "short", monkeypatch, 0.01)
    assert len(timed) == 1
    assert [line.partition(" ")[0] for line in told] == ["1", "about", "even", "control:", "bench-yield:"]
    assert told[2].startswith("even the smallest size takes about 1 minute at 0.50 s an image")
    told = told_until_it_draws(tiny_model, tmp_path / "short", monkeypatch, 0.01)
    assert [line.partition(" ")[0] for line in told] == ["1", "about", "what", "bench-yield:"]
    told = told_until_it_draws(tiny_model, tmp_path / "full", monkeypatch, None)
    assert len(timed) == 1  # the control's own images have the rate
    assert [line.partition(" ")[0] for line in told] == ["1", "about", "control:", "all", "bench-yield:"]
    assert "judge calls" in told[1]
    assert "at the rate of the control's images" in told[3]


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

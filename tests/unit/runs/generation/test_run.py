"""Usable images of a tiny model: ways, giving up, budgets, kills, what it took, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from measured_pictures import check_same_as_score, tiny_measuring
from page_checks import check_self_contained
from PIL import Image
from tiny_families import tiny

import dominance
from dominance.cli.generate import print_generation
from dominance.documents import printed, to_json
from dominance.errors import InputError
from dominance.judges.picture_scores import Encoders
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.models.image_model import PipelineModel
from dominance.models.settings import GenerationSettings
from dominance.models.source import find_source
from dominance.records import Concept, Prompt, Question, Suite
from dominance.report.generation.page import write_generation
from dominance.runs.generation.course import Bounds, Course, Risk
from dominance.runs.generation.drawing import Drawer
from dominance.runs.generation.options import DEFAULT_METHODS, GenerateOptions
from dominance.runs.generation.result import GenerationResult
from dominance.runs.generation.run import estimate_generation, generate
from dominance.runs.generation.work import plan_by
from dominance.runs.reading import read_run
from dominance.runs.stages import localisation
from dominance.runs.store.ledger import Ledger

PROMPT = "a [tower:landmark] and a [mug]"
YES = ScriptedJudge(lambda image, question: 1.0)
NO = ScriptedJudge(lambda image, question: float(question.concept == "tower"))
STEPS = 5
PLAIN = 2 * STEPS
"""Network evaluations of one image; 4 of them before the judge looks."""


def options(*methods: str, **more: Any) -> GenerateOptions:
    drawing = Drawing(steps=STEPS, guidance=2.0, seeds=more.pop("seeds", None))
    given = {"methods": methods or ("schedule:until=0.5",), "drawing": drawing, "machine": Machine("cpu"), "usable": 2}
    return GenerateOptions(**{**given, **more})


class Changing:
    """A judge that sees the mug only in some of the pictures that it is shown, told by their number."""

    name = "scripted"
    identity = YES.identity

    def __init__(self, *seen: bool) -> None:
        self.seen, self.asked = list(seen), 0

    def check(self, questions: Sequence[Question]) -> None:
        return None

    def answer(self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]) -> list[Any]:
        sees = self.seen[self.asked] if self.asked < len(self.seen) else True
        self.asked += len(images)
        return ScriptedJudge(lambda _, q: float(sees or q.concept == "tower")).answer(images, questions)


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    with Ledger(folder / "run.sqlite") as ledger:
        return {row.file: row.settings for row in ledger.images().values()}


def ways(result: GenerationResult) -> list[tuple[str, int, str]]:
    return [(each.way, each.seed, each.outcome) for each in result.prompts[0].attempts]


def test_what_will_fail_is_given_up_and_goes_to_the_next_method(model: str, early: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    judge = Changing(False, True, True, True, False)  # plain at 40%; repaired twice; again; the second at its end
    found = generate(PROMPT, 2, model, judge, out, options(early=early)).result()
    method = "schedule:until=0.5"
    assert ways(found) == [
        ("plain", 0, "given up"), (method, 0, "usable"), (method, 1, "failed"), (method, 2, "usable")
    ]  # fmt: skip
    given_up, usable, failed, _ = found.prompts[0].attempts
    assert (given_up.evaluations, given_up.looks, given_up.early_score, given_up.file) == (4, 1, 0.0, None)
    assert (usable.evaluations, usable.looks, usable.early_score, usable.verdict) == (PLAIN, 2, 1.0, "balanced")
    assert (failed.verdict, failed.present) == ("collapsed", ("tower",))
    assert (found.evaluations, found.looks, found.per_usable) == (34, 7, 17)
    assert {"at": 0.4, "evaluations": 4}.items() <= rows(out)[given_up.early_file].items()
    assert to_json(read_run(out)) == to_json(found)
    page = write_generation(found, out).read_text()
    check_self_contained(page)
    assert page.count("<details") == 1
    assert "given up at 40%" in page
    assert page.count('<div class="pic">') == 4
    same = dominance.AuditOptions(drawing=replace(options().drawing, seeds=(0,)), machine=Machine("cpu"), method=method)
    audited = dominance.audit(PROMPT, model, YES, tmp_path / "audit", same)
    assert (out / usable.file).read_bytes() == (Path(audited.run) / audited.prompts[0].images[0].file).read_bytes()


def test_usable_images_are_measured_later_plain_ones_beside_repaired_ones(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, measuring, method = tmp_path / "run", tiny_measuring(tmp_path), "schedule:until=0.5"
    plain = generate(PROMPT, 2, model, Changing(True, False, False, True), out, options()).result()
    assert [outcome for *_, outcome in ways(plain)] == ["usable", "failed", "failed", "usable"]
    assert [each.measure for each in plain.measures] == ["soft_presence", "harsh_presence"]
    assert 'id="measures"' not in write_generation(plain, out).read_text()
    drawn = {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png")}
    how = options(measuring=measuring)
    left = estimate_generation(PROMPT, 2, model, NO, out, how)
    assert (left.images_to_draw, left.images_to_measure) == (0, 2)

    found = generate(PROMPT, 2, model, NO, out, how).result()  # it would let none pass, and is not asked
    assert ways(found) == ways(plain)
    assert {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png")} == drawn
    one, *failed, other = found.prompts[0].attempts
    assert [each.scores for each in failed] == [None, None]
    files = [(out / str(each.file), each.scores) for each in (one, other)]
    check_same_as_score(files, out / "images", PROMPT, measuring, tmp_path / "score")
    assert [*found.measures_by_way] == ["plain", method]
    for name in ("image_text", "least_concept", "caption_text", "quality"):
        values = [getattr(each.scores, name) for each in (one, other)]
        for own, expected in (
            (found.measures, sum(values) / 2),
            (found.measures_by_way["plain"], values[0]),
            (found.measures_by_way[method], values[1]),
        ):
            assert next(each.mean for each in own if each.measure == name) == pytest.approx(expected)
    page = write_generation(found, out).read_text()
    assert page.count("<br>image and prompt ") == 2
    assert f'<th scope="row">{method}: 1 image</th>' in page
    capsys.readouterr()
    print_generation(found)
    assert "plain: 1 image" in capsys.readouterr().out

    monkeypatch.setattr(Encoders, "score", None)  # nothing is left to measure
    again = generate(PROMPT, 2, model, NO, out, how).result()
    assert printed(again) == printed(found) == printed(read_run(out))
    assert estimate_generation(PROMPT, 2, model, NO, out, how).images_to_measure == 0


def test_an_iterator_hands_over_each_image_and_what_it_took(model: str, early: Path, tmp_path: Path) -> None:
    judge = Changing(False)
    with generate(PROMPT, 2, model, judge, tmp_path / "run", options(early=early)) as images:
        first = next(images)
        assert (first.way, first.seed, first.evaluations, first.looks) == ("schedule:until=0.5", 0, 4 + PLAIN, 3)
        assert first.image.size == (16, 16)
        with pytest.raises(InputError, match="in use by process"):
            generate(PROMPT, 2, model, judge, tmp_path / "run", options(early=early)).result()
    with pytest.raises(InputError, match="was closed before its end"):
        images.result()
    with pytest.raises(InputError, match="is not finished; run its `dominance generate` command again"):
        read_run(tmp_path / "run")
    resumed = list(generate(PROMPT, 2, model, YES, tmp_path / "run", options(early=early)))
    assert [(image.seed, image.evaluations) for image in resumed] == [(0, 4 + PLAIN), (1, PLAIN)]


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_killed_run_loses_no_image(
    at: int, model: str, early: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(name: str, judge: Any) -> GenerationResult:
        return generate(PROMPT, 3, model, judge, tmp_path / name, options(early=early)).result()

    def sees(image: Image.Image, question: Question) -> float:
        return float(question.concept == "tower" or image.getpixel((0, 0))[0] % 3 > 0)

    whole = run("whole", ScriptedJudge(sees))
    calls = [0]
    answer = ScriptedJudge.answer

    def stopping(self: ScriptedJudge, images: Any, questions: Any) -> Any:
        calls[0] += 1
        if calls[0] == at:
            raise KeyboardInterrupt
        return answer(self, images, questions)

    monkeypatch.setattr(ScriptedJudge, "answer", stopping)
    with pytest.raises(KeyboardInterrupt, match="run the same command again to resume"):
        run("broken", ScriptedJudge(sees))
    monkeypatch.setattr(ScriptedJudge, "answer", answer)
    there = {path: path.stat().st_mtime_ns for path in (tmp_path / "broken").glob("images/*/*.png")}
    resumed = run("broken", ScriptedJudge(sees))
    usable = {tmp_path / "broken" / each.file for each in resumed.prompts[0].usable}
    assert {path: path.stat().st_mtime_ns for path in usable & there.keys()}.items() <= there.items()
    assert ways(resumed) == ways(whole)
    assert [each.evaluations for each in resumed.prompts[0].attempts] == [
        each.evaluations for each in whole.prompts[0].attempts
    ]
    assert resumed.usable == 3


def test_more_images_go_on_where_fewer_ended(model: str, tmp_path: Path) -> None:
    first = generate(PROMPT, 1, model, YES, tmp_path / "run", options()).result()
    more = generate(PROMPT, 3, model, YES, tmp_path / "run", options()).result()
    assert more.prompts[0].attempts[0] == first.prompts[0].attempts[0]
    assert ways(more) == [("plain", seed, "usable") for seed in (0, 1, 2)]
    assert any("no image is given up early" in note and "calibrate RUN --early" in note for note in more.notes)
    assert any("every prompt begins plain; `dominance calibrate RUN` fits one" in note for note in more.notes)


def test_a_budget_ends_the_drawing_before_it_is_exceeded(model: str, early: Path, tmp_path: Path) -> None:
    short = options(early=early, budget=25)
    found = generate(PROMPT, 2, model, NO, tmp_path / "run", short).result()
    assert (found.usable, found.missing, found.prompts[0].ended) == (0, 2, "budget")
    assert found.evaluations == 16  # four are given up at 4; a fifth could take 10
    assert found.per_usable is None
    finished = generate(PROMPT, 2, model, NO, tmp_path / "end", replace(short, early=Path("none"))).result()
    assert (finished.evaluations, finished.notes) == (20, found.notes)
    with pytest.raises(InputError, match="budget is 9, but one image takes 10 network evaluations; give --budget 10"):
        generate(PROMPT, 2, model, NO, tmp_path / "small", options(budget=9))
    assert not (tmp_path / "small").exists()


def test_seeds_that_are_given_are_all_there_are(model: str, tmp_path: Path) -> None:
    found = generate(PROMPT, 2, model, NO, tmp_path / "run", options(seeds=(7, 8))).result()
    assert {(each.way, each.seed) for each in found.prompts[0].attempts} == {
        (way, seed) for way in ("plain", "schedule:until=0.5") for seed in (7, 8)
    }
    assert found.prompts[0].ended == "noises"


def test_a_check_draws_plain_rejection_and_finishes_what_was_given_up(model: str, early: Path, tmp_path: Path) -> None:
    judge = Changing(False, True, True, True, True, True, True, True, False)
    found = generate(PROMPT, 2, model, judge, tmp_path / "run", options(early=early, check=True)).result()
    assert found.evaluations == 24  # the check is not counted
    (prompt,) = found.prompts
    assert prompt.rejection is not None
    assert (prompt.rejection.images, prompt.rejection.usable, prompt.rejection.evaluations) == (2, 2, 20)
    assert (found.false_aborts.count, found.false_aborts.n, prompt.attempts[0].finished) == (1, 1, True)
    assert found.ratio == pytest.approx(24 / 20)
    assert "one" not in printed(found)
    assert "so that this took 1.20 of it" in write_generation(found, tmp_path / "run").read_text()


def test_what_a_check_has_drawn_changes_nothing_for_a_larger_number(model: str, early: Path, tmp_path: Path) -> None:
    def sees(image: Image.Image, question: Question) -> float:
        return float(question.concept == "tower" or image.getpixel((0, 0))[0] % 3 > 0)

    def run(name: str, usable: int, *, check: bool = False) -> GenerationResult:
        how = options(early=early, check=check)
        return generate(PROMPT, usable, model, ScriptedJudge(sees), tmp_path / name, how).result()

    checked = run("checked", 1, check=True)
    drawn = [path for path in rows(tmp_path / "checked") if not path.endswith("-early.png")]
    assert len(drawn) > sum(each.file is not None for each in checked.prompts[0].attempts)
    more, whole = run("checked", 5), run("whole", 5)
    assert "given up" in [outcome for _, _, outcome in ways(whole)]
    assert [replace(each, seconds=None) for each in more.prompts[0].attempts] == [
        replace(each, seconds=None) for each in whole.prompts[0].attempts
    ]


def test_a_look_before_a_kill_is_remembered(
    model: str, early: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    judge, kept = Changing(), Drawer._keep
    monkeypatch.setattr(
        Drawer, "_keep", lambda *given: (kept if given[1].file.endswith("early.png") else killed)(*given)
    )
    with pytest.raises(KeyboardInterrupt):
        generate(PROMPT, 1, model, judge, tmp_path / "run", options(early=early)).result()
    assert judge.asked == 1
    monkeypatch.setattr(Drawer, "_keep", kept)
    found = generate(PROMPT, 1, model, judge, tmp_path / "run", options(early=early)).result()
    assert (judge.asked, found.looks, found.evaluations) == (2, 2, PLAIN)


def test_tries_are_appended_and_those_of_older_folders_read(model: str, tmp_path: Path) -> None:
    first = generate(PROMPT, 2, model, YES, tmp_path / "run", options()).result()
    with Ledger(tmp_path / "run" / "run.sqlite") as ledger:
        tries = ledger.measured()
        assert ledger.get("tries") is None
        ledger.put("tries", {f"{item} {how.removeprefix('try ')}": tried for (item, how), tried in tries.items()})
        ledger._db.execute("DROP TABLE measured")
    assert [how.split()[:2] for _, how in tries] == [["try", "plain"]] * 2
    again = generate(PROMPT, 2, model, NO, tmp_path / "run", options()).result()
    assert again.prompts[0].attempts == first.prompts[0].attempts


def test_the_first_try_of_a_method_with_gradients_counts_them(model: str, tmp_path: Path) -> None:
    plan = plan_by("overlap", Prompt("a", "a tower and a mug", (Concept("tower"), Concept("mug"))))
    assert plan.more_evaluations(STEPS, by_attention=True) == 2  # 40% of the steps
    takes = {"overlap": PLAIN + 2.0}
    course = Course(Prompt("a", "a", ()), Risk(), ("overlap",), Bounds(1, PLAIN + 1, PLAIN, None), takes)
    assert (course.steps(1), course.ended) == ([], "budget")
    course = Course(Prompt("a", "a", ()), Risk(), ("overlap",), Bounds(1, PLAIN + 2, PLAIN, None), takes)
    assert course.steps(1) == [("overlap", 0)]


@pytest.mark.parametrize(
    ("method", "by_attention", "more"),
    [
        ("regions", True, 0),
        ("regions", False, 2 * 5),  # the first half
        ("regions:backend=predictions", True, 2 * 5),
        ("overlap:step=raw", True, 6),
        ("attend-and-excite", True, 3 * 21 + 2),
        ("initial-noise", True, 10),
        ("schedule", True, 0),
    ],
)
def test_a_plan_knows_the_most_that_it_takes(method: str, by_attention: bool, more: int) -> None:
    plan = plan_by(method, Prompt("a", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug"))))
    assert plan.more_evaluations(10, by_attention=by_attention) == more


def test_an_estimate_draws_nothing_and_knows_what_is_there(model: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    found = estimate_generation(PROMPT, 3, model, NO, out, options())
    assert (found.images, found.images_to_draw, found.questions_to_ask, found.denoising_steps) == (3, 3, 30, 3 * STEPS)
    assert not out.exists()
    generate(PROMPT, 2, model, YES, out, options()).result()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    found = estimate_generation(PROMPT, 3, model, YES, out, options())
    assert (found.images_there, found.images_to_draw, found.questions_answered) == (2, 1, 20)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_one_concept_is_drawn_plain_and_a_cut_one_not_at_all(model: str, tmp_path: Path) -> None:
    single = generate("a [mug]", 2, model, YES, tmp_path / "single", options()).result()
    assert ways(single) == [("plain", 0, "usable"), ("plain", 1, "usable")]
    long = f"a [tower:landmark] {'and a lamp ' * 40}and a [mug]"
    with pytest.raises(InputError, match="cut off; shorten the prompt"):
        generate(long, 2, model, YES, tmp_path / "long", options())
    assert not (tmp_path / "long").exists()


def test_an_image_of_no_numbers_is_an_error_and_the_run_goes_on(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.errors import ItemError

    whole = PipelineModel.generate

    def broken(self: PipelineModel, texts: Any, seeds: Any, settings: GenerationSettings, **more: Any) -> Any:
        drawn = whole(self, texts, seeds, settings, **more)
        return [ItemError("the model produced pixels that are not numbers")] if seeds == [0] else drawn

    monkeypatch.setattr(PipelineModel, "generate", broken)
    found = generate(PROMPT, 2, model, YES, tmp_path / "run", options("replace")).result()
    assert ways(found)[:2] == [("plain", 0, "error"), ("replace", 0, "error")]
    assert found.usable == 2
    assert found.prompts[0].attempts[0].evaluations == PLAIN


def test_a_gradient_of_no_numbers_is_an_error_in_its_own_words(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.errors import ItemError

    def refuse(*_: object) -> None:
        raise ItemError("the guidance's gradient is not a number")

    monkeypatch.setattr("dominance.runs.stages.methods.SteeredBy.steer", refuse)
    found = generate(PROMPT, 1, model, NO, tmp_path / "run", options("replace", seeds=(0,))).result()
    assert ways(found) == [("plain", 0, "failed"), ("replace", 0, "error")]
    assert found.prompts[0].attempts[1].problem == "the guidance's gradient is not a number"


def test_a_predicted_picture_of_no_numbers_ends_the_image_at_once(
    model: str, early: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    monkeypatch.setattr("dominance.probes.predicted.decoded", lambda *_: np.full((1, 16, 16, 3), np.nan))
    found = generate(PROMPT, 1, model, YES, tmp_path / "run", options(early=early, budget=20)).result()
    assert found.prompts[0].attempts[0].evaluations == 4
    assert "not numbers" in found.prompts[0].attempts[0].problem


def test_a_judge_that_gives_no_answer_early_lets_the_image_be_finished(model: str, early: Path, tmp_path: Path) -> None:
    from dominance.errors import ItemError

    class Blind(Changing):
        def answer(self, images: Any, questions: Any) -> Any:
            self.asked += 1
            if self.asked == 1:
                raise ItemError("such a picture cannot be seen")
            return YES.answer(images, questions)

    found = generate(PROMPT, 1, model, Blind(), tmp_path / "run", options(early=early)).result()
    assert ways(found) == [("plain", 0, "usable")]
    assert found.prompts[0].attempts[0].early_score is None


def test_methods_that_cannot_see_where_things_are_are_refused_if_asked_for_and_else_left_out(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the localisation is kept
    monkeypatch.setattr(localisation, "_chosen", lambda _: ())
    with pytest.raises(InputError, match=r"no attention layer .* shows where concepts lie"):
        generate(PROMPT, 1, model, YES, tmp_path / "run", options("regions"))
    assert not (tmp_path / "run").exists()
    found = generate(PROMPT, 1, model, YES, tmp_path / "run", options(*DEFAULT_METHODS)).result()
    assert ways(found) == [("plain", 0, "usable")]
    assert [note.partition(":")[0] for note in found.notes[-3:]] == [f"not by {name}" for name in DEFAULT_METHODS]


def test_a_method_that_refuses_the_prompt_while_drawing_is_tried_once(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("the concepts share words")

    monkeypatch.setattr("dominance.runs.stages.methods.SteeredBy.steer", refuse)
    found = generate(PROMPT, 1, model, NO, tmp_path / "run", options("replace", seeds=(0, 1))).result()
    assert ways(found) == [("plain", 0, "failed"), ("replace", 0, "error"), ("plain", 1, "failed")]
    assert found.prompts[0].problem == "the concepts share words"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"usable": 0}, "usable is 0; give a whole number of images from 1"),
        ({"budget": 0}, "budget is 0; give a whole number"),
        ({"machine": Machine("cpu", 2)}, "batch is 2, but usable images are drawn one by one"),
        ({"methods": ("plain",)}, "no method 'plain'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        GenerateOptions(**more)


def test_a_threshold_of_another_model_or_judge_is_refused(model: str, early: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(early.read_text().replace(find_source(model).identity, "sha256:else"))
    with pytest.raises(InputError, match="make one with `dominance calibrate RUN --early`"):
        generate(PROMPT, 1, model, YES, tmp_path / "run", options(early=other))
    other.write_text("{}")
    with pytest.raises(InputError, match="is not an early calibration of this version"):
        generate(PROMPT, 1, model, YES, tmp_path / "run", options(early=other))


def test_a_pipeline_without_callbacks_is_drawn_to_the_end_and_says_so(
    early: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = tiny("pixart")
    identity = find_source(pipeline).identity
    own = tmp_path / "own.json"
    own.write_text(early.read_text().replace(find_source(str(tmp_path / "model")).identity, identity))
    found = generate(PROMPT, 1, pipeline, NO, tmp_path / "run", options("replace", early=own, seeds=(0,))).result()
    assert [each.outcome for each in found.prompts[0].attempts] == ["failed", "failed"]
    assert any("calls nothing after its steps" in note for note in found.notes)


def test_a_judge_that_stops_at_the_look_ends_the_run_and_is_no_fault_of_the_image(
    model: str, early: Path, tmp_path: Path
) -> None:
    from dominance.errors import ModelError

    class Stopping(Changing):
        def answer(self, images: Any, questions: Any) -> Any:
            if self.asked >= 1:  # the first look, at a plain image, is answered: it is given up
                raise ModelError("the judge can no longer answer")
            return super().answer(images, questions)

    with pytest.raises(ModelError, match="can no longer answer"):
        generate(PROMPT, 1, model, Stopping(False), tmp_path / "run", options("replace", early=early)).result()
    found = generate(PROMPT, 1, model, YES, tmp_path / "run", options("replace", early=early)).result()
    assert ways(found) == [("plain", 0, "given up"), ("replace", 0, "usable")]


def test_the_same_words_with_another_concept_are_asked_about_anew(model: str, tmp_path: Path) -> None:
    def suite(*names: str) -> Suite:
        kept = Prompt("kept", "a tower and a mug", (Concept("tower"), Concept("mug")))
        return Suite("s", (kept, Prompt("told", "a tower, a mug and a lamp", tuple(map(Concept, names)))))

    judge = ScriptedJudge(lambda image, question: float(question.concept != "lamp"))
    how = options("none", seeds=(0,))
    two = generate(suite("tower", "mug"), 1, model, judge, tmp_path / "run", how).result()
    three = generate(suite("tower", "mug", "lamp"), 1, model, judge, tmp_path / "run", how).result()
    assert (two.usable, three.usable) == (2, 1)


def test_where_no_method_can_serve_a_prompt_at_high_risk_it_is_drawn_plain(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.runs.generation.course import Risk
    from dominance.runs.generation.work import Work

    def refuse(*_: object) -> None:
        raise InputError("the concepts share words")

    monkeypatch.setattr("dominance.runs.stages.methods.SteeredBy.steer", refuse)
    monkeypatch.setattr(Work, "_risks", lambda self: {p.id: Risk("high") for p in self._run.plan.suite.prompts})
    found = generate(PROMPT, 1, model, YES, tmp_path / "run", options("replace")).result()
    assert ways(found) == [("replace", 0, "error"), ("plain", 0, "usable")]


def test_a_threshold_of_other_steps_is_said(model: str, early: Path, tmp_path: Path) -> None:
    same, other = (
        generate(PROMPT, 1, model, YES, tmp_path / f"run{steps}", options(early=early, drawing=drawing)).result()
        for steps in (STEPS, 4)
        for drawing in [Drawing(steps=steps, guidance=2.0)]
    )
    assert not any("comes from images of" in note for note in same.notes)
    assert any("comes from images of 5 steps, and these have 4" in note for note in other.notes)

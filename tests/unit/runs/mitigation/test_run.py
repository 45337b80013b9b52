"""Mitigations of a tiny model: pairs, the policy, kills, what is counted, and what is refused."""

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_families import draw, save, tiny
from tiny_judges import save_clip

import dominance
from dominance.documents import from_json, printed, to_json
from dominance.errors import InputError, ItemError, ModelError
from dominance.judges.measuring import Measuring
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.models.image_model import PipelineModel
from dominance.models.settings import GenerationSettings
from dominance.records import Concept, Prompt, Question, Suite
from dominance.report.mitigation.page import write_mitigation
from dominance.report.mitigation.steps import after_mitigate
from dominance.runs.audit.options import AuditOptions
from dominance.runs.mitigation.arms import Arm
from dominance.runs.mitigation.drawing import ArmsModel, in_turns
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.mitigation.result import MitigationResult
from dominance.runs.mitigation.run import estimate_mitigation, mitigate_suite
from dominance.runs.reading import read_run
from dominance.runs.stages.counting import counted
from dominance.runs.stages.method_names import parse_methods
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import PlannedImage

PROMPT = "a [tower:landmark] and a [mug]"
YES = ScriptedJudge(lambda image, question: 1.0)
TOWER = ScriptedJudge(lambda image, question: float(question.concept == "tower"))
STEPS = 4
METHODS = ("schedule:until=0.5", "replace")


def options(*methods: str, seeds: tuple[int, ...] = (0, 1), **more: Any) -> MitigateOptions:
    drawing = Drawing(seeds=seeds, steps=STEPS, guidance=2.0)
    return MitigateOptions(**{"methods": methods or METHODS, "drawing": drawing, "machine": Machine("cpu", 1), **more})


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(save("sd1", tmp_path / "model"))


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("images/*/*.png")}


def items(folder: Path) -> dict[str, dict[str, Any]]:
    with Ledger(folder / "run.sqlite") as ledger:
        return {item: row.settings for item, row in ledger.images().items()}


def test_methods_are_read_with_their_settings() -> None:
    assert parse_methods("regions, overlap:loss=com:strength=0.5,,regions") == (
        "regions",
        "overlap:loss=com:strength=0.5",
    )


def test_pairs_are_what_audits_would_draw_and_read_back(model: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert estimate_mitigation(PROMPT, model, TOWER, out, options()).images_to_draw == 6
    assert not out.exists()
    found = mitigate_suite(PROMPT, model, TOWER, out, options())
    assert [row.method for row in found.rows] == [*METHODS, "policy", "another seed"]
    assert [(row.pairs, row.change, row.kept.count) for row in found.methods] == [(2, 0.0, 2)] * 2
    assert found.methods[0].settings["until"] == 0.5
    assert [row.cost.evaluations for row in found.rows] == [1.0, 1.0, 3.0, 1.0]
    assert all(shot.evaluations == 2 * STEPS and shot.seconds for shot in found.shots)
    for method in ("none", *METHODS):
        same = AuditOptions(drawing=options().drawing, machine=Machine("cpu"), method=method)
        dominance.audit(PROMPT, model, TOWER, tmp_path / method, same)
        assert items(tmp_path / method).keys() <= items(out).keys()
    assert to_json(read_run(out)) == to_json(found)
    assert from_json(MitigationResult, printed(found)).methods == found.methods
    page = write_mitigation(found, out).read_text()
    assert page.count('<div class="pic">') == 6
    assert "Another seed alone takes mean DvD from 100 to 100." in page


def test_a_mitigation_goes_on_from_an_audit_and_does_not_guess_what_its_images_took(model: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    dominance.audit(PROMPT, model, TOWER, out, AuditOptions(drawing=options().drawing, machine=Machine("cpu", 1)))
    before = files(out)
    assert estimate_mitigation(PROMPT, model, TOWER, out, options()).images_to_draw == 4
    found = mitigate_suite(PROMPT, model, TOWER, out, options())
    assert files(out).items() >= before.items()
    assert [(row.pairs, row.cost.time, row.cost.images) for row in found.methods] == [(2, None, 0)] * 2
    assert isinstance(read_run(out), MitigationResult)
    assert "What it costs is not known" in write_mitigation(found, out).read_text()


def test_times_of_another_run_are_counted(model: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = mitigate_suite(PROMPT, model, TOWER, out, options("replace"))
    assert [row.cost.apart for row in first.rows] == [0, 0, 0]
    found = mitigate_suite(PROMPT, model, TOWER, out, options("replace", "schedule:until=0.5"))
    assert [(row.method, row.cost.images, row.cost.apart) for row in found.rows] == [
        ("replace", 2, 0), ("schedule:until=0.5", 2, 2), ("policy", 2, 2), ("another seed", 2, 0)
    ]  # fmt: skip


def test_distances_are_measured_by_an_embedder_for_such_pictures_alone(model: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the embedder miniature knows only the drawings of the miniature world"):
        mitigate_suite(PROMPT, model, YES, tmp_path / "run", options(embedder="miniature"))
    with pytest.raises(ModelError, match=r"has no \.safetensors weights"):
        mitigate_suite(PROMPT, model, YES, tmp_path / "run", options(embedder=str(tmp_path)))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("only_failing", [False, True])
def test_a_killed_run_goes_on_and_still_knows_what_its_images_cost(
    only_failing: bool, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = options(only_failing=only_failing)
    out, drawn = tmp_path / "run", []
    whole = PipelineModel.generate

    def stopping(self: PipelineModel, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings) -> Any:
        if settings.steps == STEPS:  # not to warm up
            drawn.append(seeds)
            if len(drawn) == 4:
                raise KeyboardInterrupt
        return whole(self, texts, seeds, settings)

    monkeypatch.setattr(PipelineModel, "generate", stopping)
    with pytest.raises(KeyboardInterrupt):
        mitigate_suite(PROMPT, model, TOWER, out, how)
    before = files(out)
    assert len(before) == 3
    found = mitigate_suite(PROMPT, model, TOWER, out, how)
    assert len(drawn) == 4 + 3
    assert files(out).items() >= before.items()
    assert [row.cost.images for row in found.methods] == [2, 2]
    lost = next(iter(sorted(out.glob("images/*/0-*.png"))))
    lost.unlink()
    mitigate_suite(PROMPT, model, TOWER, out, how)
    assert len(drawn) == 4 + 3 + 1


def test_only_what_fails_is_drawn_again_by_one_method_after_the_other(model: str, tmp_path: Path) -> None:
    seen = mitigate_suite(PROMPT, model, YES, tmp_path / "all", options())
    (prompt,) = seen.prompts
    pictures = {
        (image.name, arm): Image.open(tmp_path / "all" / str(shot.file)).tobytes()
        for image in prompt.images
        for arm, shot in image.shots.items()
    }
    assert len(set(pictures.values())) == 6
    shows = {picture: {"tower", "mug"} for picture in pictures.values()}
    shows |= {pictures["0", "plain"]: {"tower"}, pictures["0", METHODS[0]]: set()}

    def script(image: Image.Image, question: Question) -> float:
        return float(question.concept in shows[image.tobytes()])

    out, how, judge = tmp_path / "run", options(only_failing=True), ScriptedJudge(script)
    assert estimate_mitigation(PROMPT, model, judge, out, how).images_to_draw == 6, "if all should fail"
    found = mitigate_suite(PROMPT, model, judge, out, how)
    assert len(files(out)) == 4
    failed, good = found.prompts[0].images
    assert [*failed.shots] == ["plain", *METHODS]
    assert (failed.delivered, [*good.shots], good.delivered) == (METHODS[1], ["plain"], "plain")
    assert [(row.pairs, row.repaired.count) for row in found.methods] == [(1, 0), (1, 1)]
    assert (found.policy.pairs, found.policy.dvd_before, found.policy.dvd_after) == (2, 50.0, 0.0)
    assert (found.policy.harmed.count, found.policy.harmed.n) == (0, 1)
    assert found.policy.cost.evaluations == 2.0
    assert estimate_mitigation(PROMPT, model, judge, out, how).images_to_draw == 0
    assert mitigate_suite(PROMPT, model, judge, out, how).policy == found.policy
    assert mitigate_suite(PROMPT, model, judge, tmp_path / "other", options()).policy.dvd_after == 0.0
    assert "Methods drew only what failed" in write_mitigation(found, out).read_text()


def test_prompts_that_name_a_single_thing_are_left_out_and_named(model: str, tmp_path: Path) -> None:
    suite = Suite("two", (_prompt("pair", "tower", "mug"), _prompt("alone", "lamp")))
    found = mitigate_suite(suite, model, YES, tmp_path / "run", options("replace", seeds=(0,)))
    assert [prompt.id for prompt in found.prompts] == ["pair"]
    assert found.notes == ("1 prompt with a single concept left out: there is nothing to lose",)
    assert found.control is None


MIXED = Suite(
    "mixed",
    (
        Prompt("entity", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug"))),
        Prompt("objects", "a lamp and a mug", (Concept("lamp"), Concept("mug"))),
    ),
)
NO_MUG = ScriptedJudge(lambda image, question: float(question.concept != "mug"))


def test_what_a_method_leaves_plain_is_drawn_once_and_said(model: str, tmp_path: Path) -> None:
    out, how = tmp_path / "run", options("schedule:until=0.5")
    assert estimate_mitigation(MIXED, model, NO_MUG, out, how).images_to_draw == 6
    found = mitigate_suite(MIXED, model, NO_MUG, out, how)
    (row,) = found.methods
    (left,) = row.left_plain
    assert (left.prompts, left.images, row.pairs, found.images) == (1, 2, 4, 6)
    assert left.why == "the prompt does not name a landmark, character or artist"
    assert found.steered(row) == 2
    objects = found.prompts[1]
    assert [(tuple(image.shots), image.left_plain) for image in objects.images] == [(("plain",), (row.method,))] * 2
    page = write_mitigation(found, out).read_text()
    said = "schedule:until=0.5 leaves 2 images of 1 prompt plain: the prompt does not name a landmark"
    assert said in page
    assert page.count('<td class="quiet">left plain</td>') == 2
    assert to_json(read_run(out)) == to_json(found)
    assert estimate_mitigation(MIXED, model, NO_MUG, out, how).images_to_draw == 0


def test_what_fails_goes_past_a_method_that_would_leave_it_plain(model: str, tmp_path: Path) -> None:
    how = options("schedule:until=0.5", "rebalance", seeds=(0,), only_failing=True)
    assert estimate_mitigation(MIXED, model, NO_MUG, tmp_path / "run", how).images_to_draw == 5
    found = mitigate_suite(MIXED, model, NO_MUG, tmp_path / "run", how)
    assert [row.pairs for row in found.methods] == [1, 2]
    assert [tuple(prompt.images[0].shots) for prompt in found.prompts] == [
        ("plain", "schedule:until=0.5", "rebalance"),
        ("plain", "rebalance"),
    ]
    alone = Suite("alone", MIXED.prompts)
    fails = ScriptedJudge(lambda image, question: float(question.concept != "lamp"))
    why = mitigate_suite(alone, model, fails, tmp_path / "other", options("schedule:until=0.5", only_failing=True))
    assert after_mitigate(why)[0].why == "no method does anything to what fails here; try other methods"


def test_methods_are_compared_with_one_of_them(model: str, tmp_path: Path) -> None:
    out, first = tmp_path / "run", METHODS[0]
    mitigate_suite(MIXED, model, NO_MUG, out, options())
    before = files(out)
    found = mitigate_suite(
        MIXED, model, NO_MUG, out, options(against=first), ScriptedJudge(YES.script, "other", "other")
    )
    assert files(out) == before
    assert found.against is not None
    assert (found.against.baseline, [row.method for row in found.against.rows]) == (first, [METHODS[1], "policy"])
    row = found.against.methods[0]
    assert (row.pairs, row.change, row.cost.evaluations) == (4, 0.0, 1.0)
    assert found.against.policy.cost.evaluations == 2.0, "plain and both methods, or plain alone"
    base, other = ({i.name: i.shots[n] for i in found.prompts[0].images} for n in (first, METHODS[1]))
    took = [sum(shot.seconds or 0 for shot in arm.values()) for arm in (base, other)]
    plain = sum(image.plain.seconds or 0 for image in found.prompts[1].images)
    assert row.cost.time == pytest.approx((took[1] + plain) / (took[0] + plain), abs=1e-3)
    assert found.second is not None
    assert found.second.against is not None
    assert found.second.against.methods[0].balanced_before.count == 4
    assert to_json(read_run(out)) == to_json(found)
    page = write_mitigation(found, out).read_text()
    assert f'<h2 id="against-h">Against {first}</h2>' in page
    assert f"Against {first}, replace changes mean DvD by" in page
    assert mitigate_suite(MIXED, model, NO_MUG, out, options()).against is None


def test_the_same_method_under_two_names_is_no_baseline(model: str, tmp_path: Path) -> None:
    how = options("replace", "replace:until=1", against="replace:until=1")
    with pytest.raises(InputError, match="every method is the same as replace:until=1 to the last setting"):
        mitigate_suite(PROMPT, model, TOWER, tmp_path / "run", how)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (
            {"against": "regions"},
            "against is 'regions', which --method does not draw; give plain, or draw it too: --me",
        ),
        (
            {"methods": ("replace",), "against": "replace"},
            "replace would be compared with itself; give --method another",
        ),
        ({"against": "policy"}, "against is 'policy', which is a choice among the methods; give one of them"),
        ({"against": "magic"}, "no method 'magic'; give one of none, regions"),
        ({"against": "replace", "only_failing": True}, "each method draws other images, so that none can be compared"),
    ],
)
def test_a_baseline_that_cannot_be_one_is_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        MitigateOptions(**{"methods": METHODS, **given})


def _prompt(id: str, *names: str) -> Prompt:
    return Prompt(id, " and ".join(f"a {name}" for name in names), tuple(Concept(name, "landmark") for name in names))


@pytest.mark.parametrize(
    ("suite", "methods", "match"),
    [
        (PROMPT, "magic", "no method 'magic'; give one of none, regions"),
        (PROMPT, "regions:foo=1", "the method regions has no setting 'foo=1'; its settings are"),
        (PROMPT, "regions:strength=2", "the method's strength is 2; give a number from 0 to 1"),
        ("a [lamp]", "regions", "names two concepts, so none can take over"),
    ],
)
def test_what_cannot_be_repaired_is_refused(suite: str, methods: str, match: str, model: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=match):
        mitigate_suite(suite, model, YES, tmp_path / "run", options(*parse_methods(methods)))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("methods", "match"),
    [
        (("none",), "--method none alone leaves nothing to compare"),
        ((), "--method none alone leaves nothing to compare"),
        (("plain",), "no method 'plain'"),
    ],
)
def test_a_comparison_with_itself_is_refused(methods: tuple[str, ...], match: str) -> None:
    with pytest.raises(InputError, match=match):
        MitigateOptions(methods=methods)


class Picky:
    """A method that cannot use the prompt of a lamp, or, if it knows no model, any."""

    identity = "picky"

    def __init__(self, refused: str = "lamp") -> None:
        self.refused = refused

    def steer(self, pipeline: Any, prompts: Sequence[Prompt]) -> AbstractContextManager[object]:
        if any(self.refused in prompt.text for prompt in prompts):
            raise InputError("the concepts share words")
        return nullcontext()


def test_a_prompt_that_a_method_cannot_use_fails_alone(tmp_path: Path) -> None:
    prompts = (_prompt("lamp", "tower", "lamp"), _prompt("mug", "tower", "mug"))
    planned = [PlannedImage(p.id, p.id, p.text, "0", 0, f"{p.id}.png") for p in prompts]
    plain = Arm("plain", None, {}, tuple(PlannedImage(f"{p.id}-plain", p.id, p.text, "0", 0, "x") for p in prompts))
    settings = GenerationSettings(STEPS, 2.0)

    def model(method: Picky) -> ArmsModel:
        return ArmsModel(PipelineModel(tiny("sd1")), (plain, Arm("picky", method, {}, tuple(planned))), prompts)

    model(Picky()).warm_up(prompts, settings)
    with pytest.raises(ItemError, match="share words"):
        model(Picky()).draw(planned, settings)
    (drawn,) = model(Picky()).draw(planned[1:], settings)
    assert isinstance(drawn, Image.Image)
    with pytest.raises(InputError, match="share words"):
        model(Picky("tower")).warm_up(prompts, settings)


def test_every_sample_of_the_denoiser_is_counted_and_nothing_is_left_behind() -> None:
    pipeline = copy.deepcopy(tiny("sd1"))
    before = vars(pipeline.unet).copy()
    with counted(pipeline) as count:
        assert count() is None
        draw(pipeline, ["a tower", "a mug"], steps=3)
        assert count() == 2 * 2 * 3
    assert vars(pipeline.unet).keys() == before.keys()
    with pytest.raises(RuntimeError, match="stop"), counted(pipeline):
        raise RuntimeError("stop")
    assert vars(pipeline.unet).keys() == before.keys()


def test_batches_of_the_arms_take_turns() -> None:
    arms = [
        Arm(name, None, {}, tuple(PlannedImage(f"{name}{seed}", "p", "t", str(seed), seed, "f") for seed in range(3)))
        for name in "ab"
    ]
    missing = [image for arm in arms for image in arm.images]
    assert [image.item for image in in_turns(missing, arms, 2)] == ["a0", "a1", "b0", "b1", "a2", "b2"]


def test_a_second_judge_scores_what_the_first_has_selected_and_a_finished_run_takes_it_later(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    first = mitigate_suite(PROMPT, model, TOWER, out, options(only_failing=True))
    assert first.second is None
    monkeypatch.setattr("dominance.runs.mitigation.run.make_planned", None)  # nothing is drawn again
    asked = []

    def script(_image: Image.Image, question: Question) -> float:
        asked.append(question.text)
        return float(question.concept == "mug")

    other = ScriptedJudge(script, "other", "other")
    found = mitigate_suite(PROMPT, model, TOWER, out, options(only_failing=True), other)
    assert to_json(found)["methods"] == to_json(first)["methods"]
    assert found.prompts == first.prompts
    second = found.second
    assert second is not None
    assert second.judge == "other"
    assert [row.method for row in second.rows] == [row.method for row in found.rows]
    # Of two images, three drawings each: the first judge sees the tower alone, the other the mug alone.
    assert (second.agreed.count, second.agreed.n, second.unscored) == (0, 12, 0)
    assert second.kappa == pytest.approx(-1.0)
    assert second.policy.pairs == found.policy.pairs == 2
    assert to_json(read_run(out)) == to_json(found)
    page = write_mitigation(found, out).read_text()
    assert "other, which took no part in selecting, agrees on 0 of 12" in page
    assert page.count('<th scope="row">policy</th>') >= 2
    count = len(asked)
    mitigate_suite(PROMPT, model, TOWER, out, options(only_failing=True), other)
    assert len(asked) == count  # its answers are kept


def test_a_second_judge_must_be_another_one(model: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the second judge scripted is the first one, which would agree with itself"):
        mitigate_suite(PROMPT, model, TOWER, tmp_path / "run", options(), YES)
    assert not (tmp_path / "run").exists()


def test_similarity_and_quality_are_compared_pair_by_pair(model: str, tmp_path: Path) -> None:
    clip = save_clip(tmp_path / "clip")
    out = tmp_path / "run"
    found = mitigate_suite(PROMPT, model, TOWER, out, options(measuring=Measuring(f"clip:{clip}")))
    changes = {change.measure: change for change in found.methods[1].measures}
    assert list(changes) == ["soft_presence", "harsh_presence", "image_text", "least_concept", "quality"]
    shots = [(image.plain.scores, image.shots["replace"].scores) for image in found.prompts[0].images]
    known = [(one.quality, other.quality) for one, other in shots if one is not None and other is not None]
    assert changes["quality"].pairs == 2
    assert changes["quality"].change == pytest.approx(sum(after - before for before, after in known) / 2)
    assert changes["soft_presence"].change == 0.0
    assert to_json(read_run(out)) == to_json(found)
    assert "image and least concept" in write_mitigation(found, out).read_text()


def test_a_method_without_guidance_to_switch_off_draws_nothing_and_says_why(model: str, tmp_path: Path) -> None:
    why = "guidance is 1, so there is none to switch off"
    drawing = Drawing(seeds=(0, 1), steps=STEPS, guidance=1.0)
    with pytest.raises(InputError, match=rf"every prompt of the suite .* is left plain \(unguided: {why}\)"):
        mitigate_suite(PROMPT, model, TOWER, tmp_path / "none", options("unguided", drawing=drawing))
    assert not (tmp_path / "none").exists()
    both = options("unguided", "rebalance", drawing=drawing)
    assert estimate_mitigation(PROMPT, model, TOWER, tmp_path / "run", both).images_to_draw == 4
    found = mitigate_suite(PROMPT, model, TOWER, tmp_path / "run", both)
    assert [[(left.why, left.images) for left in row.left_plain] for row in found.methods] == [[(why, 2)], []]
    assert (
        f"unguided leaves 2 images of 1 prompt plain: {why}." in write_mitigation(found, tmp_path / "run").read_text()
    )

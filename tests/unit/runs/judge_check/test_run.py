"""A check of judges whose answers are known: what it finds, what it asks again, and what it refuses."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from dominance.documents import printed
from dominance.errors import InputError, ModelError, RunError
from dominance.judges.protocol import ScriptedJudge
from dominance.miniature.labelled import LabelledPicture, bundled_labels, read_images, read_labelled
from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene
from dominance.records import Answer, Concept, Prompt, Question, Suite
from dominance.report.judge_check.page import write_judge_check
from dominance.runs.judge_check.labelled import labelled_pictures
from dominance.runs.judge_check.options import Halves
from dominance.runs.judge_check.run import JudgeCheckOptions, check_judge
from dominance.runs.store.ledger import Ledger

FEW = JudgeCheckOptions(each=5, limit=8)
Script = Callable[[Image.Image, Question], float | None]


def judge(script: Script, name: str = "scripted") -> ScriptedJudge:
    return ScriptedJudge(script, name, f"scripted:{name}")


def detail(image: Image.Image, question: Question) -> float:
    """Yes wherever there is something to see, whatever is asked."""
    return 0.9 if np.asarray(image).std(axis=(0, 1)).max() > 6 else 0.1


ALWAYS = judge(lambda image, question: 0.8, "always")
NEVER = judge(lambda image, question: 0.1, "never")
DETAIL = judge(detail, "detail")


def shares(findings: Any) -> dict[str, float | None]:
    return {one.name: one.yes.share for one in findings.controls}


def test_a_judge_that_always_says_yes_is_not_to_be_trusted(tmp_path: Path) -> None:
    found = check_judge(ALWAYS, out=tmp_path / "check", options=FEW).judges[0]
    assert found.trust == "none"
    assert any("which says yes to everything" in detail for detail in found.details)
    assert set(shares(found).values()) == {1.0}
    assert [rate.n for rate in found.controls[0].grades] == [5] * 5
    assert found.controls[0].present.count == 5
    assert len(found.controls[0].worst) == 5


def test_a_judge_that_always_says_no_passes_every_control_and_fails_on_what_readers_see(tmp_path: Path) -> None:
    found = check_judge(NEVER, out=tmp_path / "check", options=FEW).judges[0]
    assert found.generated is not None
    plain = found.generated.total.false_no.n
    assert (found.trust, found.generated.total.false_no.share) == ("none", 1.0)
    assert found.verdict.startswith(f"On pictures that models drew, never says no to {plain} of {plain}")
    assert any("rarely says yes" in detail for detail in found.details)
    assert set(shares(found).values()) == {0.0}
    assert found.calibrations[0].sensitivity.count == 0


def test_a_judge_that_answers_by_detail_alone_is_found_out_by_noise_and_not_by_blanks(tmp_path: Path) -> None:
    found = check_judge(DETAIL, out=tmp_path / "check", options=FEW).judges[0]
    assert (shares(found)["blank"], shares(found)["noise"], shares(found)["another prompt"]) == (0.0, 1.0, 1.0)
    assert found.trust == "none"
    assert found.details[2].startswith("Do not trust detail: it says yes to 25 of 25 (")


@pytest.fixture(scope="module")
def labelled() -> dict[bytes, LabelledPicture]:
    """The labelled pictures, by their pixels."""
    folder = bundled_labels()
    pictures = read_labelled(folder)
    images = read_images(folder, pictures)
    return {image.tobytes(): picture for picture, image in zip(pictures, images, strict=True)}


def of_readers(labelled: dict[bytes, LabelledPicture]) -> Script:
    """Answers as readers do, in doubt where they are, and no about all other images."""
    p_yes = {"plain": 0.97, "doubtful": 0.5, "absent": 0.02}

    def script(image: Image.Image, question: Question) -> float:
        picture = labelled.get(image.tobytes())
        return 0.02 if picture is None else p_yes[picture.label(question.concept)]

    return script


def test_a_judge_that_says_what_readers_say_is_trusted(labelled: dict[bytes, LabelledPicture], tmp_path: Path) -> None:
    options = JudgeCheckOptions(each=20, limit=40)
    result = check_judge(judge(of_readers(labelled), "knowing"), out=tmp_path / "known", options=options)
    (found,) = result.judges
    generated = found.generated
    assert generated is not None and result.readers is not None
    assert (found.trust, generated.missed, generated.wrong) == ("good", (), ())
    assert found.verdict.startswith("On pictures that models drew, knowing says no to 0 of")
    assert generated.total.agreed.share == 1.0
    assert generated.total.false_no.n + generated.total.false_yes.n + generated.total.doubtful.n == 40 * 14
    assert [row.answers.share for row in generated.answers] == [0.0, 1.0, 0.0]
    calibration = found.calibrations[0]
    assert (calibration.balanced_accuracy, calibration.area) == (1.0, 1.0)
    assert calibration.error == pytest.approx(0.02, abs=0.01)


def test_a_judge_that_believes_the_prompt_overlooks_every_concept_that_is_lost(
    labelled: dict[bytes, LabelledPicture], tmp_path: Path
) -> None:
    def believing(image: Image.Image, question: Question) -> float:
        picture = labelled.get(image.tobytes())
        return 0.9 if picture is not None and question.concept in picture.concepts else 0.1

    options = JudgeCheckOptions(each=4, limit=60, half="dev")
    result = check_judge(judge(believing, "believing"), out=tmp_path / "check", options=options)
    found = result.judges[0].generated
    assert found is not None and found.named.false_yes.n > 0
    assert (found.named.false_yes.share, found.others.false_yes.share, found.named.false_no.share) == (1.0, 0.0, 0.0)
    assert result.judges[0].trust == "none"
    assert "false yes, of concepts that the prompt names" in {criterion.name for criterion in found.missed}
    lost = [wrong for wrong in found.wrong if wrong.label == "absent"]
    assert len(lost) == found.named.false_yes.count
    for wrong in lost:
        assert wrong.concept in wrong.prompt and wrong.yes == (True,) * 5 and wrong.p_yes == (0.9,) * 5
    for rows in (found.scenes, found.makers, found.concepts):
        assert sum(row.false_yes.n for row in rows) == found.total.false_yes.n
        assert sum(row.false_no.count for row in rows) == found.total.false_no.count
    page = write_judge_check(result, tmp_path / "check")[0].read_text(encoding="utf-8")
    assert "Pictures on which it is wrong" in page and f"picture {lost[0].number}" in page


def test_a_judge_that_was_not_made_for_them_is_asked_about_few_of_them(tmp_path: Path) -> None:
    class Taught(ScriptedJudge):
        world = "miniature"

    few = check_judge(NEVER, out=tmp_path / "few", options=JudgeCheckOptions(each=1, half="dev"))
    every = check_judge(Taught(detail, "taught"), out=tmp_path / "all", options=JudgeCheckOptions(each=1, half="dev"))
    assert (few.images, every.images) == (24, len(labelled_pictures("dev", None, 0)))


def test_halves_have_no_picture_in_common_and_both_have_all(tmp_path: Path) -> None:
    halves = [{picture.number for picture in labelled_pictures(half, None, 0)} for half in get_args(Halves)]
    assert halves[0].isdisjoint(halves[1]) and halves[0] | halves[1] == halves[2]
    first = check_judge(NEVER, out=tmp_path / "check", options=FEW)
    assert first.settings["half"] == "kept"
    with pytest.raises(RunError, match="holds a check on other images"):
        check_judge(NEVER, out=tmp_path / "check", options=JudgeCheckOptions(each=5, limit=8, half="dev"))


def test_nothing_is_asked_twice_and_another_judge_is_asked_everything(tmp_path: Path) -> None:
    asked: list[int] = []

    class Counting(ScriptedJudge):
        def answer(self, images: Sequence[Any], questions: Sequence[Sequence[Question]]) -> list[tuple[Answer, ...]]:
            asked.append(sum(map(len, questions)))
            return super().answer(images, questions)

    first = check_judge(Counting(detail), out=tmp_path / "check", options=FEW)
    total = sum(asked)
    asked.clear()
    again = check_judge(Counting(detail), out=tmp_path / "check", options=FEW)
    assert (asked, printed(again)) == ([], printed(first))
    other = Counting(detail, "other", "other")
    with pytest.raises(RunError, match=r"holds a check of the judge 'scripted', not of 'other'; give another --out"):
        check_judge(other, out=tmp_path / "check", options=FEW)
    assert asked == []
    check_judge(other, out=tmp_path / "second", options=FEW)
    assert sum(asked) == total


def test_by_default_another_judges_check_is_named_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first = check_judge(DETAIL, options=FEW)
    second = check_judge(NEVER, options=FEW)
    assert first.run == "runs/judge-check"
    assert second.run.startswith("runs/judge-check-")
    assert (
        f"holds a check of the judge 'detail', not of 'never'; this run goes to {second.run}" in capsys.readouterr().err
    )
    assert check_judge(DETAIL, against=NEVER, options=FEW).run == first.run
    assert check_judge(NEVER, options=FEW).run == second.run


def test_what_is_left_unanswered_is_counted_named_and_asked_again(tmp_path: Path) -> None:
    silent = ScriptedJudge(lambda image, question: None if question.grade == 3 else 0.9)
    found = check_judge(silent, out=tmp_path / "check", options=FEW)
    assert found.unanswered == 8 * 14 + sum(one.images for one in found.judges[0].controls)
    generated = found.judges[0].generated
    assert generated is not None and generated.total.unanswered == 8 * 14
    assert found.judges[0].problem == "the judge gave no answer"
    assert [rate.n for rate in found.judges[0].controls[0].grades] == [5, 5, 0, 5, 5]
    assert found.judges[0].controls[0].present.n == 0
    assert check_judge(ScriptedJudge(lambda image, question: 0.9), out=tmp_path / "check", options=FEW).unanswered == 0


def test_a_question_about_what_the_prompt_does_not_name_counts_as_unanswered(
    labelled: dict[bytes, LabelledPicture], tmp_path: Path
) -> None:
    def script(image: Image.Image, question: Question) -> float | None:
        picture = labelled.get(image.tobytes())
        return None if picture is not None and question.concept not in picture.concepts else 0.1

    found = check_judge(judge(script, "taciturn"), out=tmp_path / "check", options=FEW)
    (silent,) = found.judges
    assert silent.generated is not None and silent.generated.others.unanswered > 0
    assert (silent.own.unanswered, found.complete, silent.problem) == (0, False, "the judge gave no answer")
    others = {one.name: one.unanswered for one in silent.controls if one.unanswered}
    assert silent.unanswered == 5 * silent.generated.others.unanswered + sum(others.values())


@pytest.mark.parametrize("half", get_args(Halves))
def test_the_note_says_which_half_tests_the_bundled_judge(half: Halves, tmp_path: Path) -> None:
    result = check_judge(NEVER, out=tmp_path / "check", options=JudgeCheckOptions(each=1, limit=2, half=half))
    (note,) = (line for line in result.notes if line.startswith("the images are"))
    assert ("only --half kept tests it" in note) == (half != "kept")
    assert ("do not choose settings by this half" in note) == (half == "kept")


def test_a_judge_that_answers_nothing_gets_no_verdict(tmp_path: Path) -> None:
    mute = judge(lambda image, question: None, "mute")
    found = check_judge(mute, against=DETAIL, out=tmp_path / "check", options=FEW)
    assert (found.judges[0].trust, found.judges[0].calibrations) == ("unknown", ())
    assert found.agreement is not None and "their agreement is unknown" in found.agreement.sentence
    write_judge_check(found, tmp_path / "check")


def test_two_judges_are_compared_by_kind_grade_and_image(tmp_path: Path) -> None:
    strict = judge(lambda image, question: 0.9 if question.grade < 4 else 0.2, "strict")
    lenient = judge(lambda image, question: 0.4 if question.concept == "mug" else 0.9, "lenient")
    found = check_judge(strict, against=lenient, out=tmp_path / "check", options=FEW)
    agreement = found.agreement
    assert agreement is not None
    total = agreement.total
    mugs = sum(1 for one in agreement.disagreements for d in one.differences if "mug" in d.question)
    assert total.only_first == mugs > 0
    assert total.both_yes == 3 * (total.n // 5) - total.only_first
    assert agreement.total.interval is not None and agreement.total.kappa is not None
    assert agreement.total.interval[0] <= agreement.total.kappa <= agreement.total.interval[1]
    assert [row.name for row in agreement.kinds] == ["landmark", "character", "object"][-len(agreement.kinds) :]
    assert sum(row.n for row in agreement.kinds) == sum(row.n for row in agreement.grades) == total.n
    assert all(row.kappa is None or row.kappa == 0 for row in agreement.grades)
    counts = [len(one.differences) for one in agreement.disagreements]
    assert counts == sorted(counts, reverse=True)
    assert agreement.disagreements[0].differences[0].p_first in (0.9, 0.2)


def test_two_judges_that_always_say_yes_have_no_kappa_and_are_told_why(tmp_path: Path) -> None:
    found = check_judge(ALWAYS, against=judge(lambda image, question: 0.7, "too"), out=tmp_path / "check", options=FEW)
    agreement = found.agreement
    assert agreement is not None and agreement.total.kappa is None and agreement.total.interval is None
    assert "both always say yes, so κ" in agreement.sentence
    page = write_judge_check(found, tmp_path / "check")[0].read_text(encoding="utf-8")
    assert "undefined: both always say yes" in page
    mixed = judge(lambda image, question: 0.9 if question.grade < 4 else 0.2, "mixed")
    one = check_judge(ALWAYS, against=mixed, out=tmp_path / "mixed", options=FEW).agreement
    assert one is not None and "κ is 0 whatever the other says" in one.sentence


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four renders of a mug and four of a lamp, as a folder of images made elsewhere."""
    for name in ("mug", "lamp"):
        place = tmp_path / "pictures" / name
        place.mkdir(parents=True)
        for seed in range(4):
            picture = render(single_scene(name, 1.0, np.random.default_rng(seed)))
            Image.fromarray(picture.pixels).save(place / f"{seed}.png")
    return tmp_path / "pictures"


SUITE = Suite("two", tuple(Prompt(name, f"a {name}", (Concept(name),)) for name in ("mug", "lamp")))


def write_labels(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def of_image(image: Image.Image, question: Question) -> float:
    """P(yes) from the picture: the mean of its red channel, so that images differ."""
    return float(np.asarray(image)[..., 0].mean()) / 255


def test_labels_a_concept_are_held_against_the_majority_and_the_mean(pictures: Path, tmp_path: Path) -> None:
    rows = [
        {"prompt_id": name, "image": f"{seed}.png", "concept": name, "present": "yes" if seed else "no"}
        for name in ("mug", "lamp")
        for seed in range(4)
    ]
    options = JudgeCheckOptions(each=4, limit=8, labels=write_labels(tmp_path / "labels.csv", rows))
    found = check_judge(judge(of_image, "red"), [pictures], suite=SUITE, out=tmp_path / "check", options=options)
    (calibration,) = found.judges[0].calibrations
    assert (calibration.level, calibration.labels, calibration.images) == ("concept", 8, 8)
    assert (calibration.sensitivity.n, calibration.specificity.n) == (6, 2)
    means = {
        (name, seed): of_image(Image.open(pictures / name / f"{seed}.png"), Question(name, "", 1))
        for name in ("mug", "lamp")
        for seed in range(4)
    }
    assert calibration.sensitivity.count == sum(p >= 0.5 for (_, seed), p in means.items() if seed)
    assert calibration.brier == pytest.approx(np.mean([(p - bool(seed)) ** 2 for (_, seed), p in means.items()]))
    assert found.suite == "two" and found.images == 8


def test_labels_a_question_are_held_against_that_question_alone(pictures: Path, tmp_path: Path) -> None:
    rows = [
        {
            "prompt_id": "mug",
            "image": f"{seed}.png",
            "concept": "mug",
            "grade": grade,
            "answer": "yes" if grade < 3 else "no",
        }
        for seed in range(2)
        for grade in (1, 2, 5)
    ]
    options = JudgeCheckOptions(each=4, limit=8, labels=write_labels(tmp_path / "labels.csv", rows))
    strict = judge(lambda image, question: 0.9 if question.grade < 2 else 0.3, "strict")
    found = check_judge(strict, [pictures], suite=SUITE, out=tmp_path / "check", options=options)
    (calibration,) = found.judges[0].calibrations
    assert (calibration.level, calibration.labels, calibration.images) == ("question", 6, 2)
    assert (calibration.sensitivity.count, calibration.sensitivity.n) == (2, 4)
    assert calibration.specificity.share == 1.0


def test_a_judge_without_probabilities_has_no_calibration_but_its_hits_are_counted(
    pictures: Path, tmp_path: Path
) -> None:
    class Plain(ScriptedJudge):
        def answer(self, images: Sequence[Any], questions: Sequence[Sequence[Question]]) -> list[tuple[Answer, ...]]:
            return [tuple(Answer(question, True) for question in asked) for asked in questions]

    found = check_judge(Plain(detail), out=tmp_path / "check", options=FEW)
    calibration = found.judges[0].calibrations[0]
    assert (calibration.bins, calibration.error, calibration.brier, calibration.threshold) == (None,) * 4
    assert calibration.sensitivity.share == 1.0
    page = write_judge_check(found, tmp_path / "check")[0].read_text(encoding="utf-8")
    assert "calibration was not measured" in page and "reliability" not in page.partition("</style>")[2]


def test_an_image_that_cannot_be_read_leaves_the_rest_unharmed(pictures: Path, tmp_path: Path) -> None:
    (pictures / "mug" / "0.png").write_bytes(b"no image")
    found = check_judge(DETAIL, [pictures], suite=SUITE, out=tmp_path / "check", options=FEW)
    assert found.unanswered > 0
    assert "is not an image" in (found.judges[0].problem or "")
    assert found.judges[0].own.yes.n == 5 * 7


def test_without_renders_nothing_is_said_to_be_known(pictures: Path, tmp_path: Path) -> None:
    found = check_judge(DETAIL, [pictures], suite=SUITE, out=tmp_path / "check", options=FEW)
    assert found.judges[0].calibrations == ()
    assert printed(found)["judges"][0]["calibration"] == []


def test_the_page_and_the_document_hold_the_findings(tmp_path: Path) -> None:
    found = check_judge(ALWAYS, against=DETAIL, out=tmp_path / "check", options=FEW)
    page, document = write_judge_check(found, tmp_path / "check")
    text = page.read_text(encoding="utf-8")
    assert found.judges[0].verdict in text and found.judges[1].verdict in text
    assert "http" not in text.replace("http-equiv", "")
    read = json.loads(document.read_text(encoding="utf-8"))
    assert read["verdict"] == found.judges[0].verdict
    assert read["judges"][0]["controls"][0]["yes"] == {
        "count": 25,
        "n": 25,
        "share": 1.0,
        "interval": [0.8668, 1.0],
    } | {"interval": read["judges"][0]["controls"][0]["yes"]["interval"]}
    assert read["agreement"]["total"]["questions"] == found.judges[0].own.yes.n


HOSTILE = '<script>alert("x")</script>'


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    found = check_judge(judge(detail, HOSTILE), out=tmp_path / "check", options=FEW)
    assert HOSTILE not in write_judge_check(found, tmp_path / "check")[0].read_text(encoding="utf-8")


def test_what_cannot_be_checked_is_refused_in_one_line_and_nothing_is_written(pictures: Path, tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "labels.csv", [{"prompt_id": "mug", "image": "0.png", "concept": "mug"}])
    foreign = write_labels(
        tmp_path / "foreign.csv", [{"prompt_id": "mug", "image": "9.png", "concept": "mug", "present": 1}]
    )
    unsure = write_labels(
        tmp_path / "unsure.csv", [{"prompt_id": "mug", "image": "0.png", "concept": "mug", "present": "unsure"}]
    )
    abroad = Suite("abroad", (Prompt("eiffel", "the eiffel tower", (Concept("eiffel tower", "landmark"),)),))
    cases: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (InputError, "given twice in the mode 'fast'", {"judge": "miniature", "against": "miniature"}),
        (
            InputError,
            "are the same judge",
            {"judge": DETAIL, "against": ScriptedJudge(detail, "twin", DETAIL.identity)},
        ),
        (ModelError, "no judge 'nobody'", {"judge": "nobody"}),
        (InputError, "there is a --suite but no images", {"suite": abroad}),
        (InputError, "no image folder", {"images": [tmp_path / "nowhere"]}),
        (InputError, "holds no image of any prompt", {"images": [pictures], "suite": abroad}),
        (InputError, "there is a --labels but no images", {"options": JudgeCheckOptions(labels=labels)}),
        (
            ModelError,
            "no column present or answer or p_yes",
            {"images": [pictures], "options": JudgeCheckOptions(labels=labels)},
        ),
        (ModelError, "has no image '9.png'", {"images": [pictures], "options": JudgeCheckOptions(labels=foreign)}),
        (InputError, "has no yes or no", {"images": [pictures], "options": JudgeCheckOptions(labels=unsure)}),
        (InputError, "does not look at images", {"judge": f"answers:{foreign}"}),
    ]
    for kind, message, arguments in cases:
        own = {"suite": SUITE} if "images" in arguments else {}
        given: dict[str, Any] = {"judge": DETAIL, **own, "out": tmp_path / "check", **arguments}
        with pytest.raises(kind, match=message) as refused:
            check_judge(**given)
        assert "\n" not in str(refused.value)
        assert not (tmp_path / "check").exists(), message
    for name, value in (("each", 0), ("limit", 0), ("seed", -1)):
        with pytest.raises(InputError, match=f"{name} is {value}"):
            JudgeCheckOptions(**{name: value})


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(RunError, match="not a run folder"):
        check_judge(DETAIL, out=tmp_path / "full", options=FEW)
    check_judge(DETAIL, out=tmp_path / "check", options=FEW)
    with Ledger(tmp_path / "check" / "run.sqlite") as ledger:
        plan = ledger.get("plan")
        assert isinstance(plan, dict)
        ledger.put("plan", plan | {"origin": "audit"})
    with pytest.raises(RunError, match="holds a run, not a judge check"):
        check_judge(DETAIL, out=tmp_path / "check", options=FEW)


def test_a_check_is_no_source_of_images(tmp_path: Path) -> None:
    check_judge(DETAIL, out=tmp_path / "check", options=FEW)
    with pytest.raises(RunError, match="holds a judge check"):
        check_judge(DETAIL, [tmp_path / "check"], out=tmp_path / "other", options=FEW)

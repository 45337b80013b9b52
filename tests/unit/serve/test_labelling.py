"""Labels: kept as a file that the answers judge reads, each reader apart, compared with readers and judge."""

import csv
import io
from pathlib import Path

import pytest
from made_runs import CASTLE, make_run
from starlette.testclient import TestClient

from dominance.errors import InputError
from dominance.judges.answers.judge import load_answers_judge
from dominance.judges.protocol import ImageName
from dominance.records import Concept, Prompt
from dominance.serve.labelling import LABELS_NAME, RunLabels
from dominance.serve.runs import shown_images

CHAIR = CASTLE.concepts[1]
ADA = [("plain", "absent"), ("plain", "plain"), ("absent", "absent"), ("doubtful", "plain")]
BOB = [("plain", "absent"), ("plain", "doubtful"), ("absent", "absent"), ("doubtful", "plain")]


@pytest.fixture
def labels(root: Path) -> RunLabels:
    return RunLabels(make_run(root, "castles"))


def give(labels: RunLabels, reader: str, said: list[tuple[str, str]]) -> None:
    for image, (castle, chair) in enumerate(said):
        labels.save(reader, image, {"castle": castle, "chair": chair})


def test_labels_are_a_file_of_answers(labels: RunLabels) -> None:
    give(labels, "Ada", ADA)
    judge = load_answers_judge("answers:x", str(labels.file))
    asked = [judge.ask(concept) or () for concept in (Concept("castle", "landmark"), Concept("chair"))]
    (question,), (other,) = asked
    names = [ImageName("castle", shown.name, shown.file) for shown in labels.images]
    judge.check_images(names, [question, other])
    answers = judge.answer_named([(name,) for name in names], [[question]] * 4)
    assert [answer.yes for (answer,) in answers] == [True, True, False, None]


@pytest.mark.parametrize("name", ["=1+1", "-mug", "@mug", "'=1+1", "+mug"])
def test_a_concept_that_a_spreadsheet_would_run_is_text_there_and_itself_for_judges(
    root: Path, client: TestClient, name: str
) -> None:
    labels = RunLabels(make_run(root, "castles", prompt=Prompt("p", f"a {name} and a chair", (Concept(name), CHAIR))))
    labels.save("Ada", 0, {name: "plain", "chair": "absent"})
    assert labels.said("Ada", labels.images[0]) == {name: "plain", "chair": "absent"}
    for text in (labels.file.read_text(), client.get("/runs/castles/files/labels.csv").text):
        cells = [row[2] for row in csv.reader(io.StringIO(text))]
        assert f"'{name}" in cells
        assert name not in cells
    judge = load_answers_judge("answers:x", str(labels.file))
    (question,) = judge.ask(Concept(name)) or ()
    ((answer,),) = judge.answer_named([(ImageName("p", labels.images[0].name, labels.images[0].file),)], [[question]])
    assert answer.yes is True


def test_agreement_between_readers_and_with_the_judge(labels: RunLabels) -> None:
    give(labels, "Ada", ADA)
    give(labels, "Bob", BOB)
    readers, ada, bob = labels.agreement()
    assert (readers.first, readers.second, readers.same, readers.n) == ("Ada", "Bob", 7, 8)
    assert readers.kappa == pytest.approx((7 / 8 - 23 / 64) / (1 - 23 / 64))
    assert (ada.second, ada.same, ada.n, ada.kappa) == ("the judge", 6, 6, 1.0)
    assert (bob.same, bob.n) == (5, 5)


def test_each_reader_has_an_order_and_labels_of_its_own(labels: RunLabels) -> None:
    assert sorted(labels.order("Ada")) == sorted(labels.order("Bob")) == [0, 1, 2, 3]
    assert labels.order("Ada") == labels.order("Ada")
    first = labels.order("Ada")[0]
    labels.save("Ada", first, {"castle": "plain", "chair": "absent"})
    assert labels.next_for("Ada") == 1
    assert labels.next_for("Bob") == 0
    labels.save("Ada", first, {"castle": "absent", "chair": "absent"})
    assert labels.said("Ada", labels.images[first]) == {"castle": "absent", "chair": "absent"}
    assert labels.readers() == {"Ada": 1}


@pytest.mark.parametrize("reader", ["", " ", "=cmd()", "+1", "@x", "-x", "a" * 41, "a\nb", "a,b", '"x'])
def test_a_name_that_a_spreadsheet_would_run_is_refused(labels: RunLabels, reader: str) -> None:
    with pytest.raises(InputError, match="reader's name"):
        labels.save(reader, 0, {"castle": "plain", "chair": "plain"})


def test_half_a_label_is_not_kept(labels: RunLabels) -> None:
    for seen in ({"castle": "plain"}, {"castle": "plain", "chair": "perhaps"}, {}):
        with pytest.raises(InputError, match="say of"):
            labels.save("Ada", 0, seen)
    with pytest.raises(InputError, match="no image 9"):
        labels.save("Ada", 9, {"castle": "plain", "chair": "plain"})
    assert not labels.file.exists()


def test_the_page_saves_and_shows_what_comes_next(client: TestClient, form_key: str, root: Path) -> None:
    make_run(root, "castles")
    assert "Who labels" in client.get("/runs/castles/label").text
    page = client.get("/runs/castles/label?reader=Ada").text
    assert "0 of 4 labelled by Ada" in page
    assert 'class="badge' not in page  # blind to the judge
    mark = shown_images(root / "castles")[0].mark
    form = {"form_key": form_key, "reader": "Ada", "number": "0", "place": "0", "image": mark}
    answer = client.post("/runs/castles/label", data={**form, "seen-castle": "plain", "seen-chair": "absent"})
    assert "1 of 4 labelled by Ada" in answer.text
    assert client.post("/runs/castles/label", data={**form, "seen-castle": "plain"}).status_code == 422
    assert client.post("/runs/castles/label", data={**form, "number": "x"}).status_code == 422
    assert (root / "castles" / LABELS_NAME).read_text().count("\n") == 3
    assert '"castle","0-item0.png","castle","yes","Ada","plain"' in client.get("/runs/castles/files/labels.csv").text
    assert "Ada and the judge" in client.get("/runs/castles/agreement").text
    assert client.get("/runs/castles/label?reader==cmd").status_code == 422


def test_a_label_is_of_the_image_that_was_seen(client: TestClient, form_key: str, root: Path) -> None:
    make_run(root, "castles")
    form = {"form_key": form_key, "reader": "Ada", "number": "0", "place": "0", "image": "castle/1-item1.png"}
    answer = client.post("/runs/castles/label", data={**form, "seen-castle": "plain", "seen-chair": "absent"})
    assert answer.status_code == 409
    assert not (root / "castles" / LABELS_NAME).exists()

"""Labels from a file: read per concept or per question, counted by majority, refused by line where they are wrong."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import ModelError
from dominance.judges.answers.judge import AnswersJudge, load_answers_judge
from dominance.judges.protocol import AsksItself, DescribedJudge, ImageName, Judge, NamedJudge, PacedJudge
from dominance.records import Answer, Concept, Question
from golden import Golden, one_a_case

TOWER, MUG = Concept("tower", "landmark"), Concept("mug")
FIRST, SECOND = ImageName("pair", "0", "images/pair/0-abcd.png"), ImageName("pair", "1", "images/pair/1-cdef.png")
ASKED = tuple(Question("mug", f"Is there a mug, {how}?", grade) for grade, how in enumerate(("at all", "whole"), 1))
PRESENCE = Question("mug", "Is mug present, by its label?", 1)

Load = Callable[..., AnswersJudge]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str | bytes, name: str = "labels.csv") -> AnswersJudge:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_answers_judge(f"answers:{path}", str(path))

    return load


def told(judge: AnswersJudge, question: Question, *names: ImageName) -> Answer:
    ((answer,),) = judge.answer_named([names or (FIRST,)], [(question,)])
    return answer


def test_a_label_a_concept_asks_one_question_and_answers_it(load: Load) -> None:
    judge = load("prompt_id,image,concept,present\npair,0,Mug,yes\npair,0,tower,no\npair,1,mug,0\n")
    assert judge.ask(MUG) == (PRESENCE,)
    assert told(judge, PRESENCE) == Answer(PRESENCE, True)
    assert told(judge, Question("tower", "?", 1)).yes is False
    assert told(judge, PRESENCE, SECOND).yes is False
    judge.check([PRESENCE])


def test_answers_by_question_or_by_grade_leave_the_questions_as_they_are(load: Load) -> None:
    by_text = load('prompt_id,image,question,p_yes\npair,0,"is there a mug,  WHOLE?",0.25\n')
    by_grade = load("prompt_id,image,concept,grade,answer\npair,0,mug,2,0.25\n")
    for judge in (by_text, by_grade):
        assert judge.ask(MUG) is None
        assert told(judge, ASKED[1]) == Answer(ASKED[1], False, 0.25)
        assert told(judge, ASKED[0]).yes is None


def test_json_lines_say_the_same_as_csv(load: Load) -> None:
    rows = [
        {"prompt_id": "pair", "image": 0, "concept": "mug", "present": True},
        {"prompt_id": "pair", "image": "1", "concept": "mug", "present": 0},
        {"prompt_id": "pair", "image": "2", "concept": "mug", "present": None, "comment": ["blurred"]},
    ]
    judge = load("\n\n".join(map(json.dumps, rows)), "labels.jsonl")
    assert (told(judge, PRESENCE).yes, told(judge, PRESENCE, SECOND).yes) == (True, False)


@pytest.mark.parametrize("text", ["yes", "Y", "TRUE", "1", "present", " 1.0 "])
def test_a_yes_in_many_words(load: Load, text: str) -> None:
    assert told(load(f"prompt_id,image,concept,present\npair,0,mug,{text}\n"), PRESENCE) == Answer(PRESENCE, True)


@pytest.mark.parametrize(("text", "yes"), [("0.5", True), ("0.4999", False), ("1e-3", False), (".75", True)])
def test_a_probability_counts_as_yes_from_one_half_on(load: Load, text: str, yes: bool) -> None:
    answer = told(load(f"prompt_id,image,concept,present\npair,0,mug,{text}\n"), PRESENCE)
    assert (answer.yes, answer.p_yes) == (yes, float(text))


def test_one_in_a_column_of_probabilities_is_a_probability(load: Load) -> None:
    assert told(load("prompt_id,image,concept,p_yes\npair,0,mug,1\n"), PRESENCE) == Answer(PRESENCE, True, 1.0)


def test_spreadsheets_write_marks_semicolons_and_line_ends_of_their_own(load: Load) -> None:
    judge = load(b"\xef\xbb\xbfPrompt_ID; Image ;concept;present\r\npair;0;mug;yes\r\n;;;\r\n")
    assert told(judge, PRESENCE).yes is True


def test_an_image_is_known_by_its_name_or_its_file_s_and_in_every_prompt_that_shares_it(load: Load) -> None:
    judge = load("prompt_id,image,concept,present\npair,0-abcd.png,mug,yes\ntwin,7,mug,yes\n")
    assert told(judge, PRESENCE).yes is True
    assert told(judge, PRESENCE, ImageName("alone", "3", "x.png"), ImageName("twin", "7", "x.png")).yes is True


def test_accents_taken_apart_are_the_same_letters(load: Load) -> None:
    apart, whole = (unicodedata.normalize(form, "café") for form in ("NFD", "NFC"))
    for written, known in ((apart, whole), (whole, apart)):
        judge = load(f"prompt_id,image,concept,present\n{written},{written}.png,{written},yes\n")
        name = ImageName(known, f"{known}.png", f"/pictures/{known}.png")
        asked = judge.ask(Concept(known)) or ()
        judge.check(asked)
        judge.check_images([name], asked)
        assert told(judge, asked[0], name).yes is True


def votes(*given: str) -> str:
    rows = "".join(f"pair,0,mug,{value},{number}\n" for number, value in enumerate(given))
    return f"prompt_id,image,concept,present,labeller\n{rows}"


@pytest.mark.parametrize(
    ("given", "yes", "p_yes"),
    [
        (("yes", "yes", "no"), True, 2 / 3),
        (("no", "unsure", "no"), False, 0.0),
        (("yes", "", "?"), True, None),
        (("0.9", "0.6", "0.1"), True, 1.6 / 3),
        (("yes", "0.2", "no"), False, 0.2),
    ],
)
def test_the_majority_of_labellers_counts(load: Load, given: tuple[str, ...], yes: bool, p_yes: float | None) -> None:
    answer = told(load(votes(*given)), PRESENCE)
    assert answer.yes is yes
    assert answer.p_yes == (p_yes if p_yes is None else pytest.approx(p_yes))


def test_a_tie_and_an_unsure_label_are_unscored_and_name_their_lines(load: Load) -> None:
    tie = told(load(votes("yes", "no")), PRESENCE)
    assert (tie.yes, tie.problem) == (None, "1 of 2 labels say yes about 'mug': a tie (lines 2, 3)")
    unsure = told(load(votes("unsure")), PRESENCE)
    assert (unsure.yes, "'unsure' (line 2)" in (unsure.problem or "")) == (None, True)


def test_agreement_is_over_pairs_of_votes(load: Load) -> None:
    judge = load(votes("yes", "yes", "no") + "pair,1,mug,no,0\npair,1,mug,no,1\n")
    assert judge.describe() == {"answers": 2, "about": "concept", "labellers": 3, "agreement": 0.5}
    assert load(votes("yes")).describe()["agreement"] is None


def test_a_missing_label_is_unscored_and_named(load: Load) -> None:
    judge = load("prompt_id,image,concept,present\npair,0,tower,yes\n")
    assert told(judge, PRESENCE, SECOND) == Answer(
        PRESENCE, None, None, "labels.csv says nothing about 'mug' in image '1' of prompt 'pair'"
    )


def test_the_identity_is_of_the_content(load: Load) -> None:
    first = load(votes("yes"))
    assert first.identity == load(votes("yes"), "moved.csv").identity
    assert first.identity != load(votes("no")).identity


def test_it_is_a_judge_that_knows_names_and_no_pixels(load: Load) -> None:
    judge: Judge = load(votes("yes"))
    assert isinstance(judge, NamedJudge)
    assert isinstance(judge, AsksItself)
    assert isinstance(judge, DescribedJudge)
    assert not isinstance(judge, PacedJudge)
    with pytest.raises(ModelError, match="looks up answers by image name"):
        judge.answer([Image.new("RGB", (2, 2))], [(PRESENCE,)])


HEAD = "prompt_id,image,concept,present\n"
BAD: dict[str, tuple[str, str | bytes]] = {
    "nothing": ("a.csv", ""),
    "columns alone": ("a.csv", HEAD),
    "another ending": ("a.xlsx", HEAD),
    "not UTF-8": ("a.csv", HEAD.encode() + b"pair,0,caf\xe9,1\n"),
    "no prompt_id": ("a.csv", "prompt,image,concept,present\np,0,mug,1\n"),
    "no image": ("a.csv", "prompt_id,seed,concept,present\np,0,mug,1\n"),
    "no subject": ("a.csv", "prompt_id,image,present\np,0,1\n"),
    "no value": ("a.csv", "prompt_id,image,concept\np,0,mug\n"),
    "two values": ("a.csv", "prompt_id,image,concept,present,p_yes\np,0,mug,1,1\n"),
    "a column twice": ("a.csv", "prompt_id,image,concept,present,present\np,0,mug,1,1\n"),
    "too few fields": ("a.csv", HEAD + "p,0,mug\n"),
    "an open quote": ("a.csv", HEAD + 'p,0,mug,1\np,0,"mug,1\n'),
    "an empty field": ("a.csv", HEAD + "p,,mug,1\n"),
    "a word for a value": ("a.csv", HEAD + "p,0,mug,maybe\n"),
    "no probability": ("a.csv", HEAD + "p,0,mug,1.5\n"),
    "not a number": ("a.csv", HEAD.replace("present", "p_yes") + "p,0,mug,nan\n"),
    "yes for a probability": ("a.csv", HEAD.replace("present", "p_yes") + "p,0,mug,yes\n"),
    "a contradiction": ("a.csv", HEAD + "p,0,mug,1\np,0,Mug,no\n"),
    "a labeller's": (
        "a.csv",
        "prompt_id,image,concept,present,labeller\np,0,mug,1,ann\np,0,mug,0,bob\np,0,mug,0,ann\n",
    ),
    "a grade in words": ("a.csv", "prompt_id,image,concept,grade,answer\np,0,mug,first,1\n"),
    "broken JSON": ("a.jsonl", '{"prompt_id": \n'),
    "JSON without objects": ("a.jsonl", "\n[1]\n"),
    "JSON without a key": ("a.jsonl", '{"prompt_id": "p", "concept": "mug"}\n'),
    "a list for a value": ("a.jsonl", '{"prompt_id": "p", "image": "0", "concept": "mug", "present": ["yes"]}\n'),
    "a list for a name": ("a.jsonl", '{"prompt_id": ["p"], "image": 0, "concept": "m", "present": 1}\n'),
}


def test_what_is_refused_and_why(load: Load, tmp_path: Path, golden: Golden) -> None:
    messages = {}
    for name, (file, content) in BAD.items():
        with pytest.raises(ModelError) as refused:
            load(content, file)
        messages[name] = str(refused.value).replace(str(tmp_path), "FOLDER")
        assert messages[name].isprintable()
        assert len(str(refused.value)) < 500
    golden("judges/answers", one_a_case(messages))


@pytest.mark.parametrize("place", ["", ".", "missing.csv", "x" * 5000 + ".csv", "a\0b.csv"])
def test_what_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    for name in (place, "folder.csv"):
        with pytest.raises(ModelError) as refused:
            load_answers_judge(f"answers:{name}", name)
        assert len(str(refused.value)) < 400


def test_answers_about_what_there_is_not_are_refused_by_line(load: Load, golden: Golden) -> None:
    names = [FIRST, SECOND, ImageName("twin", "a/x.png", "/a/x.png"), ImageName("twin", "b/x.png", "/b/x.png")]
    load(f"{HEAD}pair,1-cdef.png,mug,1\ntwin,a/x.png,mug,0\n").check_images(names, [PRESENCE])
    messages = {}
    for line in ("pear,0,mug,1", "pair,9,mug,1", "pair,0,mgu,1", "twin,x.png,mug,1"):
        with pytest.raises(ModelError) as refused:
            load(f"{HEAD}pair,0,mug,1\n{line}\n").check_images(names, [PRESENCE])
        messages[line] = str(refused.value)
    golden("judges/answers-about-nothing", one_a_case(messages))


def test_a_grade_or_question_that_is_not_asked_is_refused_by_line(load: Load) -> None:
    with pytest.raises(ModelError, match="line 2: no concept 'mug' of grade 3"):
        load("prompt_id,image,concept,grade,answer\npair,0,mug,3,1\n").check_images([FIRST], ASKED)
    with pytest.raises(
        ModelError, match=r"line 2: no question 'is there a mug\?'; did you mean 'is there a mug, whole\?'"
    ):
        load("prompt_id,image,question,answer\npair,0,Is there a mug?,1\n").check_images([FIRST], ASKED)


def test_a_file_about_none_of_the_questions_is_refused_before_it_is_asked(load: Load) -> None:
    judge = load("prompt_id,image,question,answer\npair,0,Is there a lamp?,1\n")
    with pytest.raises(ModelError, match=r"answers none of the 2 questions: .* line 2 is about 'is there a lamp\?'"):
        judge.check(ASKED)

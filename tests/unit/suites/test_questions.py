"""Question sets: the project's own, and what a user's file must hold."""

import pytest

from dominance.errors import InputError
from dominance.records import KINDS, Concept, Question
from dominance.suites import QuestionSet, load_questions


def lines(**changed: str) -> str:
    listed = dict.fromkeys(KINDS, "['Is {concept} there?']") | changed
    return "".join(f"{kind}: {questions}\n" for kind, questions in listed.items())


@pytest.fixture
def refusal(tmp_path):
    def refuse(text: str) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            load_questions(path)
        assert str(caught.value).isprintable()
        return str(caught.value).removeprefix(f"{path}: ")

    return refuse


def test_the_own_set_asks_five_different_questions_of_every_kind_that_name_the_concept():
    questions = load_questions()
    assert (questions.name, len(questions.templates["object"])) == ("dominance-5", 5)
    for kind in KINDS:
        asked = questions.ask(Concept("old umbrella", kind))
        assert [question.grade for question in asked] == [1, 2, 3, 4, 5]
        assert len({question.text for question in asked}) == 5
        for question in asked:
            assert question.concept == "old umbrella"
            assert "old umbrella" in question.text
            assert question.text.endswith("?")
            assert not set("{}") & set(question.text)


def test_the_article_follows_the_concept():
    questions = QuestionSet("s", dict.fromkeys(KINDS, ("Is {a_concept} near {concept}?",)))
    assert questions.ask(Concept("umbrella")) == (Question("umbrella", "Is an umbrella near umbrella?", 1),)
    assert questions.ask(Concept("mug"))[0].text == "Is a mug near mug?"


def test_a_taught_token_is_asked_about_by_what_it_is_called(tmp_path, refusal):
    path = tmp_path / "mine.yaml"
    path.write_text("called: {SKS dog: old dog, zyphors: running shoes}")
    questions = load_questions(path)
    assert questions.name == "mine"
    assert questions.templates == load_questions().templates
    asked = questions.ask(Concept("sks Dog", "character"))
    assert {question.concept for question in asked} == {"sks Dog"}  # counted under the prompt's own name
    assert asked[0].text == "Is any part of the character old dog visible in this picture?"
    assert questions.ask(Concept("zyphors"))[0].text == "Is any part of running shoes visible in this picture?"
    assert questions.ask(Concept("mug")) == load_questions().ask(Concept("mug"))
    path.write_text(lines() + "called: {zyphor: shoe}")
    assert load_questions(path).ask(Concept("zyphor")) == (Question("zyphor", "Is shoe there?", 1),)
    assert refusal("called: []").startswith("called is []; give names")
    assert refusal("called: {zyphor: 3}") == "called has 'zyphor': 3; give two names, each on one line"
    assert refusal('called: {zyphor: ""}') == "called has 'zyphor': ''; give two names, each on one line"
    assert refusal("called: {zyphor: shoe, Zyphor: boot}") == "called names 'Zyphor' twice; keep one"


def test_a_plural_changes_the_verb_beside_it_and_the_pronoun():
    templates = (
        "Is {a_concept} shown whole?",
        "Is there {a_concept}, and is {a_concept} near?",
        "Can {a_concept} be told by its shape?",
        "{a_concept} has a colour, does it not?",
        "Is any part of {a_concept} there?",
    )
    questions = QuestionSet("s", dict.fromkeys(KINDS, templates))
    assert [question.text for question in questions.ask(Concept("the scissors"))] == [
        "Are scissors shown whole?",
        "Are there scissors, and are scissors near?",
        "Can scissors be told by their shape?",
        "scissors have a colour, does it not?",
        "Is any part of scissors there?",
    ]
    assert questions.ask(Concept("sushi"))[0].text == "Is sushi shown whole?"


def test_a_name_keeps_its_article_only_where_none_stands_before_it():
    questions = load_questions()
    bare, with_article = (questions.ask(Concept(name, "landmark")) for name in ("Eiffel Tower", "the Eiffel Tower"))
    assert [question.text for question in bare] == [question.text for question in with_article]
    assert {question.concept for question in with_article} == {"the Eiffel Tower"}
    assert "those of the Old Masters?" in questions.ask(Concept("the Old Masters", "artist"))[1].text


def test_a_name_in_braces_is_filled_in_once():
    questions = QuestionSet("s", dict.fromkeys(KINDS, ("Is {concept} {a_concept}?",)))
    assert questions.ask(Concept("{a_concept}"))[0].text == "Is {a_concept} an {a_concept}?"
    assert questions.ask(Concept("{concept}"))[0].text == "Is {concept} a {concept}?"


def test_each_kind_is_asked_its_own_questions(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(lines(artist="['Style of {concept}?']"))
    questions = load_questions(path)
    assert (questions.name, len(questions.templates["object"])) == ("mine", 1)
    assert questions.ask(Concept("monet", "artist"))[0].text == "Style of monet?"
    assert questions.ask(Concept("tower", "landmark"))[0].text == "Is tower there?"


def test_a_concept_that_looks_like_a_template_or_a_group_reference_is_asked_about_as_it_is():
    questions = load_questions()
    assert r"\1 {x}" in questions.ask(Concept(r"\1 {x}", "landmark"))[0].text


def test_an_artist_is_asked_about_by_style_and_all_else_by_what_is_seen():
    questions = load_questions()
    by_sight = ("visible", "recognised", "depicted", "shown", "subject")
    for question in questions.templates["artist"]:
        assert not any(word in question for word in by_sight)
    assert sum("style" in question for question in questions.templates["artist"]) >= 3
    for kind in ("landmark", "character", "object"):
        assert all(any(word in question for word in by_sight) for question in questions.templates[kind])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found questions for NoneType; give one list for each of artist, landmark, character, object"),
        ("object: [x]", "found questions for object; give one list for each of artist, landmark, character, object"),
        (lines() + "animal: [x]\n", "found questions for artist, landmark, character, object, animal; "
                                    "give one list for each of artist, landmark, character, object"),
        (lines(object="x"), "the questions for the kind object are 'x'; give a list of texts"),
        (lines(object="[]"), "the questions for the kind object are []; give a list of texts"),
        (lines(artist="[1]"), "the questions for the kind artist are [1]; give a list of texts"),
        (lines(object="[Is it there?]"), "the question 'Is it there?' does not mention the concept; "
                                         "write {concept} or {a_concept}"),
        (lines(object="['{concept} on {x}?']"), "{x} in '{concept} on {x}?' is not a known placeholder; "
                                                "write {concept} or {a_concept}"),
        (lines(object='["{concept}\\nthere?"]'), "the question '{concept}\\nthere?' contains a line break or a "
                                                 "control character; write it on one line"),
        (lines(object="['{concept}?', '{concept}?']"), "a question for the kind object appears twice; "
                                                       "keep one, because each answer must count once"),
        (lines(object="['{concept}?', '{a_concept}!']"), "the kinds have different numbers of questions (artist 1, "
                                                         "landmark 1, character 1, object 2); give the same"
                                                         " number for each"),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(refusal, text, message):
    assert refusal(text) == message

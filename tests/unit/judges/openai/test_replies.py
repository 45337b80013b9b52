"""What an endpoint's replies mean: probabilities where they are given, the text otherwise, and never a guess."""

import json
import math
from typing import Any

import pytest
from mock_endpoint import Reply, completion, with_logprobs

from dominance.judges.openai.replies import Form, MalformedReplyError, message_of, read_reply
from dominance.records import Question

QUESTION = Question("mug", "Is there a mug?", 1)


def read(reply: Reply) -> Any:
    return read_reply(QUESTION, json.loads(reply.body))


def tops(*pairs: tuple[object, object], first: str | None = None) -> dict:
    listed = [{"token": token, "logprob": value} for token, value in pairs]
    return {"content": [{"token": first or pairs[0][0], "logprob": -0.1, "top_logprobs": listed}]}


@pytest.mark.parametrize(
    ("yes", "no"), [("Yes", "No"), ("yes", "no"), (" YES", " NO"), ("\u2581Yes", "\u2581No"), ("\u0120yes", "no.")]
)
def test_probabilities_are_read_in_every_spelling(yes: str, no: str) -> None:
    answer = read(with_logprobs(0.8, yes, no))
    assert answer.yes is True
    assert answer.p_yes == pytest.approx(0.8)
    assert read(with_logprobs(0.1, yes, no)).yes is False


def test_spellings_add_up_and_other_words_do_not_count() -> None:
    logprobs = tops(("Yes", math.log(0.3)), ("No", math.log(0.25)), ("yes", math.log(0.2)), ("The", math.log(0.25)))
    assert read(completion("Yes", logprobs)).p_yes == pytest.approx(0.5 / 0.75)


def test_a_line_end_before_the_word_is_passed_over() -> None:
    logprobs = tops(("Yes", math.log(0.7)), ("No", math.log(0.3)))
    logprobs["content"].insert(0, {"token": "\n", "logprob": 0.0, "top_logprobs": [{"token": "\n", "logprob": 0.0}]})
    assert read(completion("\nYes", logprobs)).p_yes == pytest.approx(0.7)


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        "many",
        {},
        {"content": None},
        {"content": []},
        {"content": ["Yes"]},
        {"content": [{"token": "Yes"}]},
        tops(("Yes", 0.8), ("No", 0.2)),
        tops(("Yes", "-0.1")),
        tops(("Yes", True)),
        tops(("Yes", math.nan)),
        tops(("Yes", -0.01), ("Yes", -0.01)),
        tops(("The", -0.1), ("Yes", -20.0)),
        tops(("No", -0.01), ("Yes", -5.0)),
        tops(("Yes", -0.1), first="thinking"),
    ],
    ids=str,
)
def test_without_usable_probabilities_the_text_decides_and_no_probability_is_claimed(logprobs: object) -> None:
    answer = read(completion("Yes, there is.", logprobs))
    assert (answer.yes, answer.p_yes, answer.problem) == (True, None, None)


@pytest.mark.parametrize(
    ("text", "yes"),
    [("yes", True), (" Yes.", True), ("**Yes**", True), ("YES", True), ("No", False), ("no, it is not", False),
     ("_no_", False)],
)  # fmt: skip
def test_a_text_that_starts_with_yes_or_no_is_one(text: str, yes: bool) -> None:
    assert read(completion(text)).yes is yes


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("Maybe", {"Maybe": 0.9, "yes": 0.04, "no": 0.03}),
        ("Not sure.", {"Not": 0.8, "No": 0.1, "Yes": 0.06}),
        ("I cannot tell", {"I": 0.6, "Yes": 0.3, "No": 0.1}),
    ],
)
def test_a_reply_that_begins_otherwise_is_no_answer_though_yes_and_no_have_a_little_share(
    text: str, shares: dict[str, float]
) -> None:
    answer = read(completion(text, tops(*((token, math.log(share)) for token, share in shares.items()))))
    assert (answer.yes, answer.p_yes) == (None, None)
    assert "neither yes nor no" in answer.problem


def test_a_reply_that_begins_otherwise_is_read_where_yes_and_no_have_half_of_all() -> None:
    logprobs = tops(("Nothing", math.log(0.3)), ("No", math.log(0.5)), ("Yes", math.log(0.05)))
    assert read(completion("Nothing like that", logprobs)).p_yes == pytest.approx(0.05 / 0.55)


@pytest.mark.parametrize("text", ["yes or no", "No, wait, yes", "Yes/No", "_Yes_, _no_", "no, not sure", "Yes? Maybe"])
def test_a_text_that_takes_its_yes_or_no_back_is_no_answer(text: str) -> None:
    answer = read(completion(text))
    assert (answer.yes, answer.p_yes) == (None, None)
    assert answer.problem.endswith("no clear yes or no")


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "  ",
        "Not really",
        "none",
        "yesterday",
        "Nope",
        "I think yes",
        "Maybe",
        "Not sure.",
        "I cannot say no",
        "ja",
        "\x00",
    ],
)
def test_any_other_text_is_unscored_and_says_what_came(text: str | None) -> None:
    answer = read(completion(text, finish="length"))
    assert (answer.yes, answer.p_yes) == (None, None)
    assert (
        "empty (finish reason: length)" in answer.problem if not (text or "").strip() else "neither" in answer.problem
    )
    assert answer.problem.isprintable()


def test_a_text_in_parts_is_put_together() -> None:
    reply = {"choices": [{"message": {"content": [{"type": "text", "text": "Ye"}, {"type": "text", "text": "s"}]}}]}
    assert read_reply(QUESTION, reply).yes is True


@pytest.mark.parametrize(
    "document", [None, 3, [], {}, {"choices": []}, {"choices": [3]}, {"choices": [{"message": None}]}]
)
def test_what_is_no_completion_is_malformed(document: object) -> None:
    with pytest.raises(MalformedReplyError, match="holds no answer"):
        read_reply(QUESTION, document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"error": {"message": "too\nbig"}}, "too big"),
        ({"error": "overloaded"}, "overloaded"),
        ({"detail": [{"loc": ["logprobs"]}]}, "[{'loc': ['logprobs']}]"),
        ({"message": "hm"}, "hm"),
        ({"error": {}}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_server_s_own_words_are_found(document: object, message: str) -> None:
    assert message_of(document) == message


def test_a_question_is_put_greedily_with_few_tokens_and_probabilities() -> None:
    body = Form().body("m", "data:image/png;base64,AA", QUESTION)
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0, 5)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    assert "Is there a mug?" in json.dumps(body["messages"])


def test_what_an_endpoint_refuses_is_left_out_step_by_step() -> None:
    form = Form()
    assert form.without("Unsupported parameter: 'max_tokens'").limit == "max_completion_tokens"
    assert "temperature" not in form.without("temperature must be 1").body("m", "", QUESTION)
    fewer = form.without("top_logprobs: at most 5")
    assert fewer.top_logprobs == 5
    none = fewer.without("logprobs are not supported")
    assert not {"logprobs", "top_logprobs"} & set(none.body("m", "", QUESTION))
    assert form.without("bad request") == Form(top_logprobs=0)
    assert none.without("bad request") is None

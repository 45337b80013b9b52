"""What an endpoint's replies mean: probabilities where they are given, the text otherwise, and never a guess."""

import json
import math
from typing import Any

import pytest
from mock_endpoint import Reply, completion, with_logprobs

from dominance.judges.openai.forms import Form
from dominance.judges.openai.replies import MalformedReplyError, advice, foreign_reply, message_of, read_reply
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


READ = {
    "Answer: yes": True,
    "answer is no": False,
    "The answer is yes.": True,
    "**The final answer is: no**": False,
    "Yes, there is": True,
    "Yes, but the handle is missing": True,
    "No, I cannot see a mug.": False,
    "No mug is visible in this picture.": False,
    '{"answer": "yes"}': True,
    '```json\n{"answer": false}\n```': False,
    "```\nyes\n```": True,
    "\\boxed{Yes}": True,
    "There is a mug on the table. \\boxed{\\text{Yes}}": True,
    "<|begin_of_box|>no<|end_of_box|>": False,
    "<think>a mug? no, a cup. Or yes?</think>\n<answer><|begin_of_box|>Yes<|end_of_box|></answer>": True,
    "<think>\n\n</think>\n\nNo": False,
    "the template holds the first mark, so no\n</think>\n\nyes": True,
    "[THINK]hm[/THINK]No.": False,
    "◁think▷no◁/think▷yes": True,
    "<|channel|>analysis<|message|>no mug<|channel|>final<|message|>Yes": True,
    "Yes\u200b": True,
}


@pytest.mark.parametrize("text", READ)
def test_an_answer_is_found_behind_thoughts_marks_and_a_lead(text: str) -> None:
    assert read(completion(text)).yes is READ[text]


@pytest.mark.parametrize(
    "text",
    [
        "No one can say",
        "No image was provided.",
        "No idea",
        "Ja.",
        "Oui",
        "是的",
        "true",
        "1",
        "y",
        "I cannot say yes",
        "The answer is not yes",
        "The answer is yes or no",
        "Yes, it is not there",
        "Yes, I can't see one",
        "No, I cannot tell.",
        "Yes, perhaps",
        "Yes. There are no other mugs",
        "\\boxed{yes} or \\boxed{no}",
        "no mug, hence \\boxed{yes}",
        '{"answer": "yes", "why": "no doubt"}',
        "yesno",
    ],
)
def test_what_may_mean_either_is_shown_and_not_read(text: str) -> None:
    answer = read(completion(text, tops(("Yes" if text[:3].lower() == "yes" else "No", -0.01), ("X", -6.0))))
    assert (answer.yes, answer.p_yes) == (None, None)
    assert repr(text)[:40] in answer.problem or text[:40] in answer.problem


@pytest.mark.parametrize("text", ["I'm sorry, I can't assist with that.", "Sorry, but no.", "I cannot help with this."])
def test_a_refusal_is_called_one(text: str) -> None:
    assert read(completion(text)).problem == f"the judge refused: {text!r}"


def with_message(finish: str = "stop", **message: object) -> Any:
    return read_reply(QUESTION, {"choices": [{"message": {"content": "", **message}, "finish_reason": finish}]})


def test_the_service_s_own_refusal_is_shown() -> None:
    assert with_message(content=None, refusal="I cannot help with people").problem == (
        "the judge refused: 'I cannot help with people'"
    )
    assert with_message(finish="content_filter").problem == "the endpoint's content filter withheld the answer"


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning": "The picture shows a"},
        {"reasoning_content": "Yes, I see a mug"},
        {"content": "<think>\nOkay, the"},
        {"content": "Yes<think>but wait"},
        {"content": "<think>a</think>"},
    ],
)
def test_a_judge_that_is_still_thinking_is_told_how_to_stop(message: dict[str, object]) -> None:
    answer = with_message("length", **message)
    assert answer.yes is None
    assert answer.problem.startswith("the judge was still thinking when its tokens ended (")
    assert "--judge-option reasoning_effort=none" in answer.problem
    assert "max_tokens=2000" in answer.problem


def test_thoughts_that_nobody_sees_are_suspected_where_the_tokens_ended_without_an_answer() -> None:
    assert "if it thinks unseen, turn its thinking off" in with_message("length").problem
    assert with_message("stop").problem == "the judge's answer was empty (finish reason: stop)"


def test_a_probability_after_thoughts_is_none_and_empty_thoughts_do_not_matter() -> None:
    logprobs = tops(("Yes", math.log(0.7)), ("No", math.log(0.3)))
    for token in ("\n\n", "</think>", "<think>"):
        logprobs["content"].insert(0, {"token": token, "logprob": 0.0, "top_logprobs": []})
    assert read(completion("<think>\n\n</think>\n\nYes", logprobs)).p_yes == pytest.approx(0.7)
    thought = read(completion("<think>Yes?</think>Yes", tops(("Yes", -0.01), ("No", -5.0))))
    assert (thought.yes, thought.p_yes) == (True, None)
    listed = tops(("Yes", -0.01), ("No", -5.0))
    apart = {"message": {"content": "Yes", "reasoning_content": "Yes? Or no?"}, "logprobs": listed}
    assert read_reply(QUESTION, {"choices": [apart]}).p_yes is None


@pytest.mark.parametrize(
    ("listed", "p_yes"),
    [
        ({"Yes": 0.55}, None),
        ({"Yes": 0.97}, 0.97),
        ({"No": 0.97}, 0.03),
        ({"Yes": 0.9, "The": 0.09, "A": 0.001}, 0.9 / 0.906),
        ({"Yes": 0.6, "The": 0.2, "A": 0.1}, None),
    ],
)
def test_the_chosen_token_alone_is_no_certainty(listed: dict[str, float], p_yes: float | None) -> None:
    text = next(iter(listed))
    answer = read(completion(text, tops(*((token, math.log(share)) for token, share in listed.items()))))
    assert answer.yes is (text == "Yes")
    assert answer.p_yes == (None if p_yes is None else pytest.approx(p_yes))


def test_an_empty_list_of_tokens_leaves_the_chosen_one() -> None:
    alone = {"content": [{"token": "Yes", "logprob": math.log(0.99), "top_logprobs": []}]}
    assert read(completion("Yes", alone)).p_yes == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("told", "following"),
    [
        ("Invalid 'max_tokens': integer below minimum value. Expected a value >= 16, but got 5.", {"tokens": 16}),
        ("Invalid 'max_output_tokens': Expected a value >= 16, but got 5 instead.", {"tokens": 16}),
        ("max_tokens must be at least 10", {"tokens": 10}),
        ("'max_tokens' is not supported, use 'max_completion_tokens'", {"limit": "max_completion_tokens"}),
        ("Unsupported value: 'temperature' does not support 0", {"temperature": None}),
        ("[{'loc': ['body', 'top_logprobs'], 'msg': 'less than or equal to 5'}]", {"top_logprobs": 5}),
        ("You are not allowed to request logprobs from this model", {"top_logprobs": 0}),
    ],
)  # fmt: skip
def test_a_refusal_is_answered_with_what_it_asks_for(told: str, following: dict[str, object]) -> None:
    assert Form().without(told) == Form(**following)


@pytest.mark.parametrize(
    ("status", "told", "helps"),
    [
        (413, "", "image_side=1024"),
        (400, "This model's maximum context length is 4096 tokens.", "image_side=1024"),
        (400, "This model does not support image input", "a model that sees images"),
        (400, "bad request", ""),
    ],
)
def test_advice_fits_the_refusal(status: int, told: str, helps: str) -> None:
    assert helps in advice(status, told)
    assert bool(helps) == bool(advice(status, told))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<html>LM Studio</html>", "sent a web page, not an answer ('<html>LM Studio</html>')"),
        ("\n<!DOCTYPE html>\n<html>", "often ends in /v1"),
        ('data: {"choices":[]}\n\ndata: [DONE]', "stream=false"),
        ("event: x\ndata: {}", "as a stream"),
    ],
)
def test_a_web_page_and_a_stream_are_shown_with_the_way_out(content: str, told: str) -> None:
    assert told in (foreign_reply(content) or "")


@pytest.mark.parametrize("content", ["", "busy", "{", "[]", "data", "<3"])
def test_other_replies_may_be_asked_for_again(content: str) -> None:
    assert foreign_reply(content) is None

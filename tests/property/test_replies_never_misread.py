"""Replies put together from parts whose meaning is known are read as they are meant, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from dominance.judges.openai.replies import read_reply
from dominance.judges.openai.texts import words_of, yes_in
from dominance.records import Question

QUESTION = Question("mug", "Is there a mug?", 1)
SPELLED = {True: ("yes", "Yes", "YES", "**Yes**", "`yes`", "_yes_"), False: ("no", "No", "NO", "**No**", '"no"')}
WRAPS = (
    "{}", "{}.", " {}\n", "Answer: {}", "The answer is {}.", "final answer: {}", '{{"answer": "{}"}}', "```\n{}\n```",
    "\\boxed{{{}}}", "<|begin_of_box|>{}<|end_of_box|>", "<answer>{}</answer>", "{}\u200b",
)  # fmt: skip
AFTER = ("", ", there is a cup", " - in the left half", ", a red one", ". It stands on a table", "!")
THOUGHTS = st.text(st.sampled_from("yes no maybe mug.,\n"), max_size=60) | st.sampled_from(
    ["no mug, I think. Or yes?", "The answer is no", "yes yes yes", "\\boxed{no}"]
)
THINKS = (("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"), ("", "</think>"))
OTHERS = ("I see a cup", "Maybe", "It depends", "Ja", "Oui", "I cannot say", "a mug", "1", "true story", "nothing")
HEDGES = ("maybe", "but I am not sure", "perhaps", "hard to tell", "though I cannot tell")


def read(text: str, finish: str = "stop") -> bool | None:
    answer = read_reply(QUESTION, {"choices": [{"message": {"content": text}, "finish_reason": finish}]})
    assert (answer.yes is None) == (answer.problem is not None)
    return answer.yes


@st.composite
def replies(draw: st.DrawFn) -> tuple[bool, str]:
    """What is meant, and the reply."""
    meant = draw(st.booleans())
    said = draw(st.sampled_from(WRAPS)).format(draw(st.sampled_from(SPELLED[meant])))
    return meant, said + draw(st.sampled_from(AFTER))


@given(replies())
def test_what_is_meant_is_read(reply: tuple[bool, str]) -> None:
    meant, text = reply
    assert read(text) is meant


@given(replies(), THOUGHTS, st.sampled_from(THINKS))
def test_thoughts_do_not_matter_once_they_have_ended(
    reply: tuple[bool, str], thought: str, marks: tuple[str, str]
) -> None:
    meant, text = reply
    assert read(f"{marks[0]}{thought}{marks[1]}\n\n{text}") is meant


@given(replies(), THOUGHTS, st.sampled_from(THINKS[:-1]))
def test_thoughts_that_have_not_ended_are_no_answer(
    reply: tuple[bool, str], thought: str, marks: tuple[str, str]
) -> None:
    assert read(f"{marks[0]}{thought}{reply[1]}", "length") is None


@given(replies(), st.sampled_from(OTHERS), st.sampled_from(HEDGES))
def test_what_begins_otherwise_or_hedges_is_no_answer(reply: tuple[bool, str], other: str, hedge: str) -> None:
    _, text = reply
    if "boxed" not in text and "box|" not in text and "<answer>" not in text:
        assert read(f"{other}, {text}") is None
    assert read(f"{text}, {hedge}") is None


@given(st.lists(st.sampled_from(["yes", "No", "the", "answer", "is", "a", "mug", ".", ",", "{", "}", "\n", "not"])))
def test_a_reply_with_both_words_is_never_read(parts: list[str]) -> None:
    text = " ".join(parts)
    if {"yes", "no"} <= {part.lower() for part in parts}:
        assert read(text) is None


@given(st.text(max_size=80))
def test_any_text_says_what_it_begins_with_or_nothing(text: str) -> None:
    said = yes_in(text)
    if said is not None:
        assert ("yes" if said else "no") in words_of(text)
        assert ("no" if said else "yes") not in words_of(text)
    read(text)

"""What a model's text says: yes, no, or nothing that can be read; pure.

A text is read only where it says one of the two and nothing that takes it back; everything else stays unread.
"""

import re
from dataclasses import dataclass

_OPENS = re.compile(r"<(?:think|thinking|thought|reasoning|seed:think)>|\[THINK\]|◁think▷|<\|channel\|>analysis", re.I)
_CLOSES = re.compile(
    r"</(?:think|thinking|thought|reasoning|seed:think)>|\[/THINK\]|◁/think▷|<\|channel\|>final(?:<\|message\|>)?", re.I
)
"""Marks around what a model thinks aloud. Some servers leave out the first, because it belongs to the template."""
_MARKS = re.compile(
    r"<\|(?!(?:yes|no)\b)\w+\|>|</?(?:answer|response|output|result|final|b|i|p|s|em|strong)>"
    r"|\\(?:boxed|fbox|text|textbf|textit|mathrm|mathbf)\b",
    re.I,
)
"""Marks around an answer that are no part of it."""
_BOX = re.compile(
    r"\\boxed\s*\{(?:\\\w+\s*\{)?([^{}]*)\}|<\|begin_of_box\|>(.*?)<\|end_of_box\|>|<answer>(.*?)</answer>", re.I | re.S
)
_WORD = re.compile(r"[^\W_]+")
_LEADS: tuple[tuple[str, ...], ...] = tuple(
    tuple(lead.split())
    for lead in (
        "the correct answer is", "the final answer is", "my final answer is", "final answer is", "the answer is",
        "my answer is", "json answer", "final answer", "answer is", "assistant", "response", "answer",
    )
)  # fmt: skip
"""What may stand before the answer, the longest first."""
_UNSURE = re.compile(
    r"\b(?:maybe|perhaps|possibly|unsure|unclear|uncertain|not (?:sure|certain|clear)|hard to (?:say|tell)"
    r"|(?:cannot|can t|can not|could not|couldn t|unable to|impossible to)"
    r" (?:tell|say|determine|answer|decide|judge|know|confirm|be (?:sure|certain)))\b"
)
_TAKEN_BACK = re.compile(r"^yes(?: \w+){0,3} (?:not|never|cannot|\w+n t)\b")
_OTHER_NO = re.compile(
    r"^\W*no\s+(?:one|idea|way|answer|comment|image|images|picture|pictures|photo|information|clue|doubt|data|content"
    r"|problem|question|access|context|longer)\b"
)
"""Where ``no`` belongs to the next word and denies nothing about the picture."""
_REFUSES = re.compile(
    r"^(?:i m sorry|i am sorry|sorry|i apologi[sz]e|unfortunately"
    r"|(?:i )?(?:can t|cannot|can not|won t|am unable to|m unable to|am not able to|m not able to)"
    r" (?:help|assist|comply|fulfil|fulfill|provide|process|view|identify|discuss|analy[sz]e|engage))\b"
)


@dataclass(frozen=True)
class Heard:
    """A reply taken apart.

    Attributes:
        thought: what the model thought aloud before it answered.
        answer: what it said after that, or all of it where it did not think aloud.
        unfinished: whether it was still thinking when the reply ended.
    """

    thought: str
    answer: str
    unfinished: bool = False


def heard_in(text: str) -> Heard:
    """The text, parted at the marks of thinking.

    >>> heard_in("<think>a mug?</think> Yes")
    Heard(thought='a mug?', answer=' Yes', unfinished=False)
    """
    closed = [(found.start(), found.end()) for found in _CLOSES.finditer(text)]
    ends, begins = closed[-1] if closed else (0, 0)
    thought = _OPENS.sub("", text[:ends]).strip()
    if (opened := _OPENS.search(text, begins)) is not None:
        return Heard(f"{thought} {text[opened.end() :]}".strip(), "", unfinished=True)
    return Heard(thought, text[begins:])


def yes_in(answer: str) -> bool | None:
    """Whether an answer says yes or no; None where it says neither, both, or is unsure.

    It says what it begins with, perhaps after words such as "the answer is", or what stands in its box.

    >>> yes_in("**Yes**."), yes_in("The answer is no."), yes_in("yes or no"), yes_in("I cannot say yes.")
    (True, False, None, None)
    """
    words = words_of(answer)
    if _is_taken_back(answer, words):
        return None
    said = _first(words)
    return _boxed(answer) if said is None else said


def is_clear(answer: str) -> bool:
    """Whether an answer that begins with yes or no leaves it at that."""
    return not _is_taken_back(answer, words_of(answer))


def begins(answer: str) -> bool:
    """Whether an answer begins with yes or no."""
    return _first(words_of(answer)) is not None


def refuses(answer: str) -> bool:
    """Whether an answer is a refusal, such as "I'm sorry, I can't assist with that"."""
    return _REFUSES.search(" ".join(words_of(answer))) is not None


def bare(answer: str) -> str:
    """The answer without the marks around it, and without those that tokenizers write for a space."""
    return _MARKS.sub(" ", answer.lstrip("\u0120\u010a"))


def is_mark(token: str) -> bool:
    """Whether a token is one of the marks that surround thoughts and answers."""
    token = token.strip()
    return any(marks.fullmatch(token) for marks in (_OPENS, _CLOSES, _MARKS))


def words_of(answer: str) -> list[str]:
    """The answer's words in lower case, without marks and what may stand before the answer."""
    words = _WORD.findall(bare(answer).lower())
    for lead in _LEADS:
        if tuple(words[: len(lead)]) == lead:
            rest = words[len(lead) :]
            return rest if rest not in (["true"], ["false"]) else ["yes" if rest == ["true"] else "no"]
    return words


def _first(words: list[str]) -> bool | None:
    return {"yes": True, "no": False}.get(words[0]) if words else None


def _boxed(answer: str) -> bool | None:
    """What the only box of an answer says, if it is yes or no and nothing else."""
    boxes = ["".join(part or "" for part in found.groups()) for found in _BOX.finditer(answer)]
    words = words_of(boxes[0]) if len(boxes) == 1 else []
    return _first(words) if len(words) == 1 else None


def _is_taken_back(answer: str, words: list[str]) -> bool:
    flat = " ".join(words)
    both = {"yes", "no"} <= {*words}
    return both or any(
        found is not None
        for found in (_UNSURE.search(flat), _TAKEN_BACK.search(flat), _OTHER_NO.search(bare(answer).lower()))
    )

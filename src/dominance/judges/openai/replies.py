"""What an endpoint's replies mean; pure, no network."""

import re

from dominance.judges.openai.probabilities import p_yes_of
from dominance.judges.openai.texts import begins, heard_in, is_clear, refuses, yes_in
from dominance.judges.protocol import as_answer
from dominance.records import Answer, Question
from dominance.wording import on_one_line

READING = 3
"""Number of the rules by which replies are read; a change of it changes the judge's identity."""
_SHOWN = 60
_ROOM = (
    "turn its thinking off, with --judge-option reasoning_effort=none (Ollama) or"
    " chat_template_kwargs.enable_thinking=false (vLLM), or give it room with --judge-option max_tokens=2000"
)


class MalformedReplyError(Exception):
    """A reply that is no chat completion; asking again may help."""


def read_reply(question: Question, document: object) -> Answer:
    """The answer in a chat completion: P(yes) from the first token's log-probabilities, else its text.

    An answer by text alone has no probability (``p_yes`` is None), and neither has one that follows thoughts: what was
    sampled before it has settled it. So the ledger shows how each was read.

    Raises:
        MalformedReplyError: no chat completion at all.
    """
    choice = _choice(document)
    heard = heard_in(_text(choice["message"].get("content")))
    thought = heard.thought or _thought_apart(choice["message"])
    if heard.unfinished or not heard.answer.strip():
        return Answer(question, None, None, _silent(choice, thought))
    if is_clear(heard.answer):
        p_yes = None if thought else p_yes_of(choice.get("logprobs"), heard.answer)
        if p_yes is not None:
            return as_answer(question, p_yes)
        said = yes_in(heard.answer)
        if said is not None:
            return Answer(question, said, None)
    return Answer(question, None, None, _unclear(heard.answer))


def _unclear(answer: str) -> str:
    shown = answer.strip()[:_SHOWN]
    if refuses(answer):
        return f"the judge refused: {shown!r}"
    return f"the judge's answer was {shown!r}, {'no clear yes or no' if begins(answer) else 'neither yes nor no'}"


def _silent(choice: dict, thought: str) -> str:
    """Why a reply holds no answer at all, and what helps."""
    message, reason = choice["message"], choice.get("finish_reason")
    refusal = _text(message.get("refusal")).strip()
    if refusal:
        return f"the judge refused: {refusal[:_SHOWN]!r}"
    if thought:
        return f"the judge was still thinking when its tokens ended ({thought.strip()[:_SHOWN]!r}); {_ROOM}"
    if reason == "content_filter":
        return "the endpoint's content filter withheld the answer"
    empty = f"the judge's answer was empty (finish reason: {on_one_line(reason, 40)})"
    return f"{empty}; if it thinks unseen, {_ROOM}" if reason == "length" else empty


def _thought_apart(message: dict) -> str:
    """Thoughts that a server hands over apart from the answer."""
    return next((text for name in ("reasoning_content", "reasoning") if (text := _text(message.get(name)).strip())), "")


def _choice(document: object) -> dict:
    choices = document.get("choices") if isinstance(document, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        told = message_of(document)
        raise MalformedReplyError(f"the reply holds no answer ({told})" if told else "the reply holds no answer")
    return first


def _text(content: object) -> str:
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def message_of(document: object) -> str:
    """What a server says is wrong, from the shapes that servers write errors in; empty when it says nothing."""
    error = document.get("error", document) if isinstance(document, dict) else None
    if isinstance(error, dict):
        error = next((error[name] for name in ("message", "detail", "error", "title") if error.get(name)), None)
    return " ".join(str(error).split()) if error else ""


def advice(status: int, told: str) -> str:
    """What helps against a refusal, as the end of its sentence; nothing where nobody knows."""
    told = told.lower()
    if status == 413 or "context length" in told or "too large" in told or "too many tokens" in told:
        return "; send smaller images, with --judge-option image_side=1024"
    if re.search(r"(?:not|n't) (?:support|accept|process|take)\w*\b.*\b(?:image|vision|multimodal)", told):
        return "; give a model that sees images"
    return ""


def foreign_reply(content: str) -> str | None:
    """What a reply is that is neither JSON nor worth asking for again: a web page, or a stream; None for others."""
    start = " ".join(content[:400].split())
    if re.match(r"\ufeff?<(?:!doctype|html|head|body|\?xml)", start, re.I):
        return (
            f"sent a web page, not an answer ({start[:_SHOWN]!r}); give the URL of its API, which often ends in /v1,"
            " not that of its pages"
        )
    if re.match(r"(?:event:.*?)?data:\s*[\[{]", start):
        return (
            f"sent its answer as a stream ({start[:_SHOWN]!r}), which is not read; turn streaming off at the endpoint,"
            " or with --judge-option stream=false"
        )
    return None

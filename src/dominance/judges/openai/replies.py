"""What an OpenAI-compatible endpoint is asked, and what its replies mean; pure, no network."""

import math
import re
from dataclasses import dataclass, replace

from dominance.judges.protocol import as_answer
from dominance.records import Answer, Question

WORDING = "{question} Answer with yes or no only."
"""What the endpoint reads; a change of it changes the judge's identity."""
READING = 2
"""Number of the rules by which replies are read; a change of it changes the judge's identity."""
LEAST_MASS = 0.05
"""P(yes) + P(no) from which the two are compared; below it the endpoint was about to say something else."""
MOST_OF_IT = 0.5
"""The same where the text begins with neither yes nor no: by its own words the endpoint did say something else."""
_WORD = re.compile(r"[^\W_]+")
_MARKS = " \t\r\n\u2581\u0120\u010a*_\"'`.,:;!()[]"
"""What may stand around a token's word: spaces, the marks that tokenizers write for them, and punctuation."""


class MalformedReplyError(Exception):
    """A reply that is no chat completion; asking again may help."""


@dataclass(frozen=True)
class Form:
    """How a question is put; parts of it are left out for endpoints that refuse them.

    Attributes:
        top_logprobs: how many tokens' log-probabilities are asked for; 0 asks for none.
        limit: the name of the limit on tokens.
        greedy: whether temperature 0 is asked for.
    """

    top_logprobs: int = 20
    limit: str = "max_tokens"
    greedy: bool = True

    def body(self, model: str, picture: str, question: Question) -> dict[str, object]:
        """The request about one picture, a data URL."""
        content = [
            {"type": "image_url", "image_url": {"url": picture}},
            {"type": "text", "text": WORDING.replace("{question}", question.text)},
        ]
        body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": content}], self.limit: 5}
        if self.greedy:
            body["temperature"] = 0
        if self.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": self.top_logprobs}
        return body

    def without(self, reason: str) -> "Form | None":
        """What to try after the endpoint refused this form with a message; None when there is nothing left to drop."""
        told = reason.lower()
        if "max_tokens" in told and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "temperature" in told and self.greedy:
            return replace(self, greedy=False)
        if self.top_logprobs > 5 and "logprob" in told:
            return replace(self, top_logprobs=5)
        # Some endpoints do not say what they refuse; what few of them know comes first.
        return replace(self, top_logprobs=0) if self.top_logprobs else None


def read_reply(question: Question, document: object) -> Answer:
    """The answer in a chat completion: P(yes) from the first token's log-probabilities, else its text.

    An answer by text alone has no probability (``p_yes`` is None): so the ledger shows how each was read.

    Raises:
        MalformedReplyError: no chat completion at all.
    """
    choice = _choice(document)
    text = _text(choice)
    p_yes = p_yes_of(choice.get("logprobs"), text)
    if p_yes is not None:
        return as_answer(question, p_yes)
    said = yes_in(text)
    if said is None:
        what = "no clear yes or no" if _begins(_words(text)) else "neither yes nor no"
        found = f"the judge's answer was {text.strip()[:60]!r}, {what}" if text.strip() else ""
        reason = choice.get("finish_reason")
        return Answer(question, None, None, found or f"the judge's answer was empty (finish reason: {reason!s:.40})")
    return Answer(question, said, None)


def yes_in(text: str) -> bool | None:
    """Whether a text begins with yes or with no; None for one that begins otherwise, names both, or is unsure.

    >>> yes_in("**Yes**."), yes_in("no, it is not"), yes_in("yes or no"), yes_in("Not sure.")
    (True, False, None, None)
    """
    words = _words(text)
    unsure = {"yes", "no"} <= {*words} or {"maybe", "unsure"} & {*words} or "not sure" in " ".join(words)
    return words[0] == "yes" if _begins(words) and not unsure else None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _begins(words: list[str]) -> bool:
    return words[:1] in (["yes"], ["no"])


def _choice(document: object) -> dict:
    choices = document.get("choices") if isinstance(document, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        told = message_of(document)
        raise MalformedReplyError(f"the reply holds no answer ({told})" if told else "the reply holds no answer")
    return first


def _text(choice: dict) -> str:
    content = choice["message"].get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def p_yes_of(logprobs: object, text: str) -> float | None:
    """``P(yes) / (P(yes) + P(no))`` over all spellings at the first token that is a word, 0 to 1.

    None where the endpoint gave none, where they are no log-probabilities (above 0, no numbers, more than 1 in sum),
    where they are not those of the answer's own first token, or where yes and no have next to no share in them: less
    than LEAST_MASS, or than MOST_OF_IT where the text begins with neither.
    """
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    entries = [entry for entry in tokens if isinstance(entry, dict)]
    first = next((entry for entry in entries if _word(entry.get("token"))), None)
    if first is None or not text.strip(_MARKS).lower().startswith(_word(first["token"])):
        return None
    listed = first.get("top_logprobs")
    shares = [_share(entry) for entry in listed] if isinstance(listed, list) else []
    read = [share for share in shares if share is not None]
    if len(read) < len(shares) or sum(probability for _, probability in read) > 1.01:
        return None
    yes = sum(probability for word, probability in read if word == "yes")
    no = sum(probability for word, probability in read if word == "no")
    return yes / (yes + no) if yes + no >= (LEAST_MASS if _begins(_words(text)) else MOST_OF_IT) else None


def _word(token: object) -> str:
    return token.strip(_MARKS).lower() if isinstance(token, str) else ""


def _share(entry: object) -> tuple[str, float] | None:
    """A token's word and probability; None when it is no log-probability."""
    if not isinstance(entry, dict):
        return None
    value = entry.get("logprob")
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= 1e-3:
        return None
    return _word(entry.get("token")), math.exp(max(value, -1e4))


def message_of(document: object) -> str:
    """What a server says is wrong, from the shapes that servers write errors in; empty when it says nothing."""
    error = document.get("error", document) if isinstance(document, dict) else None
    if isinstance(error, dict):
        error = next((error[name] for name in ("message", "detail", "error", "title") if error.get(name)), None)
    return " ".join(str(error).split()) if error else ""

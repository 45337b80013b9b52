"""What an OpenAI-compatible endpoint is asked, and what is left out where it refuses; pure, no network."""

import json
import re
from dataclasses import dataclass, replace

from dominance.records import Question

WORDING = "{question} Answer with yes or no only."
"""What the endpoint reads; a change of it changes the judge's identity."""
_LIMIT = re.compile(r"max\w*tokens")
_LEAST = re.compile(r"(?:>=|at least|minimum(?: value)?(?: is| of)?|greater than or equal to)\D{0,12}(\d{1,4})\b")
_MOST = re.compile(r"less than|at most|maximum|<=|up to|between|exceed|too (?:large|high|many)")
_MOST_TOKENS = 256
"""Up to here an endpoint's own least number of tokens is heeded: a longer answer would be no yes or no."""
_FEWER = 5
"""Log-probabilities asked for where 20 are too many."""


@dataclass(frozen=True)
class Form:
    """How a question is put; parts of it are left out for endpoints that refuse them.

    Attributes:
        top_logprobs: how many tokens' log-probabilities are asked for; 0 asks for none.
        limit: the name of the limit on tokens.
        tokens: the limit.
        temperature: 0 for the likeliest answer; None leaves it to the endpoint.
        detail: in which an image is read, for endpoints that know ``low`` and ``high``.
        more: further fields of the body, as JSON text.
        chosen: names of what the user asked for, which is never left out unsaid.
    """

    top_logprobs: int = 20
    limit: str = "max_tokens"
    tokens: int = 5
    temperature: float | None = 0
    detail: str | None = None
    more: str = "{}"
    chosen: tuple[str, ...] = ()

    def body(self, model: str, picture: str, question: Question) -> dict[str, object]:
        """The request about one picture, a data URL."""
        image = {"url": picture} if self.detail is None else {"url": picture, "detail": self.detail}
        content = [
            {"type": "image_url", "image_url": image},
            {"type": "text", "text": WORDING.replace("{question}", question.text)},
        ]
        message = {"role": "user", "content": content}
        body: dict[str, object] = {"model": model, "messages": [message], self.limit: self.tokens}
        if self.temperature is not None:
            body["temperature"] = self.temperature
        if self.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": self.top_logprobs}
        return body | json.loads(self.more)

    def refused_choice(self, reason: str) -> str | None:
        """The user's own option that an endpoint's refusal names, if any."""
        return next((name for name in self.chosen if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", reason)), None)

    def without(self, reason: str) -> "Form | None":
        """What to try after the endpoint refused this form with a message; None when there is nothing left to drop."""
        told = reason.lower()
        if _LIMIT.search(told):
            least = _LEAST.search(told)
            if least is not None and self.tokens < int(least[1]) <= _MOST_TOKENS:
                return replace(self, tokens=int(least[1]))
            if "max_tokens" in told and self.limit == "max_tokens":
                return replace(self, limit="max_completion_tokens")
        if "temperature" in told and self.temperature is not None:
            return replace(self, temperature=None)
        if self.top_logprobs > _FEWER and "logprob" in told and _MOST.search(told):
            return replace(self, top_logprobs=_FEWER)
        # Some endpoints do not say what they refuse; what few of them know comes first.
        return replace(self, top_logprobs=0) if self.top_logprobs else None

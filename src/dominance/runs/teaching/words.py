"""What the model makes of the token that a concept is taught under, before it is taught."""

from typing import Any

from dominance.errors import ModelError
from dominance.models.tokens import prompt_tokens
from dominance.wording import quoted

_MANY = 4
"""Parts of a word from which it is hard to teach."""


def token_notes(pipeline: Any, token: str) -> tuple[str, ...]:
    """How the pipeline's tokenizer reads the token, where that matters; one line each.

    Nothing is said where the tokenizer does not let it be known.
    """
    try:
        read = prompt_tokens(pipeline, token)
    except ModelError:
        return ()
    by_word: dict[str, list[str]] = {}
    unknown: list[str] = []
    for word, start, end in _words(read.text):
        own = [t for t in read.tokens if start <= t.start and t.end <= end and not t.blank]
        parts = tuple(dict.fromkeys((t.start, t.end, t.text, t.known) for t in own))
        by_word[word] = [text for *_, text, _ in parts]
        unknown += [word] if any(not known for *_, known in parts) else []
    lines = []
    for word, parts in by_word.items():
        if word in unknown:
            lines.append(
                f"the text encoder does not know {quoted(word)}: to the model it is the same as any other unknown"
                " word, so that they all will mean what is taught; give a token that it can spell"
            )
        elif len(parts) == 1:
            lines.append(
                f"the tokenizer knows {quoted(word)} as a word of its own: what it meant to the model so far is taught"
                " over; give a rarer token to keep it"
            )
        elif len(parts) > 1:
            hard = ", which is hard to teach; give a shorter one" if len(parts) >= _MANY else ""
            lines.append(f"the tokenizer splits {quoted(word)} in {len(parts)} parts ({' + '.join(parts)}){hard}")
    return tuple(lines)


def _words(text: str) -> list[tuple[str, int, int]]:
    found, start = [], 0
    for word in text.split():
        at = text.index(word, start)
        start = at + len(word)
        found.append((word, at, start))
    return found

"""Which characters and tokens are which concept's, and what is read of them: one answer for every command."""

import functools
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dominance.errors import InputError
from dominance.mentions import concept_spans, mention_spans, overlap
from dominance.models.tokens import prompt_tokens, reading_of
from dominance.records import Concept, Prompt
from dominance.report.parts.marked_prompt import marked_prompt
from dominance.training.vocabulary import new_tokenizer

WORDS = st.sampled_from(
    ["a", "tower", "clock", "clock tower", "mug", "mugs", "and", "towering", "café", "猫", "the tower"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=16).map(" ".join)
NAMES = st.lists(
    st.sampled_from(["tower", "clock", "clock tower", "mug", "café", "猫", "the tower", "lamp"]),
    max_size=5,
    unique=True,
)


@functools.cache
def clip() -> Any:
    return new_tokenizer()


def pipeline_of(limit: int) -> Any:
    """A pipeline that reads so many tokens."""
    tokenizer = clip()
    tokenizer.model_max_length = limit
    return SimpleNamespace(tokenizer=tokenizer)


@given(TEXTS, NAMES)
def test_spans_are_mentions_and_the_longer_name_has_the_words(text: str, names: list[str]) -> None:
    spans = concept_spans(text, names)
    assert list(spans) == names
    for name, own in spans.items():
        found = mention_spans(text, name)
        assert set(own) <= set(found)
        assert bool(own) == bool(found)
        longer = [span for other in names if len(other) > len(name) for span in spans[other]]
        free = [span for span in found if not any(overlap(span, other) for other in longer)]
        if free:
            assert not any(overlap(span, other) for span in own for other in longer)


@settings(deadline=None)
@given(TEXTS, NAMES, st.integers(4, 40))
def test_audit_explain_and_preflight_agree_on_what_is_read(text: str, names: list[str], limit: int) -> None:
    """Audits leave out what has a cut concept; explanations and preflights ask for the concepts' tokens."""
    pipeline = pipeline_of(limit)
    named = [name for name in names if mention_spans(text, name)]
    reading = reading_of(pipeline, Prompt("p", text, tuple(map(Concept, named))))
    assert reading is not None
    assert reading.limit == limit
    tokens = prompt_tokens(pipeline, text)
    for name in named:
        try:
            columns = tokens.concepts(named)[name]
        except InputError as error:
            assert reading.cut
            assert "beyond what the text encoder reads" in str(error)
        else:
            assert name not in reading.cut
            assert columns
    if not reading.cut:
        assert set(tokens.concepts(named)) == set(named)
    assert set(reading.cut) <= set(named)


@given(TEXTS, NAMES)
def test_the_page_marks_what_the_tokens_are_counted_by(text: str, names: list[str]) -> None:
    spans = concept_spans(text, names)
    marked = str(marked_prompt(Prompt("p", text, ()), {name: f"c{place}" for place, name in enumerate(names)}))
    for place, name in enumerate(names):
        shorter = [span for other in names if len(other) <= len(name) and other != name for span in spans[other]]
        alone = [span for span in spans[name] if not any(overlap(span, other) for other in shorter)]
        for start, end in alone:
            assert f'<span class="c{place}">{text[start:end]}' in marked
        if not spans[name]:
            assert f'class="c{place}"' not in marked

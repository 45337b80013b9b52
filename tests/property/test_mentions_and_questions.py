"""Mentions are places of the text itself; questions are English about any noun."""

import re
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dominance.english import plural_forms
from dominance.mentions import mention, mention_spans, spans_by_name
from dominance.records import Concept
from dominance.suites import load_questions

WORDS = st.lists(st.text("abs", min_size=1, max_size=3), min_size=1, max_size=6)
TYPOGRAPHY = st.text(
    st.sampled_from("mugs MUGleafv'\u2019\u2011-\u00ad\u00a0 e\u0301\u00e9\u00df\u732b\u1112\u1161\u11ab"), max_size=40
)
NAMES = st.sampled_from(["mug", "leaf", "mug leaf", "m-g", "mug's", "\u00e9", "\u00df", "\u732b", "\ud55c", "gu"])
NOUN_LIST = """
    apple hourglass hour glass umbrella unicorn user manual honest man owl SUV MRI scanner X-ray 8-ball F1 car euro
    one-eyed cat ukulele uncle urn ewer heirloom herb yacht onion igloo envelope mugs scissors sushi oven ice
"""
NOUNS = NOUN_LIST.split()
ARTICLES = ["", "a ", "an ", "the "]
BEFORE_VOWEL = re.compile(r"\b[Aa] (?:[ai]|e(?![uw])|o(?!n(?:e|ce)))")
BEFORE_CONSONANT = re.compile(r"\b[Aa]n (?:[bcdfgjklmnpqrstvwz][a-z]|uni|use|uk|eu|ew|one)")


def plain(text: str) -> str:
    """Letters alone, as a reader takes them: no hyphens for spaces, no soft hyphens, straight apostrophes."""
    text = unicodedata.normalize("NFC", re.sub("[\u00ad]", "", text)).casefold()
    return " ".join(re.sub("[-\u2011\\s]+", " ", text.replace("\u2019", "'")).split())


@settings(deadline=None)
@given(WORDS, WORDS)
@example(["as", "a"], ["a", "a"])
def test_a_mention_is_a_run_of_the_texts_words_the_last_perhaps_plural(text: list[str], name: list[str]) -> None:
    *head, last = name
    runs = (text[start : start + len(name)] for start in range(len(text)))
    expected = any(run[:-1] == head and run[-1] in (last, *plural_forms(last)) for run in runs if len(run) == len(name))
    assert (mention(" ".join(text).upper(), " ".join(name)) is not None) == expected


@settings(deadline=None)
@given(TYPOGRAPHY, NAMES)
@example("a mug\u00ad leaf", "mug")
@example("\u732b\u0301", "\u732b")
def test_every_span_is_the_name_or_its_plural(text: str, name: str) -> None:
    words = plain(name).split()
    forms = {plain(name), *(" ".join([*words[:-1], form]) for form in plural_forms(words[-1]))}
    spans = mention_spans(text, name)
    assert all(plain(text[start:end]) in forms for start, end in spans)
    assert bool(spans) == (mention(text, name) is not None)
    assert [span[:2] for span in spans_by_name(text, [name])] == spans or len(spans) > 1


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(NOUNS), min_size=1, max_size=3).map(" ".join), st.sampled_from(["", "a ", "an ", "the "])
)
def test_no_question_has_a_wrong_or_a_double_article(noun: str, article: str) -> None:
    for question in load_questions().ask(Concept(article + noun)):
        assert not re.search(r"\b(?:an?|the) (?:an?|the)\b", question.text, re.IGNORECASE)
        assert not BEFORE_VOWEL.search(question.text), question.text
        assert not BEFORE_CONSONANT.search(question.text), question.text
        assert noun in question.text


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12))
@example("{a_concept}")
@example("{concept}")
@example("a")
def test_any_name_stands_in_its_questions_as_it_is(name: str) -> None:
    for question in load_questions().ask(Concept(name)):
        assert name in question.text

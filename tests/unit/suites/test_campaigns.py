"""Suites for a campaign: concepts, things and styles take turns, beside a control of the same size."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dominance.errors import InputError
from dominance.mentions import mention
from dominance.records import Concept
from dominance.suites import load_suite
from dominance.suites.campaigns import CONTROL, load_styles, make_suite, template_sets
from dominance.suites.suite_files import suite_yaml
from dominance.suites.words import listed_words, load_words
from golden import one_a_case

EVERY = ",".join(template_sets())
ROBOT = Concept("acme robot", "character")


def test_the_concept_is_in_its_group_alone_and_the_control_is_as_large_and_speaks_of_the_same_things() -> None:
    made = make_suite(["acme robot:character"], limit=60)
    about = [prompt for prompt in made.suite.prompts if prompt.group == "acme robot"]
    control = [prompt for prompt in made.suite.prompts if prompt.group == CONTROL]
    assert (len(about), len(control), made.possible) == (30, 30, 400)
    assert all(ROBOT in prompt.concepts for prompt in about)
    assert all(mention(prompt.text, "acme robot") is None for prompt in control)
    assert all({concept.kind for concept in prompt.concepts} == {"object"} for prompt in control)
    things = [next(c.name for c in prompt.concepts if c != ROBOT) for prompt in about]
    assert all(thing in (c.name for c in prompt.concepts) for thing, prompt in zip(things, control, strict=True))
    assert max(Counter(things).values()) == 1, "things take turns"
    assert all(prompt.names_its_concepts and len(prompt.concepts) == 2 for prompt in made.suite.prompts)


def test_concepts_styles_and_things_take_turns() -> None:
    made = make_suite(["acme robot:character", "the Eiffel Tower:landmark"], "animals", EVERY, limit=400)
    groups = Counter(prompt.group for prompt in made.suite.prompts)
    assert abs(groups["acme robot"] - groups["Eiffel Tower"]) <= 1
    ids = [prompt.id.rstrip("-0123456789") for prompt in made.suite.prompts]
    styles = [sum(1 for id in ids if id.endswith(f"-{style.name}")) for style in load_styles(EVERY)]
    assert min(styles) > 0
    assert max(styles) <= 3 * min(styles)


@pytest.mark.parametrize(
    ("concept", "text"),
    [
        ("acme robot:character", "an acme robot"),
        ("unicorn:character", "a unicorn"),
        ("Mickey:character", "Mickey"),
        ("the Eiffel Tower:landmark", "the Eiffel Tower"),
        ("old mill:landmark", "an old mill"),
        ("Acme logo", "an Acme logo"),
        ("rembrandt:artist", "by rembrandt"),
        ("scissors", "scissors"),
    ],
)
def test_a_concept_has_the_article_that_it_takes(concept: str, text: str) -> None:
    made = make_suite([concept], "foods", "relations", limit=20)
    assert all(text in prompt.text for prompt in made.suite.prompts if prompt.group != CONTROL)
    assert all(f"a {text}" not in prompt.text for prompt in made.suite.prompts if text[:2] != "by")


@pytest.mark.parametrize(
    ("concept", "words"), [("acme robot:character", "animals"), ("the Eiffel Tower:landmark", "buildings")]
)
def test_the_control_has_the_same_sentence_about_something_else_of_the_kind(concept: str, words: str) -> None:
    made = make_suite([concept], templates=EVERY, limit=60)
    half = len(made.suite.prompts) // 2
    others = {word.name for word in load_words(words).concepts}
    for about, control in zip(made.suite.prompts[:half], made.suite.prompts[half:], strict=True):
        (name,) = (c.name for c in about.concepts if c.kind != "object")
        (other,) = (c.name for c in control.concepts if c.name in others)
        start, _, end = about.text.partition(name)
        assert control.text.endswith(end)
        assert re.sub(r"\b(?:an?|the) $", "", start) == re.sub(r"\b(?:an?|the) $", "", control.text.partition(other)[0])


def test_an_animal_paints_nothing_in_the_control_of_an_artist() -> None:
    made = make_suite(["Rembrandt:artist"], templates=EVERY, limit=60)
    control = [prompt.text for prompt in made.suite.prompts if prompt.group == CONTROL]
    assert not [text for text in control if re.search(r"style of|painted|painting|print by|art by|artwork", text)]


def test_what_a_judge_could_not_tell_apart_is_not_crossed() -> None:
    made = make_suite(["coffee mug"], limit=100)
    assert made.left_out == (("mug", "coffee mug"),)
    assert all(concept.name != "mug" for prompt in made.suite.prompts for concept in prompt.concepts)


def test_things_and_styles_may_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sights.txt").write_text("# mine\nBig Ben:landmark\nold mill:landmark\n")
    Path("mine.yaml").write_text('mine:\n  by: "{a_name} by {b}"\n')
    made = make_suite(["acme robot:character"], "sights.txt", "mine.yaml", limit=4)
    texts = {prompt.text for prompt in made.suite.prompts if prompt.group != CONTROL}
    assert texts == {"acme robot by Big Ben", "acme robot by an old mill"}


def test_artists_are_no_things_and_sights_have_their_article() -> None:
    made = make_suite(["acme robot:character"], "dominancebench", "relations", limit=400)
    assert "Paul Cézanne" in made.artists
    texts = [prompt.text for prompt in made.suite.prompts]
    assert not [text for text in texts if "Cézanne" in text]
    assert [text for text in texts if "the White House" in text]
    assert not [text for text in texts if re.search(r"(?<!the )White House", text)]


def test_the_control_may_come_from_other_words_and_keeps_to_the_kind(tmp_path: Path) -> None:
    made = make_suite(["castle:landmark", "robot:character"], "miniature", "relations", control="miniature", limit=40)
    control = [prompt for prompt in made.suite.prompts if prompt.group == CONTROL]
    known = set(load_words("miniature").concepts)
    assert all(known >= set(prompt.concepts) for prompt in made.suite.prompts)
    assert {"tower", "pagoda", "clown", "wizard"} <= {c.name for prompt in control for c in prompt.concepts}
    (tmp_path / "mug.txt").write_text("mug\n")
    with pytest.raises(InputError, match=r"mug\.txt' leave nothing for the control beside '.*mug'; give more words"):
        make_suite(["castle:landmark"], "products", "relations", control=str(tmp_path / "mug.txt"), limit=400)


def test_every_style_serves_every_kind_and_the_control() -> None:
    for style in load_styles(EVERY):
        assert set(style.templates) == {"artist", "landmark", "character", "object"}, style.name


def test_the_word_lists_hold_what_they_say() -> None:
    own = {"coco", "products", "animals", "buildings", "furniture", "foods", "vehicles"}
    assert {*listed_words()} == own | {"dominancebench", "miniature"}
    for name in listed_words():
        words = load_words(name).concepts
        assert len({word.name.casefold() for word in words}) == len(words) >= 14


def test_what_no_campaign_can_be_made_of(golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text("mine: {x: '{a} alone'}")
    Path("words.txt").write_text("mug:thing\n")
    Path("empty.txt").write_text("# nothing\n")
    Path("dots.txt").write_text("...\n")
    given: dict[str, tuple] = {
        "no concept": ([],),
        "unknown kind": (["acme:brand"],),
        "two alike": (["robot", "acme robot"],),
        "unknown words": (["acme"], "product"),
        "unknown templates": (["acme"], "products", "title"),
        "no templates": (["acme"], "products", ","),
        "a broken template": (["acme"], "products", "broken.yaml"),
        "a broken word": (["acme"], "words.txt"),
        "no words": (["acme"], "empty.txt"),
        "no letters": (["acme"], "dots.txt"),
        "nothing to cross": (["mug"], "mug.txt"),
    }
    Path("mug.txt").write_text("mug\n")
    messages = {}
    for case, arguments in given.items():
        with pytest.raises(InputError) as caught:
            make_suite(*arguments)
        messages[case] = str(caught.value)
    with pytest.raises(InputError) as caught:
        make_suite(["acme"], limit=1)
    golden("suites/campaigns", one_a_case({**messages, "a limit of 1": str(caught.value)}))


letters = (
    st.text("abcXYZ é城'-[]\\:", min_size=1, max_size=12).map(str.strip).filter(lambda name: re.search(r"\w", name))
)


@settings(deadline=None, max_examples=40)
@given(
    letters, st.sampled_from(["artist", "landmark", "character", "object"]), st.integers(0, 9), st.integers(2, 30),
    st.sampled_from(["products", "animals", "foods,vehicles"]), st.sampled_from(["titles", EVERY]),
)  # fmt: skip
def test_any_campaign_is_made_again_and_reads_back(
    tmp_path_factory, name, kind, seed, limit, against, templates
) -> None:
    try:
        made = make_suite([f"{name}:{kind}"], against, templates, limit=limit, seed=seed)
    except InputError:
        return  # a name in brackets, an article alone, or in another program's syntax
    random.seed(1)
    assert make_suite([f"{name}:{kind}"], against, templates, limit=limit, seed=seed) == made
    path = tmp_path_factory.getbasetemp() / "campaign.yaml"
    path.write_text(suite_yaml(made.suite), encoding="utf-8")
    assert load_suite(str(path)) == made.suite

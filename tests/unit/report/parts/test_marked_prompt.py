"""Concepts are marked in the prompt wherever and however it names them."""

from dominance.records import Prompt
from dominance.report.parts.marked_prompt import marked_prompt


def marked(text: str, **classes: str) -> str:
    return marked_prompt(Prompt("p", text, ()), {name.replace("_", " "): style for name, style in classes.items()})


def test_every_mention_is_marked_in_the_order_of_the_text() -> None:
    """The official files name the dominating concept first, wherever the prompt names it."""
    said = marked("a mug with a tower", tower="c won", mug="c gone")
    assert said == 'a <span class="c gone">mug</span> with a <span class="c won">tower</span>'
    assert marked("two Mugs, a smug face", mug="c") == 'two <span class="c">Mugs</span>, a smug face'


def test_where_names_overlap_the_longer_has_the_words() -> None:
    for names in ({"tower": "c", "water_tower": "d"}, {"water_tower": "d", "tower": "c"}):
        said = marked("a tower by a water tower", **names)
        assert said == 'a <span class="c">tower</span> by a <span class="d">water tower</span>'


def test_what_is_not_marked_is_escaped_too() -> None:
    assert marked("<b>tower</b>", tower="c") == '&lt;b&gt;<span class="c">tower</span>&lt;/b&gt;'

"""Other programs' prompt syntax: what is found, what passes as ordinary text, and the words that are left."""

import time

import pytest

from dominance.prompt_syntax import foreign_syntax, plain_prompt


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a (castle:1.3) and a mug", "'(castle:1.3)' (a weight)"),
        ("a (castle:2) and a mug", "'(castle:2)' (a weight)"),
        ("a (castle :.9) and a mug", "'(castle :.9)' (a weight)"),
        ("a ([castle:landmark]:1.3) and a [mug]", "'(castle:1.3)' (a weight)"),
        ("((castle)) and a mug", "'((castle))' (a weight)"),
        ("{{castle}} and a mug", "'{{castle}}' (a weight)"),
        ("a (castle)1.2 and a mug", "'(castle)1.2' (a weight)"),
        ("a (big castle)++ and a mug", "'(big castle)++' (a weight)"),
        ("a castle++ and a mug", "'castle++' (a weight)"),
        ("a [castle:landmark]++ and a [mug]", "'castle++' (a weight)"),
        ("a castle--, a mug", "'castle--' (a weight)"),
        ("castle::2 mug::1", "'::2' (a weight)"),
        ("1.5::castle:: and a mug", "'1.5::castle' (a weight)"),
        ("a castle AND a mug", "'AND' (joined prompts)"),
        ("猫 AND 犬", "'AND' (joined prompts)"),
        ('("a castle", "a mug").blend(0.5, 0.5)', "'.blend(0.5, 0.5)' (a function of Compel)"),
        ("saber \\(fate\\) and a mug", "'\\(fate\\)' (an escaped parenthesis)"),
        ("a smile :\\) and a mug", "'\\)' (an escaped parenthesis)"),
        ("a castle BREAK a mug", "'BREAK' (a break)"),
        ("a castle,BREAK,a mug", "'BREAK' (a break)"),
        ("a castle ADDCOMM a mug", "'ADDCOMM' (a break)"),
        ("[castle:mug:0.5]", "'[castle:mug:0.5]' (prompt editing)"),
        ("[castle::0.5] a mug", "'[castle::0.5]' (prompt editing)"),
        ("[castle:0.5] a mug", "'[castle:0.5]' (prompt editing)"),
        ("[castle:mug:12]", "'[castle:mug:12]' (prompt editing)"),
        ("a [castle|mug] on a table", "'[castle|mug]' (alternation)"),
        ("a <lora:acme_v2:0.8> robot", "'<lora:acme_v2:0.8>' (a LoRA)"),
        ("a <lyco:acme> robot", "'<lyco:acme>' (a LoRA)"),
        ("a <hypernet:acme:1> robot", "'<hypernet:acme:1>' (a hypernetwork)"),
        ("embedding:acme.pt robot", "'embedding:acme.pt' (an embedding)"),
        ("a {red|blue} mug", "'{red|blue}' (a random choice)"),
        ("a {2$$red|blue|green} mug", "'{2$$red|blue|green}' (a random choice)"),
        ("a __animals/cats__ and a mug", "'__animals/cats__' (a wildcard)"),
        ("a castle --ar 3:2", "'--ar' (a setting)"),
    ],
)
def test_each_form_is_recognised_and_shown(text: str, shown: str) -> None:
    found = foreign_syntax(text)
    assert found is not None
    assert found.startswith(f"{shown} is another program's prompt syntax, which the model would read as letters; ")


@pytest.mark.parametrize(
    "text",
    [
        "a mug (blue)",
        "a mug (blue (dark))",
        "a [tower:landmark] and a [mug]",
        "a [10:30 clock:object]",
        "a [cup|glass:object]",
        "[star wars: a new hope:object]",
        "BLACK AND WHITE photo of a mug",
        "A CASTLE AND A MUG",
        "[CASTLE:landmark] AND [MUG]",
        "an AND gate on a board",
        "a sign with the word 'BREAK' in red",
        "COFFEE BREAK poster",
        "a sign that says BREAK",
        "a C++ book beside the Notepad++ logo",
        "an A++ energy label",
        "the Disney+ logo, ages (18)+",
        "aspect 3:2 (16:9), at 10:30, (John 3:16), Area (51:2)",
        "a price tag ($5, USD: 5)",
        "a castle -- a ruin",
        "a castle--a ruin",
        "a word embedding: a diagram",
        "<cat-toy> on a table, <3",
        "snake_case__name",
        "std::vector",
        "{a_concept} and {question}",
        "a mug :) and (: a castle",
    ],
)
def test_ordinary_text_passes(text: str) -> None:
    assert foreign_syntax(text) is None


def test_all_forms_of_one_prompt_are_named_in_one_line_each_with_its_advice() -> None:
    assert foreign_syntax("<lora:a:1>, a (castle:1.3), (ruin:0.7) AND a mug") == (
        "'<lora:a:1>' (a LoRA), '(castle:1.3)' (a weight) and 'AND' (joined prompts) are another program's prompt "
        "syntax, which the model would read as letters; leave out the LoRA and load its file with --adapter "
        "FILE:STRENGTH; write the words without weights, and a concept as [name]; write one prompt for each part, or "
        "the word AND in small letters or in quotes"
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a castle and a mug", "a castle and a mug"),
        ("((masterpiece:1.2)), a [(castle):1.1], <lora:a:0.8>, BREAK a mug++", "masterpiece, a castle, a mug"),
        (r"a mug \(blue\)", "a mug (blue)"),
        ("a (castle)1.2, (mug)-", "a castle, mug"),
        ("[castle::0.5], [mug:0.3]", "castle, mug"),
        ("[castle:mug:0.5] and [cat|dog]", "castle:mug:0.5 and cat|dog"),
        ("a [tower:landmark] and a [mug]", "a tower and a mug"),
        ("embedding:acme robot", "acme robot"),
        ("a sign 'BREAK'", "a sign 'BREAK'"),
        (", , a mug , ", "a mug"),
    ],
)
def test_the_words_that_are_left(text: str, plain: str) -> None:
    assert plain_prompt(text) == plain


@pytest.mark.parametrize("piece", ["(", "((", "(a:1", "[a:", "{", "+", "a+", "-", "1", "1:", "__a ", "<lora:", "AND "])
def test_a_text_made_to_be_slow_is_not(piece: str) -> None:
    text = (piece * 100_000)[:100_000] + "x"
    start = time.process_time()
    foreign_syntax(text)
    plain_prompt(text)
    assert time.process_time() - start < 20, "quadratic time would take minutes"

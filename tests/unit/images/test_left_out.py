"""How what is left out is said: what the result lacks first, and no long list."""

from dominance.images.left_out import left_out_lines, left_out_sentence, shown
from dominance.records import LeftOut


def test_nothing_left_out_is_nothing_said() -> None:
    assert left_out_lines(()) == []
    assert left_out_sentence(()) is None


def test_what_the_result_lacks_comes_first() -> None:
    found = [LeftOut("grid.png", "is a contact sheet"), LeftOut("castle", "fits no prompt", 10, missing=True)]
    assert left_out_lines(found) == [
        "not used: castle (10 images) fits no prompt",
        "not used: grid.png is a contact sheet",
        "11 images were not used; 10 of them may belong to the result.",
    ]


def test_one_image_is_one_line() -> None:
    assert left_out_lines([LeftOut("a.png", "fits no prompt", missing=True)]) == ["not used: a.png fits no prompt"]
    assert (
        left_out_sentence([LeftOut("a.png", "x", missing=True)]) == "1 image was not used; it may belong to the result."
    )


def test_many_share_a_line_and_the_rest_is_counted() -> None:
    many = [LeftOut(f"{number}.png", "fits no prompt", missing=True) for number in range(9)]
    kinds = [LeftOut(f"{kind}.png", f"is of kind {kind}") for kind in "abcdefg"]
    lines = left_out_lines([*kinds, *many])
    assert lines[0] == "not used: 0.png fits no prompt (and 8 more like it)"
    assert lines[1] == "not used: a.png is of kind a"
    assert lines[-2:] == [
        "not used: 3 more, listed on the page and in --json",
        "16 images were not used; 9 of them may belong to the result.",
    ]
    assert len(lines) == 7


def test_a_folder_says_how_many_and_a_name_stays_on_its_line() -> None:
    assert shown(LeftOut("x", "fits no prompt")) == "x (1 image) fits no prompt"
    assert shown(LeftOut("a\nb.png", "fits no prompt")) == "a\\nb.png fits no prompt"

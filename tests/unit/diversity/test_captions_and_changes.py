"""Captions and changes by hand-made cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dominance.diversity.captions import caption_findings, names
from dominance.diversity.changes import LEAST_POSES, Change, SetFindings, changes_for, changes_sentence
from dominance.diversity.layout import BackdropFindings, Box, LayoutFindings, PoseFindings, layout_findings


def words(listed: object) -> list[tuple[str, int, int]]:
    return [(word.word, word.count, word.n) for word in listed]  # ty: ignore[not-iterable]


def test_a_word_in_every_caption_and_one_bound_to_the_token_are_told_apart() -> None:
    captions = [*["a sks mug on a desk"] * 9, "a sks mug in the snow", "a desk and a lamp", "a lamp in the snow"]
    found = caption_findings(captions, "sks mug")
    assert words(found.everywhere) == []
    assert words(found.bound) == [("desk", 9, 10)]
    assert (found.without_token, found.distinct, found.saying) == (2, 4, 12)


def test_two_captions_say_nothing_about_every_caption() -> None:
    found = caption_findings(["a mug on a desk", "a mug on a desk"])
    assert found.everywhere == () and found.bound == ()


@pytest.mark.parametrize(
    ("caption", "token", "named"), [("sksy dog", "sks", False), ("Sks, dog", "sks", True), ("a c++ mug", "c++", True)]
)
def test_a_token_is_named_as_a_whole(caption: str, token: str, named: bool) -> None:
    assert names(caption, token) is named


@given(
    st.lists(st.sampled_from(["a red mug", "a mug", "mug by a lake", None, ""]), min_size=1, max_size=12), st.randoms()
)
def test_the_order_of_captions_does_not_count(captions: list[str | None], order) -> None:
    shuffled = list(captions)
    order.shuffle(shuffled)
    first, second = caption_findings(captions, "mug"), caption_findings(shuffled, "mug")
    assert (first.captioned, first.distinct, first.saying, first.everywhere) == (
        second.captioned, second.distinct, second.saying, second.everywhere
    )  # fmt: skip
    assert sorted(words(first.bound)) == sorted(words(second.bound))


def test_changes_come_by_weight_and_stop_at_three() -> None:
    found = SetFindings(
        images=5, median=0.01, low=0.02, duplicates=5,
        layout=LayoutFindings(5, "masks", 0.0, (0.5, 0.5, 0.5), ()), backdrop=BackdropFindings(5, "masks", 0.03),
    )  # fmt: skip
    changes = changes_for(found)
    assert [change.weight for change in changes] == sorted((change.weight for change in changes), reverse=True)
    assert changes[0].weight == changes[1].weight == 1.0
    assert changes[2].finding == "5 of 5 pictures nearly repeat another one"
    assert len(changes_for(found, most=10)) == 6
    assert "(1)" in changes_sentence(changes) and "(3)" in changes_sentence(changes)


def test_place_and_size_come_first_and_the_backdrop_last_however_much_each_falls_short() -> None:
    """The order that docs/findings.md reports of the experiment: place and size, looks and captions, backdrop alone."""
    slightly = LayoutFindings(50, "masks", 0.059, (0.5, 0.6, 0.74), ())
    same = caption_findings(["a mug"] * 50, "mug")
    found = SetFindings(
        images=50, median=0.0, low=0.02, layout=slightly, backdrop=BackdropFindings(50, "masks", 0.0), captions=same
    )
    listed = [change.finding for change in changes_for(found, most=10)]
    assert listed == [
        "the subject always has the same size",
        "the subject always stands in the same place",
        "the pictures are nearly alike",
        "all captions are the same",
        "the backdrop is always the same",
    ]
    assert "the backdrop is always the same" not in [change.finding for change in changes_for(found)]
    (alone,) = changes_for(SetFindings(images=50, backdrop=BackdropFindings(50, "masks", 0.0)))
    assert "at another place and in another size" in alone.advice, "a new backdrop behind the same thing does nothing"


def test_one_pose_weighs_as_other_pictures_do_and_less_than_one_place() -> None:
    layout = LayoutFindings(50, "masks", 0.059, (0.4, 0.6, 0.9), ())
    found = changes_for(SetFindings(images=50, layout=layout, poses=PoseFindings(50, 0.0)))
    assert [change.finding for change in found] == [
        "the subject always stands in the same place",
        "the subject always has the same pose",
    ]
    assert not changes_for(SetFindings(images=50, poses=PoseFindings(50, LEAST_POSES)))


def test_what_is_not_known_is_not_advised_on() -> None:
    assert changes_for(SetFindings(images=50)) == ()
    assert changes_sentence(()) == "Nothing in the set speaks for dominance."
    assert changes_sentence((), judged=False) == "Nothing stands out in what could be measured."
    same = caption_findings(["a castle", "a castle by a lake", "a castle in fog"])
    assert not changes_for(SetFindings(images=50, captions=same))  # which word is the concept's own is not known
    assert changes_sentence((Change("it is so", "do this", 1.0),)).endswith("do this (it is so).")


def test_place_and_size_are_measured_from_the_middle_one() -> None:
    found = layout_findings([Box(0, 0, 0.5, 0.5), Box(0.5, 0, 1, 0.5), Box(0.25, 0, 0.75, 0.5)], "boxes")
    assert found is not None
    assert found.place == pytest.approx(0.25)
    assert found.size == pytest.approx((0.5, 0.5, 0.5))
    assert layout_findings([Box(0, 0, 1, 1)], "boxes") is None


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0, 0, 1.2, 1), (-0.1, 0, 1, 1), (0, 0.9, 1, 0.1)])
def test_a_box_that_is_empty_or_leads_out_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="leads out"):
        Box(*box)

"""Each sentence of an explanation says what the numbers say, and says so where nothing stands out."""

from dataclasses import replace

import pytest
import torch
from made_explanations import attention, explanation

from dominance.records import Concept, Prompt
from dominance.report.explanation import sentences as said
from dominance.report.explanation.map_sentences import map_sentence, maps_sentence, place_of
from dominance.runs.explanation.result import lead
from dominance.runs.risk.preflight import Preflight

BOTH = ({"tower": 5, "mug": 5}, {"tower": 5, "mug": 5})
FIRST = ({"tower": 5, "mug": 0}, {"tower": 5, "mug": 0})
SECOND = ({"tower": 0, "mug": 5}, {"tower": 0, "mug": 5})
LEADS = attention(token_1={8: 0.4, 9: 0.4, 10: 0.4})


def test_the_headline_is_the_audits_and_without_a_judge_the_first_step() -> None:
    assert (
        said.headline(explanation(LEADS))
        == "“a tower and a mug” loses a concept: tower takes over from mug in 2 of 2 images."
    )
    assert said.headline(explanation(LEADS, judge=None)) == (
        "“a tower and a mug”: at the first step tower gets 10 times the attention of mug (layers 8 to 10)."
    )


@pytest.mark.parametrize(
    ("seen", "yes", "expected"),
    [
        (LEADS, FIRST, "The first step already shows it: at the first step tower gets 10 times the attention of mug"),
        (LEADS, SECOND, "The first step does not predict it: "),
        (LEADS, BOTH, "At the first step tower gets 10 times the attention of mug (layers 8 to 10), but no image"),
        (
            attention(),
            FIRST,
            "The first step does not predict it: at the first step tower and mug get about the same attention",
        ),
        (LEADS, ("out of memory", "out of memory"), "At the first step tower gets 10 times the attention of mug"),
    ],
)
def test_the_note_says_whether_attention_and_images_agree(seen, yes, expected: str) -> None:
    assert said.attention_note(explanation(seen, yes)).startswith(expected)


def test_against_the_images_the_note_says_in_how_many() -> None:
    assert said.attention_note(explanation(LEADS, SECOND)).endswith("but mug takes over in 2 of 2 images.")


def test_focus_names_the_layers_that_stand_out() -> None:
    one = said.focus_sentence(explanation(attention(token_1={9: 0.4})))
    assert one.startswith("Layer 9 stands out: its focus is ")
    assert one.endswith("and “tower” gets the most attention.")
    two = said.focus_sentence(explanation(attention(token_1={3: 0.2, 9: 0.4})))
    assert two.startswith("Layers 3 and 9 stand out: layer 9 most, where")
    many = said.focus_sentence(explanation(attention(token_1=dict.fromkeys((1, 2, 3, 9), 0.4))))
    assert many.startswith("4 of 16 layers stand out: layer 1 most, where")


def test_focus_says_when_no_layer_stands_out() -> None:
    assert said.focus_sentence(explanation(attention(token_1=0.4))).startswith("No layer stands out: focus is between")
    assert said.focus_sentence(explanation(attention())).startswith("No layer stands out")
    assert said.focus_sentence(explanation(attention(layers=1), layers=(9,))) == "Layer 9 has a focus of 0.0000."


def test_the_risk_is_what_the_preflight_says() -> None:
    seen = explanation(LEADS)
    assert said.risk_sentence(seen) is None
    high = Preflight(
        prompt=seen.prompt.text, tokens=(), attention=(), focus={}, score=0.4, threshold=0.3, risk="high",
        peak_token="a", dominating=None, unet_share=0.07, seeds=(0, 1), scores=(0.2, 0.9), rule="calibration for it",
    )  # fmt: skip
    assert said.risk_sentence(replace(seen, risk=high)) == (
        "Before any image, the risk is high (calibration for it): its score, 0.400 over 2 noises (0.200 to 0.900 for"
        " single ones), reaches the threshold of 0.300."
    )
    low = replace(high, score=0.2, risk="low", seeds=(0,), scores=(0.2,))
    below = "is low (calibration for it): its score, 0.200, stays below"
    assert below in str(said.risk_sentence(replace(seen, risk=low)))
    unknown = replace(high, threshold=None, risk="uncalibrated")
    assert "uncalibrated: no rule has been fitted" in str(said.risk_sentence(replace(seen, risk=unknown)))
    alone = replace(seen.prompt, concepts=seen.prompt.concepts[:1])
    single = replace(low, threshold=None)
    assert "marks one concept" in str(said.risk_sentence(replace(seen, prompt=alone, risk=single)))


def test_concepts_that_cannot_be_told_apart_are_not_compared() -> None:
    seen = replace(explanation(LEADS), alike=(("tower", "mug"),), places={"tower / mug": (1, 4)})
    assert lead(seen) is None
    assert said.headline(seen) == (
        "“a tower and a mug”: the model cannot tell “tower” and “mug” apart, so nothing is said about who wins."
    )
    assert said.attention_note(seen).startswith("At the first step tower / mug gets")


def test_focus_over_time() -> None:
    seen = attention(token_1=0.4)
    steady = said.focus_over_time_sentence(explanation(seen))
    assert steady.startswith("Averaged over the layers, focus ends about where it starts")
    seen[:, -1] = 0.04
    falls = said.focus_over_time_sentence(explanation(seen))
    assert falls.startswith("Averaged over the layers, focus falls from ")
    assert falls.endswith("in layer 1 at the first step.")
    assert said.focus_over_time_sentence(explanation(attention(steps=1))).startswith("There is only one step")


def test_words() -> None:
    assert said.words_sentence(explanation(attention())).startswith("No word stands out: ")
    assert said.words_sentence(explanation(attention(token_1=0.4))) == (
        "Averaged over the layers, “tower” gets the most attention, 40%: 10 times that of a typical word."
    )
    assert said.words_sentence(explanation(attention(token_2=0.4))).endswith("belongs to no marked concept.")


def test_peaks() -> None:
    mostly = attention(token_1=0.4, token_4={2: 0.5, 3: 0.5})
    assert said.peaks_sentence(explanation(mostly)) == "“tower” is the strongest word in 14 of 16 layers; “mug” in 2."
    halves = attention(token_1=dict.fromkeys(range(1, 9), 0.4), token_4=dict.fromkeys(range(9, 17), 0.4))
    assert said.peaks_sentence(explanation(halves)).startswith("No word is the strongest in more than half of the 16")
    one = explanation(attention(layers=1, token_1=0.4), layers=(9,))
    assert said.peaks_sentence(one) == "In layer 9, “tower” is the strongest word in both images."


def test_courses() -> None:
    seen = attention(token_1=0.1, token_4=0.1)
    seen[:, -1, :, 1] = 0.3
    assert said.course_sentence(explanation(seen)) == (
        "In layers 8 to 10, tower rises from 10% to 30% of the attention; in layer 7, mug stays at about 10% of the"
        " attention."
    )


def test_changes_stand_out_only_where_they_are_large_and_the_images_agree() -> None:
    seen = attention(steps=5, token_1=0.1)
    seen[:, 2:, 7:10, 1] = 0.3
    told = said.changes_sentence(explanation(seen))
    assert "tower gains most over steps 1 to 2, 20 points relative to the other words" in told.replace("Tower", "tower")
    assert "no interval stands out for mug" in told
    seen[1, :, 7:10, 1] = 0.1  # in the second image nothing changes
    assert said.changes_sentence(explanation(seen)).startswith("No interval stands out for tower")
    assert (
        said.changes_sentence(explanation(attention(steps=1))) == "No change can be computed: there is only one step."
    )


def maps_with(*corners: tuple[int, int] | None) -> torch.Tensor:
    """One image, two steps, an 8×8 map for each concept, with one bright position or none."""
    made = torch.full((1, 2, len(corners), 8, 8), 0.1)
    for place, corner in enumerate(corners):
        if corner is not None:
            made[:, :, place, corner[0], corner[1]] = 0.9
    return made


def test_places_in_the_picture() -> None:
    apart = explanation(attention(images=1), FIRST[:1], maps=maps_with((0, 0), (7, 3)))
    assert map_sentence(apart, 0, 1) == (
        "Tower: strongest at the upper left; mug: strongest at the bottom. They get about the same attention."
    )
    assert maps_sentence(apart) == (
        "At the last step, tower and mug get most attention in different parts of the image in the only image."
    )
    even = explanation(
        attention(images=1), FIRST[:1], maps=maps_with((4, 4), None) * torch.tensor([3.0, 1.0])[:, None, None]
    )
    assert map_sentence(even, 0, 0) == (
        "Tower: strongest in the centre; mug: spread almost evenly. Tower gets 3.4 times the attention of mug."
    )
    assert "cannot be told apart in the only image" in maps_sentence(even)
    same = explanation(attention(images=1), FIRST[:1], maps=maps_with((0, 0), (1, 1)))
    assert "in the same part of the image in the only image" in maps_sentence(same)


def test_a_concept_of_two_tokens_counts_both_in_the_picture() -> None:
    prompt = Prompt("p", "a red tower and a mug", (Concept("red tower"), Concept("mug")))
    one = explanation(
        attention(images=1, tokens=6),
        ({"red tower": 5, "mug": 5},),
        prompt=prompt,
        tokens=("a", "red", "tower", "and", "a", "mug"),
        places={"red tower": (1, 2), "mug": (5,)},
        maps=maps_with((0, 0), (0, 0)),
    )
    assert map_sentence(one, 0, 0).endswith("Red tower gets 2.0 times the attention of mug.")


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [
        (0, 0, "at the upper left"),
        (0, 4, "at the top"),
        (3, 7, "at the right"),
        (4, 4, "in the centre"),
        (7, 7, "at the lower right"),
    ],
)
def test_the_nine_parts_of_a_picture(row: int, column: int, place: str) -> None:
    values = torch.zeros(8, 8)
    values[row, column] = 1
    assert place_of(values) == place

"""What is worked out from an explanation: who leads, where concepts are followed, peaks, changes, the document."""

import json

import pytest
import torch
from made_explanations import PROMPT, attention, explanation, sites

from dominance.documents import printed
from dominance.errors import InputError
from dominance.models.drawing import Drawing
from dominance.records import Concept, Prompt
from dominance.runs.explanation.document import document_of
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.explanation.plan import default_maps_steps, maps_sites
from dominance.runs.explanation.result import (
    first_amounts,
    followed_layers,
    is_papers_unet,
    lead,
    peaks,
    strongest_at_first,
    tracks,
)
from dominance.runs.explanation.run import read_marked

BALANCED = ({"tower": 5, "mug": 5}, {"tower": 5, "mug": 5})


def test_the_images_say_who_dominates_and_else_the_attention() -> None:
    mug_is_looked_at = attention(token_4=0.5)
    by_images = lead(explanation(mug_is_looked_at))
    assert by_images is not None
    assert (by_images.concept, by_images.by) == ("tower", "images")
    by_attention = lead(explanation(mug_is_looked_at, BALANCED))
    assert by_attention is not None
    assert (by_attention.concept, by_attention.by) == ("mug", "attention")
    without_judge = lead(explanation(mug_is_looked_at, judge=None))
    assert without_judge is not None
    assert (without_judge.concept, without_judge.by) == ("mug", "attention")


def test_only_the_leading_layers_count_at_the_first_step() -> None:
    seen = attention(token_1={8: 0.5, 9: 0.5, 10: 0.5}, token_4={1: 0.9, 7: 0.9})
    seen[:, 1:, :, 4] = 0.9
    one = explanation(seen, BALANCED)
    assert strongest_at_first(one) == "tower"
    assert first_amounts(one).tolist() == [pytest.approx([0.5, 0.04])] * 2


def test_one_concept_leads_over_none_and_is_followed_as_dominating() -> None:
    prompt = Prompt("a-tower", "a tower", (Concept("tower"),))
    one = explanation(
        attention(tokens=2), ({"tower": 5}, {"tower": 5}), prompt=prompt, tokens=("a", "tower"), places={"tower": (1,)}
    )
    assert lead(one) is None
    assert [(track.role, track.layers) for track in tracks(one)] == [("dominating", (8, 9, 10))]


@pytest.mark.parametrize(
    ("recorded", "count", "dominating", "other"),
    [
        (None, 16, (8, 9, 10), (7,)),
        ((7, 9), 16, (9,), (7,)),
        ((1, 2), 16, (1, 2), (1, 2)),
        ((8,), 16, (8,), (8,)),
        (None, 3, (1, 2, 3), (1, 2, 3)),
    ],
)
def test_concepts_are_followed_in_the_papers_layers_of_its_models_and_in_all_others(
    recorded: tuple[int, ...] | None, count: int, dominating: tuple[int, ...], other: tuple[int, ...]
) -> None:
    one = explanation(layers=recorded, count=count)
    assert followed_layers(one, "dominating") == dominating
    assert followed_layers(one, "other") == other


def test_sixteen_blocks_of_a_transformer_are_not_the_papers_unet() -> None:
    assert is_papers_unet(sites(16))
    assert not is_papers_unet(sites(15))
    assert not is_papers_unet(tuple(reversed(sites(16))))


def test_attention_deviation_and_change_of_a_track() -> None:
    seen = attention(steps=3)
    seen[:, 0, 7:10, 1], seen[:, 1, 7:10, 1], seen[:, 2, 7:10, 1] = 0.10, 0.30, 0.20
    tower, mug = tracks(explanation(seen))
    assert (tower.role, tower.layers, mug.role, mug.layers) == ("dominating", (8, 9, 10), "other", (7,))
    assert tower.attention[0].tolist() == pytest.approx([0.10, 0.30, 0.20])
    assert tower.deviation is not None and tower.change is not None and mug.change is not None
    assert tower.deviation[0].tolist() == pytest.approx([0.06, 0.26, 0.16])
    assert tower.edges == (0, 1, 2)
    assert tower.change[1].tolist() == pytest.approx([0.20, -0.10])
    assert mug.change.abs().max() < 1e-6


def test_a_concepts_tokens_count_together_and_a_prompt_of_one_concept_has_no_deviation() -> None:
    prompt = Prompt("castle", "neuschwanstein castle", (Concept("neuschwanstein castle", "landmark"),))
    one = explanation(
        attention(tokens=2, token_0=0.1, token_1=0.2),
        ({"neuschwanstein castle": 5},) * 2,
        prompt=prompt,
        tokens=("neuschwanstein", "castle"),
        places={"neuschwanstein castle": (0, 1)},
    )
    (track,) = tracks(one)
    assert track.attention[0].tolist() == pytest.approx([0.3] * 5)
    assert track.deviation is None
    assert track.change is None


def test_one_step_has_no_change() -> None:
    assert [track.change for track in tracks(explanation(attention(steps=1)))] == [None, None]


def test_the_peak_is_the_most_frequent_strongest_word_and_says_in_how_many_images() -> None:
    seen = attention(images=3, token_1=0.5)
    seen[0, 0, 2, 4], seen[0, 0, 4, 3], seen[1, 0, 4, 3] = 0.9, 0.9, 0.9
    found = peaks(explanation(seen, ({"tower": 5, "mug": 0},) * 3))
    assert len(found) == 16
    assert (found[0].layer, found[0].token, found[0].concept, found[0].images) == (1, "tower", "tower", 3)
    assert (found[2].token, found[2].images) == ("tower", 2)
    assert (found[4].token, found[4].place, found[4].concept, found[4].images) == ("a", 3, None, 2)


def test_the_document_is_json_and_counts_as_the_record_does() -> None:
    one = explanation(attention(token_1={9: 0.5}), ({"tower": 5, "mug": 0}, "out of memory"))
    document = json.loads(json.dumps(printed(document_of(one))))
    assert document["kind"] == "dominance explanation"
    assert [image["verdict"] for image in document["images"]] == ["collapsed", None]
    assert document["images"][1]["problem"] == "out of memory"
    assert document["images"][1]["file"] is None
    assert torch.tensor(document["attention"]).shape == (5, 16, 5)
    assert torch.tensor(document["focus"]).shape == (5, 16)
    assert torch.tensor(document["maps"]["values"]).shape == (2, 2, 2, 8, 8)
    assert max(document["focus_first_step"], key=document["focus_first_step"].get) == "9"
    assert document["dominating"] == {"concept": "tower", "by": "images"}
    assert [track["concept"] for track in document["tracks"]] == ["tower", "mug"]
    assert one.unscored == 1
    assert explanation(judge=None).unscored == 0


def test_maps_are_of_a_middle_resolution() -> None:
    def layers(side: int, count: int = 16) -> list[int]:
        return [site.layer for site in maps_sites(sites(count), (side, side // 2))]

    assert layers(64) == [5, 6, 8, 9, 10]  # 16², and not the middle block's 8²
    assert layers(96) == [5, 6, 8, 9, 10]  # 24²
    assert layers(16) == [3, 4, 11, 12, 13]  # 8²
    assert layers(4) == [1, 2, 14, 15, 16]
    assert layers(64, count=3) == [1, 2, 3]
    only_middle = tuple(site for site in sites() if site.layer == 7)
    assert maps_sites(only_middle, (64, 64)) == only_middle


def test_default_steps_of_maps_are_rising_and_there() -> None:
    assert default_maps_steps(50) == (0, 12, 24, 49)
    assert default_maps_steps(1) == (0,)


def test_a_marked_prompt_is_read_and_one_without_brackets_says_what_to_do() -> None:
    assert read_marked("a [tower:landmark] and a [mug]") == PROMPT
    with pytest.raises(InputError, match="mark at least one concept in brackets"):
        read_marked("a tower and a mug")


@pytest.mark.parametrize(
    "wrong",
    [
        {"seeds": ()},
        {"seeds": tuple(range(101))},
        {"seeds": (1, 1)},
    ],
)
def test_options_out_of_range(wrong: dict) -> None:
    with pytest.raises(InputError):
        ExplainOptions(drawing=Drawing(**wrong))

"""Means and paired changes of presence, similarity and quality, against hand arithmetic."""

from dataclasses import replace

import pytest

from dominance.measures import PictureScores
from dominance.metrics import bootstrap_mean
from dominance.records import Answer, Concept, Prompt, Question, ScoredImage
from dominance.runs.stages.measures import clustered_mean, measured_changes, measured_means, values_of
from dominance.runs.stages.scoring import score_image

PAIR = Prompt("pair", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))


def image(tower: float | None, mug: float | None, prompt: Prompt = PAIR, seed: int = 0, **scores: float) -> ScoredImage:
    """An image of whose concepts the judge says yes with these probabilities; None leaves a question unanswered."""
    answers = [
        Answer(Question(concept.name, f"{concept.name} {grade}?", grade), None if p is None else p >= 0.5, p)
        for concept, p in zip(prompt.concepts, (tower, mug), strict=True)
        for grade in range(1, 6)
    ]
    found = score_image(prompt, str(seed), f"{seed}.png", answers, seed=seed)
    return replace(found, scores=PictureScores(**scores) if scores else None)


def test_presence_is_soft_and_harsh_and_nothing_where_a_question_is_open() -> None:
    assert values_of(image(0.8, 0.4)) == {"soft_presence": pytest.approx(0.6), "harsh_presence": 0.0}
    assert values_of(image(0.8, 0.6)) == {"soft_presence": pytest.approx(0.7), "harsh_presence": 1.0}
    assert values_of(image(0.8, None)) == {}
    assert values_of(image(None, None, quality=0.5)) == {"quality": 0.5}


def test_a_judge_without_probabilities_counts_yes_and_no() -> None:
    answers = [
        Answer(Question(name, f"{name} {grade}?", grade), grade <= yes)
        for name, yes in (("tower", 5), ("mug", 2))
        for grade in range(1, 6)
    ]
    assert score_image(PAIR, "0", None, answers).soft_presence == pytest.approx(0.7)


def test_means_are_over_images_and_their_intervals_over_prompts() -> None:
    other = replace(PAIR, id="other")
    images = (
        *(image(1.0, 1.0, image_text=0.3), image(1.0, 0.0, seed=1, image_text=0.2)),
        *(image(0.0, 0.0, other, image_text=0.1), image(None, 1.0, other, 1)),
    )
    found = {measured.measure: measured for measured in measured_means(images)}
    assert found.keys() == {"soft_presence", "harsh_presence", "image_text"}
    assert found["image_text"].mean == pytest.approx(0.2)
    assert found["image_text"].prompts == {"pair": pytest.approx(0.25), "other": pytest.approx(0.1)}
    assert found["image_text"].interval == bootstrap_mean([[0.3, 0.2], [0.1]])
    assert (found["soft_presence"].images, found["soft_presence"].mean) == (3, pytest.approx(0.5))
    assert (found["harsh_presence"].mean, found["harsh_presence"].prompts["pair"]) == (pytest.approx(1 / 3), 0.5)
    assert measured_means(()) == ()


def test_a_change_is_of_the_pairs_in_which_both_images_have_the_measure() -> None:
    pairs = [
        ("pair", image(1.0, 0.0, image_text=0.2), image(1.0, 1.0, image_text=0.25)),
        ("other", image(1.0, 0.0, image_text=0.3), image(1.0, 0.0)),
    ]
    found = {changed.measure: changed for changed in measured_changes(pairs)}
    assert (found["image_text"].pairs, found["image_text"].change) == (1, pytest.approx(0.05))
    assert found["image_text"].interval is None
    harsh = found["harsh_presence"]
    assert (harsh.pairs, harsh.before, harsh.after, harsh.change) == (2, 0.0, 0.5, 0.5)
    assert harsh.interval == bootstrap_mean([[1.0], [0.0]])
    assert clustered_mean([]) == (None, None)

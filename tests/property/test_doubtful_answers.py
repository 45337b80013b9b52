"""What hangs on doubtful answers, against every way to settle them, one after the other."""

import itertools
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dominance.metrics import dvd_score
from dominance.records import COLLAPSE, Answer, Concept, Prompt, Question, ScoredImage, is_present
from dominance.runs.stages.scoring import score_image

CERTAIN, UNSURE = (0.0, 0.1, 0.25, 0.75, 1.0), (0.26, 0.4, 0.5, 0.74)
MOST_DOUBTFUL = 6
"""So that no image has more than 64 drawn ways to settle."""


def scored(prompt: Prompt, answers: list[Answer]) -> ScoredImage:
    return score_image(prompt, "0", "0.png", answers)


def judged(*rows: str) -> tuple[Prompt, list[Answer]]:
    """A prompt of as many concepts as there are rows: ``y`` and ``n`` are certain, ``Y`` and ``N`` are doubtful."""
    names = [f"thing {place}" for place in range(len(rows))]
    known = {"y": (True, 0.9), "n": (False, 0.1), "Y": (True, 0.6), "N": (False, 0.4)}
    answers = [
        Answer(Question(name, f"{name} {grade}?", grade), *known[mark])
        for name, row in zip(names, rows, strict=True)
        for grade, mark in enumerate(row, 1)
    ]
    return Prompt("p", " and ".join(names), tuple(map(Concept, names))), answers


@st.composite
def images(draw: st.DrawFn) -> tuple[Prompt, list[Answer]]:
    """An image of one to four concepts, of which the judge gives P(yes), does not, or says what its P does not."""
    concepts, questions, left, answers = draw(st.integers(1, 4)), draw(st.integers(1, 6)), MOST_DOUBTFUL, []
    names = [f"thing {place}" for place in range(concepts)]
    for name, grade in itertools.product(names, range(1, questions + 1)):
        p_yes = draw(st.sampled_from((None, *CERTAIN, *(UNSURE if left else ()))))
        left -= p_yes in UNSURE
        answers.append(Answer(Question(name, f"{name} {grade}?", grade), draw(st.booleans()), p_yes))
    return Prompt("p", " and ".join(names), tuple(map(Concept, names))), answers


@settings(deadline=None)
@given(images())
@example(judged("NNNNN", "yynnn"))
@example(judged("YYYYY", "NNNnn", "yyyyy"))
def test_an_image_hangs_on_what_settling_its_doubtful_answers_changes(
    judged_image: tuple[Prompt, list[Answer]],
) -> None:
    prompt, answers = judged_image
    open_ones = [place for place, answer in enumerate(answers) if answer.p_yes not in (None, 0.9, *CERTAIN)]
    settled = []
    for ways in itertools.product((False, True), repeat=len(open_ones)):
        certain = [replace(answer, p_yes=None) for answer in answers]
        for place, yes in zip(open_ones, ways, strict=True):
            certain[place] = replace(certain[place], yes=yes)
        settled.append(scored(prompt, certain))
    found = scored(prompt, answers)
    assert {found.verdict, *found.could_be} == {image.verdict for image in settled}
    assert found.verdict not in found.could_be and len(set(found.could_be)) == len(found.could_be)
    names = [concept.name for concept in prompt.concepts]
    assert set(found.doubtful) == {name for name in names if len({image.shows(name) for image in settled}) == 2}


def test_the_extremes_alone_would_miss_a_verdict() -> None:
    """All no and all yes collapse beside two yes; one yes of five is lost."""
    assert [scored(*judged(row, "yynnn")).verdict for row in ("nnnnn", "ynnnn", "yyyyy")] == [
        "collapsed",
        "lost",
        "collapsed",
    ]
    assert scored(*judged("NNNNN", "yynnn")).could_be == ("lost",)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_the_verdict_is_that_of_the_definition(counts: list[int]) -> None:
    present = [is_present(count, 5) for count in counts]
    highest = max((dvd_score(a, b) for a, b in itertools.permutations(counts, 2)), default=0.0)
    collapsed = "collapsed" if highest >= COLLAPSE else "mixed" if any(present) else "lost"
    image = scored(*judged(*("y" * count + "n" * (5 - count) for count in counts)))
    assert image.verdict == ("balanced" if all(present) else collapsed)
    assert not image.hangs and image.doubtful == ()

"""One image as pages show it: the picture, its verdict, and the answers about each concept."""

from dataclasses import dataclass

from markupsafe import Markup

from dominance.numbers import coefficient, score
from dominance.records import Answer, PromptResult, Question, ScoredImage
from dominance.report.parts.pictures import Embedded, Missing, Pictures
from dominance.report.parts.sentences import either, image_label, image_sentence

VERDICTS: tuple[str, ...] = ("collapsed", "balanced", "lost", "mixed", "unscored")
"""Of images, in the order in which the page counts them; ``unscored`` stands for None."""

_MARKS = {True: ("y", "✓"), False: ("n", "✗"), None: ("u", "?")}


@dataclass(frozen=True)
class AnswerRow:
    """The answers about one concept in one image: marks in the order of the questions, and P(yes) as text.

    ``doubtful``: doubtful answers decide whether the concept is there.
    """

    concept: str
    marks: Markup
    spoken: str
    probabilities: str | None
    doubtful: bool
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ImageView:
    """One image as the page shows it; ``picture`` is the file, or why it is missing.

    ``doubt``: what its verdict may be instead, where it hangs on doubtful answers.
    """

    verdict: str
    label: str
    alt: str
    picture: Embedded | Missing
    dvd: str | None
    direction: str | None
    rows: tuple[AnswerRow, ...]
    facts: tuple[str, ...]
    problem: str | None
    doubt: str | None

    @property
    def has_details(self) -> bool:
        return bool(self.facts) or any(row.probabilities or row.problems for row in self.rows)


def shown_verdict(image: ScoredImage) -> str:
    """One of ``VERDICTS``."""
    return image.verdict or "unscored"


def questions_asked(result: PromptResult) -> tuple[tuple[str, tuple[Question, ...]], ...]:
    """Each concept with the questions about it, in the order in which they were asked."""
    asked = dict.fromkeys(answer.question for image in result.images for answer in image.answers)
    by_concept = ((c.name, tuple(q for q in asked if q.concept == c.name)) for c in result.prompt.concepts)
    return tuple((concept, questions) for concept, questions in by_concept if questions)


def image_view(result: PromptResult, image: ScoredImage, pictures: Pictures) -> ImageView:
    """One image of a prompt, its file read and made small enough for a page."""
    label = image_label(image)
    picture = Missing("the image was not made") if image.file is None else pictures.of(image.file)
    direction = None if image.dominating is None else f"{image.dominating} over {image.dominated}"
    return ImageView(
        verdict=shown_verdict(image),
        label=label,
        alt=image_sentence(result.prompt.text, image, label),
        picture=picture,
        dvd=None if image.dvd is None else score(image.dvd),
        direction=direction,
        rows=tuple(_answer_row(c.name, image) for c in result.prompt.concepts) if image.answers else (),
        facts=_facts(image),
        problem=(image.problem or "no reason recorded") if image.verdict is None else None,
        doubt=f"hangs on doubtful answers: may be {either(image.could_be)}" if image.hangs else None,
    )


def _facts(image: ScoredImage) -> tuple[str, ...]:
    facts = [] if image.soft_dvd is None else [f"Soft DvD {score(image.soft_dvd)}"]
    if len(image.pairs) > 2:
        facts += [f"{a} over {b}: DvD {score(dvd)}" for (a, b), dvd in image.pairs.items() if dvd > 0]
    return tuple(facts)


def _answer_row(concept: str, image: ScoredImage) -> AnswerRow:
    own = [answer for answer in image.answers if answer.question.concept == concept]
    marks, probabilities = [], [answer.p_yes for answer in own]
    for answer in own:
        name, mark = _mark(answer)
        if marks and marks[-1][0] == name:
            marks[-1] = (name, marks[-1][1] + mark)
        else:
            marks.append((name, mark))
    said = [f"{sum(a.yes is True for a in own)} of {len(own)} yes"]
    for count, what in ((sum(a.yes is None for a in own), "unanswered"), (sum(a.doubtful for a in own), "doubtful")):
        said += [f"{count} {what}"] if count else []
    known = any(value is not None for value in probabilities)
    return AnswerRow(
        concept=concept,
        marks=Markup("").join(Markup('<i class="{}">{}</i>').format(*mark) for mark in marks),
        spoken=", ".join(said),
        probabilities=" ".join(map(coefficient, probabilities)) if known else None,
        doubtful=concept in image.doubtful,
        problems=tuple(f"question {a.question.grade}: {a.problem}" for a in own if a.yes is None and a.problem),
    )


def _mark(answer: Answer) -> tuple[str, str]:
    """Its classes and its sign."""
    name, mark = _MARKS[answer.yes]
    return (f"{name} d" if answer.doubtful else name), mark

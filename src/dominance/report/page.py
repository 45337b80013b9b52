"""What the page shows of a run, prepared for its template; images are read one at a time, as it asks for them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from dominance.mentions import spans_by_name
from dominance.records import Answer, GroupResult, PromptResult, Question, Rate, RunResult, ScoredImage
from dominance.report.headline import gate_sentence, headline, notes
from dominance.report.pictures import Embedded, Missing, embed, thumbnail_side
from dominance.report.plots import Dot, Strip, group_strips, verdict_bar
from dominance.report.ranking import directions, worst_first
from dominance.report.sentences import image_label, image_sentence, number, plural, prompt_sentence

VERDICTS: tuple[str, ...] = ("collapsed", "balanced", "lost", "mixed", "unscored")
"""Of images, in the order in which the page counts them; ``unscored`` stands for None."""

_BADGES = {"dominance": "collapsed", None: "unscored"}
_MARKS = {True: ("y", "✓"), False: ("n", "✗"), None: ("u", "?")}


@dataclass(frozen=True)
class AnswerRow:
    """The answers about one concept in one image: marks in the order of the questions, and P(yes) as text."""

    concept: str
    marks: Markup
    spoken: str
    probabilities: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ImageView:
    """One image as the page shows it; ``picture`` is the embedded file, or why there is none."""

    verdict: str
    label: str
    alt: str
    picture: Embedded | Missing
    dvd: str | None
    direction: str | None
    rows: tuple[AnswerRow, ...]
    facts: tuple[str, ...]
    problem: str | None

    @property
    def has_details(self) -> bool:
        return bool(self.facts) or any(row.probabilities or row.problems for row in self.rows)


@dataclass(frozen=True)
class PromptView:
    """One prompt as the page shows it, in the table and in its own section."""

    anchor: str
    result: PromptResult
    title: Markup
    sentence: str
    verdict: str
    badge: str
    failure: str | None
    marks: tuple[str, ...]
    bar: Markup
    questions: tuple[tuple[str, tuple[Question, ...]], ...]
    folder: Path
    side: int

    def images(self) -> Iterator[ImageView]:
        for image in self.result.images:
            yield image_view(self.result, image, self.folder, self.side)


@dataclass(frozen=True)
class GroupView:
    """One group's numbers, the same in the plot and in the table."""

    result: GroupResult
    strip: Strip


@dataclass(frozen=True)
class Page:
    """All that the template needs."""

    result: RunResult
    headline: str
    gate: str | None
    notes: tuple[str, ...]
    counts: dict[str, int]
    bar: Markup
    prompts: tuple[PromptView, ...]
    groups: tuple[GroupView, ...]
    plot: Markup | None
    dots_are: str
    manifest: dict[str, object]


def build_page(result: RunResult, folder: Path) -> Page:
    """Prepares a run whose image files are relative to ``folder`` (or absolute)."""
    counts = Counter(_verdict(image) for p in result.prompts for image in p.images)
    ordered = {name: counts[name] for name in VERDICTS}
    dots_are, groups = _group_views(result)
    strips = [group.strip for group in groups if group.strip.dots]
    return Page(
        result=result,
        headline=headline(result),
        gate=gate_sentence(result),
        notes=notes(result),
        counts=ordered,
        bar=verdict_bar(ordered, _counted(ordered)),
        prompts=_prompt_views(result, folder),
        groups=groups,
        plot=group_strips(strips, dots_are) if strips else None,
        dots_are=dots_are,
        manifest=_manifest(result),
    )


def _manifest(result: RunResult) -> dict[str, object]:
    """The result's own settings come last: the manifest is written at a run's end, and may be an earlier run's."""
    named = {"run": result.run, "suite": result.suite, "model": result.model, "judge": result.judge}
    own = {"settings": result.settings}
    return {**named, **own, **result.manifest, **own}


def _verdict(image: ScoredImage) -> str:
    return image.verdict or "unscored"


def _counted(counts: dict[str, int]) -> str:
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{plural(sum(counts.values()), 'image')}: {said or 'none'}"


def _prompt_views(result: RunResult, folder: Path) -> tuple[PromptView, ...]:
    side = thumbnail_side(result.images)
    failures = result.gate.failures if result.gate else {}
    return tuple(
        _prompt_view(place, p, failures.get(p.prompt.id), folder, side)
        for place, p in enumerate(worst_first(result.prompts), start=1)
    )


def _prompt_view(place: int, result: PromptResult, failure: str | None, folder: Path, side: int) -> PromptView:
    marks = tuple(_verdict(image) for image in result.images)
    counts = Counter(marks)
    ordered = {name: counts[name] for name in VERDICTS}
    return PromptView(
        anchor=f"prompt-{place}",
        result=result,
        title=_marked(result),
        sentence=prompt_sentence(result),
        verdict=result.verdict or "nothing scored",
        badge=_BADGES.get(result.verdict, result.verdict or ""),
        failure=None if failure is None else failure.removeprefix(f"{result.prompt.id}: "),
        marks=marks,
        bar=verdict_bar(ordered, _counted(ordered)),
        questions=_questions(result),
        folder=folder,
        side=side,
    )


def _marked(result: PromptResult) -> Markup:
    """The prompt's text with its concepts marked; where it has the verdict dominance, who took over and who is gone."""
    text, found = result.prompt.text, directions(result)
    roles: dict[str, str] = {}
    if result.verdict == "dominance" and found:
        roles = {found[0].dominating: " won", found[0].dominated: " gone"}
    pieces, end = [], 0
    for start, stop, name in spans_by_name(text, [concept.name for concept in result.prompt.concepts]):
        pieces += [escape(text[end:start]), _concept(text[start:stop], roles.get(name, ""))]
        end = stop
    pieces.append(escape(text[end:]))
    return Markup("").join(pieces)


def _concept(text: str, role: str) -> Markup:
    return Markup('<span class="c{}">{}</span>').format(role, text)


def _questions(result: PromptResult) -> tuple[tuple[str, tuple[Question, ...]], ...]:
    asked = dict.fromkeys(answer.question for image in result.images for answer in image.answers)
    by_concept = ((c.name, tuple(q for q in asked if q.concept == c.name)) for c in result.prompt.concepts)
    return tuple((concept, questions) for concept, questions in by_concept if questions)


def image_view(result: PromptResult, image: ScoredImage, folder: Path, side: int) -> ImageView:
    """One image of a prompt, its file read and made small enough for a page."""
    label = image_label(image)
    picture = Missing("the image was not made") if image.file is None else embed(folder / image.file, side)
    direction = None if image.dominating is None else f"{image.dominating} over {image.dominated}"
    return ImageView(
        verdict=_verdict(image),
        label=label,
        alt=image_sentence(result.prompt.text, image, label),
        picture=picture,
        dvd=None if image.dvd is None else number(image.dvd),
        direction=direction,
        rows=tuple(_answer_row(c.name, image.answers) for c in result.prompt.concepts) if image.answers else (),
        facts=_facts(image),
        problem=(image.problem or "no reason recorded") if image.verdict is None else None,
    )


def _facts(image: ScoredImage) -> tuple[str, ...]:
    facts = [] if image.soft_dvd is None else [f"Soft DvD {number(image.soft_dvd)}"]
    if len(image.pairs) > 2:
        facts += [f"{a} over {b}: DvD {number(score)}" for (a, b), score in image.pairs.items() if score > 0]
    return tuple(facts)


def _answer_row(concept: str, answers: tuple[Answer, ...]) -> AnswerRow:
    own = [answer for answer in answers if answer.question.concept == concept]
    marks, probabilities = [], [answer.p_yes for answer in own]
    for answer in own:
        name, mark = _MARKS[answer.yes]
        if marks and marks[-1][0] == name:
            marks[-1] = (name, marks[-1][1] + mark)
        else:
            marks.append((name, mark))
    yes, unknown = sum(a.yes is True for a in own), sum(a.yes is None for a in own)
    known = any(value is not None for value in probabilities)
    return AnswerRow(
        concept=concept,
        marks=Markup("").join(Markup('<i class="{}">{}</i>').format(*mark) for mark in marks),
        spoken=f"{yes} of {len(own)} yes" + (f", {unknown} unanswered" if unknown else ""),
        probabilities=" ".join("–" if v is None else f"{v:.2f}" for v in probabilities) if known else None,
        problems=tuple(f"question {a.question.grade}: {a.problem}" for a in own if a.yes is None and a.problem),
    )


def _group_views(result: RunResult) -> tuple[str, tuple[GroupView, ...]]:
    """The groups, and what their dots are: prompts, or images where no group has two scored prompts."""
    members = {g.name: [p for p in result.prompts if p.prompt.group_name == g.name] for g in result.groups}
    by_prompt = any(sum(p.dvd_mean is not None for p in listed) > 1 for listed in members.values())
    views = tuple(GroupView(g, _strip(g, members[g.name], by_prompt=by_prompt)) for g in result.groups)
    return ("each prompt's mean" if by_prompt else "each image"), views


def _strip(group: GroupResult, members: list[PromptResult], *, by_prompt: bool) -> Strip:
    """One group's row; a single prompt, however often it is drawn again, gives no interval between prompts."""
    if by_prompt:
        dots = [
            Dot(p.dvd_mean, f"{p.prompt.text}: mean DvD {number(p.dvd_mean)}, n = {p.scored}")
            for p in members
            if p.dvd_mean is not None
        ]
    else:
        images = [(p, image) for p in members for image in p.images]
        dots = [Dot(i.dvd, f"{p.prompt.text}, {i.name}: DvD {number(i.dvd)}") for p, i in images if i.dvd is not None]
    count = f"{plural(group.prompts, 'prompt')}, {plural(group.scored, 'scored image')}"
    resampled = sum(p.dvd_mean is not None for p in members)
    return Strip(group.name, count, tuple(dots), group.dvd_mean, group.dvd_interval if resampled > 1 else None)


def percent(rate: Rate) -> str | None:
    """The share with its interval; None when nothing was counted.

    >>> percent(Rate(7, 10, (0.397, 0.892)))
    '70% [40–89]'
    """
    if rate.share is None:
        return None
    interval = f" [{100 * rate.interval[0]:.0f}–{100 * rate.interval[1]:.0f}]" if rate.interval else ""
    return f"{100 * rate.share:.0f}%{interval}"

"""The page of an audited or scored run, prepared for its template, which reads one image after the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dominance.numbers import mean, plural, score
from dominance.records import COLLAPSE, GroupResult, PromptResult, Question, RunResult
from dominance.report.audit.beside import BesideView, beside_view
from dominance.report.audit.headline import gate_sentence, headline, notes
from dominance.report.parts.bars import verdict_bar
from dominance.report.parts.identity import IdentityView, identity_view
from dominance.report.parts.image_view import VERDICTS, ImageView, image_view, questions_asked, shown_verdict
from dominance.report.parts.marked_prompt import marked_prompt
from dominance.report.parts.measures import MeasuresView, measures_view
from dominance.report.parts.next_steps import NextStep, after_audit
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.palette import group_styles
from dominance.report.parts.pictures import Pictures, Shown, pictures_of
from dominance.report.parts.ranking import worst_first
from dominance.report.parts.sentences import hanging_sentence, prompt_sentence
from dominance.report.parts.strips import Dot, Mark, Strip, strips
from dominance.runs.stages.directions import directions

REPORT_NAME = "report.html"
_IN_VIEW = 24
"""Prompts in the table before the rest is folded away."""
_AT_ONCE = 200
"""Prompts whose images are shown together; of more, a script shows a page of 50."""
_BADGES = {"dominance": "collapsed", None: "unscored"}


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
    pictures: Pictures

    def images(self) -> Iterator[ImageView]:
        for image in self.result.images:
            yield image_view(self.result, image, self.pictures)


@dataclass(frozen=True)
class GroupView:
    """One group's numbers, the same in the plot and in the table."""

    result: GroupResult
    strip: Strip


@dataclass(frozen=True)
class Page:
    """All that the template needs; ``hanging``: how many images hang on doubtful answers."""

    result: RunResult
    headline: str
    gate: str | None
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    counts: dict[str, int]
    hanging: int | None
    doubt: str | None
    bar: Markup
    prompts: tuple[PromptView, ...]
    groups: tuple[GroupView, ...]
    plot: Markup | None
    dots_are: str
    identity: IdentityView | None
    beside: BesideView | None
    measures: MeasuresView | None
    next_steps: tuple[NextStep, ...]
    manifest: dict[str, object]


def write_report(result: RunResult, folder: Path, shown: Shown = "auto") -> Path:
    """Writes ``folder/report.html``: one page with the answer first, self-contained unless it links its images.

    Image files are absolute or relative to ``folder``; a placeholder stands for one that is missing or broken. Returns
    the page's path.

    Args:
        shown: whether the page holds its images (``inline``) or shows those of the folder (``linked``); ``auto``: by
            how large it would be.

    Raises:
        RunError: the page cannot be written.
    """
    files = [image.file for prompt in result.prompts for image in prompt.images if image.file is not None]
    pictures = pictures_of(folder, files, shown)
    page = _build_page(result, pictures)
    return write_page(
        folder / REPORT_NAME,
        "audit/page.html.j2",
        page=page,
        verdicts=VERDICTS,
        in_view=_IN_VIEW,
        at_once=_AT_ONCE,
        linked=pictures.linked,
    )


def _build_page(result: RunResult, pictures: Pictures) -> Page:
    counts = Counter(shown_verdict(image) for p in result.prompts for image in p.images)
    ordered = {name: counts[name] for name in VERDICTS}
    dots_are, groups = _group_views(result)
    plotted = [group.strip for group in groups if group.strip.dots]
    hanging = result.hanging
    return Page(
        result=result,
        headline=headline(result),
        gate=gate_sentence(result),
        failures=_failures(result),
        notes=notes(result),
        counts=ordered,
        hanging=None if hanging is None else sum(hanging.values()),
        doubt=hanging_sentence(hanging, result.scored, result.unscored),
        bar=verdict_bar(ordered, _counted(ordered)),
        prompts=_prompt_views(result, pictures),
        groups=groups,
        plot=_plot(plotted, dots_are) if plotted else None,
        dots_are=dots_are,
        identity=identity_view(result.identity, pictures.folder),
        beside=beside_view(result, pictures),
        measures=measures_view(result.measures, {p.prompt.id: p.prompt.text for p in worst_first(result.prompts)}),
        next_steps=after_audit(result),
        manifest=_manifest(result),
    )


def _failures(result: RunResult) -> tuple[str, ...]:
    """All that failed, of the run and of its prompts, where it is more than the gate's sentence says."""
    gate = result.gate
    listed = () if gate is None else (*gate.run_failures, *gate.failures.values())
    return listed if gate is not None and len(gate.failures) > 1 else ()


def _manifest(result: RunResult) -> dict[str, object]:
    """The result's own settings win: the manifest is written when a run ends, and may be an earlier run's."""
    named = {"run": result.run, "suite": result.suite, "model": result.model, "judge": result.judge}
    own = {"settings": result.settings.record()}
    return {**named, **own, **result.manifest, **own}


def _counted(counts: dict[str, int]) -> str:
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{plural(sum(counts.values()), 'image')}: {said or 'none'}"


def _prompt_views(result: RunResult, pictures: Pictures) -> tuple[PromptView, ...]:
    failures = result.gate.failures if result.gate else {}
    return tuple(
        _prompt_view(place, p, failures.get(p.prompt.id), pictures)
        for place, p in enumerate(worst_first(result.prompts), start=1)
    )


def _prompt_view(place: int, result: PromptResult, failure: str | None, pictures: Pictures) -> PromptView:
    marks = tuple(shown_verdict(image) for image in result.images)
    counts = Counter(marks)
    ordered = {name: counts[name] for name in VERDICTS}
    return PromptView(
        anchor=f"prompt-{place}",
        result=result,
        title=_title(result),
        sentence=prompt_sentence(result),
        verdict=result.verdict or "nothing scored",
        badge=_BADGES.get(result.verdict, result.verdict or ""),
        failure=None if failure is None else failure.removeprefix(f"{result.prompt.id}: "),
        marks=marks,
        bar=verdict_bar(ordered, _counted(ordered)),
        questions=questions_asked(result),
        pictures=pictures,
    )


def _title(result: PromptResult) -> Markup:
    """The prompt with its concepts marked; in a dominance prompt, which took over and which is gone."""
    classes, found = {concept.name: "c" for concept in result.prompt.concepts}, directions(result)
    if result.verdict == "dominance" and found:
        classes |= {found[0].dominating: "c won", found[0].dominated: "c gone"}
    return marked_prompt(result.prompt, classes)


def _group_views(result: RunResult) -> tuple[str, tuple[GroupView, ...]]:
    """The groups, and what their dots are: prompts, or images if no group has two scored prompts."""
    members = {g.name: [p for p in result.prompts if p.prompt.group_name == g.name] for g in result.groups}
    styles = group_styles(members)
    by_prompt = any(sum(p.dvd_mean is not None for p in own) > 1 for own in members.values())
    views = tuple(GroupView(g, _strip(g, members[g.name], styles[g.name], by_prompt=by_prompt)) for g in result.groups)
    return ("each prompt's mean" if by_prompt else "each image"), views


def _strip(group: GroupResult, members: list[PromptResult], style: str, *, by_prompt: bool) -> Strip:
    """One group's row; the interval resamples prompts, so a single prompt has none."""
    if by_prompt:
        dots = [
            Dot(p.dvd_mean, f"{p.prompt.text}: mean DvD {mean(p.dvd_mean)}, n = {p.scored}", style)
            for p in members
            if p.dvd_mean is not None
        ]
    else:
        images = [(p, image) for p in members for image in p.images]
        dots = [
            Dot(i.dvd, f"{p.prompt.text}, {i.name}: DvD {score(i.dvd)}", style) for p, i in images if i.dvd is not None
        ]
    count = f"{plural(group.prompts, 'prompt')}, {plural(group.scored, 'scored image')}"
    resampled = sum(p.dvd_mean is not None for p in members)
    return Strip(group.name, count, tuple(dots), group.dvd_mean, group.dvd_interval if resampled > 1 else None)


def _plot(plotted: Sequence[Strip], dots_are: str) -> Markup:
    said = "; ".join(f"{strip.name}: {strip.count}, mean DvD {mean(strip.value, strip.interval)}" for strip in plotted)
    collapse = Mark(COLLAPSE, f"an image collapses from {score(COLLAPSE)}")
    return strips(plotted, "DvD score by group", f"The dots are {dots_are}. {said}.", [collapse], most=100)

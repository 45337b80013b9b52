"""A reproduction as a page, as Markdown and as JSON."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dominance.documents import json_bytes
from dominance.files import write_whole
from dominance.report.parts.markdown import table
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, Pictures, Shown, pictures_of
from dominance.report.reproduction.plots import draw, styles_of
from dominance.report.reproduction.questions import QUESTIONS, answers, stated
from dominance.report.reproduction.steps import after_reproduce
from dominance.report.reproduction.words import HOLM, control_sentence, headline, mark, ours, over, size_sentence
from dominance.runs.reproduction.result import ClaimResult, ReproduceResult

PAGE_NAME, DOCUMENT_NAME, MARKDOWN_NAME = "reproduce.html", "reproduce.json", "reproduce.md"
_GLYPHS = {
    "reproduced": "balanced", "contradicted": "collapsed", "undecided": "doubtful", "not possible here": "unscored"
}  # fmt: skip


@dataclass(frozen=True)
class PlotView:
    """A plot, what it shows, and its legend."""

    quantity: str
    drawn: Markup
    styles: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ClaimView:
    """A claim as a row of the page that opens."""

    claim: ClaimResult
    ours: str
    over: str
    verdict: str
    glyph: str
    plots: tuple[PlotView, ...]
    pictures: tuple[tuple[Embedded | Missing, str], ...]


def write_reproduction(result: ReproduceResult, folder: Path, images: Shown = "auto") -> tuple[Path, ...]:
    """Writes ``reproduce.html``, ``reproduce.json`` and ``reproduce.md``; returns their paths.

    Raises:
        RunError: one of them cannot be written.
    """
    document = write_whole(folder / DOCUMENT_NAME, json_bytes(result, indent=1))
    markdown = write_whole(folder / MARKDOWN_NAME, reproduction_markdown(result).encode())
    files = [picture.file for claim in result.claims for picture in claim.finding.pictures]
    shown = pictures_of(folder, files, images)
    page = write_page(
        folder / PAGE_NAME,
        "reproduction/page.html.j2",
        result=result,
        headline=headline(result),
        size=size_sentence(result),
        control=control_sentence(result),
        holm=HOLM,
        views=(_view(claim, shown) for claim in result.claims),
        questions=[(stated(question, result), answers(question, result.claims)) for question in QUESTIONS],
        next_steps=after_reproduce(result),
        linked=shown.linked,
    )
    return page, markdown, document


def _view(claim: ClaimResult, shown: Pictures) -> ClaimView:
    plots = tuple(PlotView(plot.quantity, draw(plot), tuple(styles_of(plot))) for plot in claim.finding.plots)
    pictures = tuple((shown.of(picture.file), picture.caption) for picture in claim.finding.pictures)
    return ClaimView(claim, ours(claim), over(claim), mark(claim), _GLYPHS[claim.verdict], plots, pictures)


def reproduction_markdown(result: ReproduceResult) -> str:
    """The claims as Markdown: a table, and each claim with its rule and its figures."""
    lines = [
        f"# The papers' claims on {result.model}",
        "",
        *([f"**{nothing}**", ""] if (nothing := control_sentence(result)) else []),
        f"{headline(result)} Judged by {result.judge}. {size_sentence(result)} {HOLM}",
        "",
        *(f"**{warning.told[0].upper()}{warning.told[1:]}.**\n" for warning in result.judge_warnings),
        table(("claim", "the paper", "here (95%)", "over", "verdict"), [_row(claim) for claim in result.claims]),
    ]
    for claim in result.claims:
        lines += _section(claim)
    lines += ["## Open questions", ""]
    for question in (stated(question, result) for question in QUESTIONS):
        found = [f"- {answer}" for answer in answers(question, result.claims)]
        see = f" [What the miniature shows]({question.see})." if question.see else ""
        lines += [f"### {question.asks}", "", f"{question.says}{see}", "", *found, *([""] if found else [])]
        lines += [f"`{question.command}`", ""] if question.command else []
    return "\n".join(lines)


def _row(claim: ClaimResult) -> tuple[str, ...]:
    return (claim.title, claim.figure, ours(claim), over(claim), mark(claim))


def _section(claim: ClaimResult) -> list[str]:
    finding = claim.finding
    figures = [(figure.name, figure.ours, figure.paper) for figure in finding.figures]
    why = [f"{finding.why[0].upper()}{finding.why[1:]}.".replace("..", "."), ""] if finding.why else []
    return [
        f"## {claim.title}",
        "",
        f"*{mark(claim)}.* {claim.says} ({claim.source})",
        "",
        f"{claim.design} Decided by: {claim.rule.words}.",
        "",
        *why,
        *([claim.otherwise, ""] if claim.verdict == "contradicted" and claim.otherwise else []),
        *([table(("figure", "here", "the paper"), figures)] if figures else []),
    ]

"""Usable images as one HTML page that opens anywhere, offline."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dominance.numbers import plural
from dominance.report.generation.sentences import (
    beside_plain,
    early_sentence,
    ended_sentences,
    headline,
    number,
    prompt_rows,
    way_measures,
    why_thrown,
)
from dominance.report.generation.steps import after_generate
from dominance.report.parts.measures import score_lines
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, Pictures, Shown, pictures_of
from dominance.report.parts.sentences import listed
from dominance.runs.generation.result import Attempt, GeneratedPrompt, GenerationResult

GENERATION_REPORT_NAME = "generate.html"
_MOST_PROMPTS = 60
_MOST_THROWN = 40
"""Images of a prompt behind its fold."""


@dataclass(frozen=True)
class Cell:
    """One picture and what it took."""

    picture: Embedded | Missing
    alt: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class PromptView:
    """One prompt's images: those that are handed over, and behind a fold those that are not."""

    prompt: GeneratedPrompt
    sentence: str
    usable: tuple[Cell, ...]
    thrown: tuple[Cell, ...]
    fold: str


def write_generation(result: GenerationResult, folder: Path, images: Shown = "auto") -> Path:
    """Writes ``folder/generate.html``: the images, what each took, and behind a fold what was given up; its path.

    Raises:
        RunError: the page cannot be written.
    """
    shown = result.prompts[:_MOST_PROMPTS]
    files = [file for prompt in shown for each in prompt.attempts if (file := _file(each)) is not None]
    pictures = pictures_of(folder, files, images)
    told = [beside_plain(result), early_sentence(result), *ended_sentences(result)]
    return write_page(
        folder / GENERATION_REPORT_NAME,
        "generation/page.html.j2",
        result=result,
        headline=headline(result),
        told=[sentence for sentence in told if sentence is not None],
        views=_views(shown, pictures),
        shown_prompts=len(shown),
        all_prompts=len(result.prompts),
        table=prompt_rows(result),
        measures=way_measures(result),
        linked=pictures.linked,
        next_steps=after_generate(result),
    )


def _file(attempt: Attempt) -> str | None:
    """The picture that stands for an image: finished, or as it was predicted when it was given up."""
    return attempt.file if attempt.outcome != "given up" else attempt.early_file


def _views(prompts: tuple[GeneratedPrompt, ...], pictures: Pictures) -> Iterator[PromptView]:
    for prompt in prompts:
        thrown = [each for each in prompt.attempts if each.outcome != "usable"]
        more = f", {_MOST_THROWN} of them shown" if len(thrown) > _MOST_THROWN else ""
        yield PromptView(
            prompt=prompt,
            sentence=_sentence(prompt),
            usable=tuple(_cell(prompt, each, pictures) for each in prompt.usable),
            thrown=tuple(_cell(prompt, each, pictures) for each in thrown[:_MOST_THROWN]),
            fold=f"{plural(len(thrown), 'image')} not handed over{more}",
        )


def _sentence(prompt: GeneratedPrompt) -> str:
    """The risk, and what the prompt took."""
    said = [] if prompt.risk is None else [f"{prompt.risk} risk by preflight"]
    if prompt.attempts:
        said.append(
            f"{number(prompt.evaluations)} network evaluations for {plural(len(prompt.usable), 'usable image')}"
        )
    if prompt.problem is not None:
        said.append(prompt.problem)
    return "; ".join(said)


def _cell(prompt: GeneratedPrompt, attempt: Attempt, pictures: Pictures) -> Cell:
    file = _file(attempt)
    picture = Missing(attempt.problem or "there is no picture") if file is None else pictures.of(file)
    lines = [f"{number(attempt.evaluations)} evaluations, {plural(attempt.looks, 'look')}"]
    if attempt.early_score is not None:
        lines.append(f"score at 40%: {attempt.early_score:.2f}")
    if attempt.outcome != "usable":
        lines.insert(0, why_thrown(attempt.outcome))
    if attempt.outcome == "failed":
        lines.append(f"shows {listed(list(attempt.present)) if attempt.present else 'none of them'}")
    if attempt.finished is not None:
        lines.append("finished for the check: " + ("usable" if attempt.finished else "not usable"))
    lines += score_lines(attempt.scores)
    if attempt.problem is not None and file is not None:
        lines.append(attempt.problem)
    outcome = "usable" if attempt.outcome == "usable" else why_thrown(attempt.outcome)
    alt = f"“{prompt.text}”, seed {attempt.seed}, {attempt.way}: {outcome}"
    return Cell(picture, alt, f"{attempt.way}, seed {attempt.seed}", tuple(lines))

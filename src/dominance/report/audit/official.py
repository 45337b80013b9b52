"""The result file of the official release, written from a run: one row a scored image."""

from dataclasses import replace
from pathlib import Path

from dominance.files import write_whole
from dominance.records import PromptResult, RunResult, ScoredImage, Suite
from dominance.suites.official_prompts import case_numbers, content_and_object
from dominance.suites.official_results import OfficialImage, official_results_csv

OFFICIAL_NAME = "official-results.csv"


def check_official(suite: Suite, limit: int | None = None) -> None:
    """Refuses, before any image is judged, a suite whose first prompts (all unless limited) have no place in the file.

    Raises:
        InputError: a prompt has not two concepts, or two are the same case.
    """
    prompts = suite.prompts[:limit]
    for prompt in prompts:
        content_and_object(prompt)
    case_numbers(prompts)


def official_images(result: RunResult) -> tuple[OfficialImage, ...]:
    """The run's scored images; one without a score has no row, since the format knows no unanswered question.

    The DvD score is that of ``content`` over ``nm_word``, whichever dominates.

    Raises:
        InputError: a prompt has not two concepts.
    """
    by_id = {listed.prompt.id: listed for listed in result.prompts}
    numbered = case_numbers([listed.prompt for listed in result.prompts])
    return tuple(row for number, prompt in numbered.items() for row in _rows(number, by_id[prompt.id]))


def _rows(number: int, listed: PromptResult) -> list[OfficialImage]:
    content, thing = content_and_object(listed.prompt)
    scored = [image for image in listed.images if image.verdict is not None]
    dvd = [round(image.pairs[content.name, thing.name], 4) for image in scored]
    return [
        OfficialImage(
            case=number,
            prompt=replace(listed.prompt, concepts=(content, thing)),
            path=image.file or "",
            name=Path(image.file or image.name).name,
            content_answers=_given(image, content.name),
            object_answers=_given(image, thing.name),
            dvd=score,
            dvd_mean=round(sum(dvd) / len(dvd), 4),
        )
        for image, score in zip(scored, dvd, strict=True)
    ]


def _given(image: ScoredImage, concept: str) -> tuple[bool, ...]:
    return tuple(bool(answer.yes) for answer in image.answers if answer.question.concept == concept)


def write_official(result: RunResult, folder: Path) -> Path:
    """Writes ``folder/official-results.csv``.

    Raises:
        InputError: a prompt has not two concepts.
        RunError: it cannot be written.
    """
    return write_whole(folder / OFFICIAL_NAME, official_results_csv(official_images(result)))

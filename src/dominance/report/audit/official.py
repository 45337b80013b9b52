"""The result file of the official release, written from a run: one row for each scored image."""

from dataclasses import replace
from pathlib import Path

from dominance.files import write_whole
from dominance.records import PromptResult, RunResult, ScoredImage, Suite
from dominance.suites.official_prompts import case_numbers, content_and_object
from dominance.suites.official_results import OfficialImage, official_results_csv

OFFICIAL_NAME = "official-results.csv"


def check_official(suite: Suite, limit: int | None = None) -> None:
    """Refuses, before any image is judged, a suite whose prompts the file cannot hold.

    Raises:
        InputError: a prompt does not have exactly two concepts, or two prompts are the same case.
    """
    prompts = suite.prompts[:limit]
    for prompt in prompts:
        content_and_object(prompt)
    case_numbers(prompts)


def official_images(result: RunResult) -> tuple[OfficialImage, ...]:
    """The run's scored images; the format has no unanswered questions, so an unscored image has no row.

    The DvD score is that of ``content`` over ``nm_word``, whichever dominates.

    Raises:
        InputError: a prompt does not have exactly two concepts.
    """
    by_id = {scored.prompt.id: scored for scored in result.prompts}
    numbered = case_numbers([scored.prompt for scored in result.prompts])
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
        InputError: a prompt does not have exactly two concepts.
        RunError: it cannot be written.
    """
    return write_whole(folder / OFFICIAL_NAME, official_results_csv(official_images(result)))

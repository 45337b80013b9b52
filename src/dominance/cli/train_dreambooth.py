"""``dominance train dreambooth``: teaches a model one concept from pictures, audited while it learns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import UNKNOWN, distance, fraction, mean, measure
from dominance.runs.audit.options import WHAT
from dominance.runs.teaching.options import TeachingOptions

if TYPE_CHECKING:
    from dominance.records import Rate
    from dominance.runs.teaching.result import Checkpoint, TeachingResult

EXAMPLE = (
    "Examples:\n"
    "  dominance train dreambooth photos/ --token sks --class dog --model owner/name --prior-images 100\n"
    "  dominance train dreambooth pictures/castle --token castle --audit suite.txt --every 40\n"
)


def dreambooth(
    images: Annotated[
        Path, Parameter(group=WHAT, help="Folder of pictures with their captions, or a CSV or JSONL list of them.")
    ],
    *,
    token: Annotated[str, Parameter(group=WHAT, help="The word that the concept is taught under.")],
    model: shared.Model = "miniature-base",
    options: TeachingOptions = TeachingOptions(),
    output: shared.Output = shared.Output(),
) -> int:
    """Teach a model one concept from pictures (DreamBooth), by a LoRA or the UNet, and audit it while it learns.

    Captions are those of metadata.jsonl or metadata.csv, or a .txt beside each picture, else one instance prompt. With
    --audit, each checkpoint is scored, and the report names the last that still composes. The same command resumes.
    Exit status: 0 done, 2 bad input or a loss that is not a number, 3 done but some pictures could not be used.
    """
    from dominance.runs.teaching.run import train_dreambooth

    return deliver(train_dreambooth(images, token, model, output.out, options), output.json)


def deliver(result: "TeachingResult", json: bool) -> int:
    """Writes the page and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.images.left_out import left_out_lines
    from dominance.report.parts.next_steps import after_teaching
    from dominance.report.teaching.page import write_teaching

    results_are_in(Path(result.run))
    written = write_teaching(result, Path(result.run))
    note(*(f"warning: {line}" for line in result.warnings), *(f"note: {line}" for line in result.notes))
    note(*left_out_lines(result.left_out))
    if json:
        print_json(printed(result))
    else:
        print_teaching(result)
        tell_written(written)
        tell_next(after_teaching(result))
    return EXIT_DONE if result.complete else EXIT_UNSCORED


def print_teaching(result: "TeachingResult") -> None:
    """The checkpoints in a table, and the sentence that the report opens with."""
    from dominance.report.teaching.sentences import teaching_headline

    audited = result.suite is not None
    columns = ("step", "loss", "composition", "DvD", "alone", "leakage", "similar", "copying")
    rows = [_row(checkpoint, audited) for checkpoint in result.checkpoints]
    title = f"“{result.token}” taught to {result.model}"
    print_table(title, columns if audited else columns[:2], rows)
    warn_again(result.judge_warnings)
    echo(teaching_headline(result))


def _row(checkpoint: "Checkpoint", audited: bool) -> tuple[str, ...]:
    start = (str(checkpoint.step), measure(checkpoint.loss))
    seen = None if checkpoint.watched is None else checkpoint.watched.identity
    if not audited:
        return start
    if seen is None:
        return (*start, *[UNKNOWN] * 6)
    towards, similar = mean(seen.dvd_towards), distance(seen.similarity)
    return (
        *start, _share(seen.composition), towards, _share(seen.alone), _share(seen.leakage), similar,
        _share(seen.copying),
    )  # fmt: skip


def _share(found: "Rate | None") -> str:
    return UNKNOWN if found is None else fraction(found)

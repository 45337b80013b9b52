"""``dominance train dreambooth``: teaches a model one concept from pictures, audited while it learns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import UNKNOWN, distance, fraction, mean, measure, plural
from dominance.runs.audit.options import WHAT
from dominance.runs.teaching.options import TeachingOptions

if TYPE_CHECKING:
    from dominance.records import Rate
    from dominance.runs.teaching.estimate import CheckpointEstimate, TeachingEstimate
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
    output: shared.TrainingOutput = shared.TrainingOutput(),
) -> int:
    """Teach a model one concept from pictures (DreamBooth), by a LoRA or the UNet, and audit it while it learns.

    Captions are those of metadata.jsonl or metadata.csv, or a .txt beside each picture, else one instance prompt. With
    --audit, each checkpoint is scored, and the report names the last that still composes. The same command resumes.
    Exit status: 0 done, 2 bad input or a loss that is not a number, 3 done but some pictures could not be used.
    """
    from dominance.runs.teaching.estimate import estimate_dreambooth
    from dominance.runs.teaching.run import train_dreambooth

    if output.estimate:
        return tell_estimate(estimate_dreambooth(images, token, model, output.out, options), output.json)
    return deliver(train_dreambooth(images, token, model, output.out, options), output.json, said=True)


def deliver(result: "TeachingResult", json: bool, *, said: bool = False) -> int:
    """Writes the page and prints what was found; gives the command's exit status.

    Args:
        said: whether what is to be said before the first step has been.
    """
    from dominance.documents import printed
    from dominance.images.left_out import left_out_lines
    from dominance.report.teaching.page import write_teaching
    from dominance.report.teaching.steps import after_teaching

    results_are_in(Path(result.run))
    written = write_teaching(result, Path(result.run))
    if not said:
        note(*(f"warning: {line}" for line in result.warnings), *(f"note: {line}" for line in result.notes))
    note(*left_out_lines(result.left_out))
    if json:
        print_json(printed(result))
    else:
        print_teaching(result)
        tell_written(written)
        tell_next(after_teaching(result))
    return EXIT_DONE if result.complete else EXIT_UNSCORED


def tell_estimate(found: "TeachingEstimate", json: bool) -> int:
    """Prints what a fine-tuning would still take; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.images.left_out import left_out_lines

    note(*(f"warning: {line}" for line in found.warnings), *(f"note: {line}" for line in found.notes))
    note(*left_out_lines(found.left_out))
    if json:
        print_json(printed(found))
        return EXIT_DONE
    audited = found.suite is not None
    columns = ("step", "", "samples", "audited images", "questions")
    rows = [_left(checkpoint, audited) for checkpoint in found.checkpoints]
    title = f"“{found.token}” taught to {found.model}: what is left to do at each checkpoint"
    print_table(title, columns if audited else columns[:3], rows)
    left = found.steps - found.steps_done
    asked = f", and {plural(found.questions_to_ask, 'question')} to ask" if audited else ""
    echo(
        f"{plural(found.steps, 'step')} ({found.train}): {found.steps_done} done, {left} to do",
        f"{plural(found.pictures, 'picture')} to learn from; {_prior(found)}",
        f"{plural(found.images_to_draw, 'image')} to draw{asked}",
    )
    if more := sum(checkpoint.audit.control_questions for checkpoint in found.checkpoints if checkpoint.audit):
        echo(f"up to {plural(more, 'more question')} about control pictures")
    if found.calls is not None:
        echo(f"{plural(found.calls, 'call')} to the endpoint, one a question, without repeated ones")
    told = "nothing was trained, drawn, asked or written; run the command without --estimate to do it, in"
    echo(f"{told} {found.run}")
    return EXIT_DONE


def _left(checkpoint: "CheckpointEstimate", audited: bool) -> tuple[str, ...]:
    state = "the model as it is" if checkpoint.step == 0 else "trained" if checkpoint.there else "to train"
    start = (str(checkpoint.step), state, str(checkpoint.samples_to_draw))
    if not audited:
        return start
    audit = checkpoint.audit
    return (*start, *([UNKNOWN] * 2 if audit is None else [str(audit.images_to_draw), str(audit.questions_to_ask)]))


def _prior(found: "TeachingEstimate") -> str:
    if not found.prior:
        return "no prior"
    drawn = f", of which {found.prior_to_draw} are to be drawn" if found.prior_to_draw else ""
    return f"{plural(found.prior, 'prior picture')}{drawn}"


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

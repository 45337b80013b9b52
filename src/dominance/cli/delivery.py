"""How an audit answers: report, JUnit, table or JSON, notes and exit status."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again, worst_of
from dominance.cli.shared import CIFiles, PageImages
from dominance.cli.statuses import EXIT_DONE, exit_status
from dominance.numbers import UNKNOWN, fraction, mean, plural
from dominance.records import GateResult, Identity, PromptResult, RunResult

if TYPE_CHECKING:
    from dominance.report.parts.measures import MeasuresView
    from dominance.runs.audit.estimate import Estimate

_MEASURES = "presence, similarity and quality"
_MOST_FAILURES = 10
"""Prompts that fail the gate that the terminal names."""


def deliver(result: RunResult, files: CIFiles, json: bool, images: PageImages = "auto") -> int:
    """Writes and prints a run's result; gives the command's exit status."""
    from dominance.documents import to_json
    from dominance.images.left_out import left_out_lines
    from dominance.report.audit.headline import empty_note
    from dominance.report.audit.junit import write_junit
    from dominance.report.audit.page import write_report
    from dominance.report.audit.summary import write_summary
    from dominance.runs.audit.document import document_of

    folder = Path(result.run)
    results_are_in(folder)
    written = [write_report(result, folder, images)]
    written += [write_junit(result, files.junit)] if files.junit else []
    written += [write_summary(result, files.summary)] if files.summary else []
    empty = empty_note(result)
    note(*left_out_lines(result.left_out), *([] if empty is None else [f"note: {empty}"]))
    if json:
        print_json(to_json(document_of(result)))
    else:
        print_result(result, written)
    if result.gate is not None and result.gate.lets_pass is not None:
        note(f"note: {result.gate.lets_pass}")
    return exit_status(result)


def print_result(result: RunResult, written: Sequence[Path]) -> None:
    """The run's table and where its files lie."""
    from dominance.report.audit.baseline import baseline_sentences
    from dominance.report.audit.beside import beside_line
    from dominance.report.audit.headline import gate_reason
    from dominance.report.parts.measures import measure_rows, was_measured
    from dominance.report.parts.next_steps import after_audit
    from dominance.report.parts.ranking import worst_first
    from dominance.report.parts.sentences import hanging_sentence

    rows = [_row(prompt) for prompt in worst_of(result.prompts, worst_first)]
    columns = ("prompt", "verdict", "images", "DvD (95%)", "present")
    whole = f"in {written[0]}, and printed by --json" if written else "printed by --json"
    print_table(f"{result.suite}: {result.model}, judged by {result.judge}", columns, rows, whole)
    undrawn = result.scored + result.unscored - result.images
    rest = f" ({undrawn} could not be made)" if undrawn > 0 else ""
    echo(f"{plural(result.images, 'image')}, {result.scored} scored, {result.unscored} unscored{rest}")
    hanging = None if result.hanging is None else sum(result.hanging.values())
    if said := hanging_sentence(hanging, result.scored, result.unscored):
        echo(said)
    if result.identity is not None:
        print_identity(result.identity)
    if was_measured(result.measures):
        columns = ("measure", "mean (95%)", "images", "what it is")
        print_table(_MEASURES, columns, measure_rows(result.measures))
    if result.beside is not None:
        echo(beside_line(result.beside, result))
    echo(*baseline_sentences(result.baseline))
    warn_again(result.judge_warnings)
    if result.gate is not None:
        said = "passed" if result.gate.passed else "FAILED"
        echo(f"gate {said}: {gate_reason(result)}", *_failures(result.gate))
    tell_written(written)
    tell_next(after_audit(result))


def print_measures(view: "MeasuresView | None", lines: str | None = None) -> None:
    """Presence, similarity and quality; nothing where nothing was measured.

    Args:
        lines: what the view's rows are, where they are the table's lines; None for a line a measure.
    """
    if view is None:
        return
    if lines is not None:
        print_table(_MEASURES, (lines, *view.columns), [(name, *own) for name, own in view.rows])
        return
    names, rows = [name for name, _ in view.rows], [own for _, own in view.rows]
    print_table(_MEASURES, ("measure", *names), list(zip(view.columns, *rows, strict=True)))


def print_identity(found: Identity) -> None:
    """What the run shows of the taught concept."""
    from dominance.report.parts.identity import identity_rows, identity_sentence

    rows = [(row.name, row.figure, row.means) for row in identity_rows(found)]
    print_table(f"the taught concept: {found.taught}", ("measure", "images (95%)", "what it is"), rows)
    echo(identity_sentence(found))


def _failures(gate: GateResult) -> list[str]:
    """All that several prompts failed, a line each; what a single one failed stands in the gate's own line."""
    failed = list(gate.failures.values())
    if len(failed) < 2:
        return []
    more = [f"  and {len(failed) - _MOST_FAILURES} more: see the report"] if len(failed) > _MOST_FAILURES else []
    return [*(f"  {line}" for line in failed[:_MOST_FAILURES]), *more]


def _row(result: PromptResult) -> tuple[str, ...]:
    counts = {name: getattr(result, name) for name in ("collapsed", "balanced", "mixed", "lost")}
    images = ", ".join(f"{count}/{result.scored} {name}" for name, count in counts.items() if count)
    present = ", ".join(f"{name} {fraction(rate)}" for name, rate in result.presence.items())
    verdict = result.verdict or "unscored"
    if result.verdict == "dominance" and result.dominating:
        verdict = f"{result.dominating} dominates"
    return (result.prompt.text, verdict, images or UNKNOWN, mean(result.dvd_mean, result.dvd_interval), present)


def tell_estimate(found: "Estimate", json: bool) -> int:
    """Prints what a run would still take; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.images.left_out import left_out_lines

    if json:
        print_json(printed(found))
        return EXIT_DONE
    note(*left_out_lines(found.left_out))
    echo(f"{found.suite}: {found.model}, judged by {found.judge}", *estimate_lines(found), not_done(found.run))
    return EXIT_DONE


def estimate_lines(found: "Estimate") -> list[str]:
    """What is there and what is left, a line each."""
    lines = [
        f"{plural(found.images, 'image')}: {found.images_there} there, {found.images_to_draw} to draw",
        *_denoised(found),
        f"{plural(found.questions, 'question')}: {found.questions_answered} answered, {found.questions_to_ask} to ask",
    ]
    if found.images_to_measure is not None:
        lines.append(f"{plural(found.images_to_measure, 'image')} to measure by {' and '.join(found.measured_by)}")
    if found.control_questions:
        more = plural(found.control_questions, "more question")
        lines.append(f"up to {more} about control pictures, to find out whether the judge says yes to everything")
    if found.calls is not None:
        lines.append(f"{plural(found.calls, 'call')} to the endpoint, one a question, without repeated ones")
        lines += _carried(found)
    return lines


def not_done(run: str) -> str:
    """The end of every estimate of a run in this folder."""
    return f"nothing was drawn, asked or written; run the command without --estimate to do it, in {run}"


def _denoised(found: "Estimate") -> list[str]:
    """The work of drawing, where there is any."""
    if not found.denoising_steps or found.guidance is None:
        return []
    each = found.denoising_steps // found.images_to_draw
    return [f"{plural(found.denoising_steps, 'denoising step')}: {each} an image, at guidance {found.guidance:g}"]


def _carried(found: "Estimate") -> list[str]:
    """What the calls carry, as far as it is known."""
    if not found.calls:
        return []
    answers = f"each answer has at most {plural(found.answer_tokens or 0, 'token')}"
    if found.megabytes is None:
        return [f"each call carries its image, of a size that shows once images are drawn; {answers}"]
    each, total = _megabytes(found.megabytes / found.calls), _megabytes(found.megabytes)
    images = plural(found.measured, "image")
    return [
        f"each call carries its image, {each} ({images} measured), {total} in all; {answers}",
        "how many tokens an image counts for depends on the model",
    ]


def _megabytes(value: float) -> str:
    return f"about {value:.2f} MB" if value >= 0.01 else "less than 0.01 MB"

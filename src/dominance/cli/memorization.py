"""``dominance memorization``."""

from pathlib import Path
from typing import TYPE_CHECKING

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import UNKNOWN, effect, measure
from dominance.runs.noise_norm.options import NoiseNormOptions

if TYPE_CHECKING:
    from dominance.runs.noise_norm.result import MemorizationResult

app = new_app(
    "memorization",
    help_epilogue="Examples:\n"
    "  dominance memorization miniature --seeds 4\n"
    "  dominance memorization groups.csv --model owner/name --steps 50 --json\n",
)


@app.default
def command(
    suite: shared.Suite = "miniature",
    *,
    model: shared.Model = "miniature",
    options: NoiseNormOptions = NoiseNormOptions(),
    output: shared.Output = shared.Output(),
) -> int:
    """Measure how strongly each prompt moves the predicted noise, by group: the text-conditional noise norm.

    Memorized prompts move it most. Measures at step 1, over the first 10 steps and over all steps, from the predictions
    with and without the prompt that guidance combines; decodes no image. Writes memorization.html. The same command
    resumes. Exit status: 0 done, 2 bad input, 3 done but some prompts could not be measured.
    """
    from dominance.runs.noise_norm.run import measure_noise_norm

    return deliver(measure_noise_norm(suite, model, output.out, options), output.json)


def deliver(result: "MemorizationResult", json: bool) -> int:
    """Writes the page and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.report.noise_norm.page import write_memorization
    from dominance.report.parts.next_steps import after_memorization

    results_are_in(Path(result.run))
    written = write_memorization(result, Path(result.run))
    note(*(f"note: {line}" for line in result.notes))
    if json:
        print_json(printed(result))
    else:
        print_norms(result)
        tell_written(written)
        tell_next(after_memorization(result))
    return EXIT_DONE if result.complete else EXIT_UNSCORED


def print_norms(result: "MemorizationResult") -> None:
    """The groups, how they compare, and what could not be measured."""
    from dominance.report.noise_norm.page import SUMMARY_NAMES, memorization_headline

    columns = ("group", "prompts", "norms", *SUMMARY_NAMES.values())
    rows = [
        (group.name, str(group.prompts), str(group.norms), *(measure(*group.means[name]) for name in SUMMARY_NAMES))
        for group in result.groups
    ]
    print_table(f"{result.suite}: {result.model}, norm of the {result.quantity} that the prompt adds", columns, rows)
    compared = [
        (
            " against ".join(pair.groups),
            SUMMARY_NAMES[pair.summary],
            f"{pair.u:g}",
            effect(pair.effect),
            f"{pair.p_value:.2g}",
            UNKNOWN if pair.expected is None else f"{pair.expected} higher",
            pair.found,
        )
        for pair in result.comparisons
    ]
    if compared:
        print_table(
            "by prompt, Mann-Whitney", ("groups", "norm", "U", "effect", "p", "the paper expects", "found"), compared
        )
    for prompt in result.prompts:
        echo(*(f"not measured: {prompt.id}, seed {seed}: {why}" for seed, why in prompt.problems))
    echo(memorization_headline(result))

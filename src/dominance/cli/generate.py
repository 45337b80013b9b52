"""``dominance generate``."""

from pathlib import Path
from typing import TYPE_CHECKING

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.delivery import print_measures, tell_estimate
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import plural
from dominance.runs.generation.options import GenerateOptions

if TYPE_CHECKING:
    from dominance.runs.generation.result import GenerationResult

app = new_app(
    "generate",
    help_epilogue="Examples:\n"
    '  dominance generate "a [castle:landmark] and a [mug]" --usable 4\n'
    "  dominance generate campaign.yaml --usable 8 --budget 2000 --model owner/name --judge qwen:owner/judge\n",
)


@app.default
def command(
    suite: shared.Suite,
    *,
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    options: GenerateOptions = GenerateOptions(),
    output: shared.Estimated = shared.Estimated(),
) -> int:
    """Draw images in which the judge sees every concept, for the least computation.

    A prompt at high risk by `dominance preflight` begins with the first method of repair, any other plain. After 40% of
    the steps the judge looks at the picture that the model predicts, and an image that will fail is given up; the next
    method tries it again. Images are drawn one by one, with model and judge both in memory. With --workers or --engine
    ray, each worker draws one image at a time, and only images that one process would draw, too. Without --seeds, seeds
    0, 1, 2 and so on are used, as many as needed. Writes generate.html and the images into the run folder. The same
    command resumes, and a larger --usable or --budget continues. Exit status: 0 done, 2 bad input, 3 the budget or the
    seeds ended before all images were usable.
    """
    from dominance.runs.generation.run import estimate_generation, generate

    if output.estimate:
        note("note: at the least: what fails is drawn again, within the budget of each prompt")
        return tell_estimate(estimate_generation(suite, None, model, judge, output.out, options), output.json)
    result = generate(suite, None, model, judge, output.out, options).result()
    return deliver(result, output.json, output.page_images)


def deliver(result: "GenerationResult", json: bool, images: shared.PageImages = "auto") -> int:
    """Writes the page and prints what was drawn; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.report.generation.page import write_generation
    from dominance.report.generation.steps import after_generate

    results_are_in(Path(result.run))
    page = write_generation(result, Path(result.run), images)
    if json:
        print_json(printed(result))
    else:
        print_generation(result)
        tell_written([page])
        tell_next(after_generate(result))
    return EXIT_UNSCORED if result.missing else EXIT_DONE


def print_generation(result: "GenerationResult") -> None:
    """What was drawn, on one screen."""
    from dominance.report.generation.sentences import (
        beside_plain,
        early_sentence,
        ended_sentences,
        headline,
        number,
        prompt_rows,
        way_measures,
    )

    rows = [(r.text, r.risk, r.usable, r.ways, r.thrown, r.evaluations, r.looks) for r in prompt_rows(result)]
    columns = ("prompt", "risk", "usable", "by", "not handed over", "evaluations", "looks")
    print_table(f"{result.suite}: {result.model}, judged by {result.judge}", columns, rows, "printed by --json")
    images = [
        (prompt.text, str(each.seed), each.way, number(each.evaluations), str(each.looks), each.file or "")
        for prompt in result.prompts
        for each in prompt.usable
    ]
    if images:
        print_table("usable images", ("prompt", "seed", "by", "evaluations", "looks", "file"), images, "in the page")
    print_measures(way_measures(result))
    told = (headline(result), beside_plain(result), early_sentence(result))
    echo(*(sentence for sentence in told if sentence is not None), *ended_sentences(result))
    warn_again(result.judge_warnings)
    note(*(f"note: {said}" for said in result.notes))
    echo(f"{plural(int(result.evaluations), 'network evaluation')}, {plural(result.looks, 'look')} of the judge")

"""``dominance explain``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.numbers import parse_numbers
from dominance.cli.output import note_foreign_pictures, print_json, print_table
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED

if TYPE_CHECKING:
    from dominance.runs.explanation.result import Explanation

EXAMPLE = (
    '\x08\nExamples:\n  dominance explain "a [tower:landmark] and a [mug]" --seeds 4\n'
    '  dominance explain "a [eiffel tower:landmark] and a [mug]" --model owner/name --judge none --layers 7-10'
)


def command(
    prompt: Annotated[str, typer.Argument(help="A prompt with at least one concept in brackets.")],
    model: shared.Model = "miniature",
    judge: Annotated[str, typer.Option(help="As for audit, or none for no verdicts.")] = "miniature",
    seeds: shared.Seeds = "4",
    steps: shared.Steps = None,
    guidance: shared.Guidance = None,
    height: shared.Height = None,
    width: shared.Width = None,
    dtype: shared.Dtype = "float32",
    layers: Annotated[
        str | None, typer.Option(help="Attention layers to look at, such as 7-10 or 2,9, from 1; all unless given.")
    ] = None,
    maps_steps: Annotated[
        str | None,
        typer.Option(
            help="Steps to keep maps of, such as 0,5,24, from 0; first, a quarter, half and last unless given."
        ),
    ] = None,
    maps_layers: Annotated[
        str | None,
        typer.Option(help="Layers that maps are averaged over; those of a middle resolution unless given."),
    ] = None,
    batch: shared.Batch = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for page, JSON and images; explanations/ and the prompt unless given.")
    ] = None,
    device: shared.Device = "auto",
    offload: shared.Offload = "none",
    json: shared.AsJson = False,
) -> None:
    """Show what the model looks at while it draws a prompt, as a page with every figure explained.

    Draws a few images and records, at every layer and step, how much attention each word gets and where in the
    picture. Writes explanation.html, explanation.json and the images. Exit status: 0 done, 2 bad input, 3 done but
    some images have no verdict.
    """
    from dominance.report.explanation import check_explanation_folder, write_explanation
    from dominance.runs.explanation.result import as_document
    from dominance.runs.explanation.run import ExplainOptions, explain, read_marked
    from dominance.seeds import parse_seeds

    marked = read_marked(prompt)
    chosen = ExplainOptions(
        seeds=parse_seeds(seeds),
        layers=parse_numbers("--layers", layers),
        maps_steps=parse_numbers("--maps-steps", maps_steps),
        maps_layers=parse_numbers("--maps-layers", maps_layers),
        steps=steps,
        guidance=guidance,
        height=height,
        width=width,
        dtype=dtype,
        batch=batch,
        device=device,
        offload=offload,
    )
    folder = out or Path("explanations") / marked.id
    check_explanation_folder(folder, marked.text, [f"images/{seed}.png" for seed in chosen.seeds])
    found = explain(marked, model, judge, chosen)
    if found.judge is not None:
        note_foreign_pictures(judge, model)
    page = write_explanation(found, folder)
    if json:
        print_json(as_document(found))
    else:
        _print(found, page)
    raise typer.Exit(EXIT_UNSCORED if found.unscored else EXIT_DONE)


def _print(found: "Explanation", page: Path) -> None:
    from dominance.report import explanation_sentences as said
    from dominance.runs.explanation.result import peaks

    focus = found.focus[:, 0].mean(dim=0).tolist()
    rows = [
        (str(peak.layer), said.score(value), peak.token, f"{peak.images}/{len(found.seeds)}")
        for peak, value in zip(peaks(found), focus, strict=True)
    ]
    print_table(f"{found.prompt.text}: first step", ("layer", "focus", "strongest word", "in images"), rows)
    for sentence in (said.headline(found), said.attention_note(found), said.course_sentence(found)):
        typer.echo(sentence)
    typer.echo(f"wrote {page}")

"""``dominance diversity``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import note, print_json, print_table, resumable
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED

if TYPE_CHECKING:
    from dominance.runs.diversity.result import ConceptDiversity, DiversityResult

EXAMPLE = (
    "\x08\nExamples:\n  dominance diversity photos --embedder openai/clip-vit-large-patch14\n"
    "  dominance diversity pictures/pictures.csv --json"
)


def command(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder with one folder of images a concept (or a category of them), or a CSV: path,concept,category."
        ),
    ],
    embedder: Annotated[
        str,
        typer.Option(
            help="miniature (bundled; for pictures of the miniature world alone), or a folder or hub id of a CLIP,"
            " SigLIP, DINOv2 or BLIP model. For the paper's figures: openai/clip-vit-large-patch14."
        ),
    ] = "miniature",
    near_duplicate: Annotated[
        float | None,
        typer.Option(
            help="Cosine similarity from which two images are near duplicates. Default: 0.95; miniature 0.99."
        ),
    ] = None,
    out: shared.Out = None,
    batch: Annotated[int, typer.Option(help="Images embedded at once.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals' resampling.")] = 0,
    device: shared.Device = "auto",
    json: shared.AsJson = False,
) -> None:
    """Measure how varied each concept's images are, before fine-tuning on them.

    Embeds every image once, and gives for each concept the median pairwise distance with its interval, the Vendi score,
    near duplicates, and a verdict: is this set so uniform that its concept will dominate? The same command resumes.
    Exit status: 0 done, 2 bad input, 3 done but some images could not be measured.
    """
    from dominance.report.diversity import write_diversity
    from dominance.runs.diversity.run import DiversityOptions, measure_diversity

    options = DiversityOptions(near=near_duplicate, batch=batch, device=device, seed=seed)
    with resumable(out or "its run folder"):
        result = measure_diversity(source, embedder, out, options)
        written = write_diversity(result, Path(result.run))
    for line in result.notes:
        note(f"note: {line}")
    if json:
        print_json(result.document())
    else:
        _print(result, written)
    raise typer.Exit(EXIT_DONE if result.complete else EXIT_UNSCORED)


def _print(result: "DiversityResult", written: tuple[Path, ...]) -> None:
    from dominance.report.diversity import diversity_headline
    from dominance.runs.diversity.result import uniform_first

    columns = ("concept", "verdict", "images", "median distance", "95% interval", "Vendi", "near duplicates", "copies")
    rows = [_row(one) for one in uniform_first(result.concepts)]
    print_table(f"{result.source}, embedded by {result.embedder}", columns, rows)
    for file, problem in result.problems:
        typer.echo(f"not measured: {file}: {problem}")
    for one in result.concepts:
        if one.median is None:
            typer.echo(f"not measured: {one.name}: {one.images} readable image(s), and a distance needs two")
    typer.echo(diversity_headline(result))
    typer.echo(result.rests)
    for path in written:
        typer.echo(f"wrote {path}")


def _row(one: "ConceptDiversity") -> tuple[str, ...]:
    name = one.name if one.category is None else f"{one.category}/{one.name}"
    verdict = one.verdict.word or "–"
    copies = str(sum(len(group) for group in one.copies))
    if one.median is None or one.vendi is None:
        return (name, verdict, str(one.images), "–", "–", "–", "–", copies)
    interval = "–" if one.interval is None else f"{one.interval[0]:.4f} to {one.interval[1]:.4f}"
    near = f"{one.near_images}/{one.images}"
    return (name, verdict, str(one.images), f"{one.median:.4f}", interval, f"{one.vendi:.2f}", near, copies)

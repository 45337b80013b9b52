"""``dominance diversity``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import UNKNOWN, distance, measure
from dominance.runs.audit.options import WHAT
from dominance.runs.diversity.options import DiversityOptions

if TYPE_CHECKING:
    from dominance.runs.diversity.result import ConceptDiversity, DiversityResult

_TOLD = 3
"""Concepts, the most uniform first, of which the terminal says what to change; the page says it of all."""

app = new_app(
    "diversity",
    help_epilogue="Examples:\n"
    "  dominance diversity my-mascot --token mascot --embedder openai/clip-vit-large-patch14\n"
    "  dominance diversity photos --embedder openai/clip-vit-large-patch14\n"
    "  dominance diversity pictures/pictures.csv --json\n",
)


@app.default
def command(
    source: Annotated[
        Path,
        Parameter(
            group=WHAT,
            help="Folder with one subfolder of images per concept (or per category of concepts), the folder of one"
            " training set, or a list (CSV, TSV or JSONL) with path, caption, concept and category; caption or concept"
            " may be missing.",
        ),
    ],
    *,
    embedder: Annotated[
        str,
        Parameter(
            group=WHAT,
            help="miniature (bundled; only for images of the miniature world), or a folder or hub id of a CLIP, SigLIP,"
            " DINOv2 or BLIP model. For the paper's figures: openai/clip-vit-large-patch14.",
        ),
    ] = "miniature",
    options: DiversityOptions = DiversityOptions(),
    output: shared.Output = shared.Output(),
) -> int:
    """Measure how varied a training set is, in its images and captions, before fine-tuning on it.

    Embeds every image and prints for each concept the median pairwise distance, the Vendi score, near duplicates and a
    verdict: are its images so uniform that it is likely to dominate? It also says what captions, masks
    and boxes bind, what never varies, and which three changes would help most. Writes diversity.html. The same command
    resumes.
    Exit status: 0 done, 2 bad input, 3 done but some images could not be used or measured.
    """
    from dominance.runs.diversity.run import measure_diversity

    return deliver(measure_diversity(source, embedder, output.out, options), output.json)


def deliver(result: "DiversityResult", json: bool) -> int:
    """Writes the page and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.images.left_out import left_out_lines
    from dominance.report.diversity.page import write_diversity
    from dominance.report.parts.next_steps import after_diversity

    results_are_in(Path(result.run))
    written = write_diversity(result, Path(result.run))
    note(*left_out_lines(result.left_out), *(f"note: {line}" for line in result.notes))
    if json:
        print_json(printed(result))
    else:
        print_diversity(result)
        tell_written(written)
        tell_next(after_diversity(result))
    return EXIT_DONE if result.complete else EXIT_UNSCORED


def print_diversity(result: "DiversityResult") -> None:
    """Every concept, the most uniform first, and what could not be measured."""
    from dominance.diversity.changes import changes_sentence
    from dominance.report.diversity.page import diversity_headline
    from dominance.report.diversity.training_set import set_sentences
    from dominance.runs.diversity.result import uniform_first

    columns = ("concept", "verdict", "images", "median distance (95%)", "Vendi", "near duplicates", "copies")
    rows = [_row(concept) for concept in uniform_first(result.concepts)]
    whole = f"in {Path(result.run) / 'diversity.csv'}, and printed by --json"
    print_table(f"{result.source}, embedded by {result.embedder.name}", columns, rows, whole)
    echo(*(f"not measured: {file.file}: {file.problem}" for file in result.problems))
    for concept in result.concepts:
        if concept.median is None:
            echo(f"not measured: {concept.name}: {concept.images} readable image(s); a distance needs two")
    echo(diversity_headline(result), result.rests)
    for concept in uniform_first(result.concepts)[:_TOLD]:
        if len(result.concepts) == 1:
            echo(*set_sentences(concept))
        if concept.changes or len(result.concepts) == 1:
            echo(f"{concept.name}: {changes_sentence(concept.changes, concept.verdict is not None)}")


def _row(concept: "ConceptDiversity") -> tuple[str, ...]:
    name = concept.name if concept.category is None else f"{concept.category}/{concept.name}"
    verdict = concept.verdict or UNKNOWN
    copies = str(sum(len(group) for group in concept.near_duplicates.copies))
    if concept.median is None or concept.vendi is None:
        return (name, verdict, str(concept.images), UNKNOWN, UNKNOWN, UNKNOWN, copies)
    median = distance(concept.median, concept.interval)
    near = f"{concept.near_duplicates.images}/{concept.images}"
    return (name, verdict, str(concept.images), median, measure(concept.vendi), near, copies)

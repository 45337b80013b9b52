"""``dominance score``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.delivery import deliver, tell_estimate
from dominance.cli.output import note
from dominance.errors import InputError
from dominance.runs.audit.options import WHAT, ScoreOptions

app = new_app(
    "score",
    help_epilogue="Example:\n  dominance score images/ --suite s.yaml --max-collapse 0.2 --min-presence 0.9\n",
)


@app.default
def command(
    images: Annotated[
        Path,
        Parameter(
            group=WHAT,
            help="Folder of images, known by the names of folders (a prompt's id or text), by the prompt in the file or"
            " in metadata, or by name; or a CSV file: path,prompt.",
        ),
    ],
    *,
    suite: Annotated[str, Parameter(group=WHAT, help="Suite that the images were made from.")],
    judge: shared.JudgeName = "miniature",
    options: ScoreOptions = ScoreOptions(),
    export: Annotated[
        str | None,
        Parameter(
            group=shared.OUTPUT,
            help="official: also write official-results.csv into the run folder, in the release's columns.",
        ),
    ] = None,
    files: shared.CIFiles = shared.CIFiles(),
    output: shared.Estimated = shared.Estimated(),
) -> int:
    """Judge and score images that were made elsewhere.

    Asks and scores as `dominance audit` does, and writes report.html into the run folder. The same command resumes.
    Exit status: 0 done and the gate (if any) holds, 1 the gate fails, 2 bad input, 3 done but some images have no
    score or no prompt, or a prompt has no image.
    """
    from dominance.report.audit.official import check_official, write_official
    from dominance.runs.audit.score import estimate_score, score
    from dominance.suites import load_suite

    if export not in (None, "official"):
        raise InputError(f"no export {export[:60]!r}; give official")
    loaded = load_suite(suite, options.concepts)
    if export:
        check_official(loaded, options.limit)
    if output.estimate:
        return tell_estimate(estimate_score(images, suite, judge, output.out, options), output.json)
    files.check()
    result = score(images, suite, judge, output.out, options)
    if export:
        note(f"wrote {write_official(result, Path(result.run))}")
    return deliver(result, files, output.json, output.page_images)

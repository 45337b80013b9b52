"""``dominance report``."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dominance.cli import (
    ablate,
    bench,
    delivery,
    diversity,
    explain,
    generate,
    judge,
    memorization,
    mitigate,
    reproduce,
    shared,
    sweep,
    train_dreambooth,
)
from dominance.cli.app import new_app
from dominance.errors import InputError
from dominance.runs.audit.options import WHAT, Beside

_DELIVER: dict[str, Callable[[Any, Path, shared.CIFiles, bool, shared.PageImages], int]] = {
    "RunResult": lambda result, _, files, json, images: delivery.deliver(result, files, json, images),
    "AblationResult": lambda result, _, __, json, ___: ablate.deliver(result, json),
    "BenchResult": lambda result, _, __, json, images: bench.deliver(result, json, images),
    "DiversityResult": lambda result, _, __, json, ___: diversity.deliver(result, json),
    "Explanation": lambda result, folder, _, json, __: explain.deliver(result, folder, json),
    "JudgeCheck": lambda result, _, __, json, ___: judge.deliver(result, json),
    "AdapterSweep": lambda result, _, __, json, images: sweep.deliver(result, json, images),
    "GenerationResult": lambda result, _, __, json, images: generate.deliver(result, json, images),
    "MitigationResult": lambda result, _, __, json, images: mitigate.deliver(result, json, images),
    "MemorizationResult": lambda result, _, __, json, ___: memorization.deliver(result, json),
    "ReproduceResult": lambda result, _, __, json, images: reproduce.deliver(result, json, images),
    "TeachingResult": lambda result, _, __, json, ___: train_dreambooth.deliver(result, json),
}
"""How each kind of result is written and printed, by the name of its class, so that none is imported here."""

app = new_app("report", help_epilogue="Example:\n  dominance report runs/miniature\n")


@app.default
def command(
    run: Annotated[Path, Parameter(group=WHAT, help="Run folder of any command.")],
    *,
    beside: Beside | None = None,
    files: shared.CIFiles = shared.CIFiles(),
    page_images: shared.PageImages = "auto",
    output: shared.Printed = shared.Printed(),
) -> int:
    """Write the pages of a run folder again, and print what its command printed.

    Works for every command, and for an unfinished audit. With --beside, an audit or score is compared with another one,
    without loading a model or judge. Exit status: that of the command that made the folder.
    """
    from dominance.reproduce.run import is_reproduction, read_reproduction
    from dominance.runs.audit.other_run import lay_beside
    from dominance.runs.reading import read_run

    files.check()
    if beside is not None:
        result = lay_beside(run, beside)
    else:
        result = read_reproduction(run) if is_reproduction(run) else read_run(run)
    kind = type(result).__name__
    for option, file in (("--junit", files.junit), ("--summary", files.summary)):
        if file is not None and kind != "RunResult":
            raise InputError(f"{option} needs an audit, and {run} holds another result; leave it out")
    return _DELIVER[kind](result, run, files, output.json, page_images)

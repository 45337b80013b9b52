"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Optional

import typer

Seeds = Annotated[str, typer.Option(help="How many images a prompt (10 means seeds 0 to 9), or a list: 7,8,9.")]
Limit = Annotated[Optional[int], typer.Option(help="Only the suite's first so many prompts.")]  # noqa: UP045
Out = Annotated[Optional[Path], typer.Option(help="Run folder; the same folder resumes.")]  # noqa: UP045
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
JudgeName = Annotated[str, typer.Option("--judge", help="miniature, or blip:FOLDER.")]
Questions = Annotated[Optional[Path], typer.Option(help="YAML file of question templates by kind.")]  # noqa: UP045
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, all else on stderr.")]
MaxCollapse = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(help="Gate: highest share of any prompt's images that may collapse, 0 to 1."),
]
MinPresence = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(help="Gate: lowest share of any prompt's images that must show each concept, 0 to 1."),
]
MaxUnscored = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(help="Gate: highest share of images that may stay unscored, 0 to 1; 0 unless given."),
]
JUnit = Annotated[Optional[Path], typer.Option(help="Also write a JUnit XML file there.")]  # noqa: UP045

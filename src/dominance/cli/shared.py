"""Arguments that several commands share, beside their options classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from dominance.files import check_writable
from dominance.judges.options import JUDGE
from dominance.runs.audit.options import WHAT

OUTPUT = Group("Output", sort_key=60)

Suite = Annotated[
    str,
    Parameter(group=WHAT, help="Bundled suite, file of prompts, or one prompt with its concepts in brackets."),
]
Model = Annotated[str, Parameter(group=WHAT, help="miniature, a diffusers folder, or a hub id.")]
JudgeName = Annotated[
    str,
    Parameter(
        name="--judge",
        group=JUDGE,
        help="miniature; qwen:, blip:, vilt:, clip: or siglip: and a folder or hub id; openai:URL#MODEL; answers:FILE;"
        " or a judge from another package, see `dominance list judges`.",
    ),
]


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class CIFiles:
    """Files for a CI system that an audit also writes."""

    junit: Path | None = None
    """Also write this JUnit XML file."""
    summary: Path | None = None
    """Also write this Markdown file, for a comment on a pull request: what vanished where, and what changed."""

    def check(self) -> None:
        """Raises an InputError where one of them cannot be written."""
        for file in (self.junit, self.summary):
            check_writable(file)


PageImages = Annotated[
    Literal["auto", "inline", "linked"],
    Parameter(
        group=OUTPUT,
        help="Whether a report or contact sheet holds its images, or shows the files in the folder beside it; auto:"
        " inline up to about 20 MB.",
    ),
]


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class Printed:
    """How a command answers."""

    json: bool = False
    """Print one JSON document on stdout, everything else on stderr."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class Answered(Printed):
    """How a command with options answers, and where the options come from."""

    config: Path | None = None
    """YAML file of options, such as run.yaml in a run folder; options on the command line override it."""
    print_config: bool = False
    """Print the options as such a file and exit."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class Output(Answered):
    """How a command with a run folder answers, and where that is."""

    out: Path | None = None
    """Run folder; the same folder resumes. By default a folder in runs/, named after the run."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class OutputWithPictures(Output):
    """How a command answers that writes a page of all its images."""

    page_images: PageImages = "auto"


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class TrainingOutput(Output):
    """How a command answers that trains, and can say beforehand what it will take."""

    estimate: bool = False
    """Only say how many steps, images and questions are left; train, draw, ask and write nothing."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class Estimated(OutputWithPictures):
    """The same for a command that can say beforehand what it will take."""

    estimate: bool = False
    """Only say how many images would be drawn and measured, and how many questions asked; draw, ask and write
    nothing."""

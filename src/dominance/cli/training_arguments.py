"""Arguments that several of the ``train`` commands share."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

Seeds = Annotated[int, Parameter(help="Training seeds.", validator=Number(gte=1, lte=100))]
FirstSeed = Annotated[int, Parameter(help="The first of them.", validator=Number(gte=0))]
Base = Annotated[str, Parameter(help="Model that is taught.")]
LookingJudge = Annotated[str, Parameter(help="Judge that looks at the images.")]
Processes = Annotated[int, Parameter(help="Processes that share the work.", validator=Number(gte=1, lte=256))]
Results = Annotated[Path, Parameter(help="JSON lines of what is finished, which is not repeated.")]
Page = Annotated[Path, Parameter(help="The Markdown page to write.")]
Rejudge = Annotated[
    bool,
    Parameter(help="Only let --judge look at the kept images of what another judge measured; --results is replaced."),
]
Device = Annotated[str, Parameter(help="auto, cpu, cuda or cuda:N.")]

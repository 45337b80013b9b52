"""``dominance reproduce``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE
from dominance.numbers import duration
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.audit.options import WHAT

if TYPE_CHECKING:
    from dominance.reproduce.estimate import ReproduceEstimate
    from dominance.runs.reproduction.result import ReproduceResult


@Parameter(name="*", group=shared.OUTPUT)
@dataclass(frozen=True)
class ReproduceOutput(shared.OutputWithPictures):
    """How the command answers."""

    estimate: bool = False
    """Only say what it will take, at the rate of a few images drawn for it in a folder that is deleted."""
    list: bool = False
    """Only list the claims."""


app = new_app(
    "reproduce",
    help_epilogue="Examples:\n"
    "  dominance reproduce --budget 20\n"
    "  dominance reproduce focus peak-token --estimate\n"
    "  dominance reproduce --model owner/name --preset paper-sd14 --judge qwen:owner/name\n",
)


@app.default
def command(
    *claims: Annotated[str, Parameter(group=WHAT, help="Claims by name, see --list (default: all).")],
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    options: ReproduceOptions = ReproduceOptions(),
    output: ReproduceOutput = ReproduceOutput(),
) -> int:
    """Test the papers' claims on a model, their figures beside ours.

    Each claim ends as reproduced, contradicted, undecided or not possible here, by a rule that its page gives; claims
    share their runs. Writes reproduce.html. The same command resumes. Exit status: 0 done, 2 bad input.
    """
    from dominance.reproduce.estimate import estimate_reproduction
    from dominance.reproduce.run import reproduce_claims

    if output.list:
        return _list(output.json)
    if output.estimate:
        return tell_estimate(estimate_reproduction(claims, model, judge, options), output.json)
    return deliver(reproduce_claims(claims, model, judge, output.out, options, note), output.json, output.page_images)


def _list(json: bool) -> int:
    from dominance.reproduce.claims.registry import CLAIMS

    rows = [{"name": claim.name, "claim": claim.title, "paper": claim.figure} for claim in CLAIMS.values()]
    if json:
        print_json(rows)
    else:
        print_table("claims", ("name", "claim", "paper"), [tuple(row.values()) for row in rows])
    return EXIT_DONE


def deliver(result: "ReproduceResult", json: bool, images: shared.PageImages = "auto") -> int:
    """Writes the pages and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.report.reproduction.page import write_reproduction
    from dominance.report.reproduction.steps import after_reproduce
    from dominance.report.reproduction.words import control_sentence, headline, mark, ours, over, size_sentence

    results_are_in(Path(result.run))
    written = write_reproduction(result, Path(result.run), images)
    if json:
        print_json(printed(result))
        return EXIT_DONE
    rows = [(claim.title, claim.figure, ours(claim), over(claim), mark(claim)) for claim in result.claims]
    title = f"the papers' claims on {result.model}, judged by {result.judge}"
    print_table(title, ("claim", "the paper", "here (95%)", "over", "verdict"), rows)
    if nothing := control_sentence(result):
        echo(nothing)
    echo(headline(result), size_sentence(result))
    for claim in result.claims:
        if claim.verdict == "not possible here":
            echo(f"{claim.name}: {claim.finding.why}")
    warn_again(result.judge_warnings)
    tell_written(written)
    tell_next(after_reproduce(result))
    return EXIT_DONE


def tell_estimate(found: "ReproduceEstimate", json: bool) -> int:
    """Prints what a reproduction would take; gives the command's exit status."""
    from dominance.documents import printed

    if json:
        print_json(printed(found))
        return EXIT_DONE
    print_table("runs that claims share", ("run", "holds"), list(found.runs.items()))
    rows = [
        (name, str(cost.images), str(cost.calls), duration(cost.minutes or 0)) for name, cost in found.by_claim.items()
    ]
    print_table("each claim by itself", ("claim", "images", "judge calls", "about"), rows)
    echo(*found.sentences, "nothing was written; run the command without --estimate to do it")
    return EXIT_DONE

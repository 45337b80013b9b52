"""``dominance explain``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.interrupts import kept_whole_or_not_at_all
from dominance.cli.output import echo, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import measure
from dominance.runs.audit.options import WHAT
from dominance.runs.explanation.options import ExplainOptions

if TYPE_CHECKING:
    from dominance.judges.protocol import Judge
    from dominance.models.source import ModelSource
    from dominance.runs.explanation.result import Explanation
    from dominance.runs.store.repeat import Repeat

app = new_app(
    "explain",
    help_epilogue="Examples:\n"
    '  dominance explain "a [tower:landmark] and a [mug]" --seeds 4\n'
    '  dominance explain "a [tower:landmark] and a [mug]" --layers 7-10\n',
)


@app.default
def command(
    prompt: Annotated[str, Parameter(group=WHAT, help="A prompt with at least one concept in brackets.")],
    *,
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    options: ExplainOptions = ExplainOptions(),
    out: Annotated[
        Path | None,
        Parameter(group=shared.OUTPUT, help="Folder for page, JSON and images; by default in explanations/."),
    ] = None,
    output: shared.Answered = shared.Answered(),
) -> int:
    """Show what the model attends to while it draws a prompt, as a page that explains every figure.

    Draws a few images and records, at every layer and step, how much attention each word gets and where in the
    image. Writes explanation.html, explanation.json and the images, into explanations/ by default.
    With --judge none, no image gets a verdict. Exit status: 0 done, 2 bad input, 3 done but some images have no
    verdict.
    """
    from dominance.report.explanation.folder import Subject, check_explanation_folder, folder_for
    from dominance.runs.explanation.run import explain, read_marked
    from dominance.runs.store.repeat import Repeat

    marked = read_marked(prompt)
    folder = out or Path("explanations") / marked.id
    check_explanation_folder(folder, None)

    def settle(source: "ModelSource", by: "Judge | None") -> None:
        nonlocal folder
        who = (None, None) if by is None else (by.name, by.identity)
        subject = Subject(marked, source.name, source.identity, *who)
        folder = folder_for(subject, out, [f"images/{seed}.png" for seed in options.seeds])

    repeat = Repeat("explain", {"prompt": prompt, "model": model, "judge": judge, "out": out}, options)
    with kept_whole_or_not_at_all("an explanation"):
        found = explain(marked, model, judge, options, settle)
    return deliver(found, folder, output.json, repeat)


def deliver(found: "Explanation", folder: Path, json: bool, repeat: "Repeat | None" = None) -> int:
    """Writes the page and prints what was found; gives the command's exit status.

    Args:
        repeat: the call, which is kept beside the page.
    """
    from dominance.documents import printed
    from dominance.report.explanation.folder import write_explanation
    from dominance.runs.explanation.document import document_of

    page = write_explanation(found, folder, repeat)
    if json:
        print_json(printed(document_of(found)))
    else:
        _print(found, page)
    return EXIT_UNSCORED if found.unscored else EXIT_DONE


def _risk(found: "Explanation") -> list[str]:
    from dominance.report.explanation.sentences import risk_sentence

    said = risk_sentence(found)
    return [] if said is None else [said]


def _print(found: "Explanation", page: Path) -> None:
    from dominance.report.explanation import sentences as said
    from dominance.report.parts.next_steps import after_explain
    from dominance.runs.explanation.result import peaks

    focus = found.focus[:, 0].mean(dim=0).tolist()
    rows = [
        (str(peak.layer), measure(value), peak.token, f"{peak.images}/{len(found.seeds)}")
        for peak, value in zip(peaks(found), focus, strict=True)
    ]
    print_table(f"{found.prompt.text}: first step", ("layer", "focus", "strongest word", "in images"), rows)
    echo(said.headline(found), said.attention_note(found), *_risk(found), said.course_sentence(found))
    warn_again(found.judge_warnings)
    tell_written([page])
    tell_next(after_explain(found, page.parent))

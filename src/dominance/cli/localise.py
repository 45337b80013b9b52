"""``dominance localise``."""

import shlex
from typing import TYPE_CHECKING

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.output import echo, print_json, print_table, tell_next, tell_written
from dominance.numbers import rate
from dominance.runs.localisation.options import LocaliseOptions

if TYPE_CHECKING:
    from dominance.records import Rate
    from dominance.runs.stages.localisation import Localisation

app = new_app(
    "localise",
    help_epilogue="Example:\n  dominance localise --model owner/name\n",
)


@app.default
def command(
    *,
    model: shared.Model = "miniature",
    options: LocaliseOptions = LocaliseOptions(),
    output: shared.Answered = shared.Answered(),
) -> None:
    """Find the attention layers that show where each word's object lies, for methods that divide the picture.

    The model draws single things, and its predictions with and without the prompt show where each lies. Two of them,
    side by side, are noised and denoised once with a prompt that names both. Writes the result into runs/localisations.
    `dominance audit --method regions` and similar runs look there, and measure it once for a model that lacks it.
    Exit status: 0 done, 2 bad input.
    """
    from dominance.documents import to_json
    from dominance.runs.localisation.run import localise
    from dominance.runs.stages.localisation import kept_file

    found = localise(model, options)
    if output.json:
        print_json(to_json(found))
        return
    _print(found)
    tell_written([kept_file(found.identity)])
    if found.chosen:
        adapters = "".join(f" --adapter {shlex.quote(adapter)}" for adapter in options.drawing.adapters)
        command = f"dominance audit SUITE --model {shlex.quote(model)}{adapters} --method regions"
        tell_next([f"draw with it: {command}"])


def _print(found: "Localisation") -> None:
    shown = sorted({found.shown[0], found.shown[len(found.shown) // 2], found.shown[-1]})
    columns = ("layer", *(f"step {step}" for step in shown), "counted", "")
    rows = [
        (
            str(layer.layer),
            *(f"{layer.by_step[found.shown.index(step)]:.0%}" for step in shown),
            rate(layer.counted),
            "chosen" if layer.layer in found.chosen else "",
        )
        for layer in found.layers
    ]
    print_table(f"Pictures of {found.model} in which a word lies where its thing is", columns, rows)
    if found.subjects is not None:
        echo(_found_sentence(found.subjects, found.unfound))
    echo(
        f"Layer {found.chosen[0]} shows best where concepts lie."
        if found.chosen
        else "No layer does better than chance, so methods that part a picture cannot be used with this model."
    )


def _found_sentence(subjects: "Rate", unfound: tuple[str, ...]) -> str:
    """In how many pictures of single things the subject was found."""
    from dominance.report.parts.sentences import listed

    said = f"The subject was found in {subjects.count} of {subjects.n} pictures of single things"
    return f"{said}, not in those of {listed(unfound)}." if unfound else f"{said}."

"""``dominance suite``: make a suite for a campaign, and see what is understood of one."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import GROUPS, new_app
from dominance.cli.output import echo, note, print_json, tell_next, tell_written
from dominance.cli.statuses import EXIT_DONE, EXIT_INPUT, EXIT_UNSCORED
from dominance.errors import InputError
from dominance.files import check_writable, write_whole
from dominance.numbers import plural
from dominance.runs.audit.options import WHAT, Words
from dominance.wording import on_one_line, quoted

if TYPE_CHECKING:
    from dominance.runs.suite_check.result import Understanding
    from dominance.suites.campaigns import Campaign
    from dominance.suites.entries import LeftOut

app = new_app("suite", GROUPS["suite"], help_epilogue="Example:\n  dominance suite check campaign.yaml\n")
_MOST_TOLD = 20
"""Prompts that are named one by one; `--json` names all."""
_MOST_COUNTED = 8


@app.command(
    help_epilogue="Examples:\n"
    '  dominance suite make "acme robot:character" --out campaign.yaml\n'
    '  dominance suite make "the Eiffel Tower:landmark" "Rembrandt:artist" --against foods,nouns.txt --limit 40\n',
)
def make(
    *concepts: Annotated[
        str,
        Parameter(
            group=WHAT, help="What the campaign is about: a brand, mascot, style, sight or trigger, as name:kind."
        ),
    ],
    against: Annotated[
        str,
        Parameter(
            group=WHAT, help="Things to cross it with: word lists (`dominance list words`) or files, with commas."
        ),
    ] = "products",
    templates: Annotated[
        str,
        Parameter(
            group=WHAT, help="Caption styles: some of titles, relations, scenes, listings, or YAML files of them."
        ),
    ] = "titles,relations",
    control: Annotated[
        str,
        Parameter(
            group=WHAT,
            help="What replaces it in the control group: word lists or files; own: an animal for a character or an"
            " artist, a building for a landmark, a thing for an object.",
        ),
    ] = "own",
    limit: Annotated[int, Parameter(group=WHAT, help="Prompts at most; half of them are the control group.")] = 100,
    seed: Annotated[int, Parameter(group=WHAT, help="Seed of the choice, where more prompts are possible.")] = 0,
    out: Annotated[Path, Parameter(group=shared.OUTPUT, help="File to write.")] = Path("campaign.yaml"),
    force: Annotated[bool, Parameter(group=shared.OUTPUT, help="Replace the file if it exists.")] = False,
    output: shared.Printed = shared.Printed(),
) -> None:
    """Make a suite that crosses a concept with things and caption styles, beside a control group.

    In the control group, which is as large, something else of its kind stands in place of the concept, such as an
    animal for a character. Concepts, things and styles take turns. The same command makes the same file.
    Exit status: 0 done, 2 bad input.
    """
    from dominance.suites.campaigns import make_suite
    from dominance.suites.suite_files import suite_yaml

    check_writable(out)
    if out.suffix.lower() not in (".yaml", ".yml"):
        raise InputError(f"a suite is written as YAML, but --out is {on_one_line(out, 120)}; give a name in .yaml")
    others = None if control == "own" else control
    made = make_suite(concepts, against, templates, name=out.stem, control=others, limit=limit, seed=seed)
    if out.exists() and not force:
        raise InputError(f"{on_one_line(out, 120)} exists already; give another --out, or --force to replace it")
    words = ["dominance", "suite", "make", *concepts, "--against", against, "--templates", templates]
    words += ["--control", control] if others else []
    command = shlex.join([*words, "--limit", str(limit), "--seed", str(seed), "--out", out.name])
    head = f"# {on_one_line(command, 2000)}\n"
    write_whole(out, f"{head}{suite_yaml(made.suite)}".encode())
    _tell_made(made, out, output.json)


def _tell_made(made: "Campaign", out: Path, json: bool) -> None:
    from dominance.report.parts.suite_steps import after_suite_make

    for thing, concept in made.left_out:
        note(f"note: left out: {quoted(thing)}, because a judge could not tell it from {quoted(concept)}")
    if made.artists:
        note(f"note: left out: {plural(len(made.artists), 'artist')}, who cannot be shown beside a concept")
    groups: dict[str, int] = {}
    for prompt in made.suite.prompts:
        groups[str(prompt.group)] = groups.get(str(prompt.group), 0) + 1
    if json:
        print_json({"file": str(out), "prompts": len(made.suite.prompts), "groups": groups, "possible": made.possible})
        return
    echo(
        f"{plural(len(made.suite.prompts), 'prompt')}: {_counts(groups)}; {made.possible} possible without the control"
    )
    echo(*(f"  {prompt.text}" for prompt in made.suite.prompts[:3]))
    tell_written([out])
    tell_next(after_suite_make(out))


@app.command(
    help_epilogue="Examples:\n"
    "  dominance suite check campaign.yaml --model owner/name\n"
    "  dominance suite check PartiPrompts.tsv --concepts coco --json\n",
)
def check(
    suite: shared.Suite,
    *,
    concepts: Words | None = None,
    model: Annotated[
        str, Parameter(group=WHAT, help="Also say which prompts its text encoder does not read as a whole.")
    ] = "none",
    output: shared.Printed = shared.Printed(),
) -> int:
    """Show how a suite is read: its format, prompts, concepts and groups, and what is left out, and why.

    Writes no file.
    Exit status: 0 it can be used, 2 it cannot be read or names no concepts, 3 the model does not read every prompt.
    """
    from dominance.documents import printed
    from dominance.report.parts.suite_steps import after_suite_check
    from dominance.runs.suite_check.run import check_suite

    found = check_suite(suite, concepts, None if model == "none" else model)
    if output.json:
        print_json(printed(found))
    else:
        _tell_understood(found)
    if found.missing is not None:
        note(f"error: {found.missing}")
        return EXIT_INPUT
    if not output.json:
        tell_next(after_suite_check(found))
    return EXIT_UNSCORED if found.overlong else EXIT_DONE


def _tell_understood(found: "Understanding") -> None:
    echo(f"{on_one_line(found.source)}: {found.form}, {plural(found.prompts, 'prompt')}")
    if found.words:
        what = f"looked for in {plural(found.looked_up, 'prompt')}"
        what += f"; in {found.single} only one is found: nothing else there can take over" if found.single else ""
        echo(f"words of {found.words}: {what if found.looked_up else 'not needed, every prompt names its concepts'}")
    for kind, counts in found.concepts.items():
        echo(f"{plural(len(counts), f'{kind} concept')}: {_counts(counts)}")
    if found.groups:
        echo(f"{plural(len(found.groups), 'group')}: {_counts(found.groups)}")
    for count, what in ((found.own_seeds, "seeds"), (found.own_negatives, "negative prompt")):
        if count:
            echo(f"own {what}: {plural(count, 'prompt')}")
    if found.gate is not None:
        echo("it has a gate")
    echo(*(f"  {on_one_line(text)}" for text in found.first))
    if found.unused:
        echo(f"not used: {', '.join(found.unused)}")
    for what, told in (
        ("left out", found.left_out),
        (f"not read as a whole by {found.model}", found.overlong or ()),
        (f"with words unknown to {found.model}", found.unread or ()),
    ):
        _tell(what, told)


def _tell(what: str, told: "tuple[LeftOut, ...]") -> None:
    if not told:
        return
    echo(f"{len(told)} {what}:")
    echo(*(f"  {line.where}: {quoted(line.text)}: {on_one_line(line.why)}" for line in told[:_MOST_TOLD]))
    if len(told) > _MOST_TOLD:
        echo(f"  and {len(told) - _MOST_TOLD} more; --json lists all")


def _counts(counts: dict[str, int]) -> str:
    shown = ", ".join(f"{on_one_line(name, 60)} ({count})" for name, count in list(counts.items())[:_MOST_COUNTED])
    return f"{shown}, and {len(counts) - _MOST_COUNTED} more" if len(counts) > _MOST_COUNTED else shown

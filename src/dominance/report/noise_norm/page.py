"""A measurement of the text-conditional noise norm as a page, a JSON document and a table."""

from pathlib import Path

from markupsafe import Markup

from dominance.documents import json_bytes
from dominance.files import csv_bytes, write_whole
from dominance.numbers import measure, plural
from dominance.report.noise_norm.plots import courses
from dominance.report.parts.courses import Course
from dominance.report.parts.next_steps import after_memorization
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.palette import group_styles
from dominance.report.parts.strips import Dot, Strip, strips
from dominance.runs.noise_norm.result import EXPECTED, SUMMARIES, GroupNorms, MemorizationResult

PAGE_NAME, DOCUMENT_NAME, TABLE_NAME = "memorization.html", "memorization.json", "memorization.csv"
SUMMARY_NAMES: dict[str, str] = {"first": "step 1", "ten": "first 10 steps", "all": "all steps"}
QUANTITIES: dict[str, str] = {
    "noise": "‖ε(x, prompt) − ε(x, ∅)‖₂",
    "velocity": "‖v(x, prompt) − v(x, ∅)‖₂",
}


def write_memorization(result: MemorizationResult, folder: Path) -> tuple[Path, ...]:
    """Writes ``memorization.html``, ``memorization.json`` and ``memorization.csv``; returns their paths.

    Raises:
        RunError: one of them cannot be written.
    """
    document = write_whole(folder / DOCUMENT_NAME, json_bytes(result, indent=1))
    table = write_whole(folder / TABLE_NAME, memorization_table(result))
    return _write_page(result, folder / PAGE_NAME), document, table


def memorization_table(result: MemorizationResult) -> bytes:
    """One row for each prompt and seed as CSV; what was not measured is empty."""
    steps = [f"norm_{step}" for step in range(1, result.steps + 1)]
    named = [f"norm_{name}" for name in SUMMARIES]
    rows: list[tuple[object, ...]] = [("id", "prompt", "group", "seed", *named, *steps, "problem")]
    for prompt in result.prompts:
        about = (prompt.id, prompt.prompt, prompt.group)
        for (seed, values), summary in zip(prompt.norms.items(), prompt.summaries, strict=True):
            numbers = [f"{value:.6g}" for value in (*(getattr(summary, name) for name in SUMMARIES), *values)]
            rows.append((*about, seed, *numbers, ""))
        for seed, problem in prompt.problems:
            rows.append((*about, seed, *[""] * (len(SUMMARIES) + len(steps)), problem))
    return csv_bytes(rows)


def memorization_headline(result: MemorizationResult) -> str:
    """What was found at step 1, against what the paper expects, in one sentence."""
    first = [pair for pair in result.comparisons if pair.summary == "first"]
    ranked = [pair for pair in first if pair.expected is not None]
    if not result.groups:
        return "No prompt could be measured."
    if not first:
        measured = sum(bool(prompt.norms) for prompt in result.prompts)
        return f"{plural(measured, 'prompt')} measured, but no two groups to compare."
    if not ranked:
        differing = sum(pair.found == "differs" for pair in first)
        verb = "differs" if differing == 1 else "differ"
        return f"{differing} of {plural(len(first), 'pair')} of groups {verb} at step 1."
    told = []
    for pair in ranked:
        higher, lower = pair.groups
        if pair.found == "as expected":
            told.append(f"{higher} prompts move the prediction more than {lower} prompts, as the paper finds")
        elif pair.found == "too few prompts":
            told.append(f"there are too few {higher} and {lower} prompts to compare")
        elif pair.found == "no difference shown":
            told.append(f"{higher} and {lower} prompts show no difference, although the paper finds {higher} higher")
        else:
            told.append(f"{higher} prompts move the prediction less than {lower} prompts, contrary to the paper")
    return f"At step 1, {'; '.join(told)}."


def expected_order(result: MemorizationResult) -> str | None:
    """The paper's order of the groups that it knows; None for fewer than two."""
    known = sorted(
        (group.name for group in result.groups if group.name.lower() in EXPECTED), key=lambda name: -_rank(name)
    )
    return " > ".join(known) if len({_rank(name) for name in known}) > 1 else None


def found_order(result: MemorizationResult, summary: str) -> str:
    """The groups by their mean, highest first."""
    ordered = sorted(result.groups, key=lambda group: -group.means[summary][0])
    return " > ".join(f"{group.name} ({measure(group.means[summary][0])})" for group in ordered)


def _rank(name: str) -> int:
    return EXPECTED[name.lower()]


def _write_page(result: MemorizationResult, path: Path) -> Path:
    return write_page(
        path,
        "noise_norm/page.html.j2",
        result=result,
        headline=memorization_headline(result),
        expected=expected_order(result),
        orders=[(SUMMARY_NAMES[name], found_order(result, name)) for name in SUMMARIES if result.groups],
        strips=[(SUMMARY_NAMES[name], _plot(result, name)) for name in SUMMARIES],
        course=_course(result) if result.groups else None,
        styles=[(style, name) for name, style in _styles(result).items()],
        summaries=SUMMARY_NAMES,
        quantity=QUANTITIES[result.quantity],
        next_steps=after_memorization(result),
        prompts=sorted(result.prompts, key=lambda prompt: -(prompt.mean("first") or -1.0)),
    )


def _plot(result: MemorizationResult, summary: str) -> Markup:
    plotted = [_strip(result, group, summary) for group in result.groups]
    said = "; ".join(f"{strip.name}: {strip.count}" for strip in plotted)
    return strips(plotted, f"Noise norm by group, {SUMMARY_NAMES[summary]}", said)


def _strip(result: MemorizationResult, group: GroupNorms, summary: str) -> Strip:
    mean, interval = group.means[summary]
    members = [prompt for prompt in result.prompts if prompt.norms and prompt.group == group.name]
    dots = [
        Dot(value, f"{prompt.prompt}: {measure(value)}", _styles(result)[group.name])
        for prompt in members
        if (value := prompt.mean(summary)) is not None
    ]
    count = f"{plural(group.prompts, 'prompt')}, mean {measure(mean, interval)}"
    return Strip(group.name, count, tuple(dots), mean, interval)


def _styles(result: MemorizationResult) -> dict[str, str]:
    """The class of each measured group."""
    return group_styles(group.name for group in result.groups)


def _course(result: MemorizationResult) -> Markup:
    styles = _styles(result)
    listed = [
        Course(group.name, styles[group.name], tuple((step, *found) for step, found in enumerate(group.course)))
        for group in result.groups
    ]
    return courses(listed, "Mean noise norm of each group at every step, with its 95% interval")

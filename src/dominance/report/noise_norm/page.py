"""A measurement of the text-conditional noise norm as a page, a JSON document and a table, each whole or not at all."""

import csv
import io
from pathlib import Path

from markupsafe import Markup

from dominance.documents import json_bytes
from dominance.files import write_whole
from dominance.numbers import measure, plural
from dominance.report.noise_norm.plots import Course, courses
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.strips import Dot, Strip, strips
from dominance.runs.noise_norm.result import EXPECTED, SUMMARIES, GroupNorms, MemorizationResult

PAGE_NAME, DOCUMENT_NAME, TABLE_NAME = "memorization.html", "memorization.json", "memorization.csv"
SUMMARY_NAMES: dict[str, str] = {"first": "step 1", "ten": "first 10 steps", "all": "all steps"}
QUANTITIES: dict[str, str] = {
    "noise": "‖ε(x, prompt) − ε(x, ∅)‖₂",
    "velocity": "‖v(x, prompt) − v(x, ∅)‖₂",
}
STYLES = 5
"""Colours and dashes for groups; the sixth and later ones share the last."""


def write_memorization(result: MemorizationResult, folder: Path) -> tuple[Path, ...]:
    """Writes ``memorization.html``, ``memorization.json`` and ``memorization.csv``; returns their paths.

    Raises:
        RunError: one of them cannot be written.
    """
    document = write_whole(folder / DOCUMENT_NAME, json_bytes(result, indent=1))
    table = write_whole(folder / TABLE_NAME, memorization_table(result).encode("utf-8", "replace"))
    return _write_page(result, folder / PAGE_NAME), document, table


def memorization_table(result: MemorizationResult) -> str:
    """One line a prompt and seed as CSV; what was not measured is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    steps = [f"norm_{step}" for step in range(1, result.steps + 1)]
    writer.writerow(("id", "prompt", "group", "seed", *(f"norm_{name}" for name in SUMMARIES), *steps, "problem"))
    for one in result.prompts:
        about = (one.id, one.prompt, one.group)
        for (seed, values), summary in zip(one.norms.items(), one.summaries, strict=True):
            numbers = [f"{value:.6g}" for value in (*(getattr(summary, name) for name in SUMMARIES), *values)]
            writer.writerow((*about, seed, *numbers, ""))
        for seed, problem in one.problems:
            writer.writerow((*about, seed, *[""] * (len(SUMMARIES) + len(steps)), problem))
    return text.getvalue()


def memorization_headline(result: MemorizationResult) -> str:
    """What was found at step 1, against what the paper expects, in one sentence."""
    first = [one for one in result.comparisons if one.summary == "first"]
    ranked = [one for one in first if one.expected is not None]
    if not result.groups:
        return "Nothing could be measured."
    if not first:
        return f"{plural(len(result.prompts), 'prompt')} measured, and no two groups to compare."
    if not ranked:
        differing = sum(one.found == "differs" for one in first)
        return f"{differing} of {plural(len(first), 'pair')} of groups differ at step 1."
    told = []
    for one in ranked:
        higher, lower = one.groups
        if one.found == "as expected":
            told.append(f"{higher} prompts move the prediction more than {lower} prompts, as the paper finds")
        elif one.found == "too few prompts":
            told.append(f"there are too few {higher} and {lower} prompts to tell them apart")
        elif one.found == "no difference shown":
            told.append(f"{higher} and {lower} prompts show no difference, where the paper finds {higher} higher")
        else:
            told.append(f"{higher} prompts move the prediction less than {lower} prompts, against the paper")
    return f"At step 1, {'; '.join(told)}."


def expected_order(result: MemorizationResult) -> str | None:
    """The order that the paper finds among the groups that it knows; None with fewer than two of them."""
    known = sorted((one.name for one in result.groups if one.name.lower() in EXPECTED), key=lambda name: -_rank(name))
    return " > ".join(known) if len({_rank(name) for name in known}) > 1 else None


def found_order(result: MemorizationResult, summary: str) -> str:
    """The groups by their mean, highest first."""
    ordered = sorted(result.groups, key=lambda one: -one.means[summary][0])
    return " > ".join(f"{one.name} ({measure(one.means[summary][0])})" for one in ordered)


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
        styles=[(f"s{min(place, STYLES)}", group.name) for place, group in enumerate(result.groups, start=1)],
        summaries=SUMMARY_NAMES,
        quantity=QUANTITIES[result.quantity],
        prompts=sorted(result.prompts, key=lambda one: -(one.mean("first") or -1.0)),
    )


def _plot(result: MemorizationResult, summary: str) -> Markup:
    plotted = [_strip(result, group, summary) for group in result.groups]
    said = "; ".join(f"{strip.name}: {strip.count}" for strip in plotted)
    return strips(plotted, f"Noise norm by group, {SUMMARY_NAMES[summary]}", said)


def _strip(result: MemorizationResult, group: GroupNorms, summary: str) -> Strip:
    mean, interval = group.means[summary]
    members = [one for one in result.prompts if one.norms and one.group == group.name]
    dots = [
        Dot(value, f"{one.prompt}: {measure(value)}", "own")
        for one in members
        if (value := one.mean(summary)) is not None
    ]
    count = f"{plural(group.prompts, 'prompt')}, mean {measure(mean, interval)}"
    return Strip(group.name, count, tuple(dots), mean, interval)


def _course(result: MemorizationResult) -> Markup:
    listed = [
        Course(group.name, f"s{min(place, STYLES)}", group.course) for place, group in enumerate(result.groups, start=1)
    ]
    return courses(listed, "Mean noise norm of each group at every step, with its 95% interval")

"""A run as Markdown for a comment on a pull or merge request: which concept vanished where, and what changed."""

import re
from collections.abc import Sequence
from pathlib import Path

from dominance.baseline import Change
from dominance.files import write_whole
from dominance.images.left_out import left_out_sentence
from dominance.numbers import UNKNOWN, fraction, mean, plural
from dominance.records import PromptResult, Rate, RunResult
from dominance.report.audit.baseline import baseline_sentences
from dominance.report.audit.headline import gate_sentence, headline, notes
from dominance.report.parts.ranking import worst_first
from dominance.report.parts.sentences import prompt_sentence

_MOST_CHARACTERS = 60_000
"""GitHub takes comments of 65 536, GitLab longer ones."""
_ROWS = (50, 20, 5, 1)
"""Prompts in each table: the first number with which the text is short enough."""
_LONGEST = 300
"""Of one cell or sentence."""
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~^$&]|(?<=www)\.|:(?=//)")
_ADDRESS = re.compile(r"([@#!])(?=\w)")


def write_summary(result: RunResult, path: Path) -> Path:
    """Writes the summary; see ``summary``.

    Raises:
        RunError: the file cannot be written.
    """
    return write_whole(path, summary(result).encode("utf-8", "replace"))


def summary(result: RunResult) -> str:
    """The run in Markdown of at most 60 000 characters, as GitHub and GitLab show it.

    It begins with the gate and the finding, then names each prompt that fails, or whose failure was known, or that
    loses a concept, with the images that each concept shows in, here and in the baseline; then what changed and what
    could not be compared. The first line, a comment, tells by the suite's name which summary of a job it is. What
    others wrote, such as prompts and names, can neither format nor mention anything.
    """
    text = ""
    for rows in _ROWS:
        text = _summary(result, rows)
        if len(text) <= _MOST_CHARACTERS:
            return text
    return f"{text[: _MOST_CHARACTERS - 2]}…\n"


def _summary(result: RunResult, rows: int) -> str:
    concerned = [p for p in worst_first(result.prompts) if _state(result, p) != "passes"]
    parts = [
        f"<!-- dominance: {plain(result.suite).replace('--', '')} -->",
        f"### dominance: {_title(result)}",
        plain(gate_sentence(result) or "No gate was asked for.", 1000),
        *(f"**Warning:** {plain(warning.says)}." for warning in result.judge_warnings),
        plain(headline(result)),
        _concerned(result, concerned, rows),
        _listed([*baseline_sentences(result.baseline), *_notes(result)]),
        _all_prompts(result, rows),
        _footer(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(result: RunResult) -> str:
    said = "audited" if result.gate is None else "gate passed" if result.gate.passed else "gate FAILED"
    return f"{plain(result.suite)}: {said}"


def _state(result: RunResult, prompt: PromptResult) -> str:
    """What the table says of the prompt: fails, known, loses a concept, unscored, or passes."""
    gate, id = result.gate, prompt.prompt.id
    if gate is not None and id in gate.failures:
        return "fails"
    if gate is not None and id in gate.known:
        return "known"
    if prompt.verdict is None:
        return "unscored"
    return "loses" if prompt.verdict in {"dominance", "lost"} else "passes"


_STATES = {"fails": "**fails**", "known": "as before", "loses": "loses a concept", "unscored": "unscored"}


def _concerned(result: RunResult, prompts: Sequence[PromptResult], rows: int) -> str:
    """The table of the prompts that are worth a look; empty where there are none."""
    if not prompts:
        return ""
    compared = result.baseline is not None
    columns = ["", "prompt", "what happened", "shows in", *(["in the baseline"] if compared else [])]
    return _table(columns, [_row(result, p, compared) for p in prompts], rows)


def _row(result: RunResult, prompt: PromptResult, compared: bool) -> list[str]:
    state, id = _state(result, prompt), prompt.prompt.id
    gate = result.gate
    why = None if gate is None else (gate.failures.get(id) or gate.known.get(id))
    said = prompt_sentence(prompt) if why is None else why.removeprefix(f"{id}: ")
    before = [_presence_before(result, prompt)] if compared else []
    return [_STATES[state], f"“{plain(prompt.prompt.text)}”", plain(said), _presence(prompt), *before]


def _presence(prompt: PromptResult) -> str:
    """Each concept's images, in bold what most of them lack."""
    return ", ".join(_counted(name, fraction(rate), _vanished(rate)) for name, rate in prompt.presence.items())


def _vanished(rate: Rate) -> bool:
    return 2 * rate.count <= rate.n and rate.n > 0


def _counted(name: str, count: str, bold: bool) -> str:
    said = f"{plain(name)} {count}"
    return f"**{said}**" if bold else said


def _presence_before(result: RunResult, prompt: PromptResult) -> str:
    found = None if result.baseline is None else result.baseline.of(prompt.prompt.id)
    if found is None:
        return "not there"
    return ", ".join(f"{plain(name)} {_of_pairs(change)}" for name, change in found.presence.items())


def _of_pairs(change: Change) -> str:
    return f"{change.there}/{change.n}"


def _notes(result: RunResult) -> list[str]:
    """What would make the finding be misread, and which images were not used; what the baseline says stands apart."""
    left_out = left_out_sentence(result.left_out)
    said = [note for note in notes(result) if note not in baseline_sentences(result.baseline)]
    return [*said, *([left_out] if left_out else [])]


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {plain(sentence, 1000)}" for sentence in sentences)


def _all_prompts(result: RunResult, rows: int) -> str:
    columns = ["prompt", "verdict", "images", "DvD (95%)", "shows in"]
    body = [
        [
            f"“{plain(prompt.prompt.text)}”",
            prompt.verdict or UNKNOWN,
            str(prompt.scored),
            mean(prompt.dvd_mean, prompt.dvd_interval),
            _presence(prompt),
        ]
        for prompt in result.prompts
    ]
    if not body:
        return ""
    head = f"<details><summary>{plural(len(body), 'prompt')}</summary>"
    return f"{head}\n\n{_table(columns, body, rows)}\n\n</details>"


def _table(columns: Sequence[str], body: Sequence[Sequence[str]], most: int) -> str:
    lines = [columns, ["---"] * len(columns), *body[:most]]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    rest = len(body) - most
    return f"{table}\n\n{plural(rest, 'more prompt')} in the report." if rest > 0 else table


def _footer(result: RunResult) -> str:
    counted = f"{plural(result.images, 'image')}, {result.scored} scored, {result.unscored} unscored"
    return f"{counted}. Model {plain(result.model)}, judge {plain(result.judge)}. Every image: report.html of the run."


def plain(text: str, longest: int = _LONGEST) -> str:
    """Text that others wrote, on one line, as Markdown that shows just that: no markup, no link, and nobody mentioned.

    >>> plain("a *red* mug | @team #12")
    'a &#42;red&#42; mug &#124; @\u2060team #\u206012'
    """
    line = " ".join(text.split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    shown = "".join(c if c.isprintable() else " " for c in line)
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", _ADDRESS.sub("\\1\u2060", shown))

"""The answer first: one plain sentence about a whole run, and what has to be known beside it."""

from collections.abc import Sequence
from textwrap import shorten

from dominance.records import PromptResult, RunResult
from dominance.report.ranking import directions, worst_first
from dominance.report.sentences import common_problem, listed, of_images, plural

_QUOTED = 64
"""Longest prompt, in characters, that the headline quotes whole."""


def headline(result: RunResult) -> str:
    """The run's finding in one sentence.

    Prompts with several concepts come first: how many lose one (their verdict is ``dominance``), and the
    worst of them; without any, how many images collapse; without any, whether every concept survives.
    Runs of single-concept prompts say how many of those miss theirs. Only scored prompts and images are
    counted, and a run without any says just that.
    """
    if not result.prompts:
        return "Nothing was measured: the run has no prompts."
    if result.scored == 0:
        return _nothing_scored(result)
    several = [p for p in result.prompts if len(p.prompt.concepts) > 1 and p.scored]
    if not several:
        return _single_concepts([p for p in result.prompts if p.scored])
    taken = [p for p in several if p.verdict == "dominance"]
    if taken:
        return _concepts_lost(taken, several, result)
    noun = "prompt" if all(p.scored for p in result.prompts) else "scored prompt"
    return _some_collapse(several, noun) if any(p.collapsed for p in several) else _none_collapse(several, noun)


def gate_sentence(result: RunResult) -> str | None:
    """Whether the gate holds and why; None where no gate was asked for."""
    if result.gate is None:
        return None
    return _stop(f"Gate {'passed' if result.gate.passed else 'failed'}: {result.gate.reason}")


def notes(result: RunResult) -> tuple[str, ...]:
    """Sentences without which the headline would be misread: what is unscored, lost or has one concept only."""
    said = [_unscored_note(result), _lost_note(result), _single_note(result)]
    return tuple(note for note in said if note is not None)


def _stop(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _nothing_scored(result: RunResult) -> str:
    planned = result.unscored
    if planned == 0:
        return f"Nothing was scored: {plural(len(result.prompts), 'prompt')}, no images."
    return f"Nothing could be scored: 0 of {plural(planned, 'image')}, so nothing is known about {result.model}."


def _concepts_lost(taken: Sequence[PromptResult], several: Sequence[PromptResult], result: RunResult) -> str:
    worst = worst_first(taken)[0]
    subject = _quoted(worst) if len(several) == 1 else _affected(taken, several, result)
    said = f"{subject} lose{'s' if len(taken) == 1 else ''} a concept"
    how = _takes_over(worst)
    if how is None:
        return f"{said}."
    return f"{said}: {'at worst, ' if len(taken) > 1 else ''}{how}."


def _quoted(result: PromptResult) -> str:
    return f"“{shorten(result.prompt.text, _QUOTED, placeholder='…')}”"


def _takes_over(result: PromptResult) -> str | None:
    found = directions(result)
    if not found:
        return None
    first = found[0]
    return f"{first.dominating} takes over from {first.dominated} in {of_images(first.images, result)}"


def _affected(taken: Sequence[PromptResult], several: Sequence[PromptResult], result: RunResult) -> str:
    """How many of how many prompts, by group where one or two groups are concerned."""
    affected = list(dict.fromkeys(p.prompt.group_name for p in taken))
    unscored = {p.prompt.group_name for p in result.prompts if not p.scored}
    if len(affected) > 2:
        return f"{len(taken)} of {plural(len(several), 'scored prompt' if unscored else 'prompt')}"
    parts = []
    for name in affected:
        members = sum(p.prompt.group_name == name for p in several)
        lost = sum(p.prompt.group_name == name for p in taken)
        noun = f"scored {name} prompt" if name in unscored else f"{name} prompt"
        parts.append(f"{lost} of {plural(members, noun)}")
    return listed(parts)


def _some_collapse(several: Sequence[PromptResult], noun: str) -> str:
    collapsed, scored = sum(p.collapsed for p in several), sum(p.scored for p in several)
    worst = worst_first(p for p in several if p.collapsed)[0]
    how = _takes_over(worst)
    tail = f": {'at worst, ' if len(several) > 1 else ''}{how}." if how else "."
    if len(several) == 1:
        verb = "collapses" if collapsed == 1 else "collapse"
        return f"{_quoted(worst)} is short of dominance, but {of_images(collapsed, worst)} {verb}{tail}"
    verb = "loses" if collapsed == 1 else "lose"
    return (
        f"None of {plural(len(several), noun)} loses a concept in 7 or more of 10 images,"
        f" but {collapsed} of {plural(scored, 'image')} {verb} one{tail}"
    )


def _none_collapse(several: Sequence[PromptResult], noun: str) -> str:
    scored, balanced = sum(p.scored for p in several), sum(p.balanced for p in several)
    lost, mixed = sum(p.lost for p in several), sum(p.mixed for p in several)
    whole = f"{plural(scored, 'image')} of {plural(len(several), noun)}"
    if balanced == scored:
        return (
            f"Every concept survives: {balanced} of {whole} show{'s' if balanced == 1 else ''} all of their concepts."
        )
    parts = []
    if lost:
        parts.append(f"{lost} show{'s' if lost == 1 else ''} none of their concepts")
    if mixed:
        parts.append(f"{mixed} {'is' if mixed == 1 else 'are'} mixed")
    return f"No concept takes over: 0 of {whole} collapse, but {listed(parts)}."


def _single_concepts(singles: Sequence[PromptResult]) -> str:
    shown, scored = sum(p.balanced for p in singles), sum(p.scored for p in singles)
    prompts = plural(len(singles), "single-concept prompt")
    if shown == scored:
        return f"Every concept shows: in {shown} of {plural(scored, 'image')} of {prompts}."
    missed = [p for p in singles if p.verdict == "lost"]
    worst = min(missed or singles, key=lambda p: p.balanced / p.scored)
    tail = f"{worst.prompt.concepts[0].name} shows in {of_images(worst.balanced, worst)}."
    at_worst = "" if len(singles) == 1 or len(missed) == 1 else "at worst, "
    if missed:
        verb = "misses its" if len(missed) == 1 else "miss their"
        return f"{len(missed)} of {prompts} {verb} concept: {at_worst}{tail}"
    absent = scored - shown
    if len(singles) == 1:
        return f"{_quoted(worst)} misses its concept in {of_images(absent, worst)}."
    verb = "does" if absent == 1 else "do"
    return (
        f"None of {prompts} misses its concept in 7 or more of 10 images,"
        f" but {absent} of {plural(scored, 'image')} {verb}: {at_worst}{tail}"
    )


def _unscored_note(result: RunResult) -> str | None:
    if not result.unscored:
        return None
    images = [image for p in result.prompts for image in p.images]
    reason = common_problem(images)
    said = f"{result.unscored} of {plural(len(images), 'image')} unscored"
    empty = sum(p.scored == 0 for p in result.prompts)
    if empty:
        said += f", {plural(empty, 'prompt')} of {len(result.prompts)} without any score"
    return _stop(f"{said}; the most frequent reason: {reason}" if reason else said)


def _lost_note(result: RunResult) -> str | None:
    several = [p for p in result.prompts if len(p.prompt.concepts) > 1 and p.scored]
    lost = [p for p in several if p.verdict == "lost"]
    if not lost:
        return None
    verb = "shows none of its" if len(lost) == 1 else "show none of their"
    return f"{len(lost)} of {plural(len(several), 'prompt')} {verb} concepts in 7 or more of 10 images."


def _single_note(result: RunResult) -> str | None:
    singles = sum(len(p.prompt.concepts) == 1 for p in result.prompts)
    if not singles:
        return None
    if singles == len(result.prompts):
        return "DvD compares two concepts, so prompts that name one have presence and no DvD score."
    verb = "names" if singles == 1 else "name"
    return f"{singles} of {plural(len(result.prompts), 'prompt')} {verb} one concept only: presence, no DvD score."

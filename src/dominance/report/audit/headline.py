"""The answer first: one plain sentence about a whole run, and notes without which it would mislead."""

from collections.abc import Sequence
from textwrap import shorten

from dominance.numbers import plural
from dominance.records import PromptResult, RunResult
from dominance.report.audit.baseline import baseline_sentences
from dominance.report.parts.ranking import worst_first
from dominance.report.parts.sentences import common_problem, listed, of_images
from dominance.runs.stages.directions import directions, top_share

_QUOTED = 64
"""Longest prompt, in characters, that the headline quotes whole."""

_NAMED = 3
"""Prompts without an image that are named."""


def headline(result: RunResult) -> str:
    """The run's finding in one sentence.

    Prompts with several concepts come first: how many lose one (their verdict is ``dominance``), and the worst of
    them. If none does, how many images collapse; if none does, whether every concept survives. A run claims that only
    if every prompt is scored and every scored image shows all of its concepts. A run of single-concept prompts says
    how many of them miss their concept. Only scored prompts and images count.
    """
    if not result.prompts:
        return "Nothing was measured: the run has no prompts."
    if result.scored == 0:
        return _nothing_scored(result)
    scored = [p for p in result.prompts if p.scored]
    several = [p for p in scored if len(p.prompt.concepts) > 1]
    if not several:
        return _single_concepts(scored, result)
    taken = [p for p in several if p.verdict == "dominance"]
    if taken:
        return _concepts_lost(taken, several, result)
    return _some_collapse(scored, result) if any(p.collapsed for p in several) else _none_collapse(scored, result)


def gate_sentence(result: RunResult) -> str | None:
    """Whether the gate holds and why; None where no gate was asked for."""
    if result.gate is None:
        return None
    return _stop(f"Gate {'passed' if result.gate.passed else 'failed'}: {gate_reason(result)}")


def gate_reason(result: RunResult) -> str:
    """The gate's reason; without the prompts' own where several fail, which then are listed below it."""
    gate = result.gate
    if gate is None:
        return ""
    if len(gate.failures) < 2 or not result.scored:
        return gate.reason
    return "; and ".join([*gate.run_failures, f"{len(gate.failures)} of {len(result.prompts)} prompts fail"])


def notes(result: RunResult) -> tuple[str, ...]:
    """Sentences without which the headline would be misread: what is unscored or lost, or changed."""
    said = [
        _unscored_note(result),
        empty_note(result),
        _lost_note(result),
        _missing_note(result),
        _single_note(result),
        _unread_note(result),
    ]
    return (*(note for note in said if note is not None), *baseline_sentences(result.baseline))


def _stop(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _nothing_scored(result: RunResult) -> str:
    planned = result.unscored
    if planned == 0:
        return f"Nothing was scored: {plural(len(result.prompts), 'prompt')}, no images."
    return f"Nothing could be scored: 0 of {plural(planned, 'image')}, so nothing is known about {result.model}."


def _concepts_lost(taken: Sequence[PromptResult], several: Sequence[PromptResult], result: RunResult) -> str:
    worst = worst_first(taken)[0]
    said = f"{_quoted(worst)} loses a concept" if len(several) == 1 else _affected(taken, several, result)
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
    """How many of how many prompts lose a concept, and in which groups where one or two of several are concerned."""
    scored = "" if all(p.scored for p in result.prompts) else "scored "
    verb = "loses" if len(taken) == 1 else "lose"
    said = f"{len(taken)} of {plural(len(several), f'{scored}prompt')} {verb} a concept"
    affected = list(dict.fromkeys(p.prompt.group_name for p in taken))
    if len(affected) > 2 or len({p.prompt.group_name for p in several}) == 1:
        return said
    parts = []
    for name in affected:
        members = sum(p.prompt.group_name == name for p in several)
        parts.append(f"{sum(p.prompt.group_name == name for p in taken)} of {members} in group “{name}”")
    return f"{said} ({', '.join(parts)})"


def _prompts(result: RunResult, kind: str = "") -> str:
    """The scored prompts, counted, and called scored where some are not."""
    scored = sum(p.scored > 0 for p in result.prompts)
    return plural(scored, f"{'' if scored == len(result.prompts) else 'scored '}{kind}prompt")


def _some_collapse(prompts: Sequence[PromptResult], result: RunResult) -> str:
    collapsed = sum(p.collapsed for p in prompts)
    worst = max(worst_first(p for p in prompts if p.collapsed), key=top_share)
    how = _takes_over(worst)
    tail = f": {'at worst, ' if len(prompts) > 1 else ''}{how}." if how else "."
    verb = "collapses" if collapsed == 1 else "collapse"
    if len(prompts) == 1:
        return f"{_quoted(worst)} is not a dominance prompt, but {of_images(collapsed, worst)} {verb}{tail}"
    return (
        f"None of {_prompts(result)} collapses the same way in 7 or more of 10 images,"
        f" but {collapsed} of {plural(result.scored, 'image')} {verb}{tail}"
    )


def _none_collapse(prompts: Sequence[PromptResult], result: RunResult) -> str:
    balanced = sum(p.balanced for p in prompts)
    lost, mixed = sum(p.lost for p in prompts), sum(p.mixed for p in prompts)
    whole = f"{plural(result.scored, 'image')} of {_prompts(result)}"
    their = "its" if len(result.prompts) == 1 else "their"
    if balanced == result.scored:
        if len(prompts) < len(result.prompts):
            return _all_that_is_known(result, whole)
        return (
            f"Every concept survives: {balanced} of {whole} show{'s' if balanced == 1 else ''} all of {their} concepts."
        )
    if lost == result.scored:
        which = {1: "The image", 2: "Both images"}.get(lost, f"All {lost} images")
        return f"{which} of {_prompts(result)} show{'s' if lost == 1 else ''} none of {their} concepts."
    found = [
        (lost, "shows" if lost == 1 else "show", f"none of {their} concepts"),
        (mixed, "is" if mixed == 1 else "are", "mixed"),
    ]
    (first, *rest) = [(count, f"{verb} {what}") for count, verb, what in found if count]
    parts = [f"{first[0]} of {whole} {first[1]}", *(f"{count} {said}" for count, said in rest)]
    return f"No concept takes over, but {listed(parts)}."


def _all_that_is_known(result: RunResult, whole: str) -> str:
    unknown = sum(not p.scored for p in result.prompts)
    return (
        f"Every concept shows in {result.scored} of {whole},"
        f" but nothing is known about {unknown} of {plural(len(result.prompts), 'prompt')}."
    )


def _single_concepts(singles: Sequence[PromptResult], result: RunResult) -> str:
    shown, scored = sum(p.balanced for p in singles), result.scored
    prompts = _prompts(result, "single-concept ")
    if shown == scored and len(singles) < len(result.prompts):
        return _all_that_is_known(result, f"{plural(scored, 'image')} of {prompts}")
    if shown == scored:
        return f"Every concept shows in {shown} of {plural(scored, 'image')} of {prompts}."
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
    verb = "is" if result.unscored == 1 else "are"
    said = f"{result.unscored} of {plural(len(images), 'image')} {verb} unscored"
    empty = sum(p.scored == 0 for p in result.prompts)
    if empty:
        said += f"; {empty} of {plural(len(result.prompts), 'prompt')} {'has' if empty == 1 else 'have'} no score"
    return _stop(f"{said}; most frequent reason: {reason}" if reason else said)


def empty_note(result: RunResult) -> str | None:
    """Which prompts have no image; None if all have one."""
    empty = [p.prompt.id for p in result.prompts if not p.images]
    if not empty:
        return None
    more = [f"{len(empty) - _NAMED} more"] if len(empty) > _NAMED else []
    verb = "has" if len(empty) == 1 else "have"
    return f"{len(empty)} of {plural(len(result.prompts), 'prompt')} {verb} no image: {listed(empty[:_NAMED] + more)}."


def _lost_note(result: RunResult) -> str | None:
    lost = sum(p.verdict == "lost" for p in result.prompts)
    if not lost or not any(len(p.prompt.concepts) > 1 and p.scored for p in result.prompts):
        return None  # the headline says it of single concepts
    verb = "shows none of its" if lost == 1 else "show none of their"
    return f"{lost} of {_prompts(result)} {verb} concepts in 7 or more of 10 images."


def _missing_note(result: RunResult) -> str | None:
    """Prompts that miss a concept as often as a dominance prompt does, but not always to the same concept."""
    seen = [
        (rate.count / rate.n, name, p)
        for p in result.prompts
        if p.verdict == "mixed"
        for name, rate in p.presence.items()
        if 10 * rate.count <= 3 * rate.n
    ]
    if not seen:
        return None
    missing = len({p.prompt.id for _, _, p in seen})
    _, name, worst = min(seen, key=lambda missing: missing[0])
    return (
        f"{missing} of {_prompts(result)} {'misses' if missing == 1 else 'miss'} a concept in 7 or more of 10 images,"
        f" but not always to the same concept: {'at worst, ' if len(seen) > 1 else ''}{name} shows in"
        f" {of_images(worst.presence[name].count, worst)}."
    )


def _unread_note(result: RunResult) -> str | None:
    if not result.unread:
        return None
    listed_here = [f"prompt {id}: {what}" for id, what in list(result.unread.items())[:_NAMED]]
    more = f"; and {len(result.unread) - _NAMED} more prompts" if len(result.unread) > _NAMED else ""
    return _stop(f"The model does not know every word: {'; '.join(listed_here)}{more}")


def _single_note(result: RunResult) -> str | None:
    singles = sum(len(p.prompt.concepts) == 1 for p in result.prompts)
    if not singles:
        return None
    if singles == len(result.prompts):
        said = "DvD compares two concepts, so prompts with one concept have no DvD score"
    else:
        verb, have = ("names", "has") if singles == 1 else ("name", "have")
        said = f"{singles} of {plural(len(result.prompts), 'prompt')} {verb} only one concept and {have} no DvD score"
    method = result.settings.steered
    return f"{said}." if method is None else f"{said}, and {method} leaves {'it' if singles == 1 else 'them'} plain."

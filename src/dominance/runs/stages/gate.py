"""The gate: whether every prompt holds, or, against a baseline, has lost nothing that it had."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dominance.baseline import Baseline, Change, PromptChange
from dominance.numbers import plural, share_difference
from dominance.records import Gate, GateResult, JudgeWarning, PromptResult, Rate
from dominance.runs.stages.scoring import in_most

_MOST_NAMED = 3
"""Failing prompts in the gate's one line; ``GateResult.failures`` holds all."""


@dataclass(frozen=True)
class _Miss:
    """A limit that a prompt breaks: how the sentence goes; and whether the baseline broke it, and held up no better."""

    said: str
    known: bool = False


def judge_gate(
    gate: Gate,
    prompts: Sequence[PromptResult],
    warnings: Sequence[JudgeWarning] = (),
    baseline: Baseline | None = None,
    *,
    allow_unfit_judge: bool = False,
) -> GateResult:
    """Whether every prompt passes the gate, with a judge that is fit for it, and enough images scored.

    The reason names what fails the whole run first, then the prompts that fail, the first few with all that they fail.
    If the gate passes, the reason includes what it let pass: an unfit judge that was allowed, what ``let_pass`` finds,
    and what was lost before.

    Args:
        baseline: an earlier run. A limit that a prompt broke there too does not fail, unless it is now clearly worse.
            In a gate without limits, a concept fails that most images lack and did not there, or that shows in clearly
            fewer of the same images, and so does the run where that holds of its prompts together. What the baseline
            cannot tell is held to everything.
    """
    planned = sum(len(prompt.images) for prompt in prompts)
    scored = sum(prompt.scored for prompt in prompts)
    unfit = [warning.says for warning in warnings if warning.unfit]
    of_run = [] if allow_unfit_judge else list(unfit)
    if scored == 0:
        of_run.append(f"nothing was scored: 0 of {planned} images")
    elif (planned - scored) / planned > gate.max_unscored:
        of_run.append(f"{planned - scored} of {planned} images are unscored (limit {_percent(gate.max_unscored)})")
    if baseline is not None and scored:
        of_run += _against(baseline, limited=_has_limits(gate))
    missed = {prompt.prompt.id: _misses(gate, prompt, baseline) for prompt in prompts}
    failures = _told({id: [miss.said for miss in found if not miss.known] for id, found in missed.items()})
    known = _told({id: [miss.said for miss in found if miss.known] for id, found in missed.items()})
    slips = (let_pass(gate, prompts), doubtful_passes(gate, prompts), _excused(known, failures, len(prompts)))
    lets_pass = "; and ".join(filter(None, slips)) or None
    if of_run or failures:
        reasons = [*of_run, *([_failing(failures, len(prompts))] if failures and scored else [])]
        return GateResult(False, "; and ".join(reasons), failures, lets_pass, tuple(of_run), known)
    held = f"{len(prompts)} of {len(prompts)} prompts pass ({_held(gate, baseline)}), {scored} images scored"
    if unfit:
        held = f"{held}; --allow-unfit-judge let it pass although {' and '.join(unfit)}"
    return GateResult(True, f"{held}; but {lets_pass}" if lets_pass else held, lets_pass=lets_pass, known=known)


def _told(found: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What each prompt fails, as the result holds it."""
    return {id: f"{id}: {'; '.join(said)}" for id, said in found.items() if said}


def _against(baseline: Baseline, *, limited: bool) -> list[str]:
    """What fails the whole run against its baseline."""
    found = []
    if baseline.only_there:
        named = ", ".join(f"“{text}”" for text in baseline.only_there[:_MOST_NAMED])
        more = "" if len(baseline.only_there) <= _MOST_NAMED else f" and {len(baseline.only_there) - _MOST_NAMED} more"
        found.append(f"{plural(len(baseline.only_there), 'prompt')} of the baseline not drawn here: {named}{more}")
    if not baseline.prompts:
        found.append("no image can be paired with one of the baseline; draw the seeds that it has")
    if not limited and baseline.interval is not None and baseline.interval[1] < 0:
        found.append(f"concepts show in fewer images than in the baseline: {baseline_change(baseline)}")
    return found


def baseline_change(baseline: Baseline) -> str:
    """The mean change of presence, with its interval and over how many prompts."""
    over = f"over {plural(len(baseline.prompts), 'prompt')}, {plural(baseline.images, 'pair')} of images"
    return f"{share_difference(baseline.change, baseline.interval)} {over}"


def _excused(known: Mapping[str, str], failures: Mapping[str, str], prompts: int) -> str | None:
    """The prompts that pass only because the baseline had lost the same; None where there are none."""
    held = [id for id in known if id not in failures]
    if not held:
        return None
    more = f" and {len(held) - _MOST_NAMED} more" if len(held) > _MOST_NAMED else ""
    verb = "passes" if len(held) == 1 else "pass"
    named = f"{', '.join(held[:_MOST_NAMED])}{more}"
    return f"{len(held)} of {prompts} prompts {verb} only because the baseline broke the same limit: {named}"


def _has_limits(gate: Gate) -> bool:
    return gate.max_collapse is not None or gate.min_presence is not None


def _held(gate: Gate, baseline: Baseline | None) -> str:
    if baseline is None:
        return _limits(gate)
    limits = _limits(gate) if _has_limits(gate) else f"nothing newly lost, {baseline_change(baseline)}"
    return f"{limits}; against {baseline.run}"


def _failing(failures: Mapping[str, str], prompts: int) -> str:
    """How many prompts fail, and why the first few of them do."""
    more = f"; and {len(failures) - _MOST_NAMED} more" if len(failures) > _MOST_NAMED else ""
    return f"{len(failures)} of {prompts} prompts fail: {'; '.join(list(failures.values())[:_MOST_NAMED])}{more}"


def let_pass(gate: Gate, prompts: Sequence[PromptResult]) -> str | None:
    """What a limit on collapse alone misses: prompts that pass it but lack concepts in 7 of 10 images.

    An image without any of its concepts is lost, not collapsed, and a single concept cannot collapse. None if there are
    no such prompts, or if the gate limits presence.
    """
    if gate.max_collapse is None or gate.min_presence is not None:
        return None
    held = [p for p in prompts if not _failures(gate, p)]
    lost = sum(in_most(p.lost, p.scored) for p in held)
    absent = sum(any(in_most(r.n - r.count, r.n) for r in p.presence.values()) for p in held) - lost
    kinds = (
        (lost, "shows none of its concepts", "show none of their concepts"),
        (absent, "lacks a concept", "lack a concept"),
    )
    found = (
        f"{count} of {len(prompts)} prompts {singular if count == 1 else plural} in most images"
        for count, singular, plural in kinds
        if count
    )
    said = ", ".join(found)
    return f"{said}; --max-collapse alone does not catch this: give --min-presence too" if said else None


def doubtful_passes(gate: Gate, prompts: Sequence[PromptResult]) -> str | None:
    """How many of the prompts that pass would fail with some way to settle their doubtful answers; None for none."""
    count = sum(not _failures(gate, prompt) and _could_fail(gate, prompt) for prompt in prompts)
    if not count:
        return None
    verb = "passes" if count == 1 else "pass"
    return f"{count} of {len(prompts)} prompts {verb} only if doubtful answers count as they were given"


def _could_fail(gate: Gate, result: PromptResult) -> bool:
    scored = [image for image in result.images if image.verdict is not None]
    collapsed = sum("collapsed" in (image.verdict, *image.could_be) for image in scored)
    sure = [sum(i.shows(c) and c not in i.doubtful for i in scored) for c in result.presence]
    return (gate.max_collapse is not None and collapsed / len(scored) > gate.max_collapse) or (
        gate.min_presence is not None and any(count / len(scored) < gate.min_presence for count in sure)
    )


def _limits(gate: Gate) -> str:
    limits = []
    if gate.max_collapse is not None:
        limits.append(f"collapse at most {_percent(gate.max_collapse)}")
    if gate.min_presence is not None:
        limits.append(f"every concept present in at least {_percent(gate.min_presence)}")
    return ", ".join(limits)


def _percent(share: float) -> str:
    """A limit as given: 0.996 is 99.6%."""
    return f"{100 * share:.12g}%"


def _dominators(result: PromptResult) -> str:
    """What dominates the collapsed images, with counts unless it is always the same concept."""
    counts = Counter(name for image in result.images for name in {pair[0] for pair in image.collapses})
    if list(counts.values()) == [result.collapsed]:
        return f"{next(iter(counts))} dominating"
    (first, count), *others = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join([f"{first} dominating in {count}", *(f"{name} in {n}" for name, n in others)])


def _unscored(result: PromptResult) -> str:
    """That a prompt has no scored image, and why."""
    reasons = Counter(image.problem for image in result.images if image.problem)
    if not result.images:
        return "it has no images"
    why = f": {reasons.most_common(1)[0][0]}" if reasons else ""
    count = len(result.images)
    said = "its image was not scored" if count == 1 else f"none of its {count} images was scored"
    return f"{said}{why}"


def _failures(gate: Gate, result: PromptResult) -> list[str]:
    """All that a prompt fails, whatever was before."""
    return [miss.said for miss in _misses(gate, result, None)]


def _misses(gate: Gate, result: PromptResult, baseline: Baseline | None) -> list[_Miss]:
    """All limits that a prompt breaks; without limits, what it has lost since the baseline."""
    if result.scored == 0:
        return [_Miss(_unscored(result))]
    before = None if baseline is None else baseline.of(result.prompt.id)
    if baseline is not None and not _has_limits(gate):
        return _lost_since(result, before, baseline)
    found = []
    if gate.max_collapse is not None and result.collapsed / result.scored > gate.max_collapse:
        said = (
            f"{result.collapsed} of {result.scored} images collapse, {_dominators(result)}"
            f" (limit {_percent(gate.max_collapse)}){_doubtful_collapse(result, gate.max_collapse)}"
        )
        change = None if before is None else before.collapse
        broken = change is not None and change.there / change.n > gate.max_collapse
        found.append(_Miss(f"{said}{_before(change)}", broken and not (change is not None and change.rose)))
    for concept, presence in result.presence.items():
        if gate.min_presence is not None and presence.count / result.scored < gate.min_presence:
            said = (
                f"{concept} is present in {presence.count} of {result.scored} images"
                f" (at least {_percent(gate.min_presence)} required)"
                f"{_doubtful_absence(result, concept, gate.min_presence)}"
            )
            change = None if before is None else before.presence[concept]
            broken = change is not None and change.there / change.n < gate.min_presence
            found.append(_Miss(f"{said}{_before(change)}", broken and not (change is not None and change.fell)))
    return found


def _before(change: Change | None) -> str:
    return "" if change is None else f", in the baseline {change.there} of {change.n}"


def _lost_since(result: PromptResult, before: PromptChange | None, baseline: Baseline) -> list[_Miss]:
    """The concepts that show in clearly fewer images, or that most images lack and did not in the baseline.

    That is asked of the pairs, and of all images of this run. Where nothing can be paired, all that most images lack.
    """
    if before is not None:
        return [
            _Miss(said)
            for concept, change in before.presence.items()
            if (said := _lost_of(concept, change, result.presence[concept])) is not None
        ]
    return [
        _Miss(
            f"{concept} is present in {rate.count} of {rate.n} images, which nothing excuses:"
            f" {baseline.unpaired[result.prompt.id]}"
        )
        for concept, rate in result.presence.items()
        if _absent(rate.count, rate.n)
    ]


def _lost_of(concept: str, change: Change, whole: Rate) -> str | None:
    """What is lost of a concept, first over the pairs, then over all images of this run; None where nothing is."""
    known = _absent(change.there, change.n)
    if change.fell or (_absent(change.here, change.n) and not known):
        return (
            f"{concept} is present in {change.here} of {change.n} images, in the baseline {change.there} of"
            f" {change.n}: {share_difference(change.change, change.interval)}"
        )
    if _absent(whole.count, whole.n) and not known:
        return (
            f"{concept} is present in {whole.count} of {whole.n} images, of which the baseline has {change.n}, with it"
            f" in {change.there}"
        )
    return None


def _absent(shown: int, images: int) -> bool:
    """Whether most images lack the concept."""
    return in_most(images - shown, images)


def _doubtful_collapse(result: PromptResult, limit: float) -> str:
    """Says so where the limit would hold with some way to settle the doubtful answers."""
    hanging = sum(image.hangs for image in result.images if image.verdict == "collapsed")
    if (result.collapsed - hanging) / result.scored > limit:
        return ""
    return f", but {hanging} of them {'hangs' if hanging == 1 else 'hang'} on doubtful answers"


def _doubtful_absence(result: PromptResult, concept: str, limit: float) -> str:
    """The same of a concept's presence."""
    absent = [image for image in result.images if image.verdict is not None and not image.shows(concept)]
    doubtful = sum(concept in image.doubtful for image in absent)
    if (result.presence[concept].count + doubtful) / result.scored < limit:
        return ""
    return f", but doubtful in {doubtful} of the others"

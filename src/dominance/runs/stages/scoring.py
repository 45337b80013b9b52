"""From answers to scores and verdicts of images, prompts, groups, and the gate."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

from dominance.metrics import bootstrap_mean, dvd_score, rate
from dominance.records import (
    Answer,
    Concept,
    Gate,
    GateResult,
    GroupResult,
    JudgeWarning,
    Prompt,
    PromptResult,
    PromptVerdict,
    Rate,
    ScoredImage,
)
from dominance.runs.stages.verdicts import doubtful_concepts, image_verdict, possible_verdicts

_MOST_OF_TEN = 7
_MOST_NAMED = 3
"""Failing prompts in the gate's one line; ``GateResult.failures`` holds all."""


def score_image(
    prompt: Prompt,
    name: str,
    file: str | None,
    answers: Sequence[Answer],
    problem: str | None = None,
    seed: int | None = None,
) -> ScoredImage:
    """Counts an image's answers; an unanswered question or a problem leaves it unscored."""
    by_concept = {c.name: [a for a in answers if a.question.concept == c.name] for c in prompt.concepts}
    yes = {concept: _count(listed) for concept, listed in by_concept.items()}
    if problem is None and None in yes.values():
        problem = next((a.problem for a in answers if a.yes is None and a.problem), "not judged yet")
    if problem is not None:
        return ScoredImage(prompt.id, name, file, seed, tuple(answers), yes, problem=problem)
    counted = {concept: count for concept, count in yes.items() if count is not None}
    questions = len(next(iter(by_concept.values())))
    pairs = {(a, b): dvd_score(counted[a], counted[b], questions) for a, b in itertools.permutations(counted, 2)}
    best = max(pairs, key=lambda pair: pairs[pair], default=None)
    verdict = image_verdict(counted.values(), questions)
    dominating, dominated = best if best is not None and pairs[best] > pairs[best[::-1]] else (None, None)
    return ScoredImage(
        prompt_id=prompt.id,
        name=name,
        file=file,
        seed=seed,
        answers=tuple(answers),
        yes=yes,
        dvd=None if best is None else pairs[best],
        soft_dvd=_soft_score(by_concept, questions),
        dominating=dominating,
        dominated=dominated,
        pairs=pairs,
        verdict=verdict,
        doubtful=doubtful_concepts(by_concept),
        could_be=tuple(name for name in possible_verdicts(by_concept, questions) if name != verdict),
    )


def _count(answers: Sequence[Answer]) -> int | None:
    if not answers or any(answer.yes is None for answer in answers):
        return None
    return sum(1 for answer in answers if answer.yes)


def _soft_score(by_concept: dict[str, list[Answer]], questions: int) -> float | None:
    sums = {}
    for concept, answers in by_concept.items():
        values = [answer.p_yes for answer in answers if answer.p_yes is not None]
        if len(values) < len(answers):
            return None
        sums[concept] = min(sum(values), float(questions))
    scores = [dvd_score(sums[a], sums[b], questions) for a, b in itertools.permutations(sums, 2)]
    return max(scores, default=None)


def score_prompt(prompt: Prompt, images: Sequence[ScoredImage]) -> PromptResult:
    """A prompt's images together; the interval of the mean is a bootstrap over images."""
    scored = [image for image in images if image.verdict is not None]
    verdicts = Counter(image.verdict for image in scored)
    directions = Counter(pair for image in scored for pair in image.collapses)
    dvd = [image.dvd for image in scored if image.dvd is not None]
    return PromptResult(
        prompt=prompt,
        images=tuple(images),
        dvd_mean=sum(dvd) / len(dvd) if dvd else None,
        dvd_interval=bootstrap_mean([[value] for value in dvd]) if len(dvd) > 1 else None,
        balanced=verdicts["balanced"],
        collapsed=verdicts["collapsed"],
        lost=verdicts["lost"],
        mixed=verdicts["mixed"],
        presence={concept.name: _presence(concept, scored) for concept in prompt.concepts},
        dominating=directions.most_common(1)[0][0][0] if directions else None,
        verdict=_prompt_verdict(scored, verdicts),
    )


def balanced_rate(prompts: Sequence[PromptResult]) -> Rate | None:
    """Of the scored images of these prompts, those that show every concept; None where nothing is scored."""
    scored = sum(prompt.scored for prompt in prompts)
    return rate(sum(prompt.balanced for prompt in prompts), scored) if scored else None


def _presence(concept: Concept, scored: Sequence[ScoredImage]) -> Rate:
    return rate(sum(image.shows(concept.name) for image in scored), len(scored))


def _prompt_verdict(scored: Sequence[ScoredImage], verdicts: Counter) -> PromptVerdict | None:
    if not scored:
        return None
    directions = Counter(pair for image in scored for pair in image.collapses)
    most = directions.most_common(1)[0][1] if directions else 0
    for name, count in (("dominance", most), ("balanced", verdicts["balanced"]), ("lost", verdicts["lost"])):
        if _in_most(count, len(scored)):
            return name
    return "mixed"


def _in_most(count: int, images: int) -> bool:
    return 10 * count >= _MOST_OF_TEN * images


def score_groups(prompts: Sequence[PromptResult]) -> tuple[GroupResult, ...]:
    """The prompts by group, in order of appearance; intervals of means are clustered by prompt."""
    groups: dict[str, list[PromptResult]] = {}
    for prompt in prompts:
        groups.setdefault(prompt.prompt.group_name, []).append(prompt)
    return tuple(_score_group(name, members) for name, members in groups.items())


def _score_group(name: str, members: Sequence[PromptResult]) -> GroupResult:
    clusters = [[i.dvd for i in member.images if i.dvd is not None] for member in members]
    values = [value for cluster in clusters for value in cluster]
    scored = sum(member.scored for member in members)
    return GroupResult(
        name=name,
        prompts=len(members),
        scored=scored,
        dvd_mean=sum(values) / len(values) if values else None,
        dvd_interval=bootstrap_mean(clusters) if sum(map(bool, clusters)) > 1 else None,
        collapsed=rate(sum(member.collapsed for member in members), scored),
        balanced=rate(sum(member.balanced for member in members), scored),
    )


def judge_gate(
    gate: Gate,
    prompts: Sequence[PromptResult],
    warnings: Sequence[JudgeWarning] = (),
    *,
    allow_unfit_judge: bool = False,
) -> GateResult:
    """Whether every prompt passes the gate, with a judge that is fit for it, and enough images scored.

    The reason names what fails the whole run first, then the prompts that fail, the first few with all that they fail.
    If the gate passes, the reason includes what it let pass: an unfit judge that was allowed, and what ``let_pass``
    finds.
    """
    planned = sum(len(prompt.images) for prompt in prompts)
    scored = sum(prompt.scored for prompt in prompts)
    unfit = [warning.says for warning in warnings if warning.unfit]
    of_run = [] if allow_unfit_judge else list(unfit)
    if scored == 0:
        of_run.append(f"nothing was scored: 0 of {planned} images")
    elif (planned - scored) / planned > gate.max_unscored:
        of_run.append(f"{planned - scored} of {planned} images are unscored (limit {_percent(gate.max_unscored)})")
    failures = {p.prompt.id: f"{p.prompt.id}: {'; '.join(found)}" for p in prompts if (found := _failures(gate, p))}
    lets_pass = "; and ".join(filter(None, (let_pass(gate, prompts), doubtful_passes(gate, prompts)))) or None
    if of_run or failures:
        reasons = [*of_run, *([_failing(failures, len(prompts))] if failures and scored else [])]
        return GateResult(False, "; and ".join(reasons), failures, lets_pass, tuple(of_run))
    held = f"{len(prompts)} of {len(prompts)} prompts pass ({_limits(gate)}), {scored} images scored"
    if unfit:
        held = f"{held}; --allow-unfit-judge let it pass although {' and '.join(unfit)}"
    return GateResult(True, f"{held}; but {lets_pass}" if lets_pass else held, lets_pass=lets_pass)


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
    lost = sum(_in_most(p.lost, p.scored) for p in held)
    absent = sum(any(_in_most(r.n - r.count, r.n) for r in p.presence.values()) for p in held) - lost
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
    """All that a prompt fails."""
    scored = result.scored
    if scored == 0:
        return [_unscored(result)]
    found = []
    if gate.max_collapse is not None and result.collapsed / scored > gate.max_collapse:
        found.append(
            f"{result.collapsed} of {scored} images collapse, {_dominators(result)}"
            f" (limit {_percent(gate.max_collapse)}){_doubtful_collapse(result, gate.max_collapse)}"
        )
    for concept, presence in result.presence.items():
        if gate.min_presence is not None and presence.count / scored < gate.min_presence:
            found.append(
                f"{concept} is present in {presence.count} of {scored} images"
                f" (at least {_percent(gate.min_presence)} required)"
                f"{_doubtful_absence(result, concept, gate.min_presence)}"
            )
    return found


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

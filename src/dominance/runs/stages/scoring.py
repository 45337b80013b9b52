"""From answers to scores and verdicts of images, prompts and groups."""

import itertools
from collections import Counter
from collections.abc import Sequence

from dominance.metrics import bootstrap_mean, dvd_score, rate, soft_presence
from dominance.records import (
    Answer,
    Concept,
    GroupResult,
    Prompt,
    PromptResult,
    PromptVerdict,
    Rate,
    ScoredImage,
)
from dominance.runs.stages.verdicts import doubtful_concepts, image_verdict, possible_verdicts

_MOST_OF_TEN = 7


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
        soft_presence=soft_presence([[_p_yes(answer) for answer in own] for own in by_concept.values()]),
    )


def presence_of(image: ScoredImage, concepts: Sequence[str]) -> float | None:
    """The soft presence of some of an image's concepts, 0 to 1; None where it has no score, or of no concept."""
    if image.verdict is None or not concepts:
        return None
    return soft_presence(
        [[_p_yes(answer) for answer in image.answers if answer.question.concept == name] for name in concepts]
    )


def _p_yes(answer: Answer) -> float:
    """Of a judge that gives no probability, 1 for yes and 0 for no."""
    return float(bool(answer.yes)) if answer.p_yes is None else answer.p_yes


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
        if in_most(count, len(scored)):
            return name
    return "mixed"


def in_most(count: int, images: int) -> bool:
    """Whether so many are 7 of 10 images, or more."""
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

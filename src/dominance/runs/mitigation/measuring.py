"""From the judged images of all arms to what each method changes, keeps, harms and costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dominance.metrics import rate
from dominance.records import Prompt, Rate, RunResult, ScoredImage
from dominance.runs.audit.result import scored_images
from dominance.runs.mitigation.arms import Arm
from dominance.runs.mitigation.likeness import Likeness
from dominance.runs.mitigation.options import POLICY
from dominance.runs.mitigation.policy import attempts, delivered
from dominance.runs.mitigation.result import (
    Against,
    Cost,
    LeftPlain,
    MethodResult,
    MitigatedImage,
    MitigatedPrompt,
    MitigationResult,
    Shot,
)
from dominance.runs.stages.counting import EVALUATIONS, SECONDS, TIMED
from dominance.runs.stages.measures import clustered_mean, measured_changes
from dominance.runs.stages.method_names import PLAIN
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan

CONTROL = "another seed"
"""Name of the control: the plain image of the next seed."""
_NOT_COMPARED = Likeness()
_SEVERAL = "several runs"


@dataclass(frozen=True)
class Took:
    """What one image took, and who timed it; None where that is not known."""

    seconds: float | None = None
    evaluations: float | None = None
    timed: str | None = None


@dataclass(frozen=True)
class Seen:
    """The scored images of one prompt and seed.

    Attributes:
        shots: by arm, plain first; of a method, only where it was to draw.
        took: what each took.
        chosen: the arm that the policy hands over.
        tried: the methods that the policy draws by, in turn.
        left_plain: the methods that leave the prompt plain; their image is the plain one.
    """

    prompt: Prompt
    shots: Mapping[str, ScoredImage]
    took: Mapping[str, Took]
    chosen: str
    tried: tuple[str, ...]
    left_plain: frozenset[str] = frozenset()

    @property
    def drawn(self) -> Mapping[str, ScoredImage]:
        """The shots by arm, the plain image once, however many methods leave the prompt plain."""
        return {name: shot for name, shot in self.shots.items() if name not in self.left_plain}


def seen(arms: Sequence[Arm], plan: Plan, ledger: Ledger, only_failing: bool) -> tuple[Seen, ...]:
    """Every prompt and seed with its images, as far as they are drawn and judged."""
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    rows, failed = ledger.images(), ledger.failures()
    scored = scored_arms(arms, plan, ledger)
    found = []
    for place, plain in enumerate(arms[0].images):
        items = {arm.name: arm.images[place].item for arm in arms}
        shots = {name: images[place] for name, images in scored.items()}
        judged = {name: item in failed or shots[name].verdict is not None for name, item in items.items()}
        left = frozenset(arm.name for arm in arms if plain.prompt_id in arm.left_plain)
        methods = [arm.name for arm in arms if arm.method is not None and arm.name not in left]
        tried = attempts({name: shot.verdict for name, shot in shots.items()}, methods, judged)
        if only_failing:
            shots = {name: shot for name, shot in shots.items() if name == PLAIN or name in tried}
        took = {name: _took(rows[items[name]].settings) for name in shots if items[name] in rows}
        chosen = delivered({name: shots[name] for name in (PLAIN, *tried)})
        found.append(Seen(prompts[plain.prompt_id], shots, took, chosen, tuple(tried), left))
    return tuple(found)


def scored_arms(arms: Sequence[Arm], plan: Plan, ledger: Ledger) -> dict[str, list[ScoredImage]]:
    """Every arm's images with their scores by the plan's judge, in the order of the arm's plan."""
    return {arm.name: _in_order(arm, plan, ledger) for arm in arms}


def _in_order(arm: Arm, plan: Plan, ledger: Ledger) -> list[ScoredImage]:
    by_prompt = {id: iter(own) for id, own in scored_images(replace(plan, images=arm.images), ledger).items()}
    return [next(by_prompt[image.prompt_id]) for image in arm.images]


def _took(settings: Mapping[str, object]) -> Took:
    values = [settings.get(name) for name in (SECONDS, EVALUATIONS)]
    seconds, evaluations = (float(value) if isinstance(value, int | float) else None for value in values)
    timed = settings.get(TIMED)
    return Took(seconds, evaluations, timed if isinstance(timed, str) else None)


def measure(
    arms: Sequence[Arm],
    found: Sequence[Seen],
    whole: RunResult,
    plan: Plan,
    alike: Likeness,
    only_failing: bool,
    notes: Sequence[str],
) -> MitigationResult:
    """The result of a mitigation whose images are judged.

    Args:
        found: all images, by prompt and seed.
        whole: of all images together.
        notes: to be shown beside the result.
    """
    told = [f"prompt {id}: {why}" for id, why in (*plan.refused.items(), *plan.notes.items())]
    methods, policy, control = rows_of(arms, found, alike)
    return MitigationResult(
        run=whole.run,
        suite=whole.suite,
        model=whole.model,
        judge=whole.judge,
        settings=whole.settings.record(),
        only_failing=only_failing,
        methods=methods,
        policy=policy,
        control=control,
        prompts=tuple(
            _prompt(prompt, [each for each in found if each.prompt.id == prompt.id]) for prompt in plan.suite.prompts
        ),
        embedder=alike.embedder,
        notes=(*notes, *told[:20]),
        manifest=whole.manifest,
        judge_warnings=whole.judge_warnings,
    )


def rows_of(
    arms: Sequence[Arm], found: Sequence[Seen], alike: Likeness
) -> tuple[tuple[MethodResult, ...], MethodResult, MethodResult | None]:
    """Every method, the policy, and the control where a prompt has two seeds."""
    steered, control = [arm for arm in arms if arm.method], _next_seeds(found)
    return (
        tuple(
            replace(compared(arm.name, arm.settings, _of_method(arm.name, found), alike), left_plain=_left(arm, found))
            for arm in steered
        ),
        compared(POLICY, {"methods": [arm.name for arm in steered]}, _of_policy(found), alike),
        compared(CONTROL, {}, control, alike) if control else None,
    )


@dataclass(frozen=True)
class Pair:
    """An image before and after, and what both took; ``spent`` is None where one of its parts is not known."""

    prompt_id: str
    before: ScoredImage
    after: ScoredImage
    first: Took
    spent: Took


def against_of(
    baseline: str | None, arms: Sequence[Arm], found: Sequence[Seen], alike: Likeness = _NOT_COMPARED
) -> Against | None:
    """Every other method, and the policy, against one method; None without one."""
    if baseline is None:
        return None
    others = [arm for arm in arms if arm.method and arm.name != baseline]
    settings: dict[str, object] = {"methods": [arm.name for arm in arms if arm.method]}
    return Against(
        baseline,
        tuple(compared(arm.name, arm.settings, _of_method(arm.name, found, baseline), alike) for arm in others),
        compared(POLICY, settings, _of_policy(found, baseline), alike),
    )


def _left(arm: Arm, found: Sequence[Seen]) -> tuple[LeftPlain, ...]:
    """What a method leaves plain, by the reason."""
    by_why: dict[str, list[str]] = {}
    for id in (each.prompt.id for each in found if each.prompt.id in arm.left_plain):
        by_why.setdefault(arm.left_plain[id], []).append(id)
    return tuple(LeftPlain(why, len(set(ids)), len(ids)) for why, ids in by_why.items())


def _of_method(name: str, found: Sequence[Seen], before: str = PLAIN) -> list[Pair]:
    return [
        Pair(each.prompt.id, each.shots[before], each.shots[name], _known(each, before), _known(each, name))
        for each in found
        if name in each.shots
    ]


def _of_policy(found: Sequence[Seen], before: str = PLAIN) -> list[Pair]:
    """Every image, with the time of all that was drawn for it."""
    pairs = []
    for each in found:
        parts = [_known(each, name) for name in (PLAIN, *each.tried)]
        seconds, evaluations = ([getattr(part, what) for part in parts] for what in (SECONDS, EVALUATIONS))
        spent = Took(*(None if None in values else sum(values) for values in (seconds, evaluations)))
        spent = replace(spent, timed=parts[0].timed if len({part.timed for part in parts}) == 1 else _SEVERAL)
        first, after = _known(each, before), each.shots[each.chosen]
        pairs.append(Pair(each.prompt.id, each.shots[before], after, first, spent))
    return pairs


def _next_seeds(found: Sequence[Seen]) -> list[Pair]:
    """Every plain image against that of the prompt's next seed; the last one's is the first."""
    by_prompt: dict[str, list[Seen]] = {}
    for each in found:
        by_prompt.setdefault(each.prompt.id, []).append(each)
    return [
        Pair(id, one.shots[PLAIN], other.shots[PLAIN], _known(one, PLAIN), _known(other, PLAIN))
        for id, own in by_prompt.items()
        if len(own) > 1
        for one, other in zip(own, [*own[1:], own[0]], strict=True)
    ]


def _known(each: Seen, name: str) -> Took:
    return each.took.get(name, Took())


def compared(
    name: str, settings: dict[str, object], pairs: Sequence[Pair], alike: Likeness = _NOT_COMPARED
) -> MethodResult:
    """What becomes of images under a method."""
    both = [pair for pair in pairs if pair.before.verdict is not None and pair.after.verdict is not None]
    scores = [(pair.before.dvd or 0.0, pair.after.dvd or 0.0) for pair in both]
    change, change_interval = clustered_mean(
        [(p.prompt_id, after - before) for p, (before, after) in zip(both, scores, strict=True)]
    )
    distance, distance_interval = clustered_mean(
        [(p.prompt_id, far) for p in both if (far := alike.distance(p.before.file, p.after.file)) is not None]
    )
    collapsed = [pair for pair in both if pair.before.verdict == "collapsed"]
    balanced = [pair for pair in both if pair.before.verdict == "balanced"]
    failing = [pair for pair in both if pair.before.verdict != "balanced"]

    def of(some: Sequence[Pair], holds: Callable[[Pair], bool]) -> Rate:
        return rate(sum(map(holds, some)), len(some))

    return MethodResult(
        method=name,
        settings=settings,
        pairs=len(both),
        unscored=len(pairs) - len(both),
        dvd_before=_mean([before for before, _ in scores]),
        dvd_after=_mean([after for _, after in scores]),
        change=change,
        change_interval=change_interval,
        collapsed_before=rate(len(collapsed), len(both)),
        collapsed_after=of(both, lambda pair: pair.after.verdict == "collapsed"),
        balanced_before=rate(len(balanced), len(both)),
        balanced_after=of(both, lambda pair: pair.after.verdict == "balanced"),
        kept=of(collapsed, _keeps),
        restored=of(collapsed, _restores),
        neither=of(collapsed, lambda pair: not _keeps(pair) and not _restores(pair)),
        repaired=of(failing, lambda pair: pair.after.verdict == "balanced"),
        harmed=of(balanced, lambda pair: pair.after.verdict != "balanced"),
        distance=distance,
        distance_interval=distance_interval,
        cost=_cost(pairs),
        measures=measured_changes([(pair.prompt_id, pair.before, pair.after) for pair in both]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _keeps(pair: Pair) -> bool:
    """Whether all that dominated is still present."""
    return all(pair.after.shows(concept) for concept in {dominating for dominating, _ in pair.before.collapses})


def _restores(pair: Pair) -> bool:
    """Whether all that was lost is present."""
    return all(pair.after.shows(concept) for concept in pair.before.yes if not pair.before.shows(concept))


def _cost(pairs: Sequence[Pair]) -> Cost:
    times = [(p.spent.seconds, p.first.seconds) for p in pairs]
    timed = [(own, first) for own, first in times if own is not None and first is not None]
    counts = [(p.spent.evaluations, p.first.evaluations) for p in pairs]
    counted = [(own, first) for own, first in counts if own is not None and first is not None]
    seconds = _mean([own for own, _ in timed])
    apart = sum(p.spent.timed != p.first.timed for p in pairs if None not in (p.spent.seconds, p.first.seconds))
    return Cost(_ratio(timed), _ratio(counted), None if seconds is None else round(seconds, 4), len(timed), apart)


def _ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    first = sum(first for _, first in pairs)
    return round(sum(own for own, _ in pairs) / first, 4) if first else None


def _prompt(prompt: Prompt, own: Sequence[Seen]) -> MitigatedPrompt:
    arms = list(dict.fromkeys(name for each in own for name in each.shots))
    dvd = {name: _mean_dvd([each.shots[name] for each in own if name in each.shots]) for name in arms}
    dvd[POLICY] = _mean_dvd([each.shots[each.chosen] for each in own])
    return MitigatedPrompt(
        id=prompt.id,
        text=prompt.text,
        group=prompt.group,
        concepts=tuple(concept.name for concept in prompt.concepts),
        dvd=dvd,
        images=tuple(_image(each) for each in own),
    )


def _mean_dvd(images: Sequence[ScoredImage]) -> float | None:
    return _mean([image.dvd for image in images if image.dvd is not None])


def _image(each: Seen) -> MitigatedImage:
    shots = {}
    for name, image in each.drawn.items():
        present, took = tuple(c.name for c in each.prompt.concepts if image.shows(c.name)), _known(each, name)
        cost = (took.seconds, took.evaluations)
        shots[name] = Shot(image.file, image.verdict, image.dvd, present, image.problem, *cost, image.scores)
    return MitigatedImage(each.shots[PLAIN].name, shots, each.chosen, tuple(sorted(each.left_plain)))

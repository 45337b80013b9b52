"""Identity against composition, from the audit of one checkpoint.

Source: METHODS, section 11, as in ``docs/decisions/019-teaching.md``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from dominance.judges.protocol import Judge
from dominance.metrics import bootstrap_mean, rate
from dominance.records import Concept, Prompt, Rate, RunResult, ScoredImage, Suite
from dominance.runs.audit.result import recorded_plan, scored_images
from dominance.runs.stages.judging import ask_judge, questions_of, unanswered
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, ask_all
from dominance.runs.teaching.likeness import Likeness
from dominance.runs.teaching.result import Watched
from dominance.suites import QuestionSet


def names(prompt: Prompt, concept: str) -> bool:
    """Whether the concept is one that the prompt names."""
    return any(named.name == concept for named in prompt.concepts)


def watched(
    result: RunResult, taught: str, run: str, leaked: Sequence[ScoredImage], likeness: Likeness | None
) -> Watched:
    """What an audit says of the taught concept; see ``Watched``.

    Args:
        run: the audit's folder, as the record names it.
        leaked: the images of prompts without the concept, with the answers about it.
        likeness: to the pictures; None where no encoder fits.
    """
    together, single, without = [], [], []
    for prompt in result.prompts:
        kind = without if not names(prompt.prompt, taught) else together if len(prompt.prompt.concepts) > 1 else single
        kind.append((prompt.prompt, [image for image in prompt.images if image.verdict is not None]))
    shown = [images for _, images in (*together, *single)]
    towards = [[_towards(image, taught) for image in images] for _, images in together]
    scored = [value for cluster in towards for value in cluster]
    files = [Path(result.run) / (image.file or "") for _, images in single or together for image in images]
    similarity, copying = likeness.of(files) if likeness is not None else (None, None)
    return Watched(
        run=run,
        scored=result.scored,
        unscored=result.unscored,
        composition=_share(all(image.shows(c.name) for c in prompt.concepts) for prompt, i in together for image in i),
        dvd_towards=sum(scored) / len(scored) if scored else None,
        dvd_interval=bootstrap_mean(towards) if len([cluster for cluster in towards if cluster]) > 1 else None,
        presence=_share(image.shows(taught) for images in shown for image in images),
        alone=_share(image.shows(taught) for _, images in single for image in images),
        others=_share(all(image.shows(c.name) for c in prompt.concepts) for prompt, i in without for image in i),
        leakage=_share(image.shows(taught) for image in leaked if image.verdict is not None),
        similarity=similarity,
        ceiling=None if likeness is None else likeness.ceiling,
        copying=copying,
    )


def _towards(image: ScoredImage, taught: str) -> float:
    return max(dvd for (dominating, _), dvd in image.pairs.items() if dominating == taught)


def _share(found: Iterable[bool]) -> Rate:
    listed = list(found)
    return rate(sum(listed), len(listed))


def leaked_images(folder: Path, concept: Concept, judge: Judge, questions: QuestionSet) -> list[ScoredImage]:
    """The images of an audit's prompts that do not name the concept, once the judge was asked about it there too.

    The answers are kept in the audit's own ledger, whose report does not show them.
    """
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        plan = recorded_plan(ledger, folder)
        if plan is None:
            return []
        asked = _about(plan, concept, judge, questions)
        if waiting := unanswered(asked, ledger, folder):
            ask_judge(waiting, asked, judge, ledger)
        return [image for images in scored_images(asked, ledger).values() for image in images]


def _about(plan: Plan, concept: Concept, judge: Judge, questions: QuestionSet) -> Plan:
    prompts = tuple(
        replace(prompt, concepts=(concept,)) for prompt in plan.suite.prompts if not names(prompt, concept.name)
    )
    kept = {prompt.id for prompt in prompts}
    suite: Suite = replace(plan.suite, prompts=prompts)
    return replace(
        plan,
        suite=suite,
        questions=questions_of(judge, ask_all(suite, questions.ask)),
        images=tuple(image for image in plan.images if image.prompt_id in kept),
    )

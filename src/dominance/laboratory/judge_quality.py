"""How well a judge sees: measured on renders whose truth is known, and on pictures that hold nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from dominance.errors import ItemError
from dominance.judges.protocol import Judge
from dominance.metrics import rate
from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.controls import garbled_picture, hidden_concept
from dominance.miniature.renderer import Picture, render
from dominance.miniature.scene import Scene
from dominance.miniature.truth import GRADES, true_answers
from dominance.miniature.world import pair_scene, single_scene
from dominance.progress import Progress
from dominance.records import Answer, Concept, Question, Rate
from dominance.training.artefacts import ModelArtefacts
from dominance.training.judge_pictures import JudgedPicture, sample_judged

_SEED = 777_000
"""Far from every training seed."""
_BATCH = 16
HARD: str = "deliberately hard"
REDRAWN: str = "pair, redrawn by the model"
ABOUT_ITSELF: frozenset[str] = frozenset({"own backdrop, concept missing", "garbled shape"})
"""Controls in which the judge is asked about the very concept that was hidden or destroyed."""

Ask = Callable[[Concept], tuple[Question, ...]]


@dataclass(frozen=True)
class GradeQuality:
    """One grade's hits among true yeses and among true noes."""

    grade: int
    yes: Rate
    no: Rate

    @property
    def balanced_accuracy(self) -> float | None:
        if self.yes.share is None or self.no.share is None:
            return None
        return (self.yes.share + self.no.share) / 2


def quality_by_kind(
    judge: Judge, ask: Ask, each: int, artefacts: ModelArtefacts | None = None
) -> dict[str, list[GradeQuality]]:
    """Each grade's quality on held-out renders, by kind of picture.

    All questions are asked about every concept in a picture and about two that are not in it. The kind ``HARD`` is
    what the judge was trained on: small, overlapping, cropped, faded, recoloured, wavy and garbled shapes, under noise
    and blur. With artefacts there is one more, ``REDRAWN``: pairs that a model has noised and denoised, for what its
    images look like; the bundled judge has learned from that model's redrawing, so this kind is no independent test.
    """
    kinds: dict[str, Callable[[np.random.Generator], JudgedPicture]] = {
        "single, rigid": lambda rng: _drawn(single_scene(_any_name(rng), 0.0, rng)),
        "single, varied": lambda rng: _drawn(single_scene(_any_name(rng), 1.0, rng)),
        "pair": lambda rng: _drawn(_any_pair(rng)),
        "small": lambda rng: _drawn(_small(rng)),
        "overlapping pair": lambda rng: _drawn(_overlapping(rng)),
        HARD: sample_judged,
    }
    if artefacts is not None:
        kinds[REDRAWN] = lambda rng: artefacts.redrawn(_drawn(_any_pair(rng)), rng)
    return {name: _grade_qualities(judge, ask, draw, each, kind) for kind, (name, draw) in enumerate(kinds.items())}


def _grade_qualities(
    judge: Judge, ask: Ask, draw: Callable[[np.random.Generator], JudgedPicture], each: int, kind: int
) -> list[GradeQuality]:
    hits = np.zeros((GRADES, 2, 2), dtype=int)
    drawn = (draw(np.random.default_rng([_SEED, kind, index])) for index in range(each))
    for picture, answers in _judged(judge, ask, drawn, each, "judge on renders"):
        for answer in answers:
            truth = true_answers(answer.question.concept, picture.truths)[answer.question.grade - 1]
            hits[answer.question.grade - 1, int(truth), int(_decided(answer) == truth)] += 1
    return [
        GradeQuality(grade, rate(int(yes[1]), int(yes.sum())), rate(int(no[1]), int(no.sum())))
        for grade, (no, yes) in enumerate(hits, start=1)
    ]


def _drawn(scene: Scene) -> JudgedPicture:
    return _judgeable(render(scene))


def _judgeable(picture: Picture) -> JudgedPicture:
    return JudgedPicture(picture.pixels, picture.truths)


def _any_name(rng: np.random.Generator) -> str:
    return CONCEPTS[int(rng.integers(len(CONCEPTS)))].name


def _any_pair(rng: np.random.Generator) -> Scene:
    first, second = rng.choice([concept.name for concept in CONCEPTS], 2, replace=False)
    return pair_scene((str(first), str(second)), {c.name: float(rng.integers(2)) for c in CONCEPTS}, rng)


def _small(rng: np.random.Generator) -> Scene:
    """One concept of a quarter to two fifths of the picture's side, anywhere."""
    scene = single_scene(_any_name(rng), 1.0, rng)
    placement = {"size": rng.uniform(0.25, 0.4), "x": rng.uniform(0.2, 0.8), "y": rng.uniform(0.25, 0.75)}
    return replace(scene, placements=(replace(scene.placements[0], **placement),))


def _overlapping(rng: np.random.Generator) -> Scene:
    """Two concepts so close that one hides part of the other."""
    scene = _any_pair(rng)
    apart = rng.uniform(0.1, 0.25)
    back, front = scene.placements
    return replace(scene, placements=(replace(back, x=0.5 - apart), replace(front, x=0.5 + apart)))


def negative_controls(judge: Judge, ask: Ask, each: int) -> dict[str, Rate]:
    """How often the judge says yes where the truth is no, by kind of picture.

    About a garbled or missing concept only that concept is asked; elsewhere, two that are not there.
    """
    rng = np.random.default_rng([_SEED, 1])
    controls: dict[str, list[JudgedPicture]] = {
        "blank": [JudgedPicture(np.full((64, 64, 3), rng.integers(0, 256, 3), np.uint8), ()) for _ in range(each)],
        "noise": [JudgedPicture(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), ()) for _ in range(each)],
        "own backdrop, concept missing": [_judgeable(hidden_concept(_name(index), index)) for index in range(each)],
        "another concept": [_drawn(_single_scene(index, rng)) for index in range(each)],
        "garbled shape": [_judgeable(garbled_picture(render(_single_scene(index, rng)), rng)) for index in range(each)],
    }
    rates = {}
    for name, pictures in controls.items():
        said = [
            _decided(answer)
            for picture, answers in _judged(judge, ask, pictures, each, f"judge on {name}")
            for answer in answers
            if name not in ABOUT_ITSELF or answer.question.concept == picture.truths[0].concept
            if not true_answers(answer.question.concept, picture.truths)[answer.question.grade - 1]
        ]
        rates[name] = rate(sum(said), len(said))
    return rates


def _decided(answer: Answer) -> bool:
    if answer.yes is None:
        raise ItemError(
            f"the judge left {answer.question.text!r} unanswered ({answer.problem});"
            " give a judge that answers every question"
        )
    return answer.yes


def _name(index: int) -> str:
    return CONCEPTS[index % len(CONCEPTS)].name


def _single_scene(index: int, rng: np.random.Generator) -> Scene:
    return single_scene(_name(index), float(index // len(CONCEPTS) % 2), rng)


def _judged(
    judge: Judge, ask: Ask, pictures: Iterable[JudgedPicture], count: int, name: str
) -> Iterable[tuple[JudgedPicture, tuple[Answer, ...]]]:
    rng = np.random.default_rng([_SEED, 2])
    with Progress(name, total=count) as progress:
        batch: list[JudgedPicture] = []
        for index, picture in enumerate(pictures, start=1):
            batch.append(picture)
            if len(batch) == _BATCH or index == count:
                images = [Image.fromarray(picture.pixels) for picture in batch]
                yield from zip(batch, judge.answer(images, [_asked(p, ask, rng) for p in batch]), strict=True)
                progress.advance(len(batch))
                batch = []


def _asked(picture: JudgedPicture, ask: Ask, rng: np.random.Generator) -> Sequence[Question]:
    shown = {truth.concept for truth in picture.truths}
    others = [concept for concept in CONCEPTS if concept.name not in shown]
    chosen = [c for c in CONCEPTS if c.name in shown] + [others[i] for i in rng.choice(len(others), 2, replace=False)]
    return [question for concept in chosen for question in ask(Concept(concept.name, concept.kind))]

"""What the shared runs take: images, evaluations of the denoiser, calls of the judge, minutes at a measured rate."""

import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.errors import ModelError
from dominance.judges.protocol import Judge
from dominance.numbers import plural
from dominance.records import Prompt
from dominance.reproduce.methods import DISRUPTED_METHODS
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.patched import PARTS
from dominance.reproduce.size import SET_HEADS, Size
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit
from dominance.runs.stages.model import RunModel
from dominance.suites import load_suite

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

_TRIED = 1.7
"""Candidates of a bench are this many times the prompts that it keeps, in images."""
_BLIND = 0.8
"""The share of an image's time that its drawing takes; the rest is the judge's."""
_RECORDING = 2.0
"""What recording attention costs, a prompt at a time, over drawing in batches."""
_STEERING = 4.0
"""What a step with a gradient costs, over one without."""
_METHODS = 5
"""Four losses and Attend-and-Excite."""
_SAVED = 0.6
"""Collapsed images of which a twin draws every concept."""
TIMED = 6
"""Images whose time the rate is of."""
_WARMING = 2


@dataclass(frozen=True)
class Work:
    """What a run takes.

    Attributes:
        images: drawn to the end.
        asked: concepts that the judge is asked about, over all images.
        weight: images that would take as long, drawn and judged as usual.
        generations: evaluations of the denoiser over those of one image.
        words: its size, as people read it.
    """

    images: float
    asked: float
    weight: float
    generations: float
    words: str


@dataclass(frozen=True)
class Facts:
    """What the work depends on.

    Attributes:
        heads: of the model.
        steps: of an image.
        twin: whether there is a model that differs in its training pictures.
        opposed: whether concepts are rigid in one of the two and varied in the other, as both list them.
        other: whether there is one of other training; ``shared``: which is the twin.
        adapted: whether there is an adapter with which the model has memorized prompts.
        memorized: how many prompts it has memorized, with an adapter or by itself.
    """

    size: Size
    heads: int = 0
    steps: int = 1
    twin: bool = False
    opposed: bool = False
    other: bool = False
    shared: bool = False
    adapted: bool = False
    memorized: int = 0


NONE = Work(0, 0, 0, 0, "")
"""Of a run that cannot be, since there is no such model."""


def _drawn(images: float, words: str, concepts: int = 2) -> Work:
    return Work(images, concepts * images, images, images, words)


def _unjudged(generations: float, weight: float, words: str, *, images: bool = False) -> Work:
    return Work(generations if images else 0.0, 0, generations * weight, generations, words)


def _bench(on: Facts) -> Work:
    count, seeds = on.size.bench, on.size.bench_seeds
    return _drawn(
        2 * count * seeds * _TRIED, f"{count} dominance and {count} balanced prompts, {plural(seeds, 'seed')}"
    )


def _fresh(on: Facts) -> Work:
    count, seeds = 2 * on.size.bench, on.size.fresh_seeds
    return _drawn(count * seeds, f"{count} prompts, {plural(seeds, 'new seed')}")


def _first_steps(on: Facts) -> Work:
    count, noises = 2 * on.size.bench, on.size.noises
    return _unjudged(count * noises / on.steps, 1.0, f"{count} prompts, {noises} noises")


def _recorded(on: Facts) -> Work:
    count, seeds = 2 * on.size.recorded, on.size.recorded_seeds
    return _unjudged(count * seeds, _RECORDING, f"{count} prompts, {plural(seeds, 'seed')}", images=True)


def _norms(on: Facts) -> Work:
    """Of the bench, and of the prompts that the model has memorized by itself."""
    count, seeds = 2 * on.size.bench + (0 if on.adapted else on.memorized), on.size.norm_seeds
    return _unjudged(count * seeds, _BLIND, f"{count} prompts, {plural(seeds, 'seed')}")


def _ablation(on: Facts) -> Work:
    count, seeds = on.size.ablated, on.size.ablated_seeds
    return _drawn(count * seeds * (1.1 * on.heads + 1), f"{count} prompts, {plural(seeds, 'seed')}, {on.heads} heads")


def _head_sets(on: Facts) -> Work:
    """Sets of two heads or more, of the heads that either half of the prompts chooses."""
    count, seeds, sets = on.size.ablated, on.size.ablated_seeds, 2**SET_HEADS - SET_HEADS - 1
    return _drawn(2 * sets * count * seeds, f"{count} prompts, {plural(seeds, 'seed')}, 2 × {sets} sets of heads")


def _memorized_norms(on: Facts) -> Work:
    """The same run as ``_norms`` where the model needs no adapter."""
    return _norms(replace(on, adapted=False)) if on.memorized else NONE


def _memorized(on: Facts) -> Work:
    count, seeds = on.size.memorized, on.size.memorized_seeds
    words = f"{count} prompts, {plural(seeds, 'seed')}, {on.heads} heads"
    return _drawn(count * seeds * (on.heads + 1), words) if on.adapted else NONE


def _replacement(on: Facts) -> Work:
    count, seeds = on.size.repaired, on.size.repaired_seeds
    return _drawn(
        4 * count * seeds, f"{count} prompts, {plural(seeds, 'seed')}, plain and with a category word for a while"
    )


def _disrupted(on: Facts) -> Work:
    count, seeds, ways = on.size.disrupted, on.size.disrupted_seeds, len(DISRUPTED_METHODS)
    words = f"{count} prompts, {plural(seeds, 'seed')}, plain and disrupted in {ways} ways"
    return _drawn((1 + ways) * count * seeds, words)


def _patched(on: Facts) -> Work:
    """Collapsed images, of which the twin saves some; it runs beside the model in each."""
    count, seeds, ways = on.size.patched, on.size.patched_seeds, len(PARTS)
    if not on.twin:
        return NONE
    images, again = count * seeds, count * seeds * (1 + _SAVED * (ways - 1))  # the prediction chooses among all
    words = f"{count} prompts, {plural(seeds, 'seed')}, and what collapses again with {ways} parts of the twin"
    return Work(images + again, 2 * (images + again), images + 2 * again, images + 2 * again, words)


def _independent(on: Facts) -> Work:
    count, seeds = on.size.independent, on.size.independent_seeds
    return _drawn(count * seeds, f"{count} prompts, {plural(seeds, 'seed')}")


def _twin(on: Facts) -> Work:
    return _independent(on) if on.twin else NONE


def _opposed_twin(on: Facts) -> Work:
    """The same run, for a claim that can only be made of concepts that have changed places."""
    return _twin(on) if on.opposed else NONE


def _other(on: Facts) -> Work:
    return _independent(on) if on.other else NONE


def _maps(on: Facts) -> Work:
    count, seeds = on.size.independent, on.size.independent_seeds
    return _unjudged(count * seeds, _RECORDING, f"{count} prompts, {plural(seeds, 'seed')}", images=True)


def _steered(on: Facts) -> Work:
    pairs, more, seeds = on.size.steered, on.size.crowded, on.size.steered_seeds
    count = pairs + 2 * more
    images, asked = count * seeds * (1 + _METHODS), (2 * pairs + (3 + 4) * more) * seeds * (1 + _METHODS)
    steered = count * seeds * _METHODS * _STEERING
    prompts = f"{pairs} prompts of two concepts, {more} of three, {more} of four"
    words = f"{prompts}, {plural(seeds, 'seed')}, plain and by {_METHODS} methods"
    return Work(images, asked, steered + count * seeds, steered + count * seeds, words)


def _control(on: Facts) -> Work:
    count, seeds = on.size.alone, on.size.alone_seeds
    return _drawn(count * seeds, f"{count} prompts of one concept, {plural(seeds, 'seed')}")


def _listed(on: Facts) -> Work:
    count, seeds = on.size.listed, on.size.listed_seeds
    return _drawn(count * seeds, f"{count} prompts as other benchmarks list them, {plural(seeds, 'seed')}")


def _listed_focus(on: Facts) -> Work:
    count, noises = on.size.listed, on.size.noises
    return _unjudged(count * noises / on.steps, 1.0, f"{count} prompts, {noises} noises")


def _listed_recorded(on: Facts) -> Work:
    count, seeds = min(on.size.recorded, on.size.listed), on.size.listed_seeds
    words = f"up to {count} prompts that lack a concept, {plural(seeds, 'seed')}"
    return _unjudged(count * seeds, _RECORDING, words, images=True)


def _transfer(on: Facts) -> Work:
    """First steps of the bench for the rule, and of the independent prompts in every model."""
    models, noises = 1 + on.twin + (on.other and not on.shared), on.size.noises
    count = 2 * on.size.bench + models * on.size.independent
    words = f"{models} models, {on.size.independent} prompts in each, {noises} noises"
    return _unjudged(count * noises / on.steps, 1.0, words) if on.twin else NONE


def _factorial(on: Facts) -> Work:
    count, seeds = 8 * on.size.cell, on.size.cell_seeds
    models = "the model and its twin" if on.opposed else "the model"
    words = f"{count} prompts of three concepts, {plural(seeds, 'seed')}, {models}"
    return _drawn((1 + on.opposed) * count * seeds, words, concepts=3)


WORK: Mapping[str, Callable[[Facts], Work]] = {
    "control": _control,
    "bench": _bench,
    "fresh": _fresh,
    "first steps": _first_steps,
    "recorded": _recorded,
    "norms": _norms,
    "memorized norms": _memorized_norms,
    "ablation": _ablation,
    "head sets": _head_sets,
    "memorized": _memorized,
    "replacement": _replacement,
    "disrupted": _disrupted,
    "patched": _patched,
    "independent": _independent,
    "twin": _twin,
    "opposed twin": _opposed_twin,
    "other": _other,
    "maps": _maps,
    "steered": _steered,
    "factorial": _factorial,
    "listed": _listed,
    "listed focus": _listed_focus,
    "listed recorded": _listed_recorded,
    "transfer": _transfer,
}
"""What each shared run takes."""


def are_possible(needs: Collection[str], on: Facts) -> bool:
    """Whether there are the models that all of these runs need."""
    return all(WORK[need](on) != NONE for need in needs)


def works(needs: Collection[str], on: Facts) -> dict[str, Work]:
    """What those of these runs take that can be; two that are the same are counted once."""
    alike = [("twin", "opposed twin")]
    alike += [("twin", "other"), ("opposed twin", "other")] if on.shared else []
    alike += [] if on.adapted else [("norms", "memorized norms")]
    same = {second for first, second in alike if {first, second} <= set(needs)}
    found = {need: WORK[need](on) for need in needs if need not in same}
    return {need: work for need, work in found.items() if work != NONE}


@dataclass(frozen=True)
class Rate:
    """Measured: seconds an image drawn and judged, and seconds to begin with a run."""

    image: float
    start: float

    def minutes(self, work: Collection[Work]) -> float:
        """That so much work takes."""
        return (self.image * sum(each.weight for each in work) + self.start * len(work)) / 60


def heads_of(model: RunModel) -> int:
    """Attention heads of a model, over all layers; 0 where its attention is of a kind that is not known."""
    from dominance.probes.sites import attention_sites

    pipeline = model().pipeline
    try:
        return sum(site.heads for site in attention_sites(pipeline))
    except ModelError:
        return 0


def total(works: Collection[Work], guided: bool, steps: int, questions: int) -> tuple[int, int, int]:
    """Images, evaluations and calls of several runs.

    Args:
        questions: about one concept.
    """
    images = sum(each.images for each in works)
    evaluations = sum(each.generations for each in works) * steps * (2 if guided else 1)
    return round(images), round(evaluations), round(questions * sum(each.asked for each in works))


def measured_rate(
    model: "str | DiffusionPipeline", judge: str | Judge, prompt: Prompt, options: ReproduceOptions
) -> Rate:
    """Draws and judges a few images, in folders that are deleted; what more of them take leaves out the beginning."""
    suite = replace(load_suite("a [tower:landmark] and a [mug]"), prompts=(prompt,))

    def seconds(seeds: range, folder: Path) -> float:
        drawing = replace(options.drawing, seeds=tuple(seeds))
        before = time.perf_counter()
        audit(
            suite, model, judge, folder, AuditOptions(drawing=drawing, asking=options.asking, machine=options.machine)
        )
        return time.perf_counter() - before

    with tempfile.TemporaryDirectory() as place:
        seconds(range(1), Path(place, "warm"))
        few = seconds(range(_WARMING), Path(place, "few"))
        many = seconds(range(_WARMING + TIMED), Path(place, "many"))
    image = max((many - few) / TIMED, 0.001)
    return Rate(image, max(few - _WARMING * image, 0.0))

"""Measures the text-conditional noise norm on a suite, in batches; no image is decoded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dominance.documents import from_json, to_json
from dominance.errors import DominanceError, InputError, ItemError, ModelError, RunError
from dominance.files import is_file
from dominance.models.settings import GenerationSettings
from dominance.progress import Progress
from dominance.records import Prompt, Suite
from dominance.runs.noise_norm.options import NoiseNormOptions
from dominance.runs.noise_norm.result import (
    MemorizationResult,
    PromptNorms,
    compare_groups,
    group_norms,
)
from dominance.runs.stages.batches import alike_batches
from dominance.runs.stages.drawing import in_halves
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.texts import Texts
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, default_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.manifest import environment
from dominance.runs.store.measurements import MEMORIZATION, claim
from dominance.runs.store.plan import item_key
from dominance.runs.store.repeat import Repeat
from dominance.runs.store.vectors import VECTORS_NAME, VectorStore
from dominance.suites import find_suite
from dominance.wording import complaint, on_one_line, quoted

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.image_model import PipelineModel

MEMORIZATION_RESULT = "memorization"
"""The ledger's name of the result."""
_MEASURE = "text-conditional noise norm, by step"


@dataclass(frozen=True)
class _Item:
    """One prompt with one seed; prompts with the same text share the key."""

    key: str
    prompt: Prompt
    seed: int


def measure_noise_norm(
    suite: str | Suite = "miniature",
    model: "str | DiffusionPipeline" = "miniature",
    out: Path | str | None = None,
    options: NoiseNormOptions | None = None,
) -> MemorizationResult:
    """Measures how strongly each prompt changes the predicted noise, by group; resumes an earlier run in the folder.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself; its groups are compared.
        model: ``miniature``, a diffusers folder, a hub id, or your own pipeline; it must use classifier-free guidance.
        out: the run folder; ``runs/memorization-SUITE`` by default.

    Raises:
        InputError: the suite, model, folder or an option cannot be used; nothing is written.

    >>> measure_noise_norm("miniature").groups[0].means["first"]  # doctest: +SKIP
    (1.93, (1.85, 2.01))
    """
    options = options or NoiseNormOptions()
    repeat = Repeat("memorization", {"suite": suite, "model": model, "out": out}, options)
    whole = find_suite(suite, options.concepts)
    loaded = replace(whole, prompts=whole.prompts[: options.limit])
    default = Path("runs") / f"memorization-{loaded.name}"
    check_run_folder(Path(out or default))
    drawn = RunModel(model, options.drawing, options.machine, loaded.prompts)
    _refuse_unguided(drawn.settings)
    items = [
        _Item(_key(drawn, prompt, seed), prompt, seed)
        for prompt in loaded.prompts
        for seed in prompt.seeds or options.seeds
    ]
    folder = _folder(out, default, whole, drawn.source.identity)
    if not (folder / LEDGER_NAME).exists():  # a new folder is created only once the model has answered
        drawn.texts()
        _check(drawn(), drawn.settings)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        claim(ledger, folder, MEMORIZATION, loaded.name)
        repeat.keep(folder)
        name = f"noise norm {_key(drawn)}"
        found, problems = _norms(items, drawn, folder, ledger, name)
        what = ledger.get(name)
        if not isinstance(what, dict):
            raise RunError(f"nothing could be measured: {next(iter(problems.values()), 'no prompts')}")
        measured = _measured(loaded.prompts, items, found, problems)
        result = _result(str(folder), loaded, measured, what, drawn, options)
        ledger.put(MEMORIZATION_RESULT, to_json(result))
        return result


def _refuse_unguided(settings: GenerationSettings) -> None:
    if settings.guidance <= 1:
        raise InputError(
            f"guidance is {settings.guidance:g}, so there is no unconditional branch to compare with; give a --guidance"
            " above 1, and a model that uses guidance"
        )


def _key(model: RunModel, prompt: Prompt | None = None, seed: int = 0) -> str:
    """Of everything that decides the norms of a prompt and a seed; of no prompt, of what is measured at all."""
    settings = model.settings if prompt is None else model.settings.of(prompt)
    text = "" if prompt is None else prompt.text
    return item_key(text, seed, model.source.identity, {**settings.record(), "measure": _MEASURE})


def _norms(
    items: Sequence[_Item], model: RunModel, folder: Path, ledger: Ledger, name: str
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The norms of all items, of which those that the folder lacks are measured, and the problems; by key."""
    with VectorStore(folder / VECTORS_NAME) as store:
        known = store.known(_MEASURE)
        read = model.texts() if any(item.key not in known for item in items) else Texts()
        read.tell()
        problems = {item.key: read.refused[item.prompt.id] for item in items if item.prompt.id in read.refused}
        wanted = [item for item in items if item.prompt.id not in read.refused]
        problems |= _measure(wanted, _Measuring(model), store, ledger, name)
        return store.get(_MEASURE, [item.key for item in items]), problems


def _folder(out: Path | str | None, default: Path, suite: Suite, identity: str) -> Path:
    """The run's folder: as given, else the default, or one named apart where that holds another measurement.

    Raises:
        RunError: the given folder holds another measurement.
    """

    def difference(folder: Path) -> str | None:
        if not is_file(folder / LEDGER_NAME):
            return None
        with Ledger(folder / LEDGER_NAME) as ledger:
            document, of = ledger.get(MEMORIZATION_RESULT), ledger.get(MEMORIZATION)
        if not isinstance(document, dict):
            return None
        earlier = from_json(MemorizationResult, document)
        made_by = earlier.manifest.get("model")
        if isinstance(made_by, dict) and made_by.get("identity") != identity:
            return f"a measurement of the model {quoted(earlier.model)} ({made_by.get('identity')}), not {identity}"
        texts = {prompt.prompt for prompt in earlier.prompts}
        if of == suite.name and not texts & {prompt.text for prompt in suite.prompts}:
            return f"a measurement of other prompts, such as {quoted(earlier.prompts[0].prompt)}"
        return None

    if out is None:
        return default_folder(default, difference, [identity, sorted(prompt.text for prompt in suite.prompts)])
    if (held_here := difference(Path(out))) is not None:
        raise RunError(f"{on_one_line(out, 120)} holds {held_here}; give another --out")
    return Path(out)


def _check(model: "PipelineModel", settings: GenerationSettings) -> None:
    """Denoises one image for two steps, to see whether the model has an unconditional branch.

    Raises:
        ModelError: it has none, or cannot denoise with these settings.
    """
    from dominance.probes.noise_norm import noise_norms

    try:
        noise_norms(
            model.pipeline, ["a"], [0], steps=min(2, settings.steps), guidance=settings.guidance,
            height=settings.height, width=settings.width,
        )  # fmt: skip
    except DominanceError:
        raise
    except Exception as error:  # pipelines may raise anything
        raise ModelError(
            f"the model cannot denoise with these settings ({complaint(error)}); try another --height, --width,"
            " --scheduler or --device"
        ) from error


class _Measuring:
    """Measures norms; ``quantity`` describes the last measurement."""

    def __init__(self, model: RunModel) -> None:
        self._model = model
        self.quantity: dict[str, object] | None = None

    def batch(self) -> int:
        return self._model.batches().size  # both branches ride in one batch, but nothing is decoded

    def norms(self, part: Sequence[_Item]) -> list[np.ndarray | ItemError]:
        from dominance.probes.noise_norm import noise_norms

        settings = self._model.settings.of(part[0].prompt)
        given = {} if settings.negative_prompt is None else {"negative_prompt": [settings.negative_prompt] * len(part)}
        found, record = noise_norms(
            self._model().pipeline,
            [item.prompt.text for item in part],
            [item.seed for item in part],
            steps=settings.steps,
            guidance=settings.guidance,
            height=settings.height,
            width=settings.width,
            **given,
        )
        self.quantity = {"quantity": record.quantity, "values": record.values, "steps": found.shape[1]}
        return [
            row
            if np.isfinite(row).all()
            else ItemError("the model predicted noise that is not finite; try --dtype float32")
            for row in found.numpy()
        ]


def _measure(
    items: Sequence[_Item], measuring: _Measuring, store: VectorStore, ledger: Ledger, name: str
) -> dict[str, str]:
    """Measures and stores what is missing, and its description under ``name``; returns the problems by item."""
    known = store.known(_MEASURE)
    missing = list({item.key: item for item in items if item.key not in known}.values())
    problems: dict[str, str] = {}
    if not missing:
        return problems
    batch = measuring.batch()
    with Progress("prompts × seeds", total=len(missing)) as progress:
        for part in alike_batches(missing, batch, lambda item: item.prompt.negative_prompt):
            outcomes = dict(zip([item.key for item in part], in_halves(measuring.norms, part), strict=True))
            good = {key: found for key, found in outcomes.items() if not isinstance(found, ItemError)}
            if good:
                ledger.put(name, measuring.quantity)
                store.add(_MEASURE, good)
            problems |= {key: str(found) for key, found in outcomes.items() if isinstance(found, ItemError)}
            progress.advance(len(part))
    return problems


def _measured(
    prompts: Sequence[Prompt], items: Sequence[_Item], found: dict[str, np.ndarray], problems: dict[str, str]
) -> tuple[PromptNorms, ...]:
    by_prompt: dict[str, list[_Item]] = {}
    for item in items:
        by_prompt.setdefault(item.prompt.id, []).append(item)
    return tuple(
        PromptNorms(
            prompt.id,
            prompt.text,
            prompt.group_name,
            {item.seed: tuple(found[item.key].tolist()) for item in by_prompt[prompt.id] if item.key in found},
            tuple((item.seed, problems[item.key]) for item in by_prompt[prompt.id] if item.key in problems),
        )
        for prompt in prompts
    )


def _result(
    run: str, suite: Suite, measured: tuple[PromptNorms, ...], what: dict, model: RunModel, options: NoiseNormOptions
) -> MemorizationResult:
    comparisons = compare_groups(measured)
    record: dict[str, object] = {"seeds": list(options.seeds), **model.settings.record(), "limit": options.limit}
    notes = _notes(str(what["quantity"]), int(what["steps"]), measured, bool(comparisons))
    if any(model.settings.of(prompt).negative_prompt for prompt in suite.prompts):
        notes += (
            "The norm is relative to the negative prompt instead of the empty one, so it is not comparable with other"
            " runs or the paper",
        )
    return MemorizationResult(
        run=run,
        suite=suite.name,
        model=model.source.name,
        quantity=str(what["quantity"]),
        values=int(what["values"]),
        steps=int(what["steps"]),
        settings=record,
        prompts=measured,
        groups=group_norms(measured),
        comparisons=comparisons,
        notes=notes,
        manifest={**model.manifest(), "settings": record, **environment()},
    )


def _notes(quantity: str, steps: int, prompts: Sequence[PromptNorms], compared: bool) -> tuple[str, ...]:
    notes = []
    if quantity == "velocity":
        notes.append(
            "This model predicts velocities, so the norm of their difference is not comparable with that of a model"
            " that predicts noise"
        )
    if steps < 10:
        notes.append(f"A generation has {steps} steps, so the mean over 10 steps is the mean over all {steps}")
    groups = {prompt.group for prompt in prompts}
    if len(groups) == 1:
        notes.append(
            f"The suite has only the group {next(iter(groups))}, so there is nothing to compare; give prompts a group"
            " such as memorized, dominance or balanced"
        )
    elif not compared:
        notes.append("Fewer than two groups have two prompts, so no groups are compared")
    return tuple(notes)

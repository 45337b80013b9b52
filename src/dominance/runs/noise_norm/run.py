"""The measurement of the text-conditional noise norm on a suite: batches over prompts and seeds, no image decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dominance.errors import DominanceError, InputError, ItemError, ModelError, RunError
from dominance.models import GenerationSettings, ModelFolder, find_model
from dominance.models.devices import find_device
from dominance.models.on_demand import OnDemand
from dominance.progress import Progress
from dominance.records import Prompt, Suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import fitting_batch, generation_settings
from dominance.runs.noise_norm.result import (
    MemorizationResult,
    PromptNorms,
    compare_groups,
    group_norms,
)
from dominance.runs.stages.drawing import in_halves
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.manifest import environment
from dominance.runs.store.measurements import MEMORIZATION, claim
from dominance.runs.store.plan import checked_suite, item_key
from dominance.runs.store.vectors import VECTORS_NAME, VectorStore
from dominance.suites import load_suite
from dominance.wording import in_one_line

if TYPE_CHECKING:
    from dominance.models.image_model import PipelineModel

_MEASURE = "text-conditional noise norm, by step"

DEFAULT_SEEDS: tuple[int, ...] = (0, 1, 2, 3)


@dataclass(frozen=True)
class _Item:
    """One prompt with one seed; prompts of the same text share theirs."""

    key: str
    prompt: Prompt
    seed: int


def memorization(
    suite: str | Suite = "miniature",
    model: str = "miniature",
    out: Path | str | None = None,
    options: AuditOptions | None = None,
) -> MemorizationResult:
    """How strongly each prompt moves the predicted noise, by group; resumes whatever the run folder already holds.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself; its groups are compared.
        model: ``miniature``, a diffusers folder, or a hub id; it must draw with classifier-free guidance.
        out: the run folder; by default ``runs/memorization-`` and the suite's name.
        options: seeds, and how to denoise; what concerns decoding, judging and gates is not used.

    Raises:
        InputError: the suite, model, folder or an option cannot be used; nothing was written.

    >>> memorization("miniature").groups[0].means["first"]  # doctest: +SKIP
    (1.93, (1.85, 2.01))
    """
    options = options or AuditOptions(seeds=DEFAULT_SEEDS)
    loaded = load_suite(suite) if isinstance(suite, str) else checked_suite(suite)
    prompts = loaded.prompts[: options.limit]
    folder = Path(out) if out is not None else Path("runs") / f"memorization-{loaded.name}"
    check_run_folder(folder)
    source = find_model(model, options.revision)
    settings = generation_settings(options, source)
    if settings.guidance <= 1:
        raise InputError(
            f"guidance is {settings.guidance:g}, so the denoiser has no unconditional branch to compare with; give"
            " --guidance above 1, and a model that is drawn from with guidance"
        )
    decisive = {**settings.record(), "measure": _MEASURE}
    items = [
        _Item(item_key(prompt.text, seed, source.identity, decisive), prompt, seed)
        for prompt in prompts
        for seed in options.seeds
    ]
    drawer = _Drawer(source, options, settings)
    name = f"noise norm {item_key('', 0, source.identity, decisive)}"
    if not (folder / LEDGER_NAME).exists():  # a new folder is not even made before the model is known to answer
        drawer.check()
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        claim(ledger, folder, MEMORIZATION, loaded.name)
        with VectorStore(folder / VECTORS_NAME) as store:
            problems = _measure(items, drawer, store, ledger, name)
            found = store.get(_MEASURE, [item.key for item in items])
        what = ledger.get(name)
        if not isinstance(what, dict):
            raise RunError(f"nothing could be measured: {next(iter(problems.values()), 'no prompts')}")
        result = _result(str(folder), loaded, prompts, items, found, problems, what, source, settings, options)
        ledger.put("memorization", result.document())
        return result


class _Drawer:
    """The model, loaded when it is first needed."""

    def __init__(self, source: ModelFolder, options: AuditOptions, settings: GenerationSettings) -> None:
        self._source, self._options, self._settings = source, options, settings
        self.model = OnDemand(self._load)
        self.quantity: dict[str, object] | None = None

    def _load(self) -> "PipelineModel":
        from dominance.models.image_model import PipelineModel, load_pipeline

        options, settings = self._options, self._settings
        pipeline = load_pipeline(self._source, options.device, options.dtype, settings.scheduler, options.thrift())
        return PipelineModel(self._source, pipeline)

    def check(self) -> None:
        """Two steps of one image, which show whether the model has an unconditional branch at all.

        Raises:
            ModelError: it has none, or cannot denoise with these settings.
        """
        from dominance.probes.noise_norm import noise_norms

        settings, pipeline = self._settings, self.model().pipeline
        try:
            noise_norms(
                pipeline, ["a"], [0], steps=min(2, settings.steps), guidance=settings.guidance,
                height=settings.height, width=settings.width,
            )  # fmt: skip
        except DominanceError:
            raise
        except Exception as error:  # a pipeline raises whatever does not suit it
            raise ModelError(
                f"the model {self._source.name!r} cannot denoise with these settings ({in_one_line(error)}); try"
                " another --height, --width, --scheduler or --device"
            ) from error

    def batch(self) -> int:
        # Both branches ride in one batch, but nothing is decoded.
        return self._options.batch or fitting_batch(self.model(), self._settings)

    def norms(self, part: Sequence[_Item]) -> list[np.ndarray | ItemError]:
        from dominance.probes.noise_norm import noise_norms

        settings = self._settings
        found, record = noise_norms(
            self.model().pipeline,
            [item.prompt.text for item in part],
            [item.seed for item in part],
            steps=settings.steps,
            guidance=settings.guidance,
            height=settings.height,
            width=settings.width,
        )
        self.quantity = {"quantity": record.quantity, "values": record.values, "steps": found.shape[1]}
        return [
            row
            if np.isfinite(row).all()
            else ItemError("the model predicted noise that is no number; try --dtype float32")
            for row in found.numpy()
        ]


def _measure(items: Sequence[_Item], drawer: _Drawer, store: VectorStore, ledger: Ledger, name: str) -> dict[str, str]:
    """Measures and keeps what is missing, batch by batch, and under ``name`` what it is; why the rest has none."""
    known = store.known(_MEASURE)
    missing = list({item.key: item for item in items if item.key not in known}.values())
    problems: dict[str, str] = {}
    if not missing:
        return problems
    batch = drawer.batch()
    with Progress("prompts × seeds", total=len(missing)) as progress:
        for start in range(0, len(missing), batch):
            part = missing[start : start + batch]
            outcomes = dict(zip([item.key for item in part], in_halves(drawer.norms, part), strict=True))
            good = {key: found for key, found in outcomes.items() if not isinstance(found, ItemError)}
            if good:
                ledger.put(name, drawer.quantity)
                store.add(_MEASURE, good)
            problems |= {key: str(found) for key, found in outcomes.items() if isinstance(found, ItemError)}
            progress.advance(len(part))
    return problems


def _result(
    run: str,
    suite: Suite,
    prompts: Sequence[Prompt],
    items: Sequence[_Item],
    found: dict[str, np.ndarray],
    problems: dict[str, str],
    what: dict,
    source: ModelFolder,
    settings: GenerationSettings,
    options: AuditOptions,
) -> MemorizationResult:
    by_prompt: dict[str, list[_Item]] = {}
    for item in items:
        by_prompt.setdefault(item.prompt.id, []).append(item)
    measured = tuple(
        PromptNorms(
            prompt,
            {item.seed: tuple(found[item.key].tolist()) for item in by_prompt[prompt.id] if item.key in found},
            {item.seed: problems[item.key] for item in by_prompt[prompt.id] if item.key in problems},
        )
        for prompt in prompts
    )
    comparisons = compare_groups(measured)
    record: dict[str, object] = {"seeds": list(options.seeds), **settings.record(), "limit": options.limit}
    return MemorizationResult(
        run=run,
        suite=suite.name,
        model=source.name,
        quantity=str(what["quantity"]),
        values=int(what["values"]),
        steps=int(what["steps"]),
        settings=record,
        prompts=measured,
        groups=group_norms(measured),
        comparisons=comparisons,
        notes=_notes(str(what["quantity"]), int(what["steps"]), measured, bool(comparisons)),
        manifest={
            "model": {"name": source.name, "identity": source.identity, "scheduler": source.scheduler},
            "settings": record,
            "device": str(find_device(options.device)),
            **environment(),
        },
    )


def _notes(quantity: str, steps: int, prompts: Sequence[PromptNorms], compared: bool) -> tuple[str, ...]:
    notes = []
    if quantity == "velocity":
        notes.append(
            "This model predicts velocities, and the norm is of their difference: its size does not compare with that"
            " of a model that predicts noise"
        )
    if steps < 10:
        notes.append(f"One generation has {steps} steps, so the mean over 10 steps is that over all {steps}")
    groups = {one.prompt.group_name for one in prompts}
    if len(groups) == 1:
        notes.append(
            f"The suite has one group, {next(iter(groups))}, so there is nothing to compare; give prompts a group such"
            " as memorized, dominance or balanced"
        )
    elif not compared:
        notes.append("Fewer than two groups have two prompts, so no two groups are compared")
    return tuple(notes)

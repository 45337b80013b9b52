"""Reads the result of any run folder."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dominance.documents import from_json
from dominance.errors import RunError
from dominance.files import is_file
from dominance.records import RunResult
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger
from dominance.wording import on_one_line

if TYPE_CHECKING:
    from dominance.runs.ablation.result import AblationResult
    from dominance.runs.bench.result import BenchResult
    from dominance.runs.diversity.result import DiversityResult
    from dominance.runs.explanation.result import Explanation
    from dominance.runs.generation.result import GenerationResult
    from dominance.runs.judge_check.result import JudgeCheck
    from dominance.runs.mitigation.result import MitigationResult
    from dominance.runs.noise_norm.result import MemorizationResult
    from dominance.runs.sweep.result import AdapterSweep
    from dominance.runs.teaching.result import TeachingResult

    Measured = (
        GenerationResult | DiversityResult | MemorizationResult | TeachingResult | AdapterSweep | MitigationResult
    )
    Result = RunResult | AblationResult | BenchResult | Explanation | JudgeCheck | Measured

DOCUMENT_NAME = "explanation.json"
_KEPT = {
    "diversity source": ("diversity", "dominance diversity"),
    "memorization suite": ("memorization", "dominance memorization"),
    "ablate": ("ablation", "dominance ablate"),
    "judge check": ("judge check", "dominance judge check"),
    "fine-tuning": ("teaching", "dominance train dreambooth"),
    "sweep": ("sweep", "dominance sweep"),
    "mitigate": ("mitigate", "dominance mitigate"),
    "generate": ("generate", "dominance generate"),
}
"""By the key that marks a kind of folder: the result's key in the ledger, and the command that writes it."""


def read_run(folder: Path | str) -> "Result":
    """The result of a run folder, or of the folder of an explanation, whichever command wrote it.

    Raises:
        RunError: it is not such a folder, or its command did not finish.
    """
    folder = Path(folder)
    if is_file(folder / DOCUMENT_NAME) and not is_file(folder / LEDGER_NAME):
        return _explanation(folder)
    kind = kind_of(folder)
    if kind in _KEPT:
        return _kept(folder, kind)
    if kind == "bench":
        from dominance.runs.bench.result import read_bench

        return read_bench(folder)
    from dominance.runs.audit.result import read_result

    return read_result(folder)


def kind_of(folder: Path) -> str:
    """The key that marks what a run folder holds, such as ``audit`` or ``mitigate``; ``none`` for another folder."""
    if not is_file(folder / LEDGER_NAME):
        return "none"
    with Ledger(folder / LEDGER_NAME) as ledger:
        marked = next((mark for mark in ("bench", *_KEPT) if ledger.get(mark) is not None), None)
        plan = ledger.get("plan")
    return marked or (str(plan.get("origin")) if isinstance(plan, dict) else "none")


def _kept(folder: Path, kind: str) -> Any:
    from dominance.runs.ablation.result import AblationResult
    from dominance.runs.diversity.result import DiversityResult
    from dominance.runs.generation.result import GenerationResult
    from dominance.runs.judge_check.result import JudgeCheck
    from dominance.runs.mitigation.result import MitigationResult
    from dominance.runs.noise_norm.result import MemorizationResult
    from dominance.runs.sweep.result import AdapterSweep
    from dominance.runs.teaching.result import TeachingResult

    kinds = (
        DiversityResult,
        MemorizationResult,
        AblationResult,
        JudgeCheck,
        TeachingResult,
        AdapterSweep,
        MitigationResult,
        GenerationResult,
    )
    classes = dict(zip(_KEPT, kinds, strict=True))
    key, command = _KEPT[kind]
    with Ledger(folder / LEDGER_NAME) as ledger:
        document, manifest = ledger.get(key), ledger.get("manifest")
    if document is None and is_file(older := folder / "judge-check.json"):
        document = _json(older)
    if not isinstance(document, dict):
        raise RunError(f"the run in {on_one_line(folder, 120)} is not finished; run its `{command}` command again")
    # The folder may have moved, and ledgers of older versions store the manifest separately.
    given = {"manifest": manifest or {}, **document, "run": str(folder)}
    return _read(classes[kind], given, folder, command)


def _explanation(folder: Path) -> "Explanation":
    from PIL import Image

    from dominance.runs.explanation.document import ExplanationDocument

    command = "dominance explain"
    document = _read(ExplanationDocument, _json(folder / DOCUMENT_NAME), folder, command)
    if document.recorded is None:
        raise RunError(
            f"the explanation in {on_one_line(folder, 120)} is from an older version, which stored only means; run its"
            f" `{command}` command again with --out {folder}"
        )
    pictures = {}
    for image in document.images:
        if image.file is not None and is_file(folder / image.file):
            with Image.open(folder / image.file) as opened:
                pictures[image.seed] = opened.convert("RGB")
    return replace(document.recorded, pictures=pictures)


def _json(file: Path) -> object:
    import json

    from dominance.files import read_bytes

    try:
        return json.loads(read_bytes(file, most=2_000_000_000))
    except ValueError:
        return None


def _read(kind: type, document: object, folder: Path, command: str) -> Any:
    try:
        return from_json(kind, document)
    except ValueError:
        raise RunError(
            f"this version of dominance cannot read the result in {on_one_line(folder, 120)}; run its `{command}`"
            " command again"
        ) from None

"""Finds, explains and repairs the failure in which one concept of a prompt takes over and another vanishes.

>>> import dominance
>>> result = dominance.audit("a [tower:landmark] and a [mug]")  # doctest: +SKIP
>>> result.prompts[0].verdict  # doctest: +SKIP
'dominance'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dominance.bench import load_suite
    from dominance.models.pipelines import load_pipeline
    from dominance.records import Concept, Gate, Prompt, RunResult, Suite
    from dominance.report import write_junit, write_report
    from dominance.runs import AuditOptions, audit, read_result, score

__version__ = "0.1.0"

_HOMES = {
    "AuditOptions": "dominance.runs",
    "Concept": "dominance.records",
    "Gate": "dominance.records",
    "Prompt": "dominance.records",
    "RunResult": "dominance.records",
    "Suite": "dominance.records",
    "audit": "dominance.runs",
    "load_pipeline": "dominance.models.pipelines",
    "load_suite": "dominance.bench",
    "read_result": "dominance.runs",
    "score": "dominance.runs",
    "write_junit": "dominance.report",
    "write_report": "dominance.report",
}

__all__ = [
    "AuditOptions",
    "Concept",
    "Gate",
    "Prompt",
    "RunResult",
    "Suite",
    "__version__",
    "audit",
    "load_pipeline",
    "load_suite",
    "read_result",
    "score",
    "write_junit",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used, so that importing the package costs next to nothing."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dominance' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

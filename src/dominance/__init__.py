"""Finds, explains and repairs the failure in which one concept of a prompt takes over and another vanishes.

>>> import dominance
>>> result = dominance.audit("a [tower:landmark] and a [mug]")  # doctest: +SKIP
>>> result.prompts[0].verdict  # doctest: +SKIP
'dominance'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dominance.metrics import attention_deviation, focus_score
    from dominance.models.pipelines import load_pipeline
    from dominance.probes import AttentionRecord, attention_sites, record_attention
    from dominance.probes.ablation import Ablation, ablate
    from dominance.probes.rebalancing import Rebalancing, rebalance
    from dominance.records import Concept, Gate, Prompt, RunResult, Suite
    from dominance.report import write_junit, write_report
    from dominance.report.ablation import write_ablation
    from dominance.report.bench_page import write_bench
    from dominance.report.diversity import write_diversity
    from dominance.report.explanation import write_explanation
    from dominance.report.judge_check import write_judge_check
    from dominance.report.memorization import write_memorization
    from dominance.runs.ablation.options import AblationOptions
    from dominance.runs.ablation.result import AblationResult
    from dominance.runs.ablation.run import ablate_suite
    from dominance.runs.audit.options import AuditOptions
    from dominance.runs.audit.result import read_result
    from dominance.runs.audit.run import audit
    from dominance.runs.audit.score import score
    from dominance.runs.bench.options import BenchOptions
    from dominance.runs.bench.result import read_bench
    from dominance.runs.bench.run import build_bench
    from dominance.runs.diversity.run import DiversityOptions, measure_diversity
    from dominance.runs.explanation.result import Explanation
    from dominance.runs.explanation.run import ExplainOptions, explain
    from dominance.runs.judge_check.run import JudgeCheckOptions, check_judge
    from dominance.runs.noise_norm.run import memorization
    from dominance.runs.risk.calibrate import CalibrationOptions, calibrate
    from dominance.runs.risk.preflight import Preflight, PreflightOptions, preflight
    from dominance.suites import load_suite

__version__ = "0.1.0"

_HOMES = {
    "Ablation": "dominance.probes.ablation",
    "AblationOptions": "dominance.runs.ablation.options",
    "AblationResult": "dominance.runs.ablation.result",
    "AttentionRecord": "dominance.probes",
    "AuditOptions": "dominance.runs",
    "BenchOptions": "dominance.runs.bench.options",
    "CalibrationOptions": "dominance.runs.risk.calibrate",
    "Concept": "dominance.records",
    "DiversityOptions": "dominance.runs.diversity.run",
    "ExplainOptions": "dominance.runs.explanation.run",
    "Explanation": "dominance.runs.explanation.result",
    "Gate": "dominance.records",
    "JudgeCheckOptions": "dominance.runs.judge_check.run",
    "Preflight": "dominance.runs.risk.preflight",
    "PreflightOptions": "dominance.runs.risk.preflight",
    "Prompt": "dominance.records",
    "Rebalancing": "dominance.probes.rebalancing",
    "RunResult": "dominance.records",
    "Suite": "dominance.records",
    "ablate": "dominance.probes.ablation",
    "ablate_suite": "dominance.runs.ablation.run",
    "attention_deviation": "dominance.metrics",
    "attention_sites": "dominance.probes",
    "audit": "dominance.runs",
    "build_bench": "dominance.runs.bench.run",
    "calibrate": "dominance.runs.risk.calibrate",
    "check_judge": "dominance.runs.judge_check.run",
    "explain": "dominance.runs.explanation.run",
    "focus_score": "dominance.metrics",
    "load_pipeline": "dominance.models.pipelines",
    "load_suite": "dominance.suites",
    "measure_diversity": "dominance.runs.diversity.run",
    "memorization": "dominance.runs.noise_norm.run",
    "preflight": "dominance.runs.risk.preflight",
    "read_bench": "dominance.runs.bench.result",
    "read_result": "dominance.runs",
    "rebalance": "dominance.probes.rebalancing",
    "record_attention": "dominance.probes",
    "score": "dominance.runs",
    "write_ablation": "dominance.report.ablation",
    "write_bench": "dominance.report.bench_page",
    "write_diversity": "dominance.report.diversity",
    "write_explanation": "dominance.report.explanation",
    "write_judge_check": "dominance.report.judge_check",
    "write_junit": "dominance.report",
    "write_memorization": "dominance.report.memorization",
    "write_report": "dominance.report",
}

__all__ = [
    "Ablation",
    "AblationOptions",
    "AblationResult",
    "AttentionRecord",
    "AuditOptions",
    "BenchOptions",
    "CalibrationOptions",
    "Concept",
    "DiversityOptions",
    "ExplainOptions",
    "Explanation",
    "Gate",
    "JudgeCheckOptions",
    "Preflight",
    "PreflightOptions",
    "Prompt",
    "Rebalancing",
    "RunResult",
    "Suite",
    "__version__",
    "ablate",
    "ablate_suite",
    "attention_deviation",
    "attention_sites",
    "audit",
    "build_bench",
    "calibrate",
    "check_judge",
    "explain",
    "focus_score",
    "load_pipeline",
    "load_suite",
    "measure_diversity",
    "memorization",
    "preflight",
    "read_bench",
    "read_result",
    "rebalance",
    "record_attention",
    "score",
    "write_ablation",
    "write_bench",
    "write_diversity",
    "write_explanation",
    "write_judge_check",
    "write_junit",
    "write_memorization",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used, so that importing the package costs next to nothing."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dominance' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

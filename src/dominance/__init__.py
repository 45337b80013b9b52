"""Finds, explains and repairs the failure in which one concept of a prompt takes over and another vanishes.

>>> import dominance
>>> result = dominance.audit("a [tower:landmark] and a [mug]")  # doctest: +SKIP
>>> result.prompts[0].verdict  # doctest: +SKIP
'dominance'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dominance.judges.measuring import Measuring
    from dominance.judges.options import Asking
    from dominance.judges.picture_scores import score_pictures
    from dominance.measures import PictureScores
    from dominance.metrics import attention_deviation, focus_score
    from dominance.models.drawing import Drawing, Machine
    from dominance.models.pipelines import load_pipeline
    from dominance.probes.ablation import Ablation, ablate
    from dominance.probes.rebalancing import Rebalancing, rebalance
    from dominance.probes.recording import AttentionRecord, record_attention
    from dominance.probes.sites import attention_sites
    from dominance.records import Concept, Gate, Prompt, RunResult, Suite
    from dominance.report.ablation.page import write_ablation
    from dominance.report.audit.junit import write_junit
    from dominance.report.audit.page import write_report
    from dominance.report.audit.summary import write_summary
    from dominance.report.bench.page import write_bench
    from dominance.report.diversity.page import write_diversity
    from dominance.report.explanation.folder import write_explanation
    from dominance.report.generation.page import write_generation
    from dominance.report.judge_check.page import write_judge_check
    from dominance.report.mitigation.page import write_mitigation
    from dominance.report.noise_norm.page import write_memorization
    from dominance.report.reproduction.page import write_reproduction
    from dominance.report.sweep.page import write_sweep
    from dominance.report.teaching.page import write_teaching
    from dominance.reproduce.estimate import ReproduceEstimate, estimate_reproduction
    from dominance.reproduce.options import ReproduceOptions
    from dominance.reproduce.run import read_reproduction, reproduce_claims
    from dominance.runs.ablation.options import AblationOptions
    from dominance.runs.ablation.result import AblationResult
    from dominance.runs.ablation.run import ablate_suite
    from dominance.runs.audit.estimate import Estimate
    from dominance.runs.audit.options import AuditOptions, Limits, ScoreOptions
    from dominance.runs.audit.result import read_result
    from dominance.runs.audit.run import audit, estimate_audit
    from dominance.runs.audit.score import estimate_score, score
    from dominance.runs.bench.estimate import BenchEstimate, estimate_bench
    from dominance.runs.bench.options import BenchOptions
    from dominance.runs.bench.result import read_bench
    from dominance.runs.bench.run import build_bench
    from dominance.runs.diversity.options import DiversityOptions
    from dominance.runs.diversity.run import measure_diversity
    from dominance.runs.explanation.options import ExplainOptions
    from dominance.runs.explanation.result import Explanation
    from dominance.runs.explanation.run import explain
    from dominance.runs.generation.options import GenerateOptions
    from dominance.runs.generation.result import GenerationResult, UsableImage
    from dominance.runs.generation.run import Generation, estimate_generation, generate
    from dominance.runs.generation.watch import watch
    from dominance.runs.judge_check.options import JudgeCheckOptions
    from dominance.runs.judge_check.run import check_judge
    from dominance.runs.localisation.options import LocaliseOptions
    from dominance.runs.localisation.run import localise
    from dominance.runs.mitigation.options import MitigateOptions
    from dominance.runs.mitigation.result import MitigationResult
    from dominance.runs.mitigation.run import estimate_mitigation, mitigate_suite
    from dominance.runs.noise_norm.options import NoiseNormOptions
    from dominance.runs.noise_norm.run import measure_noise_norm
    from dominance.runs.reading import read_run
    from dominance.runs.reproduction.result import ReproduceResult
    from dominance.runs.risk.calibrate import calibrate
    from dominance.runs.risk.early import calibrate_early
    from dominance.runs.risk.options import CalibrationOptions, PreflightOptions
    from dominance.runs.risk.preflight import Preflight, preflight
    from dominance.runs.stages.methods import mitigate
    from dominance.runs.suite_check.run import check_suite
    from dominance.runs.sweep.brought import sweep_images
    from dominance.runs.sweep.options import SweepOptions
    from dominance.runs.sweep.result import AdapterSweep
    from dominance.runs.sweep.run import estimate_sweep, sweep_suite
    from dominance.runs.teaching.estimate import TeachingEstimate, estimate_dreambooth
    from dominance.runs.teaching.options import TeachingOptions, Watching
    from dominance.runs.teaching.run import train_dreambooth
    from dominance.suites import load_suite
    from dominance.suites.campaigns import make_suite
    from dominance.training.dreambooth.options import TeachOptions

__version__ = "0.1.0"

_HOMES: dict[str, tuple[str, ...]] = {
    "judges.measuring": ("Measuring",),
    "judges.options": ("Asking",),
    "judges.picture_scores": ("score_pictures",),
    "measures": ("PictureScores",),
    "metrics": ("attention_deviation", "focus_score"),
    "models.drawing": ("Drawing", "Machine"),
    "models.pipelines": ("load_pipeline",),
    "probes.ablation": ("Ablation", "ablate"),
    "probes.patching": ("Patch", "patch"),
    "probes.rebalancing": ("Rebalancing", "rebalance"),
    "probes.recording": ("AttentionRecord", "record_attention"),
    "probes.sites": ("attention_sites",),
    "records": ("Concept", "Gate", "Prompt", "RunResult", "Suite"),
    "report.ablation.page": ("write_ablation",),
    "report.audit.junit": ("write_junit",),
    "report.audit.page": ("write_report",),
    "report.audit.summary": ("write_summary",),
    "report.bench.page": ("write_bench",),
    "report.diversity.page": ("write_diversity",),
    "report.explanation.folder": ("write_explanation",),
    "report.generation.page": ("write_generation",),
    "report.judge_check.page": ("write_judge_check",),
    "report.mitigation.page": ("write_mitigation",),
    "report.noise_norm.page": ("write_memorization",),
    "report.sweep.page": ("write_sweep",),
    "report.teaching.page": ("write_teaching",),
    "reproduce.options": ("ReproduceOptions",),
    "report.reproduction.page": ("write_reproduction",),
    "runs.reproduction.result": ("ReproduceResult",),
    "reproduce.estimate": ("ReproduceEstimate", "estimate_reproduction"),
    "reproduce.run": ("read_reproduction", "reproduce_claims"),
    "runs.ablation.options": ("AblationOptions",),
    "runs.ablation.result": ("AblationResult",),
    "runs.ablation.run": ("ablate_suite",),
    "runs.audit.estimate": ("Estimate",),
    "runs.audit.options": ("AuditOptions", "Limits", "ScoreOptions"),
    "runs.audit.result": ("read_result",),
    "runs.audit.run": ("audit", "estimate_audit"),
    "runs.audit.score": ("estimate_score", "score"),
    "runs.bench.estimate": ("BenchEstimate", "estimate_bench"),
    "runs.bench.options": ("BenchOptions",),
    "runs.bench.result": ("read_bench",),
    "runs.bench.run": ("build_bench",),
    "runs.diversity.options": ("DiversityOptions",),
    "runs.diversity.run": ("measure_diversity",),
    "runs.explanation.options": ("ExplainOptions",),
    "runs.explanation.result": ("Explanation",),
    "runs.explanation.run": ("explain",),
    "runs.generation.options": ("GenerateOptions",),
    "runs.generation.result": ("GenerationResult", "UsableImage"),
    "runs.generation.run": ("Generation", "estimate_generation", "generate"),
    "runs.generation.watch": ("watch",),
    "runs.judge_check.options": ("JudgeCheckOptions",),
    "runs.judge_check.run": ("check_judge",),
    "runs.localisation.options": ("LocaliseOptions",),
    "runs.localisation.run": ("localise",),
    "runs.mitigation.options": ("MitigateOptions",),
    "runs.mitigation.result": ("MitigationResult",),
    "runs.mitigation.run": ("estimate_mitigation", "mitigate_suite"),
    "runs.noise_norm.options": ("NoiseNormOptions",),
    "runs.noise_norm.run": ("measure_noise_norm",),
    "runs.reading": ("read_run",),
    "runs.risk.calibrate": ("calibrate",),
    "runs.risk.early": ("calibrate_early",),
    "runs.risk.options": ("CalibrationOptions", "PreflightOptions"),
    "runs.risk.preflight": ("Preflight", "preflight"),
    "runs.stages.methods": ("mitigate",),
    "runs.suite_check.run": ("check_suite",),
    "runs.sweep.brought": ("sweep_images",),
    "runs.sweep.options": ("SweepOptions",),
    "runs.sweep.result": ("AdapterSweep",),
    "runs.sweep.run": ("estimate_sweep", "sweep_suite"),
    "runs.teaching.estimate": ("TeachingEstimate", "estimate_dreambooth"),
    "runs.teaching.options": ("TeachingOptions", "Watching"),
    "runs.teaching.run": ("train_dreambooth",),
    "suites": ("load_suite",),
    "suites.campaigns": ("make_suite",),
    "training.dreambooth.options": ("TeachOptions",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]  # noqa: PLE0604  (all of them are texts)


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used, so that importing the package costs next to nothing."""
    if name in _HOME_OF:
        return getattr(import_module(f"dominance.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'dominance' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

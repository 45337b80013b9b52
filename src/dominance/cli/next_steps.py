"""What to do next: the line at the end of each command's output, one function for each command."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.errors import SuiteError
from dominance.records import Prompt, RunResult

if TYPE_CHECKING:
    from dominance.runs.ablation.result import AblationResult
    from dominance.runs.bench.result import BenchResult
    from dominance.runs.diversity.result import DiversityResult
    from dominance.runs.explanation.result import Explanation
    from dominance.runs.judge_check.result import JudgeCheck
    from dominance.runs.noise_norm.result import MemorizationResult
    from dominance.runs.risk.preflight import Preflight

_AGAIN = "fix what left images without a score, and run the same command again"


def after_audit(result: RunResult) -> str:
    """Explain the worst prompt; where none loses a concept, check the judge that says so."""
    from dominance.report.parts.ranking import worst_first

    if not result.scored:
        return _AGAIN
    worst = next((p for p in worst_first(result.prompts) if p.collapsed or p.verdict in {"dominance", "lost"}), None)
    if worst is None:
        return f"make sure that the judge can be trusted: {_command('judge check', result.run, judge=result.judge)}"
    drawn_here = any(image.seed is not None for image in worst.images)
    explain = _on_prompt("explain", worst.prompt, result.model if drawn_here else "MODEL", result.judge)
    return f"see what the model looks at in the worst prompt: {explain}"


def after_preflight(found: Sequence["Preflight"], suite: str, model: str) -> str:
    """Audit what is at risk."""
    high = sum(risk.risk == "high" for risk in found)
    why = {0: "draw images to confirm it", 1: "draw images of the risky prompt to confirm it"}
    audit = _command("audit", suite, model=model)
    return f"{why.get(high, f'draw images of the {high} risky prompts to confirm it')}: {audit}"


def after_calibrate(model: str, file: Path) -> str:
    """Predict with the rule."""
    return (
        f"predict with this rule: {_command('preflight', 'SUITE', model=model)} --calibration {shlex.quote(str(file))}"
    )


def after_explain(found: "Explanation") -> str:
    """Look for the cause where an image collapses; else draw more images."""
    judge = found.judge or "miniature"
    if found.judge is None or found.result.collapsed:
        return f"find the parts of the model that cause it: {_on_prompt('ablate', found.prompt, found.model, judge)}"
    return f"no image collapses; draw more of them: {_on_prompt('audit', found.prompt, found.model, judge)} --seeds 10"


def after_ablate(result: "AblationResult") -> str:
    """Remove the mitigating heads together, or try the other edit."""
    if not result.unedited.collapsed.count:
        return "find prompts that collapse: " + _command("audit", "SUITE", model=result.model, judge=result.judge)
    ablate = _command("ablate", "SUITE", model=result.model, judge=result.judge)
    if result.edit == "rebalance":
        return f"find the heads that cause it: {ablate}"
    if any(prompt.mitigating for prompt in result.prompts) and "multi" not in {s.sweep for s in result.sweeps}:
        config = shlex.quote(str(Path(result.run) / "run.yaml"))
        return f"remove each prompt's mitigating heads together: dominance ablate --config {config} --sweep heads,multi"
    return f"compare with equal attention for all concepts: {ablate} --edit rebalance"


def after_judge_check(result: "JudgeCheck") -> str:
    """Audit with a judge that can be trusted; look for another otherwise."""
    judge = result.judges[0]
    if judge.trust == "good":
        return f"audit with this judge: {_command('audit', 'SUITE', judge=judge.name)}"
    return f"compare with another judge: {_command('judge check', judge=judge.name)} --against OTHER"


def after_diversity(result: "DiversityResult") -> str:
    """Vary what is uniform, then audit what was trained on it."""
    if any(concept.verdict == "uniform" for concept in result.concepts):
        return "add varied images of the uniform concepts, and run the same command again"
    return f"fine-tune, then audit the model: {_command('audit', 'SUITE', model='MODEL')}"


def after_memorization(result: "MemorizationResult") -> str:
    """See which of the prompts lose a concept."""
    return f"see which of these prompts lose a concept: {_command('audit', 'SUITE', model=result.model)}"


def after_bench(bench: "BenchResult") -> str:
    """Try another model on the bench."""
    if not bench.entries:
        return "try other pools or another model; nothing was kept"
    suite = Path(bench.run.run) / "suite.yaml"
    return (
        f"audit another model on these prompts: {_command('audit', str(suite), model='MODEL', judge=bench.run.judge)}"
    )


def _on_prompt(command: str, prompt: Prompt, model: str, judge: str) -> str:
    from dominance.suites.brackets import bracketed

    try:
        text = bracketed(prompt)
    except SuiteError:  # as a row of the official files may be, whose text does not name its concepts
        text = "PROMPT"
    return _command(command, text, model=model, judge=judge)


def _command(name: str, *what: str, model: str = "miniature", judge: str = "miniature") -> str:
    """A command line to copy; the bundled model and judge, which are the default, are left out."""
    words = ["dominance", *name.split(), *map(shlex.quote, what)]
    words += [] if model == "miniature" else ["--model", shlex.quote(model)]
    words += [] if judge == "miniature" else ["--judge", shlex.quote(judge)]
    return " ".join(words)

"""What to do next, as pages and commands say at their end: one function for each command."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.diversity.verdicts import FEWEST_IMAGES, PAPER_EMBEDDER
from dominance.errors import SuiteError
from dominance.numbers import plural
from dominance.records import JudgeWarning, Prompt, PromptResult, RunResult
from dominance.report.parts.given import DEFAULT, Given, command, given_by, given_to
from dominance.report.parts.ranking import failing_first
from dominance.report.parts.sentences import listed
from dominance.suites.brackets import bracketed

if TYPE_CHECKING:
    from dominance.runs.ablation.result import AblationResult
    from dominance.runs.bench.result import BenchResult
    from dominance.runs.diversity.result import DiversityResult
    from dominance.runs.explanation.result import Explanation
    from dominance.runs.judge_check.result import JudgeCheck
    from dominance.runs.noise_norm.result import MemorizationResult
    from dominance.runs.risk.calibrate import CalibrationReport
    from dominance.runs.risk.preflight import Preflight
    from dominance.runs.sweep.result import AdapterSweep

_FAILED, _SHOWN = 3, 4
"""Images of a prompt that are explained: so many that lose a concept, and so many together."""
_NAMED = 10
"""Seeds in a command or a sentence."""
RISK_RUN = "runs/for-risk"
"""Where a run goes that a rule is to be fitted to."""
_FITTED = 4
"""Prompts with two concepts that a rule needs at least."""
_LARGE = 10**6
_JUDGES = "dominance list judges"
_VARY = "train it on more varied pictures; dominance diversity says what is uniform in them"
_BETTER = 0.2
"""How much larger the share of balanced images must be for a wording to be named as better."""


@dataclass(frozen=True)
class NextStep:
    """One thing to do: what for, and the command to copy, if there is one."""

    why: str
    command: str | None = None

    def __str__(self) -> str:
        return self.why if self.command is None else f"{self.why}: {self.command}"


def after_audit(result: RunResult, about: PromptResult | None = None) -> tuple[NextStep, ...]:
    """Repair what fails; of the worst prompt, explain it, draw the seeds that worked, try the wording that does better.

    Where no prompt loses a concept, check the judge that says so; replace an unfit one. ``about``: not the worst.
    """
    given = given_to(result.run, result.model, result.judge, result.settings.record())
    if not result.scored:
        return (run_again(result.run, given),)
    if other := another_judge(result.judge_warnings):
        return other
    taught = () if result.identity is not None else measure_taught(given)
    worst = about or next(iter(failing_first(result.prompts)), None)
    if worst is None:
        check = command("judge check", result.run, judge=None if given.judge == DEFAULT else given.judge)
        trusted = "check that you can trust the judge"
        return (NextStep(trusted, check if given.judge is not None else None), *taught)
    drawn_here = all(image.seed is not None for image in worst.images)
    own, which = given.of(worst.prompt), "the worst prompt" if about is None else "this prompt"
    steps = (_explain(worst, own, drawn_here, which), _repair(worst, given), _worked(worst, own, drawn_here, which))
    steps = (*steps, _reworded(worst, result, own), *taught)
    return tuple(step for step in steps if step is not None)


def measure_taught(given: Given) -> tuple[NextStep, ...]:
    """Where the identity of what an adapter was taught is measured, after a run with one that does not."""
    if not given.drawing.get("adapter"):
        return ()
    why = (
        "see how much of the adapter's concept there is, whether it leaks, and what survives beside it: audit with the"
        " same --adapter and --taught, and with prompts that leave the concept out"
    )
    return (NextStep(why),)


def another_judge(warnings: Sequence[JudgeWarning]) -> tuple[NextStep, ...]:
    """The one step where the judge is unfit, because everything else rests on its answers; none otherwise."""
    if any(warning.kind == "another world" for warning in warnings):
        return (NextStep("choose a --judge that can look at any picture", _JUDGES),)
    if any(warning.unfit for warning in warnings):
        return (NextStep("choose another --judge: this one gives the same answer to everything", _JUDGES),)
    return ()


def run_again(run: str, given: Given) -> NextStep:
    """The step where nothing was scored."""
    name = given.more.get("command")
    again = command(str(name), config=str(Path(run) / "run.yaml")) if name else None
    return NextStep("fix the errors that left images without a score, then run the same command again", again)


def _explain(worst: PromptResult, given: Given, drawn_here: bool, which: str) -> NextStep:
    why, text = f"see what the model looks at in {which}", _marked(worst.prompt)
    if text is None:
        return NextStep(f"look at the images of {which}, “{worst.prompt.text}”, in the report")
    if not drawn_here or given.model is None:
        return NextStep(f"{why}: give “{text}” to dominance explain, with --model and the model that drew the images")
    failed = [image.seed for image in worst.images if image.verdict in {"collapsed", "lost"}]
    others = [image.seed for image in worst.images if image.seed not in failed]
    ordered = [*failed[:_FAILED], *others[:1], *failed[_FAILED:], *others[1:]]
    chosen = sorted(seed for seed in ordered[:_SHOWN] if seed is not None)
    judge = None if given.can_draw else "none"
    return NextStep(why, given.command("explain", text, seeds=chosen, judge=judge))


def _repair(worst: PromptResult, given: Given) -> NextStep | None:
    plain = given.more.get("command") == "audit" and given.more.get("method") in (None, "none")
    told = plain and worst.collapsed and given.can_draw and given.suite
    words = given.command("mitigate", str(given.suite), only_failing=True) if told else None
    return NextStep("bring lost concepts back in the images that fail", words) if words else None


def _worked(worst: PromptResult, given: Given, drawn_here: bool, which: str) -> NextStep | None:
    """The seeds of the prompt whose images show every concept."""
    good = [image for image in worst.images if image.verdict == "balanced"][:_NAMED]
    if not good:
        return None
    text, seeds = _marked(worst.prompt), [image.seed for image in good if image.seed is not None]
    if not drawn_here or not seeds:
        return NextStep(f"use the images of {which} that show every concept: {_said(i.name for i in good)}")
    named = f"seed{'' if len(seeds) == 1 else 's'} {_said(seeds)}"
    why = f"draw {which} from {named}, which show{'s' if len(seeds) == 1 else ''} every concept"
    return NextStep(why, given.command("audit", text, seeds=seeds) if text and given.can_draw else None)


def _reworded(worst: PromptResult, result: RunResult, given: Given) -> NextStep | None:
    """Another prompt of the run that names the same concepts and shows them more often."""
    concepts = {concept.name for concept in worst.prompt.concepts}
    others = [
        prompt
        for prompt in result.prompts
        if prompt.prompt.text != worst.prompt.text and {c.name for c in prompt.prompt.concepts} == concepts
    ]
    best = max(others, key=_balance, default=None)
    if best is None or _balance(best) < _balance(worst) + _BETTER:
        return None
    every = "both concepts" if len(concepts) == 2 else "every concept"
    shown = f"shows {every} in {best.balanced} of {plural(best.scored, 'image')}"
    why = f"reword the prompt as “{best.prompt.text}”, which {shown}"
    text, seeds = _marked(best.prompt), [image.seed for image in best.images if image.seed is not None]
    if text is None or not seeds or not given.can_draw:
        return NextStep(why)
    return NextStep(f"{why}; draw it from new seeds", given.command("audit", text, seeds=fresh_seeds(seeds)))


def _balance(result: PromptResult) -> float:
    return result.balanced / result.scored if result.scored else 0.0


def after_preflight(found: Sequence["Preflight"], suite: str, model: str, options: object) -> tuple[NextStep, ...]:
    """Audit what is at risk; on a model without a rule, fit one first."""
    unknown = [risk for risk in found if risk.risk == "uncalibrated"]
    if any(risk.fitted for risk in unknown):
        return (NextStep("mark two concepts or more of each prompt in brackets, which the model's rule compares"),)
    if unknown and sum(risk.dominating is not None for risk in found) < _FITTED:
        why = (
            "no rule has been fitted to this model, and there are too few prompts to fit one; audit many that"
            f" name two concepts (`dominance suite make` writes them){adding_a_judge(model)}, then run dominance"
            " calibrate on that run"
        )
        return (NextStep(why),)
    if unknown:
        audit = given_by(suite, model, options).command("audit", suite, "--out", RISK_RUN, asks=False)
        words = command("calibrate", RISK_RUN, "--out", "risk.json")
        return (
            NextStep(
                f"no rule has been fitted to this model; audit prompts that name two concepts{adding_a_judge(model)}",
                audit,
            ),
            NextStep("then fit the rule, and give --calibration risk.json", words),
        )
    high = sum(risk.risk == "high" for risk in found)
    why = {0: "draw images to confirm it", 1: "draw images of the risky prompt to confirm it"}
    audit = given_by(suite, model, options).command("audit", suite, asks=False)
    draw = why.get(high, f"draw images of the {high} risky prompts to confirm it")
    return (NextStep(f"{draw}{adding_a_judge(model)}", audit),)


def adding_a_judge(model: str | None) -> str:
    """The end of a step that asks a judge where none was named: the default one knows the bundled model's pictures."""
    return "" if model in (None, DEFAULT) else ", adding a --judge for its pictures"


def after_calibrate(run: Path, report: "CalibrationReport", file: Path) -> tuple[NextStep, ...]:
    """Predict with the rule, unless it was fitted to the verdicts of an unfit judge."""
    if other := another_judge(report.judge_warnings):
        return other
    model = report.calibration.model
    given = given_to(run, model)
    calibration = ("--calibration", str(file))
    if given.suite is None:
        return (NextStep(f"predict with this rule: give {' '.join(calibration)} to dominance preflight"),)
    words = command("preflight", given.suite, *([] if model == DEFAULT else ["--model", model]), *calibration)
    return (NextStep("predict with this rule", words),)


def after_explain(found: "Explanation", folder: Path | str) -> tuple[NextStep, ...]:
    """Look for the cause where an image collapses; else draw more images. An unfit judge is replaced first."""
    if other := another_judge(found.judge_warnings):
        return other
    given, text = given_to(folder, found.model, found.judge, found.settings).of(found.prompt), _marked(found.prompt)
    judged = found.judge is not None
    judge = None if judged else DEFAULT
    collapses = not judged or bool(found.result.collapsed)
    if collapses:
        why, name, seeds = "find the parts of the model that cause it", "ablate", tuple(found.seeds)
    else:
        why, name, seeds = "no image collapses; draw more of them", "audit", tuple(fresh_seeds(found.seeds, 10))
    drawn = given.command(name, text, seeds=seeds, judge=judge) if text and given.model and given.judge else None
    return (NextStep(why if judged else f"{why}{adding_a_judge(given.model)}", drawn), *measure_taught(given))


def after_ablate(result: "AblationResult") -> tuple[NextStep, ...]:
    """Remove the mitigating heads together, or try the other edit. An unfit judge is replaced first."""
    if other := another_judge(result.judge_warnings):
        return other
    given = given_to(result.run, result.model, result.judge, result.settings)
    if not result.unedited.collapsed.count:
        find = given.command("bench build") if given.can_draw else None
        return (NextStep("find prompts that collapse", find), *measure_taught(given))
    suite = () if given.suite is None else (given.suite,)
    told = given.can_draw and bool(suite)
    if result.edit == "rebalance":
        heads = NextStep("find the heads that cause it", given.command("ablate", *suite) if told else None)
        return (heads, *measure_taught(given))
    if any(prompt.mitigating for prompt in result.prompts) and "multi" not in {s.sweep for s in result.sweeps}:
        config = str(Path(result.run) / "run.yaml")
        both = command("ablate", config=config, sweep="heads,multi") if given.more.get("command") else None
        return (NextStep("remove each prompt's mitigating heads together", both), *measure_taught(given))
    equal = f"{given.command('ablate', *suite)} --edit rebalance" if told else None
    return (NextStep("compare with equal attention for all concepts", equal), *measure_taught(given))


def after_judge_check(result: "JudgeCheck") -> tuple[NextStep, ...]:
    """Audit with a judge that can be trusted; look for another otherwise."""
    if other := another_judge(result.judge_warnings):
        return other
    judge, given = result.judges[0], given_to(result.run, DEFAULT, result.judges[0].name)
    if judge.trust != "good":
        return (NextStep("compare with another judge: --against", command("list judges")),)
    images = given.more.get("images")
    if not isinstance(images, list) or not images:
        return (NextStep("audit with this judge", given.command("audit", given.suite or DEFAULT)),)
    checked = given_to(str(images[0]), DEFAULT)
    if checked.more.get("command") == "audit" and checked.suite and checked.model:
        return (NextStep("audit with this judge", checked.command("audit", checked.suite, judge=given.judge)),)
    if given.suite and "command" not in checked.more:
        own = {"suite": given.suite, "judge": None if given.judge == DEFAULT else given.judge}
        return (NextStep("score the images with this judge", command("score", str(images[0]), **own)),)
    return (NextStep(f"audit with this judge: give --judge {judge.name} to dominance audit"),)


def after_diversity(result: "DiversityResult") -> tuple[NextStep, ...]:
    """Vary what is uniform, or add what is too little; then audit what was trained on it."""
    again = command("diversity", config=str(Path(result.run) / "run.yaml")) if _repeats(result.run) else None
    if any(concept.verdict == "uniform" for concept in result.concepts):
        return (NextStep("add varied images of the uniform concepts, and measure them again", again),)
    if not any(concept.verdict for concept in result.concepts):
        if any(concept.images < FEWEST_IMAGES for concept in result.concepts):
            return (NextStep("give more images of each concept; there are too few for a verdict", again),)
        return (NextStep("measure with an embedder that has a scale for such images: --embedder " + PAPER_EMBEDDER),)
    return (NextStep("fine-tune on these images, then audit the model that you get with dominance audit"),)


def after_memorization(result: "MemorizationResult") -> tuple[NextStep, ...]:
    """See which of the prompts lose a concept."""
    given = given_to(result.run, result.model, None, result.settings)
    why = f"see which of these prompts lose a concept{adding_a_judge(given.model)}"
    audit = given.command("audit", given.suite, asks=False) if given.suite and given.model else None
    return (NextStep(why, audit),)


def after_sweep(result: "AdapterSweep") -> tuple[NextStep, ...]:
    """Audit the recommended cell from new seeds; where none qualifies, let the adapter act later, or vary its pictures.

    An unfit judge is replaced first.
    """
    if other := another_judge(result.judge_warnings):
        return other
    given = given_to(result.run, result.model, result.judge, result.settings)
    written = given.more
    cell = result.cell(result.recommended)
    if not result.drawn:
        use = "make images of the recommended cell from new seeds, and score them with dominance score"
        return (NextStep(_VARY if cell is None else use),)
    if cell is None:
        config = str(Path(result.run) / "run.yaml")
        later = command("sweep", config=config, starts="0,0.2,0.4,0.6") if "command" in written else None
        steps = (
            []
            if "start" in result.axes or result.whole
            else [NextStep("let the adapter act later, where it still may help", later)]
        )
        return (*steps, NextStep(_VARY))
    seeds, taught = seeds_after(written.get("seeds")), result.taught[0]
    if cell.model is not None:
        given = given.with_model(cell.model)
        audit = given.command("audit", given.suite, seeds=seeds, taught=taught) if given.suite else None
        return (NextStep("audit the recommended checkpoint from new seeds", audit),)
    named = written.get("adapter") if cell.checkpoint is None else [cell.adapter]
    if not isinstance(named, list) or len(named) != len(cell.strengths) or None in named:
        return (NextStep(f"use the cell {cell.name}, and audit it from new seeds with dominance audit --adapter"),)
    adapters = [f"{where}:{s:g}@{cell.start or 0:g}" for where, s in zip(named, cell.strengths, strict=True) if s]
    acting = replace(given, drawing={**given.drawing, "adapter": adapters})
    audit = acting.command("audit", given.suite, seeds=seeds, taught=taught) if given.suite else None
    return (NextStep("audit the recommended cell from new seeds", audit),)


def seeds_after(given: object) -> list[int]:
    """Ten seeds that a run with these ones, as its file has them, did not draw."""
    return fresh_seeds(list(range(given)) if isinstance(given, int) else [0] if given is None else [], 10)


def after_bench(bench: "BenchResult") -> tuple[NextStep, ...]:
    """Audit the bench with other seeds, for a rate that its selection does not flatter.

    An unfit judge is replaced first.
    """
    if other := another_judge(bench.run.judge_warnings):
        return other
    if not bench.entries:
        return (NextStep("try other pools or another model; nothing was kept"),)
    run = bench.run
    given = given_to(run.run, run.model, run.judge, run.settings.record())
    seeds = fresh_seeds(run.settings.seeds or (), len(run.settings.seeds or ()) or None)
    why = "audit these prompts from new seeds, which did not select them; with --model, another model"
    audit = given.command("audit", str(Path(run.run) / "suite.yaml"), seeds=seeds)
    return (NextStep(why, audit if given.can_draw else None), *measure_taught(given))


def _repeats(run: str) -> bool:
    return bool(given_to(run, DEFAULT).more.get("command"))


def fresh_seeds(seeds: Sequence[int], count: int | None = None) -> list[int]:
    """Seeds after the given ones; as many, unless told otherwise."""
    first = max(seeds, default=-1) + 1
    others = (seed for seed in itertools.count(first if first < _LARGE else 0) if seed not in seeds)
    return list(itertools.islice(others, min(count or len(seeds), _NAMED)))


def _said(names: Iterable[object]) -> str:
    return listed([str(name) for name in names])


def _marked(prompt: Prompt) -> str | None:
    """The prompt as commands take it; None where its text does not name its concepts, as in the official files."""
    try:
        return bracketed(Prompt(prompt.id, prompt.text, prompt.concepts))
    except SuiteError:
        return None

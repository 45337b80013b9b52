"""The experiment as another judge sees it, from the images that it kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dominance.errors import InputError
from dominance.judges.registry import load_judge
from dominance.laboratory.diversity.arms import Trial, find_arms
from dominance.laboratory.diversity.breeds import SHAPES
from dominance.laboratory.diversity.measuring import run_folder, seen_in
from dominance.laboratory.diversity.results import DiversityResult, read_results
from dominance.laboratory.diversity.run import ExperimentOptions
from dominance.laboratory.diversity.shape_classifier import JudgeOfNewShapes
from dominance.laboratory.diversity.subjects import find_subject
from dominance.laboratory.rejudging import measured_again
from dominance.laboratory.sharing import claim_folder
from dominance.runs.audit.again import judge_again


def rejudge(options: ExperimentOptions, tell: Callable[[str], None]) -> list[DiversityResult]:
    """Measures all results of another judge again with this one, and replaces the file at the end.

    Only what a judge decides changes: not how diverse a set is, nor how many images copy it.

    Args:
        options: its folder is that of a call that kept its models, its file the results of that call.
        tell: is given one line for every model.

    Raises:
        InputError: there are no results, they are of another base than the folder, or a model was not kept.
    """
    results = read_results(options.file)
    for base in dict.fromkeys(result.base for result in results):
        claim_folder(options.folder, base)
    judge = load_judge(options.judge, options.device)
    seeing = JudgeOfNewShapes(judge, options.folder / "classifiers")

    def run_of(result: DiversityResult) -> Path:
        (arm,) = find_arms([result.arm])
        trial = Trial(arm, result.subject, result.level, result.seed)
        return run_folder(options.folder / trial.name, result.images)

    def again(result: DiversityResult) -> DiversityResult:
        subject = find_subject(result.subject)
        seen_by = seeing if subject.drawn in SHAPES else judge
        seen = seen_in(judge_again(run_of(result), seen_by), subject)
        if seen.subject_first.shown.n != result.subject_first.shown.n:
            raise InputError(f"{run_of(result)} is not what {options.file} was measured on; give another --out")
        return replace(result, judge=seen_by.identity, **vars(seen))

    return measured_again(
        options.file,
        results,
        lambda result: result.judge.partition("+")[0] != judge.identity,
        lambda result: [run_of(result)],
        again,
        tell,
    )

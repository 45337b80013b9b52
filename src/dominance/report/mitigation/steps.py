"""What to do after a mitigation."""

from dominance.report.parts.given import given_to
from dominance.report.parts.next_steps import NextStep, another_judge, measure_taught, run_again, seeds_after
from dominance.runs.mitigation.result import MitigationResult

_TO_TRY = ("regions", "overlap", "regions+overlap")


def after_mitigate(result: MitigationResult) -> tuple[NextStep, ...]:
    """Audit the best method from new seeds, repair only what fails, or try another method.

    An unfit judge is replaced first.
    """
    given = given_to(result.run, result.model, result.judge, result.settings)
    more = () if result.identities else measure_taught(given)
    if all(not row.pairs for row in result.rows):
        return (run_again(result.run, given),)
    if other := another_judge(result.judge_warnings):
        return other
    told, best = given.suite is not None and given.can_draw, result.best
    suite, seeds = [given.suite] if given.suite else [], seeds_after(given.more.get("seeds"))
    if best.dvd_before == 0 and not best.repaired.n:
        return (NextStep("nothing dominates here, so there is nothing to repair; give prompts that lose a concept"),)
    gained = best.repaired.count > 0 if best.dvd_before == 0 else best.change is not None and best.change < 0
    if not gained:
        names = [method.method for method in result.methods]
        others = ",".join(name for name in _TO_TRY if name not in names)
        again = given.command("mitigate", *suite, method=others) if told and others else None
        steered = any(map(result.steered, result.methods))
        why = "the methods gain nothing here" if steered else "no method does anything to what fails here"
        return (NextStep(f"{why}; try other methods", again), *more)
    if result.only_failing:
        names = ",".join(method.method for method in result.methods)
        again = given.command("mitigate", *suite, seeds=seeds, method=names, only_failing=True) if told else None
        why = "repair these prompts from new seeds, which took no part in choosing the methods"
        return (NextStep(why, again), *more)
    drawn = given.command("audit", *suite, seeds=seeds, method=best.method) if told else None
    steps = [NextStep("audit the chosen method from new seeds, which did not choose it", drawn)]
    if best.harmed.count:
        kept = given.command("mitigate", *suite, method=best.method, only_failing=True) if told else None
        steps.append(NextStep("repair only the images that fail", kept))
    return (*steps, *more)

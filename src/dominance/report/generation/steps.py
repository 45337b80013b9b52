"""What to do after generating usable images, or after fitting when to give them up."""

from pathlib import Path

from dominance.report.parts.given import DEFAULT, command, given_to
from dominance.report.parts.next_steps import NextStep, another_judge, measure_taught
from dominance.runs.generation.result import GenerationResult
from dominance.runs.stages.early import EarlyCalibration
from dominance.runs.store.repeat import REPEAT_NAME


def after_generate(result: GenerationResult) -> tuple[NextStep, ...]:
    """Look at what the judge let pass, and find out what was saved; where images are missing, what ended them.

    An unfit judge is replaced first.
    """
    if other := another_judge(result.judge_warnings):
        return other
    given = given_to(result.run, result.model, result.judge, result.settings)
    again = str(Path(result.run) / REPEAT_NAME) if given.suite is not None and given.can_draw else None

    def with_more(**more: object) -> str | None:
        return None if again is None else command("generate", config=again, **more)

    if result.missing:
        ended = {prompt.ended for prompt in result.prompts if len(prompt.usable) < result.wanted}
        steps = []
        if "budget" in ended:
            steps.append(NextStep("give a larger budget; what there is stays", with_more(budget=2 * result.budget)))
        if "noises" in ended:
            steps.append(NextStep("give more seeds; what there is stays"))
        if ended & {"refused", "no way"}:
            steps.append(NextStep("change the prompts that cannot be drawn; the page says why"))
        if again is not None and any(len(prompt.concepts) > 1 for prompt in result.prompts):
            compare = given.command("mitigate", str(given.suite), seeds=range(4), method="regions,overlap")
            steps.append(NextStep("see what each method does to it", compare))
        return (*steps, *measure_taught(given))
    page = Path(result.run) / "generate.html"
    steps = [NextStep(f"look at the images in {page}: the judge that chose them may err")]
    if any(prompt.rejection is not None for prompt in result.prompts):
        more = NextStep("draw more of them; these stay", with_more(usable=2 * result.wanted))
    else:
        more = NextStep("find out what was saved against plain drawing", with_more(check=True))
    return (*steps, more, *measure_taught(given))


def after_early(run: Path, found: EarlyCalibration, file: Path) -> tuple[NextStep, ...]:
    """Generate with the threshold, where there is one."""
    given = given_to(run, found.model)
    if found.threshold is None:
        return (NextStep("audit more prompts that name two concepts, or take a judge that can tell earlier"),)
    if given.suite is None:
        return (NextStep(f"draw usable images with it: give --early {file} to dominance generate"),)
    more = {} if found.model == DEFAULT else {"model": found.model}
    words = command("generate", given.suite, usable=4, **more, early=str(file))
    return (NextStep("draw usable images with it", words),)

"""What to do after a fine-tuning."""

from pathlib import Path

from dominance.report.parts.given import DEFAULT, Given, command, given_to
from dominance.report.parts.next_steps import NextStep, adding_a_judge, another_judge, fresh_seeds
from dominance.runs.teaching.result import Checkpoint, TeachingResult


def after_teaching(result: TeachingResult) -> tuple[NextStep, ...]:
    """Audit the checkpoint that is marked with other seeds; or audit at all, or train again where none composes.

    An unfit judge is replaced first.
    """
    if other := another_judge(result.judge_warnings):
        return other
    given = given_to(result.run, result.model, result.judge, result.settings)
    last = (result.checkpoints or (None,))[-1]
    if result.measured:
        chosen = result.at(result.composes)
        audit = None if chosen is None or chosen.path is None else _audit(result, chosen, chosen.path, given)
        weaker = _weaker(result, given)
        return (*weaker, _again(result, given)) if audit is None else (audit, *weaker)
    if last is None or last.path is None:
        return (_again(result, given),)
    audit = command("audit", f"a [{result.taught}] and a [mug]", **_drawn_with(result, last.path, given))
    if result.audited:
        return (
            NextStep("see whether it still composes; next time, put such a prompt into the suite of --audit", audit),
        )
    return (NextStep(f"see whether it still composes{adding_a_judge(result.model)}; next time, give --audit", audit),)


def _audit(result: TeachingResult, chosen: Checkpoint, path: str, given: Given) -> NextStep:
    suite, seeds = given.more.get("audit"), fresh_seeds([sample.seed for sample in chosen.samples], 10)
    why = f"audit step {chosen.step} from other seeds, without the advantage of having been chosen"
    drawn = _drawn_with(result, path, given)
    return NextStep(why, command("audit", suite, **drawn, seeds=seeds) if isinstance(suite, str) else None)


def _again(result: TeachingResult, given: Given) -> NextStep:
    """More gently; or for longer, where the concept is not learned yet."""
    trained = [checkpoint for checkpoint in result.measured if checkpoint.step]
    longer = bool(trained) and not any(checkpoint.learned(result.floor) for checkpoint in trained)
    why = (
        "train again for longer, or with a higher --rate"
        if longer
        else "train again more gently: a lower --rate, more varied pictures, a prior, and a smaller --every"
    )
    more = {"steps": 2 * result.steps} if longer else {}
    again = command("train dreambooth", config=str(Path(result.run) / "run.yaml"), **more, out=f"{result.run}-again")
    return NextStep(why, again if given.more.get("command") else None)


def _drawn_with(result: TeachingResult, checkpoint: str, given: Given) -> dict[str, object]:
    """The options that draw with a checkpoint of a fine-tuning, and ask the same judge about the same concept."""
    made, precision = str(Path(result.run) / checkpoint), given.more.get("precision")
    base = {name: given.more.get(name) for name in ("revision", "variant", "model_config")}
    lora = result.train == "lora"
    model: dict[str, object] = {"model": result.model, **base, "adapter": made} if lora else {"model": made}
    drawn = {"steps": given.more.get("draw_steps"), "guidance": given.more.get("guidance")}
    dtype = None if precision in (None, "float32") else precision
    if result.suite is None:
        return {**model, **drawn, "dtype": dtype}
    judge = None if result.judge == DEFAULT else result.judge
    return {**model, "judge": judge, "taught": result.taught, **drawn, "dtype": dtype}


def _weaker(result: TeachingResult, given: Given) -> tuple[NextStep, ...]:
    """Where a LoRA no longer composes: whether it does when it is weaker."""
    fell, suite = result.at(result.falls), given.more.get("audit")
    if result.train != "lora" or fell is None or fell.path is None or not isinstance(suite, str):
        return ()
    floor = {"min_presence": result.floor, "strengths": "0.2:1:0.2"}
    words = command("sweep", suite, **_drawn_with(result, fell.path, given), **floor)
    return (NextStep(f"see at which strength step {fell.step} composes", words),)

"""The line at the end of each command says what to do next, as a command to copy."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from made_explanations import explanation

from dominance.cli import next_steps
from dominance.records import Answer, Concept, Prompt, Question, RunResult
from dominance.runs.stages.scoring import score_image, score_prompt
from golden import Golden, one_a_case

PROMPT = Prompt("p", "it's a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))


def run(yes: dict[str, bool] | None, prompt: Prompt = PROMPT, **changes: Any) -> RunResult:
    """A run of one image with this answer about each concept; None for no answer."""
    answers = [
        Answer(Question(concept.name, "Is it there?", 1), None if yes is None else yes[concept.name])
        for concept in prompt.concepts
    ]
    image = score_image(prompt, "1", "1.png", answers, seed=changes.pop("seed", 1))
    result = score_prompt(prompt, [image])
    made = RunResult("runs/one", "one", "miniature", "miniature", {}, (result,), (), None, {})
    return replace(made, **changes)


def any_of(**fields: object) -> Any:
    """A result that has only what the line is made from."""
    return cast(Any, SimpleNamespace(**fields))


def test_the_next_step_of_every_command(golden: Golden) -> None:
    lost, shown = {"tower": True, "mug": False}, {"tower": True, "mug": True}
    unnamed = Prompt("p", "a tall building", PROMPT.concepts)
    high, low = any_of(risk="high"), any_of(risk="low")
    ablation = any_of(run="runs/ab", model="miniature", judge="miniature", edit="ablate",
                      unedited=any_of(collapsed=any_of(count=2)), prompts=[any_of(mitigating=((9, 1),))],
                      sweeps=[any_of(sweep="heads")])  # fmt: skip
    both = SimpleNamespace(**vars(ablation) | {"sweeps": [any_of(sweep="multi")]})
    rebalanced = SimpleNamespace(**vars(ablation) | {"edit": "rebalance", "model": "owner/name"})
    whole = SimpleNamespace(**vars(ablation) | {"unedited": any_of(collapsed=any_of(count=0))})
    judged = {trust: any_of(judges=[any_of(trust=trust, name="blip:my judge")]) for trust in ("good", "none")}
    bench = any_of(entries=[1], run=any_of(run="runs/bench", judge="miniature"))
    said = {
        "audit": next_steps.after_audit(run(lost)),
        "audit of a model": next_steps.after_audit(run(lost, model="my model", judge="blip:x")),
        "audit without loss": next_steps.after_audit(run(shown)),
        "audit unscored": next_steps.after_audit(run(None)),
        "audit whose text names no concept": next_steps.after_audit(run(lost, unnamed)),
        "score": next_steps.after_audit(run(lost, seed=None, model="images in folder")),
        "preflight": next_steps.after_preflight([high], "a [tower] and a [mug]", "miniature"),
        "preflight of a suite": next_steps.after_preflight([high, high, low], "my suite.yaml", "owner/name"),
        "preflight, no risk": next_steps.after_preflight([low], "suite.yaml", "miniature"),
        "calibrate": next_steps.after_calibrate("owner/name", Path("runs/one/calibration.json")),
        "explain": next_steps.after_explain(explanation()),
        "explain, nothing collapses": next_steps.after_explain(explanation(yes=({"tower": 5, "mug": 5},) * 2)),
        "explain, not judged": next_steps.after_explain(explanation(judge=None)),
        "ablate": next_steps.after_ablate(ablation),
        "ablate, heads together": next_steps.after_ablate(cast(Any, both)),
        "ablate, equal attention": next_steps.after_ablate(cast(Any, rebalanced)),
        "ablate, nothing collapses": next_steps.after_ablate(cast(Any, whole)),
        "judge check, good": next_steps.after_judge_check(judged["good"]),
        "judge check, not good": next_steps.after_judge_check(judged["none"]),
        "diversity": next_steps.after_diversity(any_of(concepts=[any_of(verdict="varied")])),
        "diversity, uniform": next_steps.after_diversity(any_of(concepts=[any_of(verdict="uniform")])),
        "memorization": next_steps.after_memorization(any_of(model="owner/name")),
        "bench build": next_steps.after_bench(bench),
        "bench build, nothing kept": next_steps.after_bench(any_of(entries=[])),
    }
    assert all("\n" not in line for line in said.values())
    golden("cli/next-steps", one_a_case(said))


def test_it_is_printed_for_people_and_not_with_json(command: Callable[..., Any], tiny_model: Path) -> None:
    arguments = ("preflight", "miniature", "--limit", 2, "--model", tiny_model, "--steps", 2)
    printed = command(*arguments)
    assert printed.out.splitlines()[-1].startswith("next: draw images")
    assert "next:" not in (quiet := command(*arguments, "--json")).out + quiet.err

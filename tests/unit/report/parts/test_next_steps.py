"""What to do next: commands to copy, with the prompt, model, judge, seeds and settings of the run filled in."""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from made_explanations import explanation

from dominance.cli.app import make_app
from dominance.judges.options import Asking
from dominance.metrics import rate
from dominance.models.drawing import Drawing
from dominance.records import Answer, Concept, Identity, JudgeWarning, Prompt, PromptResult, Question, RunResult
from dominance.report.mitigation.steps import after_mitigate
from dominance.report.parts import next_steps, suite_steps
from dominance.report.parts.next_steps import NextStep
from dominance.run_settings import RunSettings
from dominance.runs.ablation.options import AblationOptions
from dominance.runs.audit.options import AuditOptions
from dominance.runs.diversity.options import DiversityOptions
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.judge_check.options import JudgeCheckOptions
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.risk.options import PreflightOptions
from dominance.runs.stages.scoring import score_image, score_prompt
from dominance.runs.store.repeat import Repeat
from golden import Golden, one_a_case

PROMPT = Prompt("p", "it's a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))
REWORDED = replace(PROMPT, id="q", text="a mug beside a tower", concepts=PROMPT.concepts[::-1])
SETTINGS = RunSettings(seeds=(0, 1, 2, 3), steps=25, guidance=7.5, dtype="float32", judge_mode="fast", questions="ours")
FOREIGN = JudgeWarning("another world", "the judge was made for others")
YES = JudgeWarning("always yes", "the judge says yes to everything")
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b")


def judged(letters: str, prompt: Prompt = PROMPT, seeded: bool = True) -> PromptResult:
    """A letter an image: tower alone, both, none, or unscored."""
    shows = {"t": {"tower": True, "mug": False}, "b": {"tower": True, "mug": True}, "n": {}, "?": None}
    images = []
    for seed, letter in enumerate(letters):
        yes = shows[letter]
        answers = [
            Answer(Question(concept.name, "Is it there?", 1), None if yes is None else yes.get(concept.name, False))
            for concept in prompt.concepts
        ]
        name = str(seed) if seeded else f"{seed}.jpg"
        images.append(score_image(prompt, name, f"{seed}.png", answers, seed=seed if seeded else None))
    return score_prompt(prompt, images)


def run(*prompts: PromptResult, folder: Path | str = "runs/none", **changes: Any) -> RunResult:
    made = RunResult(str(folder), "one", "miniature", "miniature", SETTINGS, prompts, (), None, {})
    return replace(made, **changes)


def repeated(folder: Path, command: str, options: object, **arguments: object) -> Path:
    """A folder with the run.yaml of such a call."""
    folder.mkdir(parents=True)
    Repeat(command, arguments, options).keep(folder)
    return folder


def any_of(**fields: object) -> Any:
    """A result that has only what the line is made from."""
    return cast(Any, SimpleNamespace(**fields))


def audits(tmp_path: Path) -> dict[str, tuple[NextStep, ...]]:
    drawing = Drawing(
        seeds=(0, 1, 2, 3),
        preset="paper-sd14",
        revision="main",
        adapters=("acme.safetensors:0.8", "b"),
        vae_tiling=True,
        negative_prompt="a fog",
    )
    options = AuditOptions(drawing=drawing, asking=Asking(judge_mode="official"))
    own = repeated(tmp_path / "own", "audit", options, suite="my suite.yaml", model="owner/name", judge="blip:x")
    python = repeated(tmp_path / "python", "audit", AuditOptions(), suite="s.yaml", model=object(), judge="miniature")
    unnamed = Prompt("p", "a tall building", PROMPT.concepts)
    avoiding = replace(PROMPT, negative_prompt="rain")
    after = next_steps.after_audit
    return {
        "audit": after(run(judged("ttbb"))),
        "audit with options": after(run(judged("tbtt"), folder=own, model="owner/name", judge="blip:x")),
        "audit with another wording": after(run(judged("ttbt"), judged("bbbt", REWORDED))),
        "audit with a negative prompt of its own": after(run(judged("tttt", avoiding))),
        "audit without loss": after(run(judged("bb"))),
        "audit with an unfit judge": after(run(judged("bt"), judge_warnings=(FOREIGN,))),
        "audit with a judge of one answer": after(run(judged("bt"), judge_warnings=(YES,))),
        "audit with labels that all say yes": after(run(judged("bt"), judge_warnings=(replace(YES, unfit=False),))),
        "audit unscored": after(run(judged("??"))),
        "audit unscored, repeatable": after(run(judged("??"), folder=own)),
        "audit of one's own pipeline": after(run(judged("tb"), folder=python, model="StableDiffusionPipeline")),
        "audit with labels for a judge": after(run(judged("tb"), judge="answers:labels.csv")),
        "audit whose text names no concept": after(run(judged("tb", unnamed))),
        "score": after(run(judged("ttb", seeded=False), model="images in folder")),
    }


def explanations(tmp_path: Path) -> dict[str, tuple[NextStep, ...]]:
    options = ExplainOptions(drawing=Drawing(steps=4))
    folder = repeated(tmp_path / "explained", "explain", options, prompt="x", model="owner/name", judge="miniature")
    both, after = ({"tower": 5, "mug": 5},) * 2, next_steps.after_explain
    return {
        "explain": after(explanation(), tmp_path),
        "explain with an unfit judge": after(replace(explanation(), judge_warnings=(FOREIGN,)), tmp_path),
        "explain, nothing collapses": after(explanation(yes=both), tmp_path),
        "explain, not judged": after(explanation(judge=None), tmp_path),
        "explain with options": after(explanation(), folder),
    }


def ablations(tmp_path: Path) -> dict[str, tuple[NextStep, ...]]:
    folder = repeated(
        tmp_path / "ab", "ablate", AblationOptions(), suite="some suite", model="owner/name", judge="blip:x"
    )
    ablation = any_of(run=str(folder), model="owner/name", judge="blip:x", edit="ablate", settings={},
                      unedited=any_of(collapsed=any_of(count=2)), prompts=[any_of(mitigating=((9, 1),))],
                      sweeps=[any_of(sweep="heads")], judge_warnings=())  # fmt: skip
    given = vars(ablation)
    return {
        "ablate": next_steps.after_ablate(ablation),
        "ablate with an unfit judge": next_steps.after_ablate(any_of(**given | {"judge_warnings": (FOREIGN,)})),
        "ablate, heads together": next_steps.after_ablate(any_of(**given | {"sweeps": [any_of(sweep="multi")]})),
        "ablate, equal attention": next_steps.after_ablate(any_of(**given | {"edit": "rebalance"})),
        "ablate, nothing collapses": next_steps.after_ablate(
            any_of(**given | {"unedited": any_of(collapsed=any_of(count=0))})
        ),
    }


def repairs(tmp_path: Path) -> dict[str, tuple[NextStep, ...]]:
    options = MitigateOptions(methods=("regions", "overlap"), drawing=Drawing(seeds=(0, 1)))
    folder = repeated(tmp_path / "repair", "mitigate", options, suite="s.yaml", model="owner/name", judge="blip:x")
    method = {"method": "regions", "pairs": 2, "change": -40.0, "dvd_before": 60.0, "harmed": any_of(count=1)}
    given = {"run": str(folder), "model": "owner/name", "judge": "blip:x", "settings": {}, "judge_warnings": (),
             "only_failing": False, "steered": lambda row: 20, "identities": {},
             "methods": [any_of(method="regions"), any_of(method="overlap")]}  # fmt: skip

    def after(more: dict[str, object] | None = None, **row: object) -> tuple[NextStep, ...]:
        best = any_of(**method | row)
        return after_mitigate(any_of(**given | {"rows": [best], "best": best} | (more or {})))

    return {
        "mitigate": after(),
        "mitigate, nothing harmed": after(harmed=any_of(count=0)),
        "mitigate, nothing gained": after(change=0.0),
        "mitigate, nothing to repair": after(change=0.0, dvd_before=0.0, repaired=any_of(count=0, n=0)),
        "mitigate, only what fails": after({"only_failing": True}),
        "mitigate, unscored": after(pairs=0),
        "mitigate with an unfit judge": after({"judge_warnings": (FOREIGN,)}),
    }


def others(tmp_path: Path) -> dict[str, tuple[NextStep, ...]]:
    high, low, asked = any_of(risk="high"), any_of(risk="low"), PreflightOptions(drawing=Drawing(steps=5))
    unknown = any_of(risk="uncalibrated", fitted=False, dominating="tower")
    audited = repeated(tmp_path / "run", "audit", AuditOptions(), suite="s.yaml", model="owner/name", judge="x")
    checks = {
        name: str(repeated(tmp_path / name, "judge check", JudgeCheckOptions(), judge="blip:my judge", **given))
        for name, given in {
            "drawn": {"suite": "miniature"},
            "run images": {"images": (str(audited),), "suite": "miniature"},
            "folder images": {"images": ("pictures",), "suite": "s.yaml"},
        }.items()
    }

    def check(folder: str, trust: str = "good", *warnings: JudgeWarning) -> tuple[NextStep, ...]:
        judges = [any_of(trust=trust, name="blip:my judge")]
        return next_steps.after_judge_check(any_of(run=folder, judges=judges, judge_warnings=warnings))

    def kept(*warnings: JudgeWarning, entries: tuple[int, ...] = (1,)) -> Any:
        made = {"run": "runs/bench", "model": "owner/name", "judge": "miniature", "settings": SETTINGS}
        return any_of(entries=entries, run=any_of(**made, judge_warnings=warnings))

    def fitted(*warnings: JudgeWarning) -> Any:
        return any_of(calibration=any_of(model="owner/name"), judge_warnings=warnings)

    measured = repeated(tmp_path / "div", "diversity", DiversityOptions(), source="pictures", embedder="miniature")
    concepts = {
        word: any_of(run=str(measured), concepts=[any_of(verdict=word, images=4)])
        for word in ("varied", "uniform", None)
    }
    memorized = any_of(run=str(audited), model="owner/name", settings={})
    rule = audited / "calibration.json"
    return {
        "preflight": next_steps.after_preflight([high], "a [tower] and a [mug]", "miniature", asked),
        "preflight of a suite": next_steps.after_preflight([high, high, low], "my suite.yaml", "owner/name", asked),
        "preflight, no rule": next_steps.after_preflight([unknown] * 4, "suite.yaml", "owner/name", PreflightOptions()),
        "preflight, no rule, one prompt": next_steps.after_preflight(
            [unknown], "a [tower] and a [mug]", "owner/name", PreflightOptions()
        ),
        "preflight, no brackets": next_steps.after_preflight(
            [any_of(risk="uncalibrated", fitted=True)], "a tower and a mug", "miniature", PreflightOptions()
        ),
        "preflight of a list": next_steps.after_preflight(
            [high], "parti.tsv", "miniature", PreflightOptions(concepts="coco")
        ),
        "suite make": suite_steps.after_suite_make(Path("my campaign.yaml")),
        "suite check": suite_steps.after_suite_check(any_of(source="parti.tsv", words="coco", looked_up=3, model=None)),
        "preflight, no risk": next_steps.after_preflight([low], "suite.yaml", "miniature", PreflightOptions()),
        "calibrate": next_steps.after_calibrate(audited, fitted(), rule),
        "calibrate, an older run": next_steps.after_calibrate(tmp_path / "old", fitted(), rule),
        "calibrate on the verdicts of an unfit judge": next_steps.after_calibrate(audited, fitted(FOREIGN), rule),
        "judge check, drawn": check(checks["drawn"]),
        "judge check of a run": check(checks["run images"]),
        "judge check of a folder": check(checks["folder images"]),
        "judge check, not good": check(checks["drawn"], "none"),
        "judge check of an unfit judge": check(checks["run images"], "good", FOREIGN),
        "diversity": next_steps.after_diversity(concepts["varied"]),
        "diversity, uniform": next_steps.after_diversity(concepts["uniform"]),
        "diversity, no verdict": next_steps.after_diversity(concepts[None]),
        "diversity, another world": next_steps.after_diversity(
            any_of(run=str(measured), concepts=[any_of(verdict=None, images=40)])
        ),
        "memorization": next_steps.after_memorization(memorized),
        "bench build": next_steps.after_bench(kept()),
        "bench build with an unfit judge": next_steps.after_bench(kept(FOREIGN)),
        "bench build, nothing kept": next_steps.after_bench(kept(entries=())),
    }


def all_of_them(tmp_path: Path) -> dict[str, tuple[NextStep, ...]]:
    return audits(tmp_path) | explanations(tmp_path) | ablations(tmp_path) | repairs(tmp_path) | others(tmp_path)


def test_the_next_steps_of_every_command(golden: Golden, tmp_path: Path) -> None:
    said = {
        f"{case}{'' if place == 0 else f', {place + 1}'}": str(step).replace(str(tmp_path), "runs")
        for case, steps in all_of_them(tmp_path).items()
        for place, step in enumerate(steps)
    }
    assert all("\n" not in line for line in said.values())
    golden("report/next-steps", one_a_case(said))


def test_every_command_can_be_given_as_it_stands(tmp_path: Path) -> None:
    for case, steps in all_of_them(tmp_path).items():
        assert steps, case
        for step in steps:
            if step.command is not None:
                first, *tokens = shlex.split(step.command)
                assert first == "dominance"
                make_app().parse_args(tokens)
                assert not PLACEHOLDER.search(step.command), step.command


def test_a_value_of_0_is_kept_and_a_default_is_not(tmp_path: Path) -> None:
    options = AuditOptions(drawing=Drawing(guidance=0.0, dtype="float32"))
    folder = repeated(tmp_path / "zero", "audit", options, suite="s.yaml", model="miniature", judge="miniature")
    first, *_ = next_steps.after_audit(run(judged("tt"), folder=folder))
    assert first.command is not None
    assert first.command.endswith("--seeds 2 --guidance 0.0")


def test_after_a_run_with_an_adapter_it_is_said_where_its_identity_is_measured(tmp_path: Path) -> None:
    options = AuditOptions(drawing=Drawing(adapters=("brand.safetensors",)))
    folder = repeated(tmp_path / "adapted", "audit", options, suite="s.yaml", model="owner/name", judge="miniature")
    found = Identity("brand", None, None, None, None, None, None, rate(1, 4))
    said = "audit with the same --adapter and --taught"
    assert said in next_steps.after_audit(run(judged("tt"), folder=folder))[-1].why
    for other in (run(judged("tt"), folder=folder, identity=found), run(judged("tt"))):
        assert not any(said in step.why for step in next_steps.after_audit(other))


def test_new_seeds_are_none_of_the_old_ones() -> None:
    assert next_steps.fresh_seeds((3, 5)) == [6, 7]
    assert next_steps.fresh_seeds((1, 2**63 - 1), 3) == [0, 2, 3]


def test_they_are_printed_for_people_and_not_with_json(command: Callable[..., Any], tiny_model: Path) -> None:
    arguments = ("preflight", "miniature", "--limit", 4, "--model", tiny_model, "--steps", 2)
    printed = command(*arguments)
    audit, calibrate = printed.out.splitlines()[-2:]
    assert audit.startswith("next: no rule has been fitted to this model; audit prompts that name two concepts, ")
    assert "--steps 2" in audit
    assert calibrate.startswith("next: then fit the rule, and give --calibration risk.json: dominance calibrate runs/")
    assert "next:" not in (quiet := command(*arguments, "--json")).out + quiet.err

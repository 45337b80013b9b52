"""Explains a prompt: draws its images while recording attention, then judges them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from dominance.errors import InputError, ItemError, ModelError
from dominance.judges.protocol import Judge
from dominance.probes.recording import AttentionRecord, record_attention
from dominance.progress import Progress
from dominance.records import Answer, Concept, JudgeWarning, Prompt, PromptResult, Question, ScoredImage
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.explanation.plan import RecordingPlan, plan_recording
from dominance.runs.explanation.result import ConceptMaps, Explanation, is_papers_unet
from dominance.runs.risk.options import PreflightOptions
from dominance.runs.risk.preflight import Preflight, has_rule, predict, uncalibrated
from dominance.runs.stages.drawing import in_halves
from dominance.runs.stages.judge_fit import of_model, warn, world_warnings
from dominance.runs.stages.judging import described_judge, judge_for
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.one_answer import warnings_of
from dominance.runs.stages.scoring import score_image, score_prompt
from dominance.runs.store.manifest import environment
from dominance.suites import load_questions
from dominance.suites.brackets import parse_prompt
from dominance.suites.entries import slug
from dominance.wording import quoted

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.source import ModelSource


def explain(
    prompt: str | Prompt,
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge | None = "miniature",
    options: ExplainOptions | None = None,
    ready: "Callable[[ModelSource, Judge | None], None]" = lambda *_: None,
) -> Explanation:
    """Draws a prompt and records what the model attends to; to write files, see ``write_explanation``.

    Args:
        prompt: the text, with its concepts in brackets.
        model: ``miniature``, a diffusers folder, a hub id, or your own pipeline.
        judge: a judge's name, the judge itself, or None (or ``none``) for no verdicts.
        ready: called with the model and the judge before anything is drawn; may refuse them.

    Raises:
        InputError: the prompt marks no concept, does not name one as marked, or has a single token; or a layer, a step,
            the model, the judge or an option cannot be used.

    >>> explain("a [tower:landmark] and a [mug]").focus.shape  # doctest: +SKIP
    torch.Size([4, 25, 16])
    """
    options = options or ExplainOptions()
    marked = read_marked(prompt) if isinstance(prompt, str) else prompt
    if not marked.concepts:
        raise InputError(_unmarked(marked.text))
    asked, seen_by = _judge_of(marked, judge, options)
    opened = RunModel(model, options.drawing, options.machine, [marked])
    ready(opened.source, seen_by)
    plan = plan_recording(opened, marked, options)
    foreign = () if seen_by is None else world_warnings(seen_by, opened.source.world, of_model(opened.source.name))
    warn(foreign)
    risk = _risk(opened, marked, options)
    drawn = _draw(opened, marked, plan, options.seeds)
    if all(image.attention is None for image in drawn.values()):
        raise ModelError(f"no image could be made: {next(iter(drawn.values())).picture}")
    result = _judged(marked, drawn, asked, seen_by)
    one_answer = () if seen_by is None else warnings_of(seen_by, asked, result, _pictures(drawn).values())
    return _explanation(opened, plan, drawn, result, seen_by, risk, (*foreign, *one_answer))


def read_marked(text: str) -> Prompt:
    """The prompt of a bracketed text.

    Raises:
        InputError: the text marks no concept, or its brackets are wrong.
    """
    if "[" not in text and "]" not in text:
        raise InputError(_unmarked(text))
    prompt = parse_prompt(text, slug(text))
    return replace(prompt, id=slug(prompt.text))


def _unmarked(text: str) -> str:
    return (
        f"{quoted(text)} marks no concept; mark at least one concept in brackets, such as 'a [tower:landmark] and a"
        " [mug]'"
    )


def _risk(opened: RunModel, prompt: Prompt, options: ExplainOptions) -> Preflight | None:
    """What ``dominance preflight`` says of the prompt, by the same rule and with as many noises; None if nothing.

    The seeds of the images make no difference: a few noises say little.

    Raises:
        InputError: the given calibration cannot be used.
    """
    asked = PreflightOptions(
        calibration=options.calibration, drawing=replace(options.drawing, seeds=None), machine=options.machine
    )
    if not has_rule(opened.source, asked):
        return uncalibrated(prompt)
    (found,) = predict(opened, [prompt], asked, told=True)
    return found if found.problem is None else None


@dataclass(frozen=True, eq=False)
class _Drawn:
    """One image, or why there is none; with attention and maps if the model ran."""

    picture: Image.Image | ItemError
    attention: Float[Tensor, "step layer token"] | None = None
    maps: Float[Tensor, "step concept row column"] | None = None


def _draw(opened: RunModel, prompt: Prompt, plan: RecordingPlan, seeds: Sequence[int]) -> dict[int, _Drawn]:
    """Draws all seeds in batches; a batch that does not fit into memory is halved."""
    model, settings, batch = opened(), opened.settings.of(prompt), opened.batches().size

    def act(part: Sequence[int]) -> list[_Drawn]:
        with record_attention(
            model.pipeline,
            [site.layer for site in plan.sites],
            maps=[concept.name for concept in prompt.concepts],
            map_layers=plan.maps_layers,
            map_steps=plan.maps_steps,
            columns="prompt",
        ) as record:
            made = model.generate([prompt.text] * len(part), part, settings)
        attention, maps = _attention_of(record, plan), _maps_of(record, plan)
        return [_Drawn(*each) for each in zip(made, attention, maps, strict=True)]

    drawn: dict[int, _Drawn] = {}
    with Progress("images", total=len(seeds), each="an image") as progress:
        for start in range(0, len(seeds), batch):
            part = seeds[start : start + batch]
            for seed, outcome in zip(part, in_halves(act, part), strict=True):
                drawn[seed] = _Drawn(outcome) if isinstance(outcome, ItemError) else outcome
            progress.advance(len(part))
    return drawn


def _attention_of(record: AttentionRecord, plan: RecordingPlan) -> Float[Tensor, "image step layer token"]:
    columns = list(plan.tokens.indices)
    steps = [
        torch.stack([record.attention(layer, step)[..., columns].mean(dim=1) for layer in record.layers], dim=1)
        for step in record.steps
    ]
    return torch.stack(steps, dim=1).cpu()


def _maps_of(record: AttentionRecord, plan: RecordingPlan) -> Float[Tensor, "image step concept row column"]:
    """Maps averaged over layers, after enlarging coarser ones to the finest grid."""
    last = max(record.steps)
    beyond = [step for step in plan.maps_steps if step > last]
    if beyond:
        raise InputError(
            f"maps of step {beyond[0]} are impossible: the model made {last + 1} steps; give --maps-steps up to {last}"
        )
    kept = []
    for step in plan.maps_steps:
        for names in plan.groups:
            found = [
                torch.stack([record.map(layer, step, name) for name in names]).mean(dim=0) for layer in plan.maps_layers
            ]
            finest = max(found, key=lambda layer_map: layer_map.shape[-1] * layer_map.shape[-2])
            kept.append(
                torch.stack([_enlarged(layer_map, finest.shape[-2], finest.shape[-1]) for layer_map in found]).mean(
                    dim=0
                )
            )
    return torch.stack(kept, dim=1).unflatten(1, (len(plan.maps_steps), len(plan.places))).cpu()


def _enlarged(
    values: Float[Tensor, "image row column"], rows: int, columns: int
) -> Float[Tensor, "image finer_row finer_column"]:
    if values.shape[-2:] == (rows, columns):
        return values
    return F.interpolate(values[:, None], (rows, columns), mode="bilinear", align_corners=False)[:, 0]


def _judge_of(
    prompt: Prompt, judge: str | Judge | None, options: ExplainOptions
) -> tuple[dict[Concept, tuple[Question, ...]], Judge | None]:
    if judge is None or judge == "none":
        return {}, None
    questions = load_questions(options.asking.questions)
    asked = {concept: questions.ask(concept) for concept in prompt.concepts}
    try:
        return asked, judge_for(asked, judge, options.machine.device, options.asking)
    except ModelError as error:
        raise ModelError(f"{error}; or give --judge none to explain without verdicts") from None


def _pictures(drawn: dict[int, _Drawn]) -> dict[int, Image.Image]:
    """The images that could be made, by seed."""
    return {seed: image.picture for seed, image in drawn.items() if isinstance(image.picture, Image.Image)}


def _judged(
    prompt: Prompt, drawn: dict[int, _Drawn], asked: dict[Concept, tuple[Question, ...]], judge: Judge | None
) -> PromptResult:
    """Every image with its verdict, if there is a judge."""
    pictures = _pictures(drawn)
    answers: dict[int, Sequence[Answer] | ItemError] = {}
    if judge is not None:
        questions = tuple(question for concept in prompt.concepts for question in asked[concept])
        answers = _asked(judge, pictures, questions)
    images: list[ScoredImage] = []
    for seed, image in drawn.items():
        file = f"images/{seed}.png" if seed in pictures else None
        given = answers.get(seed, ())
        problem = next((str(each) for each in (given, image.picture) if isinstance(each, ItemError)), None)
        if judge is None and problem is None:
            problem = "no judge was asked"
        images.append(
            score_image(prompt, str(seed), file, () if isinstance(given, ItemError) else given, problem, seed)
        )
    return score_prompt(prompt, images)


def _asked(
    judge: Judge, pictures: dict[int, Image.Image], questions: tuple[Question, ...]
) -> dict[int, Sequence[Answer] | ItemError]:
    def act(part: Sequence[int]) -> list[tuple[Answer, ...] | ItemError]:
        given = judge.answer([pictures[seed] for seed in part], [questions] * len(part))
        return [
            answers
            if len(answers) == len(questions)
            else ItemError(f"the judge gave {len(answers)} of {len(questions)} answers")
            for answers in given
        ]

    seeds = list(pictures)
    return dict(zip(seeds, in_halves(act, seeds), strict=True)) if seeds else {}


def _explanation(
    opened: RunModel,
    plan: RecordingPlan,
    drawn: dict[int, _Drawn],
    result: PromptResult,
    judge: Judge | None,
    risk: Preflight | None,
    warnings: tuple[JudgeWarning, ...],
) -> Explanation:
    """All that was recorded and seen, together."""
    recorded = {seed: image for seed, image in drawn.items() if image.attention is not None}
    settings: dict[str, object] = {"seeds": list(drawn), **opened.settings.record()}
    return Explanation(
        prompt=result.prompt,
        model=opened.source.name,
        identity=opened.source.identity,
        judge=None if judge is None else judge.name,
        seeds=tuple(recorded),
        tokens=plan.texts,
        places=plan.places,
        sites=plan.sites,
        model_layers=len(plan.all_sites),
        follows_paper=is_papers_unet(plan.all_sites),
        attention=torch.stack([image.attention for image in recorded.values() if image.attention is not None]),
        maps=ConceptMaps(
            plan.maps_layers,
            plan.maps_steps,
            torch.stack([image.maps for image in recorded.values() if image.maps is not None]),
        ),
        pictures=_pictures(drawn),
        result=result,
        settings=settings,
        manifest=_manifest(opened, judge, settings),
        judge_warnings=warnings,
        alike=plan.alike,
        notes=plan.notes,
        risk=risk,
    )


def _manifest(opened: RunModel, judge: Judge | None, settings: dict[str, object]) -> dict[str, object]:
    return {
        **opened.manifest(),
        "judge": None if judge is None else described_judge(judge),
        "settings": settings,
        **environment(),
    }

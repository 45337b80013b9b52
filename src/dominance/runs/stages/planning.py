"""The plan of a run whose images a model draws, and a judge looks at."""

from collections.abc import Mapping

from dominance.judges.protocol import Judge
from dominance.models.source import ModelSource
from dominance.records import Concept, Question, Suite
from dominance.run_settings import RunSettings
from dominance.runs.stages.judge_fit import OPEN_WORLD, of_model, world_warnings
from dominance.runs.stages.judging import questions_of
from dominance.runs.store.plan import MeasuringPlan, Plan, PlannedImage, TaughtPlan


def plan_drawing(
    suite: Suite,
    source: ModelSource,
    judge: Judge,
    asked: Mapping[Concept, tuple[Question, ...]],
    *,
    images: tuple[PlannedImage, ...],
    settings: RunSettings,
    origin: str,
    taught: TaughtPlan | None = None,
    measuring: MeasuringPlan | None = None,
) -> Plan:
    """The plan, with the judge's own questions if it has any, and a warning if it was made for other pictures.

    Args:
        asked: the question set's questions about each concept.
        images, settings, origin, taught, measuring: as in ``Plan``.
    """
    return Plan(
        suite=suite,
        model=source.name,
        judge=judge.name,
        judge_identity=judge.identity,
        questions=questions_of(judge, asked),
        images=images,
        settings=settings,
        origin=origin,
        world=source.world or OPEN_WORLD,
        judge_warnings=world_warnings(judge, source.world, of_model(source.name)),
        model_identity=source.identity,
        taught=taught,
        measuring=measuring,
    )

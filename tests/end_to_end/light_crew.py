"""Draws and judges a plan by two workers, whose model and judge cost next to nothing.

    light_crew.py FOLDER ENGINE [SECONDS]

ENGINE is ``none``, for one process alone, or that of the workers; SECONDS are for an image. All but model and judge is
what every command does.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "fixtures"))

from light_work import PLAN, SETTINGS, LightDrawer, LightJudge, LightModel, opinion

from dominance.judges.options import Asking
from dominance.models.drawing import Machine
from dominance.runs.engines.choice import at_work, crew_of
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import Elsewhere, make_images, missing_images
from dominance.runs.stages.elsewhere import DrawingWork
from dominance.runs.stages.judging import ask_judge, judge_of, unanswered
from dominance.runs.store.folder import held
from dominance.runs.store.ledger import Ledger


def main(folder: Path, engine: str, seconds: float = 0.01) -> None:
    """Ends the plan, or what is missing of it."""
    machine = Machine("cpu") if engine == "none" else Machine("cpu", engine=engine, workers=2)
    crew = crew_of(machine)
    judge = judge_of(LightJudge(opinion), "cpu", Asking(), crew)
    model = LightModel(seconds)
    drawn_by = model if crew is None else Elsewhere(crew, DrawingWork(LightDrawer(model)))
    with held(folder), Ledger(folder / "run.sqlite") as ledger, at_work(crew):
        missing = missing_images(PLAN.images, ledger, folder)
        make_images(missing, drawn_by, SETTINGS, ledger, folder, BatchSize(2))
        ask_judge(unanswered(PLAN, ledger, folder), PLAN, judge, ledger, 2, crew)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:]))

"""Workers on this machine: they draw and judge as one process does, and their ends cost nothing but time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from light_work import LightDrawer, LightJudge, LightModel, opinion
from PIL import Image

from dominance.errors import ModelError, RunError
from dominance.judges.options import Asking
from dominance.judges.protocol import JudgeStoppedError, ScriptedJudge
from dominance.models.drawing import Machine
from dominance.models.settings import GenerationSettings
from dominance.records import Answer
from dominance.runs.engines.choice import crew_of
from dominance.runs.engines.crew import Crew
from dominance.runs.engines.local import LocalPlace, LocalWorker, environments
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import Elsewhere, make_images
from dominance.runs.stages.elsewhere import DrawingWork
from dominance.runs.stages.judging import ask_judge, asked_by, judge_of, unanswered
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, plan_images

TWO = Machine("cpu", workers=2)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Two workers that all tests share."""
    crew = crew_of(TWO)
    assert crew is not None
    with crew:
        yield crew


@pytest.fixture
def whole(plan: Plan, settings: GenerationSettings) -> Plan:
    """Two prompts, eight seeds."""
    return replace(plan, images=plan_images(plan.suite, range(8), "light", settings))


def draw(crew: Crew, drawer: LightDrawer, plan: Plan, ledger: Ledger, folder: Path, batch: int = 4) -> None:
    settings = GenerationSettings(steps=2, guidance=3.0)
    make_images(plan.images, Elsewhere(crew, DrawingWork(drawer)), settings, ledger, folder, BatchSize(batch))


def pids(log: Path) -> list[tuple[int, int]]:
    return [(int(pid), int(size)) for pid, size in map(str.split, log.read_text().splitlines())]


def test_two_workers_draw_and_judge_what_one_process_does(
    crew: Crew, whole: Plan, settings: GenerationSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[Any] = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        log = tmp_path / f"{name}.log"
        model = LightModel(0.02, log=log)
        with Ledger(folder / "run.sqlite") as ledger:
            if name == "one":
                judge = judge_of(LightJudge(opinion), "cpu", Asking())
                make_images(whole.images, model, settings, ledger, folder, BatchSize(4))
                ask_judge(unanswered(whole, ledger, folder), whole, judge, ledger, 3)
            else:
                judge = judge_of(LightJudge(opinion), "cpu", Asking(), crew)
                draw(crew, LightDrawer(model), whole, ledger, folder)
                ask_judge(unanswered(whole, ledger, folder), whole, judge, ledger, 3, crew)
            files = {path.name: path.read_bytes() for path in folder.glob("images/*/*")}
            found.append((ledger.images(), ledger.answers("scripted"), ledger.failures(), files))
    assert found[0] == found[1]
    assert len(found[0][3]) == 16
    assert {pid for pid, _ in pids(tmp_path / "one.log")} == {os.getpid()}
    workers = {pid for pid, _ in pids(tmp_path / "two.log")}
    assert workers
    assert os.getpid() not in workers
    assert "2 workers: " in capsys.readouterr().err


def test_memory_that_runs_out_in_a_worker_halves_the_batches_of_all(
    crew: Crew, whole: Plan, ledger: Ledger, run_folder: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    draw(crew, LightDrawer(LightModel(fits=2, log=log)), whole, ledger, run_folder, batch=8)
    sizes = [size for _, size in pids(log)]
    assert sizes.count(8) <= 2  # both workers may have begun with one
    assert (sizes.count(2), max(sizes)) == (8, 8)
    assert (len(ledger.images()), ledger.failures()) == (16, {})


def test_the_image_that_kills_its_workers_fails_alone(
    crew: Crew, whole: Plan, ledger: Ledger, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = replace(whole, images=whole.images[:8])
    draw(crew, LightDrawer(LightModel(deadly=5)), alone, ledger, run_folder)
    (deadly,) = [image for image in alone.images if image.seed == 5]
    assert ledger.failures() == {
        deadly.item: "every worker that drew this image was killed by SIGKILL, as when memory runs out"
    }
    assert len(ledger.images()) == 7
    assert "was killed by SIGKILL, as when memory runs out; its 4 images will be done by another" in (
        capsys.readouterr().err
    )


def test_an_image_that_cannot_be_drawn_fails_alone(crew: Crew, whole: Plan, ledger: Ledger, run_folder: Path) -> None:
    draw(crew, LightDrawer(LightModel(broken=3)), whole, ledger, run_folder)
    assert list(ledger.failures().values()) == ["ValueError: no such colour"] * 2
    assert len(ledger.images()) == 14


@pytest.mark.parametrize(
    ("fails", "error", "said"),
    [
        ("refused", ModelError, "does not fit in the memory of this worker"),
        ("killed", RunError, "3 workers in a row ended while they loaded, the last was killed by SIGKILL"),
        ("a fault", RuntimeError, "(?s)in a worker: Traceback.*KeyError: 'weights'"),
    ],
)
def test_a_model_that_workers_cannot_load_ends_the_run(
    fails: str, error: type[Exception], said: str, crew: Crew, plan: Plan, ledger: Ledger, run_folder: Path
) -> None:
    with pytest.raises(error, match=said):
        draw(crew, LightDrawer(fails=fails), plan, ledger, run_folder)
    draw(crew, LightDrawer(), plan, ledger, run_folder)  # the crew is of use afterwards
    assert len(ledger.images()) == 6


def test_workers_load_a_model_once_and_are_there_for_the_next_images(
    crew: Crew, whole: Plan, ledger: Ledger, run_folder: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    for start in range(0, 16, 4):
        part = replace(whole, images=whole.images[start : start + 4])
        draw(crew, LightDrawer(LightModel(0.05, log=log)), part, ledger, run_folder, batch=2)
    assert 1 <= len({pid for pid, _ in pids(log)}) <= 2
    crew.forget()
    draw(crew, LightDrawer(LightModel(log=log)), replace(whole, images=whole.images[:2]), ledger, run_folder)
    assert 1 <= len({pid for pid, _ in pids(log)}) <= 2


def test_what_a_worker_still_loads_when_all_is_let_go_of_is_loaded_again(
    crew: Crew, whole: Plan, ledger: Ledger, run_folder: Path, tmp_path: Path
) -> None:
    """One worker has done everything before the other has loaded; later both take part."""
    log, first = tmp_path / "log", tmp_path / "first"
    slow = LightDrawer(LightModel(0.02, log=log), first=first)
    draw(crew, slow, replace(whole, images=whole.images[:4]), ledger, run_folder, batch=2)
    crew.forget()
    draw(crew, LightDrawer(LightModel(0.5)), replace(whole, images=whole.images[4:8]), ledger, run_folder, batch=1)
    draw(crew, slow, replace(whole, images=whole.images[8:]), ledger, run_folder, batch=1)
    assert (len(ledger.images()), ledger.failures()) == (16, {})


def test_a_worker_takes_the_device_of_the_one_that_is_gone() -> None:
    place = LocalPlace(TWO)
    place._environments = [{"DEVICE": "0"}, {"DEVICE": "1"}]
    one, two = place.start(1), place.start(2)
    try:
        assert [environment_of(worker) for worker in (one, two)] == ["0", "1"]
        two.stop()
        two = place.start(3)
        assert environment_of(two) == "1"
    finally:
        one.stop()
        two.stop()


def environment_of(worker: LocalWorker) -> str:
    """The device that its process was started with."""
    until = time.monotonic() + 60
    while time.monotonic() < until:  # the system shows it a moment after the start
        told = Path(f"/proc/{worker.process.pid}/environ").read_bytes().split(b"\0")
        for line in told:
            if line.startswith(b"DEVICE="):
                return line.decode().removeprefix("DEVICE=")
        time.sleep(0.01)
    raise TimeoutError


def test_a_worker_asks_the_judge_about_other_pictures_as_this_process_would(crew: Crew, plan: Plan) -> None:
    judge = judge_of(LightJudge(opinion), "cpu", Asking(), crew)
    pictures = LightModel().generate(["a", "b"], [1, 2], GenerationSettings(2, 3.0))
    asked = [tuple(questions) for questions in list(plan.questions.values())[:2]]
    assert asked_by(crew, judge).answer(pictures, asked) == judge.answer(pictures, asked)
    assert asked_by(None, judge) is judge


class ListingJudge(LightJudge):
    """Gives lists, as a judge of somebody's own may."""

    def answer(self, images: Any, questions: Any) -> Any:
        return [list(answers) for answers in super().answer(images, questions)]


def test_answers_in_lists_are_kept_as_by_one_process(crew: Crew, plan: Plan, ledger: Ledger, run_folder: Path) -> None:
    judge = judge_of(ListingJudge(opinion), "cpu", Asking(), crew)
    draw(crew, LightDrawer(), plan, ledger, run_folder)
    ask_judge(unanswered(plan, ledger, run_folder), plan, judge, ledger, 2, crew)
    assert (len(ledger.answers("scripted")), ledger.failures()) == (6, {})


class StoppingJudge(LightJudge):
    """Answers about two images of a batch, and then no more."""

    def answer(self, images: Any, questions: Any) -> Any:
        given = super().answer(images, questions)
        missing = [tuple(Answer(q, None, None, "not asked") for q in asked) for asked in questions]
        raise JudgeStoppedError("the judge is gone", [*given[:2], *missing[2:]])


def test_what_a_judge_answered_before_it_stopped_is_kept(
    crew: Crew, plan: Plan, ledger: Ledger, run_folder: Path
) -> None:
    judge = judge_of(StoppingJudge(opinion), "cpu", Asking(), crew)
    draw(crew, LightDrawer(), plan, ledger, run_folder)
    waiting = unanswered(plan, ledger, run_folder)
    with pytest.raises(JudgeStoppedError, match="the judge is gone"):
        ask_judge(waiting, plan, judge, ledger, 3, crew)
    asked = {item: len(questions) for item, _, questions in waiting}
    whole = {item for item, given in ledger.answers("scripted").items() if len(given) == asked[item]}
    assert len(whole) in (2, 4)  # of the first batch, and of the second if another worker had begun it
    assert set(ledger.failures().values()) == {"not asked"}
    assert {item for item, _, _ in unanswered(plan, ledger, run_folder)} == {item for item, _, _ in waiting} - whole


class HalvingJudge(LightJudge):
    """Cannot be given more than two images, and is wrong for every image after its first answers."""

    def answer(self, images: Any, questions: Any) -> Any:
        if len(images) > 2:
            raise MemoryError
        if hasattr(type(self), "answered"):
            raise ModelError("no more of this")
        type(self).answered = True
        return super().answer(images, questions)


def test_what_one_half_answered_outlasts_the_end_of_the_other_in_a_worker(
    crew: Crew, plan: Plan, ledger: Ledger, run_folder: Path
) -> None:
    judge = judge_of(HalvingJudge(opinion), "cpu", Asking(), crew)
    draw(crew, LightDrawer(), plan, ledger, run_folder)
    with pytest.raises(ModelError, match="no more of this"):
        ask_judge(unanswered(plan, ledger, run_folder), plan, judge, ledger, 4, crew)
    assert len(ledger.answers("scripted")) in (1, 2)  # of three, and of three more if another worker had begun


@pytest.mark.parametrize("what", [lambda image, question: 1.0, opinion])
def test_a_judge_made_in_python_is_sent_or_refused_in_one_line(what: Any, crew: Crew, plan: Plan) -> None:
    if what is opinion:
        assert judge_of(ScriptedJudge(what), "cpu", Asking(), crew).name == "scripted"
        return
    with pytest.raises(
        ModelError, match=r"the judge scripted cannot be sent to another process .*; give it by name, or"
    ):
        judge_of(ScriptedJudge(what), "cpu", Asking(), crew)


def test_workers_divide_the_threads_and_too_many_of_them_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "5")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert environments("cpu", 3) == [{"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "5"}]
    assert capsys.readouterr().err == ""
    assert environments("cpu", 9)[0]["OMP_NUM_THREADS"] == "1"
    assert capsys.readouterr().err == "note: 9 workers share 8 cores, so that they wait for each other\n"


def test_each_worker_sees_one_gpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert environments("auto", 2) == [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    assert environments("cuda:1", 1) == [{"CUDA_VISIBLE_DEVICES": "1"}]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert environments("cuda", 3) == [{"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "6"}]
    assert capsys.readouterr().err == "note: 3 workers share 2 GPUs, so that they wait for each other\n"


ORPHANED = """
import sys
from dominance.models.drawing import Machine
from dominance.runs.engines.local import LocalPlace
place = LocalPlace(Machine("cpu", workers=2))
print(*(place.start(number).process.pid for number in (1, 2)), flush=True)
input()
"""


def test_no_worker_outlives_the_process_that_started_it() -> None:
    started = subprocess.Popen([sys.executable, "-c", ORPHANED], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert started.stdout is not None
    workers = [int(pid) for pid in started.stdout.readline().split()]
    assert len(workers) == 2
    started.send_signal(signal.SIGKILL)
    started.wait()
    until = time.monotonic() + 60
    while any(is_running(pid) for pid in workers):
        assert time.monotonic() < until
        time.sleep(0.01)
    started.communicate()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_images_are_whole_and_the_same_by_any_number_of_workers(whole: Plan, ledger: Ledger, run_folder: Path) -> None:
    crew = crew_of(replace(TWO, workers=3))
    assert crew is not None
    with crew:
        draw(crew, LightDrawer(), whole, ledger, run_folder, batch=1)
    model = LightModel()
    rows: Sequence[Any] = list(ledger.images().values())
    assert len(rows) == 16
    for row in rows:
        (expected,) = model.generate([row.prompt], [row.seed], GenerationSettings(2, 3.0))
        with Image.open(run_folder / row.file) as image:
            assert image.tobytes() == expected.tobytes()

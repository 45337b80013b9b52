"""Workers: what two do against one, and what a large plan costs the process that keeps the ledger.

    python benchmarks/engines.py pairs                # one worker of one thread against two, in turn
    python benchmarks/engines.py large --items 1000000
    python benchmarks/engines.py writes               # what the keeping process can keep, by itself
    python benchmarks/engines.py kills --images 72    # an audit on Ray whose workers and command are killed, 20 and 5

``large`` draws and judges by workers whose model and judge cost nothing, so that only the keeping is measured.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from dominance.models.drawing import Drawing, Machine
from dominance.models.settings import GenerationSettings
from dominance.pictures import png_bytes
from dominance.records import Answer, Concept, Prompt, Question, Suite
from dominance.run_settings import RunSettings
from dominance.runs.engines.choice import crew_of
from dominance.runs.engines.crew import Crew
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import Elsewhere, Made, make_images
from dominance.runs.stages.elsewhere import Judged, JudgingWork
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, ask_all, plan_images
from dominance.suites import load_questions

SUITE = Suite("large", (Prompt("pair", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug"))),))
SETTINGS = GenerationSettings(2, 3.0)


@dataclass(frozen=True)
class NoWork:
    """Draws nothing: every image counts as written by its worker."""

    def __call__(self):
        return lambda task: Made([None] * len(task.images), [{"steps": 2}] * len(task.images))


@dataclass(frozen=True)
class NoJudge:
    """Says yes."""

    name: str = "none"
    identity: str = "none"

    def check(self, questions: Sequence[Question]) -> None:
        """Understands everything."""

    def answer(self, _images: Sequence[object], questions: Sequence[Sequence[Question]]) -> list[tuple[Answer, ...]]:
        return [tuple(Answer(question, True, 0.75) for question in asked) for asked in questions]


@dataclass(frozen=True)
class NoLooking:
    """Answers without opening an image."""

    def __call__(self):
        judge = NoJudge()
        return lambda shown: Judged(judge.answer(shown, [questions for _, _, questions in shown]))


def large(items: int, batch: int, workers: int) -> dict[str, object]:
    """Draws and judges a plan of so many items in parts of 100 000, and measures this process."""
    found = []
    machine = Machine("cpu", workers=workers)
    with tempfile.TemporaryDirectory() as place, Ledger(Path(place) / "run.sqlite") as ledger:
        folder = Path(place)
        images = plan_images(SUITE, range(items), "none", SETTINGS)
        questions = ask_all(SUITE, load_questions().ask)
        plan = Plan(SUITE, "none", "none", "none", questions, images, RunSettings(), "audit")
        planned = peak()
        judge = NoJudge()
        asked = plan.asked_about(SUITE.prompts[0])
        crew = crew_of(machine)
        assert crew is not None
        crew.lend(judge, NoLooking())
        with crew:
            part = min(items, 100_000)
            for start in range(0, items, part):
                own = images[start : start + part]
                began = time.perf_counter(), time.process_time()
                make_images(own, Elsewhere(crew, NoWork()), SETTINGS, ledger, folder, BatchSize(batch))
                drawn = time.perf_counter(), time.process_time()
                waiting = [(image.item, folder / image.file, asked) for image in own]
                ask_judge(waiting, plan, judge, ledger, batch, crew)
                judged = time.perf_counter(), time.process_time()
                found.append(
                    {
                        "done": start + len(own),
                        "image_us_cpu": 1e6 * (drawn[1] - began[1]) / len(own),
                        "answers_us_cpu": 1e6 * (judged[1] - drawn[1]) / len(own),
                        "images_a_second": len(own) / (drawn[0] - began[0]),
                        "judged_a_second": len(own) / (judged[0] - drawn[0]),
                        "peak_gigabytes": peak(),
                    }
                )
                print(found[-1], file=sys.stderr, flush=True)
        size = (folder / "run.sqlite").stat().st_size
    return {"items": items, "planned_gigabytes": planned, "ledger_bytes_an_item": size / items, "parts": found}


def peak() -> float:
    """Largest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def pairs(model: str, judge: str, images: int, rounds: int) -> dict[str, object]:
    """Drawing and judging by one worker of one thread, and by two, in turn; both are warm.

    Efficiency is half of the ratio of the seconds. On a machine that is busy with other work, the ratio of the
    processors' own seconds, of this process and all workers, still says what sharing costs.
    """
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
    from dominance.judges.options import Asking
    from dominance.runs.engines.local import LocalPlace
    from dominance.runs.stages.elsewhere import NamedJudgeLoader
    from dominance.runs.stages.judging import judge_of

    suite = Suite("pairs", SUITE.prompts)
    drawn_by = RunModel(model, Drawing(), Machine("cpu"), suite.prompts)
    seen_by = judge_of(judge, "cpu", Asking())
    settings = drawn_by.settings
    questions = ask_all(suite, load_questions().ask)
    crews = {count: Crew(LocalPlace(Machine("cpu", workers=count))) for count in (1, 2)}

    def busy() -> float:
        family = [psutil.Process(), *psutil.Process().children()]
        return sum(sum(process.cpu_times()[:2]) for process in family)

    def turn(count: int, seed: int) -> tuple[float, float, float, dict[str, object]]:
        from dominance.runs.stages.elsewhere import DrawingWork
        from dominance.runs.stages.model import PlainDrawer

        crew = crews[count]
        crew.lend(seen_by, JudgingWork(NamedJudgeLoader.of(judge, "cpu", Asking())))
        own = plan_images(suite, range(seed, seed + images), drawn_by.source.identity, settings)
        plan = Plan(suite, model, judge, seen_by.identity, questions, own, RunSettings(), "audit")
        with tempfile.TemporaryDirectory() as place, Ledger(Path(place) / "run.sqlite") as ledger:
            began, at_first = time.perf_counter(), busy()
            work = DrawingWork(PlainDrawer(drawn_by))
            make_images(own, Elsewhere(crew, work), settings, ledger, Path(place), BatchSize(8))
            drawn = time.perf_counter()
            ask_judge(unanswered(plan, ledger, Path(place)), plan, seen_by, ledger, 8, crew)
            judged, at_last = time.perf_counter(), busy()
            answers = {item: dict(sorted(given.items())) for item, given in ledger.answers(seen_by.identity).items()}
        return drawn - began, judged - drawn, at_last - at_first, answers

    for count in crews:
        turn(count, 0)
    found, alike = [], 0
    for number in range(rounds):
        one, two = turn(1, 100 * number), turn(2, 100 * number)
        yes = [{item: [y for y, _ in given.values()] for item, given in side[3].items()} for side in (one, two)]
        alike += yes[0] == yes[1]
        both = (one[0] + one[1]) / (two[0] + two[1]) / 2
        found.append((one[0] / two[0] / 2, one[1] / two[1] / 2, both, one[2] / two[2]))
        print(found[-1], file=sys.stderr, flush=True)
    for crew in crews.values():
        crew.close()
    names = ("drawing", "judging", "both", "processors' seconds")
    columns = dict(zip(names, zip(*found, strict=True), strict=True))
    return {
        "images": images,
        "rounds": rounds,
        "rounds_with_the_same_answers": alike,
        **{name: {"median": statistics.median(c), "lowest": min(c), "highest": max(c)} for name, c in columns.items()},
    }


def writes(count: int, side: int) -> dict[str, float]:
    """Images a second that this process can write and enter, and that it can only enter."""
    from dominance.files import write_whole
    from dominance.runs.store.ledger import ImageRow

    rng = np.random.default_rng(0)
    content = png_bytes(Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)))
    with tempfile.TemporaryDirectory() as place, Ledger(Path(place) / "run.sqlite") as ledger:
        began = time.perf_counter()
        for number in range(count):
            write_whole(Path(place) / "images" / f"{number}.png", content)
        written = time.perf_counter()
        for number in range(count):
            ledger.add_image(ImageRow(f"{number:032d}", "a tower and a mug", number, f"images/{number}.png", {"s": 2}))
        entered = time.perf_counter()
    return {
        "megabytes_an_image": len(content) / 1e6,
        "written_a_second": count / (written - began),
        "entered_a_second": count / (entered - written),
    }


PROGRESS = 2
"""Images drawn or judged between two kills: what always meets the next kill would be given up, as it should."""


def kills(images: int, steps: int, engine: str, of_workers: int, of_command: int) -> dict[str, object]:
    """An audit of the miniature by two workers, killed at random moments and resumed, beside one by one process.

    Everything is killed by SIGKILL. Each image is drawn in a batch of its own, so that all must be equal bit by bit;
    P(yes) alone differs by rounding, since the judge is asked in other batches.
    """
    rng = random.Random(20251129)
    with tempfile.TemporaryDirectory() as place:
        one, broken = Path(place) / "one", Path(place) / "broken"
        alone = audited(one, images, steps, ())
        if alone.wait():
            raise RuntimeError("the run by one process failed")
        began, done, left = time.perf_counter(), Counter[str](), 0
        apart = images / (of_workers + of_command + 1)  # while images are drawn: the judge sees many at once
        if apart < PROGRESS:
            raise SystemExit(f"--images {PROGRESS * (of_workers + of_command + 1)} or more for so many kills")
        moments = [int(apart * (number + rng.random())) + 1 for number in range(of_workers + of_command)]
        commands = set(rng.sample(range(len(moments)), of_command))
        words = ("--engine", engine, "--workers", "2")
        running, at_last = audited(broken, images, steps, words), 0
        for number, moment in enumerate(moments):
            while counted(broken) < max(moment, at_last + PROGRESS) and running.poll() is None:
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.5))
            at_last = counted(broken)
            family = psutil.Process(running.pid).children(recursive=True) if running.poll() is None else []
            if running.poll() is not None:
                raise RuntimeError(f"the run ended with {running.returncode} after {dict(done)}")
            if number in commands:
                running.send_signal(signal.SIGKILL)
                running.wait()
                left += len(psutil.wait_procs(family, timeout=60)[1])
                running = audited(broken, images, steps, words)
                done["command"] += 1
                continue
            while not (workers := working(running.pid, engine)):
                time.sleep(0.02)
            with contextlib.suppress(psutil.NoSuchProcess):
                rng.choice(workers).kill()
                done["worker"] += 1
            print(f"{at_last} of {2 * images}, killed {dict(done)}", file=sys.stderr, flush=True)
        status = running.wait()
        return {
            "images": images,
            "steps": steps,
            "engine": engine,
            "workers_killed": done["worker"],
            "commands_killed": done["command"],
            "status": status,
            "processes_left_a_minute_after_a_command": left,
            "failures": len(rows(broken, "SELECT * FROM failures")),
            "rows": len(rows(broken, "SELECT item FROM images")),
            "answers": len(rows(broken, "SELECT item FROM answers")),
            "differing": differing(content(one), content(broken)),
            "largest_difference_of_p_yes": furthest(one, broken),
            "seconds": time.perf_counter() - began,
        }


def audited(folder: Path, images: int, steps: int, more: Sequence[str]) -> subprocess.Popen[bytes]:
    """The command, at work."""
    words = ("audit", "a [tower:landmark] and a [mug]", "--seeds", str(images), "--steps", str(steps), "--batch", "1")
    return subprocess.Popen(
        [sys.executable, "-m", "dominance", *words, "--device", "cpu", "--out", str(folder), *more],
        stdout=subprocess.DEVNULL,
    )


def working(command: int, engine: str) -> list[psutil.Process]:
    """The workers of a command: its own children, or actors of the Ray that it has started."""
    children = psutil.Process(command).children(recursive=engine == "ray")
    named = []
    for child in children:
        with contextlib.suppress(psutil.Error):
            if engine == "local" or "Actor" in " ".join(child.cmdline()):
                named.append(child)
    return named


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{folder}/run.sqlite?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def counted(folder: Path) -> int:
    """Images drawn and images judged so far, together."""
    with contextlib.suppress(sqlite3.OperationalError):  # there is no ledger yet
        return sum(len(rows(folder, f"SELECT DISTINCT item FROM {table}")) for table in ("images", "answers"))
    return 0


def content(folder: Path) -> dict[str, dict[str, object]]:
    """All that a run has found, each under its key."""
    queries = {
        "images": "SELECT item, prompt, seed, file, settings FROM images",
        "answers": "SELECT item || ' ' || judge || ' ' || question, yes FROM answers",
        "scores": "SELECT prompt_id || ' ' || image, dvd, verdict, yes FROM scores",
    }
    tables = {name: {str(row[0]): row[1:] for row in rows(folder, query)} for name, query in queries.items()}
    return {**tables, "files": {path.name: path.read_bytes() for path in (folder / "images").glob("*/*")}}


def furthest(one: Path, other: Path) -> float:
    """The largest difference between two P(yes) of the same question: the judge is asked in other batches."""
    query = "SELECT item, question, p_yes FROM answers ORDER BY item, question"
    return max(abs(a[2] - b[2]) for a, b in zip(rows(one, query), rows(other, query), strict=True))  # ty: ignore


def differing(one: dict[str, dict[str, object]], other: dict[str, dict[str, object]]) -> dict[str, list[str]]:
    """The first few things of every kind that are not the same on both sides; empty where all is equal."""
    found = {
        kind: [f"{key}: {own.get(key)!r:.80} and {other[kind].get(key)!r:.80}" for key in sorted({*own, *other[kind]})
               if own.get(key) != other[kind].get(key)][:3]
        for kind, own in one.items()
    }  # fmt: skip
    return {kind: listed for kind, listed in found.items() if listed}


def main() -> None:
    """Prints what was measured as one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "large", "writes", "kills"))
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", default="miniature")
    parser.add_argument("--judge", default="miniature")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--engine", choices=("local", "ray"), default="ray")
    parser.add_argument("--kills", type=int, nargs=2, default=(20, 5), metavar=("WORKERS", "COMMANDS"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", type=int, default=512)
    given = parser.parse_args()
    if given.what == "pairs":
        result: object = pairs(given.model, given.judge, given.images, given.rounds)
    elif given.what == "large":
        result = large(given.items, given.batch, given.workers)
    elif given.what == "kills":
        result = kills(given.images, given.steps, given.engine, *given.kills)
    else:
        result = writes(min(given.items, 300), given.side)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    import engines  # this file, by a name that workers know its classes by

    engines.main()

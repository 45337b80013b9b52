"""What teaching a full-size model costs, beside a plain loop as in diffusers' own examples; see ``run.py``.

Each side is a process of its own (``teaching_sides.py``) that takes a step when it is told to, so that they can take
turns.
"""

import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from teaching_sides import SIDE, THREADS

SIDES = Path(__file__).with_name("teaching_sides.py")
NEEDED = {"lora": 14, "unet": 18}
"""Gigabytes that must be free."""


class Side:
    """A process that stops after each optimizer step until it is told to go on."""

    def __init__(self, *given: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SIDES), *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def until(self, what: str) -> dict[str, Any]:
        """Lets it go on to what is wanted; what it then tells, and the ``seconds`` that it took."""
        assert self._process.stdin
        assert self._process.stdout
        start = time.perf_counter()
        while True:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError(f"a side ended before it was {what}")
            told = json.loads(line)
            if told["what"] == what:
                return told | {"seconds": time.perf_counter() - start}

    def kill(self) -> None:
        """As a machine that is switched off does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Ends it, if it has not."""
        self._process.kill()
        self._process.communicate()


def model() -> Path:
    """A folder with SD 1.4's own architecture, its autoencoder too, weights drawn at random, and four pictures."""
    return Path(_place().name)


@cache
def _place() -> tempfile.TemporaryDirectory:
    place = tempfile.TemporaryDirectory()
    subprocess.run([sys.executable, str(SIDES), "make", place.name], check=True)
    return place


def beside_plain(part: str, rounds: int) -> dict[str, float]:
    """Seconds a step, in turns for a LoRA; two UNets in training are too large at once, and one follows the other.

    The first step is left out, and ``ratio`` is that of the medians.
    """
    if (free := _free()) < NEEDED[part]:
        return {"gigabytes_needed": NEEDED[part], "gigabytes_free": free}
    place, names = str(model()), ("plain", "ours")
    with tempfile.TemporaryDirectory() as out:
        if part == "lora":
            taken, ended = _in_turns([Side(name, part, place, out, str(rounds + 1)) for name in names], rounds)
        else:
            alone = [_in_turns([Side(name, part, place, out, str(rounds + 1))], rounds) for name in names]
            taken, ended = [seconds for ((seconds,), _) in alone], [told for _, (told,) in alone]
    plain, ours = (statistics.median(seconds) for seconds in taken)
    ratios = [one / other for one, other in zip(*taken, strict=True)]
    return {
        "ratio": ours / plain, "lowest": 1 / max(ratios), "highest": 1 / min(ratios),
        "plain_seconds": plain, "our_seconds": ours, "steps": rounds, "threads": THREADS,
        "plain_gigabytes": ended[0]["gigabytes"], "our_gigabytes": ended[1]["trained_in"],
        "our_gigabytes_with_saving": ended[1]["gigabytes"],
    }  # fmt: skip


def same_loss() -> dict[str, float]:
    """Both sides' loss of one batch, and how far they, and the latents of a picture, lie apart, as shares."""
    with closing(Side("loss", str(model()))) as both:
        found = both.until("done")
    plain, ours = found["plain"], found["ours"]
    return {"plain_loss": plain, "loss_off": abs(ours / plain - 1), "latents_off": found["latents_off"]}


def _in_turns(sides: list[Side], rounds: int) -> tuple[list[list[float]], list[dict[str, Any]]]:
    """Seconds of each step of each side, and what each tells at its end."""
    try:
        for side in sides:
            side.until("stepped")
        turns = [[side.until("stepped") for side in sides] for _ in range(rounds)]
        ended = [
            side.until("done") | {"trained_in": told["gigabytes"]} for side, told in zip(sides, turns[-1], strict=True)
        ]
    finally:
        for side in sides:
            side.close()
    return [[told["seconds"] for told in of_side] for of_side in zip(*turns, strict=True)], ended


def killed(part: str) -> dict[str, float]:
    """A lesson of two steps is killed in the second, after a checkpoint of the first, and run again.

    ``same_weights`` is 1 where the second step led to the same bits both times, and ``loaded`` is 1 where diffusers
    loads what was saved with the same bits.
    """
    if (free := _free()) < NEEDED[part]:
        return {"gigabytes_needed": NEEDED[part], "gigabytes_free": free}
    with tempfile.TemporaryDirectory() as out:
        given = ("ours", part, str(model()), out, "2", "every")
        with closing(Side(*given)) as first:
            trained = first.until("stepped")
            saved = first.until("saved")
            lost = first.until("stepped")
            first.kill()
        with closing(Side(*given)) as second:
            again = second.until("stepped")
            done = second.until("done")
        with closing(Side("load", part, str(model()), done["last"])) as loaded:
            there = loaded.until("done")
        written = sum(file.stat().st_size for file in Path(done["last"]).rglob("*") if file.is_file())
        state = Path(out, "ours-every", "resume.safetensors").stat().st_size
    return {
        "resumed_after_step": 2 - done["steps"],
        "same_weights": float(lost["weights"] == again["weights"]),
        "loaded": float(there["weights"] == again["weights"]),
        "seconds_to_save": saved["seconds"],
        "checkpoint_gigabytes": written / 1e9, "state_gigabytes": state / 1e9,
        "gigabytes": trained["gigabytes"], "gigabytes_with_saving": lost["gigabytes"],
        "gigabytes_resumed": done["gigabytes"],
    }  # fmt: skip


def planned() -> dict[str, float]:
    """What ``dominance sweep --estimate`` says of the strengths of a LoRA, and what it takes to say it."""
    with closing(Side("plan", str(model()))) as side:
        told = side.until("done")
    return {name: told[name] for name in ("images", "denoising_steps", "questions", "seconds", "gigabytes")}


def comparisons() -> dict[str, Callable[[], dict[str, float]]]:
    """By name; the model is made when it is first needed."""
    what = f"architecture of SD 1.4 at {SIDE}², random weights"
    return {
        f"teaching, the loss of one batch: ours and that of a plain loop ({what})": same_loss,
        f"teaching a LoRA: ours / plain loop ({what})": lambda: beside_plain("lora", 4),
        f"teaching the UNet: ours / plain loop ({what})": lambda: beside_plain("unet", 2),
        f"teaching a LoRA, killed and resumed ({what})": lambda: killed("lora"),
        f"teaching the UNet, killed and resumed ({what})": lambda: killed("unet"),
        f"teaching: the sweep of a LoRA estimated ({what})": planned,
    }


def _free() -> float:
    """Gigabytes that a process can have."""
    import psutil

    return psutil.virtual_memory().available / 1e9

"""Audits whose model and judge cost next to nothing, each in a process of its own that can be killed at any moment.

Imports once; for every line on standard input, which names a run folder, it forks a process that audits into it.
That process writes ``pid N``, then ``drew`` before every batch and ``asked`` before every image that is judged, then
``done``, and waits to be killed. Everything but model and judge is the real ``audit``.
"""

import os
import signal
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import dominance.runs.store.manifest
from dominance.cli.interrupts import insistent_interrupts
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import ModelFolder
from dominance.models.settings import GenerationSettings
from dominance.records import Answer, Concept, Prompt, Question, Suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit

PAIR = (Concept("tower", "landmark"), Concept("mug"))
SUITE = Suite(
    "light",
    (
        Prompt("pair", "a tower and a mug", PAIR),
        Prompt("twin", "a tower and a mug", PAIR[:1]),
        Prompt("lamp", "a lamp", (Concept("lamp"),)),
        Prompt("chair", "a chair and a mug", (Concept("chair"), PAIR[1])),
    ),
)
OPTIONS = AuditOptions(drawing=Drawing(seeds=tuple(range(32))), machine=Machine(batch=4))


def tell(word: str) -> None:
    os.write(1, f"{word}\n".encode())


class LightFolder(ModelFolder):
    """A model without a folder."""

    scheduler = "Light"

    def describe(self, settings: GenerationSettings) -> dict[str, object]:
        return {"name": self.name, "identity": self.identity, "settings": settings.record()}


class LightModel:
    """Noise from prompt and seed, a moment an image."""

    def reading(self, prompt: Prompt) -> None:
        """Reads every prompt to its end."""

    def fitting_batch(self, settings: GenerationSettings) -> int:
        return 4

    def generate(self, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings) -> list[Image.Image]:
        tell("drew")
        time.sleep(0.001 * len(texts))
        drawn = [np.random.default_rng([zlib.crc32(t.encode()), s]) for t, s in zip(texts, seeds, strict=True)]
        return [Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)) for rng in drawn]


class LightJudge(ScriptedJudge):
    """An opinion from the picture's own bytes, a moment an image."""

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        answers = []
        for image, asked in zip(images, questions, strict=True):
            tell("asked")
            time.sleep(0.001)
            answers += super().answer([image], [asked])
        return answers


def opinion(image: Image.Image, question: Question) -> float:
    return zlib.crc32(image.tobytes() + question.text.encode()) / 2**32


def run(folder: Path) -> None:
    with insistent_interrupts():
        tell(f"pid {os.getpid()}")
        audit(SUITE, "light", LightJudge(opinion), folder, OPTIONS)
        tell("done")
        while True:
            signal.pause()


def main() -> None:
    loading = sys.modules["dominance.runs.stages.model"].__dict__
    loading["find_source"] = lambda name, drawing: LightFolder(
        name, Path(), "sha256:light", {"steps": 2, "guidance": 3.0}
    )
    loading["RunModel"]._load = lambda model: LightModel()
    dominance.runs.store.manifest.environment = dict
    tell("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(Path(line.rstrip("\n")))
            finally:
                os._exit(1)
        tell(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


if __name__ == "__main__":
    main()

"""Speed, side by side in one run, as ratios: ``make bench``.

Machines are noisy, so nothing is compared across runs. Each comparison takes turns between its two sides and
reports the median of the ratios.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from turns import in_turns, ratio, seconds, threads

ROUNDS = 3


def prepare() -> None:
    """The settings of the command line, for both sides of every comparison alike."""
    from dominance.cli.process import prepare_process

    prepare_process()


def generation(model: str, count: int, images: int = 12) -> dict[str, float]:
    """Batches over prompts and seeds against a plain diffusers loop, one prompt at a time, on the same pipeline.

    In several threads the loop's small kernels mostly wait for each other, which is no merit of the batches: the claim
    is the figure of one thread.
    """
    import torch

    import dominance
    from dominance.models.image_model import PipelineModel
    from dominance.models.settings import GenerationSettings

    pipeline: Any = dominance.load_pipeline(model, "cpu")
    drawer = PipelineModel(pipeline)
    prompts = ["a tower and a mug", "a robot beside a lamp", "a mug and an umbrella", "a castle"]
    texts, seeds = [prompts[i % 4] for i in range(images)], list(range(images))

    def plain() -> None:
        for text, seed in zip(texts, seeds, strict=True):
            generator = torch.Generator().manual_seed(seed)
            pipeline(text, num_inference_steps=25, guidance_scale=5.0, generator=generator)

    with threads(count):
        return in_turns(plain, lambda: drawer.generate(texts, seeds, GenerationSettings(25, 5.0)), ROUNDS)


def judging(judge: str, images: int = 16) -> dict[str, float]:
    """All ten questions of an image together, one image at a time, against one call a question."""
    import numpy as np
    from PIL import Image

    from dominance.judges.registry import load_judge
    from dominance.miniature.renderer import render
    from dominance.miniature.world import DEFAULT_DIVERSITY, pair_scene
    from dominance.records import Concept
    from dominance.suites import load_questions

    seen_by = load_judge(judge, "cpu")
    ask = load_questions().ask
    questions = [*ask(Concept("tower", "landmark")), *ask(Concept("mug"))]
    rng = np.random.default_rng(0)
    scenes = [pair_scene(("tower", "mug"), DEFAULT_DIVERSITY, rng) for _ in range(images)]
    pictures = [Image.fromarray(render(scene).pixels) for scene in scenes]

    def one_by_one() -> None:
        for picture in pictures:
            for question in questions:
                seen_by.answer([picture], [[question]])

    def together() -> None:
        for picture in pictures:
            seen_by.answer([picture], [questions])

    return ratio(one_by_one, together, ROUNDS)


def start_up() -> dict[str, float]:
    """Seconds beyond the interpreter's own start, the median of ten turns each."""

    def run(*arguments: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True))

    turns = [(run("-c", ""), run("-c", "import dominance"), run("-m", "dominance", "--help")) for _ in range(10)]
    return {
        "import_seconds": statistics.median(imported - bare for bare, imported, _ in turns),
        "help_seconds": statistics.median(helped - bare for bare, _, helped in turns),
    }


def demo(model: str, judge: str) -> dict[str, float]:
    """The audit of ``make demo`` in a fresh folder: minutes, and the largest resident memory in GB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dominance", "audit", "miniature", "--model", model, "--judge", judge]
        taken = seconds(
            lambda: subprocess.run([*command, "--out", str(Path(folder) / "run")], check=True, capture_output=True)
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    return {"minutes": taken / 60, "peak_gigabytes": peak}


def main() -> None:
    """Prints every comparison, and one JSON document with --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="miniature")
    parser.add_argument("--judge", default="miniature")
    parser.add_argument("--only", default="", help="comparisons whose name holds this, such as 'preflight'")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    prepare()
    import attention  # beside this file, as the next five; they load torch, which prepare() must come before
    import denoisers
    import flux
    import judges
    import repair
    import teaching

    comparisons: dict[str, Callable[[], dict[str, float]]] = {
        "start-up, beyond the interpreter's own": start_up,
        "judging: one call a question / ten questions together": lambda: judging(given.judge),
        "generation in one thread: one prompt at a time / batched": lambda: generation(given.model, 1),
        "generation in two threads: one prompt at a time / batched": lambda: generation(given.model, 2),
        **judges.comparisons(),
        **attention.comparisons(),
        **denoisers.comparisons(),
        **flux.comparisons(),
        **repair.comparisons(),
        **teaching.comparisons(),
        "demo audit": lambda: demo(given.model, given.judge),
    }
    if given.only:
        comparisons = {name: compare for name, compare in comparisons.items() if given.only in name}
    results = {}
    for name, compare in comparisons.items():
        results[name] = compare()
        if not given.json:
            figures = ", ".join(f"{key} {value:.3g}" for key, value in results[name].items())
            print(f"{name}: {figures}", flush=True)
    if given.json:
        print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()

"""What methods of repair cost over plain drawing, and over diffusers' Attend-and-Excite; see ``run.py``.

All sides take turns in one run, in one thread, by the processor's time, which other work does not lengthen.
"""

import contextlib
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from attention import draw, full_size_pipeline  # beside this file
from diffusers import StableDiffusionAttendAndExcitePipeline
from peft import LoraConfig
from turns import most_memory, seconds, threads

import dominance
from dominance.guidance.registry import BUNDLED
from dominance.models.tokens import prompt_tokens

PROMPT, CONCEPTS = "a tower and a mug", (dominance.Concept("tower", "landmark"), dominance.Concept("mug"))
ADAPTER, THEIRS = "regional-adapter", "diffusers' attend-and-excite"
Side = Callable[[], None]


def our_sides(pipeline: Any, steps: int, layers: Sequence[int] | None, given: dict[str, int]) -> dict[str, Side]:
    """Plain drawing and every bundled method, one image each; the adapter's method is left to ``with_adapter``."""

    def side(method: str) -> Side:
        def act() -> None:
            with dominance.mitigate(pipeline, CONCEPTS, method, layers=layers):
                draw(pipeline, [PROMPT], steps, **given)

        return act

    names = [name for name in BUNDLED if name != ADAPTER]
    unrefined = "attend-and-excite:refine=false"  # as diffusers' beside it; refined, random weights take all its turns
    return {"plain": side("none"), **{name: side(name) for name in names}} | {unrefined: side(unrefined)}


def their_side(pipeline: Any, steps: int, grid: int, given: dict[str, int]) -> Side:
    """Attend-and-Excite by diffusers, without its refinement: half of the steps are moved before."""
    columns = [column for own in prompt_tokens(pipeline, PROMPT).concepts(["tower", "mug"]).values() for column in own]
    parts = {name: part for name, part in pipeline.components.items() if name != "image_encoder"}
    other = StableDiffusionAttendAndExcitePipeline(**parts)
    other.set_progress_bar_config(disable=True)
    moved: Any = {"token_indices": columns, "max_iter_to_alter": steps // 2, "thresholds": {}, "attn_res": (grid, grid)}

    def act() -> None:
        before = pipeline.unet.attn_processors
        try:
            other(
                PROMPT, num_inference_steps=steps, guidance_scale=5.0, output_type="latent",
                generator=torch.Generator().manual_seed(0), **moved, **given,
            )  # fmt: skip
        finally:
            pipeline.unet.set_attn_processor(before)

    return act


@contextlib.contextmanager
def with_adapter(pipeline: Any):
    """A LoRA of rank 16 on the attention, whose weights are as peft begins them."""
    pipeline.unet.add_adapter(LoraConfig(r=16, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    try:
        yield
    finally:
        pipeline.unet.delete_adapters("default")


def costs(sides: dict[str, Side], rounds: int, warm: bool) -> tuple[dict[str, list[float]], dict[str, float]]:
    """The processor's seconds of each side, one a round; and the most gigabytes that each adds while it draws."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    memory: dict[str, float] = {}
    for act in sides.values() if warm else ():
        act()
    for _ in range(rounds):
        for name, act in sides.items():
            with most_memory() as most:
                taken[name].append(seconds(act, time.process_time))
            memory[name] = max(memory.get(name, 0.0), most())
    return taken, memory


def over_plain(
    pipeline: Any, steps: int, grid: int, rounds: int, layers: Sequence[int] | None = None, **given: int
) -> dict[str, float]:
    """Every method's time over plain; the overhead of regions over Attend-and-Excite's; gigabytes added by each.

    Args:
        grid: rows of the maps that diffusers' Attend-and-Excite looks at.
        layers: whose maps show where concepts lie; by default they are measured first.
    """
    warm = layers is None
    with threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of diffusers' deprecated pipeline
        sides = our_sides(pipeline, steps, layers, given)
        if layers is not None:
            del sides["attend-and-excite"]
        taken, memory = costs({**sides, THEIRS: their_side(pipeline, steps, grid, given)}, rounds, warm)
        with with_adapter(pipeline):

            def regional() -> None:
                with dominance.mitigate(pipeline, CONCEPTS, ADAPTER, layers=layers):
                    draw(pipeline, [PROMPT], steps, **given)

            with_it, its_memory = costs({"plain": sides["plain"], ADAPTER: regional}, rounds, warm)
    found = {name: over(own, taken["plain"]) for name, own in taken.items() if name != "plain"}
    found |= {ADAPTER: over(with_it[ADAPTER], with_it["plain"])}
    plain = taken["plain"]
    added = [
        (ours - base) / (other - base) for ours, other, base in zip(taken["regions"], taken[THEIRS], plain, strict=True)
    ]
    found["overhead of regions over that of diffusers' attend-and-excite"] = statistics.median(added)
    gigabytes = {f"gigabytes of {name}": own for name, own in (memory | {ADAPTER: its_memory[ADAPTER]}).items()}
    return found | gigabytes | {"seconds of plain": statistics.median(plain), "rounds": rounds}


def over(one: Sequence[float], other: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def comparisons() -> dict[str, Callable[[], dict[str, float]]]:
    """By the name that is printed."""
    return {
        "methods of repair / plain (miniature, one image, 25 steps, one thread)": lambda: over_plain(
            dominance.load_pipeline("miniature", "cpu"), 25, 8, 3
        ),
        "methods of repair / plain (architecture of SD 1.4 at 256², random weights, 4 steps, one thread)": lambda: (
            over_plain(full_size_pipeline(), 4, 8, 2, layers=(5, 6, 8, 9, 10), height=256, width=256)
        ),
    }

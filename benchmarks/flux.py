"""What recording adds to a model as wide as FLUX, in time and in memory; see ``run.py``.

Each side runs in a process of its own, whose resident memory is watched while it draws: ``python benchmarks/flux.py
recorded`` prints one JSON object.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from turns import most_memory  # beside this file

SIDE, TEXT = 1024, 512
"""Pixels of the image, whose positions are 64 by 64, and tokens of the text."""


def pipeline() -> Any:
    """One dual and two single blocks of FLUX's own width, weights drawn at random; no text encoders."""
    import torch
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    torch.manual_seed(0)
    torch.set_num_threads(1)
    transformer = FluxTransformer2DModel(
        in_channels=64, num_layers=1, num_single_layers=2, attention_head_dim=128, num_attention_heads=24,
        joint_attention_dim=256, pooled_projection_dim=64, axes_dims_rope=(16, 56, 56),
    )  # fmt: skip
    autoencoder = AutoencoderKL(
        block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=16, norm_num_groups=8,
    )  # fmt: skip
    absent: Any = None
    made = FluxPipeline(FlowMatchEulerDiscreteScheduler(), autoencoder, absent, absent, absent, absent, transformer)
    made.set_progress_bar_config(disable=True)
    return made


def drawn(recorded: bool) -> dict[str, float]:
    """Seconds of one step in one thread, and the most gigabytes beyond those at rest."""
    import torch

    from dominance.probes.recording import record_attention

    flux, text, pooled = pipeline(), torch.randn(1, TEXT, 256), torch.randn(1, 64)
    start = time.thread_time()
    recording = record_attention(flux) if recorded else contextlib.nullcontext()
    with most_memory() as most, recording, torch.no_grad():
        flux(
            prompt_embeds=text, pooled_prompt_embeds=pooled, height=SIDE, width=SIDE, num_inference_steps=1,
            guidance_scale=1.0, generator=torch.Generator().manual_seed(0), output_type="latent",
        )  # fmt: skip
    return {"seconds": time.thread_time() - start, "gigabytes": most()}


def recording() -> dict[str, float]:
    """One process a side, in turn."""
    sides = {}
    for side in ("plain", "recorded"):
        ran = subprocess.run([sys.executable, __file__, side], check=True, capture_output=True, text=True)
        sides[side] = json.loads(ran.stdout)
    return {
        "ratio": sides["recorded"]["seconds"] / sides["plain"]["seconds"],
        "plain_gigabytes": sides["plain"]["gigabytes"],
        "recorded_gigabytes": sides["recorded"]["gigabytes"],
    }


def comparisons() -> dict[str, Callable[[], dict[str, float]]]:
    """By the name that is printed."""
    return {"recording all attention / not (width of FLUX at 1024², three blocks, one step, one thread)": recording}


if __name__ == "__main__":
    from dominance.cli.process import prepare_process

    prepare_process()
    print(json.dumps(drawn(sys.argv[1] == "recorded")))

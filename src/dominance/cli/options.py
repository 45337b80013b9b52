"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Seeds = Annotated[str, typer.Option(help="How many images a prompt (10 means seeds 0 to 9), or a list: 7,8,9.")]
Model = Annotated[str, typer.Option(help="miniature, a diffusers folder, or a hub id.")]
Steps = Annotated[int | None, typer.Option(help="Denoising steps; the model's own unless given.")]
Guidance = Annotated[float | None, typer.Option(help="Guidance scale; the model's own unless given.")]
Height = Annotated[int | None, typer.Option(help="Image height in pixels.")]
Width = Annotated[int | None, typer.Option(help="Image width in pixels.")]
Dtype = Annotated[str, typer.Option(help="float32, float16 or bfloat16.")]
Batch = Annotated[int | None, typer.Option(help="Images at once; fitted to the model unless given.")]
AutoBatch = Annotated[
    str, typer.Option("--batch", metavar="N|auto", help="Images at once; auto fits it to the model and the memory.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(help="Noise scheduler: ddim, euler, dpm++ or a diffusers class; the model's own unless given."),
]
Offload = Annotated[
    str, typer.Option(help="Keep what is not in use off the GPU: none, model (by component) or sequential (by layer).")
]
VaeTiling = Annotated[bool, typer.Option("--vae-tiling", help="Decode large images tile by tile, in less memory.")]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit of the model's hub id.")]
Preset = Annotated[
    str | None, typer.Option(help="Settings and seeds of the paper: paper-sd14 or paper-sd21; options override them.")
]
JudgeMode = Annotated[
    str, typer.Option(help="fast: all questions in one pass; official: the release's protocol, one call a question.")
]
Limit = Annotated[int | None, typer.Option(help="Only the suite's first so many prompts.")]
Out = Annotated[Path | None, typer.Option(help="Run folder; the same folder resumes.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
JudgeName = Annotated[
    str,
    typer.Option(
        "--judge",
        help="miniature; qwen:, blip:, vilt:, clip: or siglip: and a folder or hub id; openai:URL#MODEL; answers:FILE.",
    ),
]
Questions = Annotated[
    Path | None,
    typer.Option(help="YAML file: for each kind a list of templates with {concept} or {a_concept}; replaces ours."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, all else on stderr.")]
MaxCollapse = Annotated[
    float | None,
    typer.Option(help="Gate: highest share of any prompt's images that may collapse, 0 to 1."),
]
MinPresence = Annotated[
    float | None,
    typer.Option(help="Gate: lowest share of any prompt's images that must show each concept, 0 to 1."),
]
MaxUnscored = Annotated[
    float | None,
    typer.Option(
        help="Gate: highest share of images that may stay unscored, 0 unless given; the status is then still 3."
    ),
]
JUnit = Annotated[Path | None, typer.Option(help="Also write a JUnit XML file there.")]

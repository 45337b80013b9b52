"""``dominance train``: the miniature world's model and judge."""

from pathlib import Path
from typing import Annotated

import typer

from dominance.cli.output import note
from dominance.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Train the miniature world's model and judge. A killed run resumes: give the same command again.",
)

Folder = Annotated[Path, typer.Option(help="Where checkpoints, sample sheets and the result go.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of data, weights and noise.")]
TrainDevice = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]


@app.command(
    "miniature",
    epilog="\b\nExample (an hour and a half on two cores):\n  dominance train miniature --out training-runs/first",
)
def miniature(
    out: Folder = Path("training-runs/miniature"),
    pictures: Annotated[int, typer.Option(min=320, help="Pictures that the denoiser sees.")] = 96_000,
    autoencoder_pictures: Annotated[int, typer.Option(min=160, help="Pictures that the decoder sees.")] = 40_000,
    scenery: Annotated[float, typer.Option(min=0, max=1, help="Share of single captions that name scenery.")] = 0.5,
    pairs: Annotated[float, typer.Option(min=0, max=1, help="Share of pictures of two objects.")] = 0.45,
    entity_pairs: Annotated[float, typer.Option(min=0, max=1, help="Share of pictures of entity and object.")] = 0.0,
    entity_diversity: Annotated[float, typer.Option(min=0, max=1, help="Of landmarks and characters: 0 is rigid.")] = 0,
    object_diversity: Annotated[float, typer.Option(min=0, max=1, help="Of objects: 1 is varied.")] = 1,
    seed: Seed = 0,
    device: TrainDevice = "auto",
    stage: Annotated[
        str, typer.Option(help="all, autoencoder, denoiser or pipeline; the first two may run at once.")
    ] = ("all"),
) -> None:
    """Train the text-to-image model from nothing and save an ordinary diffusers folder."""
    from dominance.miniature.world import World, diversity_by_kind
    from dominance.models.devices import find_device
    from dominance.training.miniature import STAGES, MiniatureSettings, train_miniature

    if pairs + entity_pairs > 1:
        raise InputError(f"pairs and entity pairs make {pairs + entity_pairs} of all pictures; give at most 1 together")
    if stage != "all" and stage not in STAGES:
        raise InputError(f"no stage {stage!r}; give all, {', '.join(STAGES)}")
    settings = MiniatureSettings(
        seed=seed,
        pictures=pictures,
        autoencoder_pictures=autoencoder_pictures,
        world=World(
            diversity=diversity_by_kind(entity_diversity, object_diversity),
            pairs=pairs,
            entity_pairs=entity_pairs,
            scenery=scenery,
        ),
    )
    stages = STAGES if stage == "all" else tuple(name for name in STAGES if name == stage)
    note(f"wrote {train_miniature(settings, out, str(find_device(device)), stages)}")


@app.command(
    "judge", epilog="\b\nExample:\n  dominance train judge --out training-runs/first --model training-runs/first/model"
)
def judge(
    out: Folder = Path("training-runs/judge"),
    model: Annotated[
        str, typer.Option(help="Pipeline whose autoencoder's artefacts the judge learns to see through.")
    ] = ("miniature"),
    pictures: Annotated[int, typer.Option(min=320, help="Pictures that the judge sees.")] = 112_000,
    seed: Seed = 0,
    device: TrainDevice = "auto",
) -> None:
    """Train the yes/no judge on renders and save an ordinary transformers folder."""
    from dominance.bench import load_questions
    from dominance.models.devices import find_device
    from dominance.models.folders import find_model
    from dominance.training.judge import JudgeSettings, load_autoencoder, train_judge

    source = find_model(model)
    settings = JudgeSettings(seed=seed, pictures=pictures)
    autoencoder = load_autoencoder(source.path)
    ask = load_questions().ask
    note(f"wrote {train_judge(settings, out, ask, autoencoder, source.identity, str(find_device(device)))}")


@app.command("card", epilog="\b\nExample:\n  dominance train card --out MODEL_CARD.md --runs runs/card")
def card(
    out: Annotated[Path, typer.Option(help="The Markdown file to write.")] = Path("MODEL_CARD.md"),
    model: Annotated[str, typer.Option(help="Pipeline to measure: miniature, or a folder.")] = "miniature",
    judge: Annotated[str, typer.Option(help="Judge to measure and to measure with.")] = "miniature",
    runs: Annotated[Path, typer.Option(help="Where the image runs go; they resume.")] = Path("runs/card"),
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Images a prompt.")] = 10,
    device: TrainDevice = "auto",
) -> None:
    """Measure a miniature model and its judge on fresh seeds and write the model card."""
    from dominance.reproduce.model_card import measure
    from dominance.reproduce.model_card_page import card_page
    from dominance.whole_files import write_whole

    write_whole(out, card_page(measure(model, judge, runs, device, seeds)).encode())
    note(f"wrote {out}")

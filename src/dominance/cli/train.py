"""``dominance train``: the miniature world's model and judge."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from dominance.cli.app import GROUPS, new_app
from dominance.cli.output import note
from dominance.errors import InputError

app = new_app("train", GROUPS["train"])

Folder = Annotated[Path, Parameter(help="Where checkpoints, sample sheets and the result go.")]
Seed = Annotated[int, Parameter(help="Seed of data, weights and noise.", validator=Number(gte=0))]
TrainDevice = Annotated[str, Parameter(help="auto, cpu, cuda or cuda:N.")]


@app.command(
    name="miniature",
    help_epilogue="Example (an hour and a half on two cores):\n  dominance train miniature --out training-runs/first\n",
)
def miniature(
    *,
    out: Folder = Path("training-runs/miniature"),
    pictures: Annotated[int, Parameter(help="Pictures that the denoiser sees.", validator=Number(gte=320))] = 96_000,
    autoencoder_pictures: Annotated[
        int, Parameter(help="Pictures that the decoder sees.", validator=Number(gte=160))
    ] = 40_000,
    scenery: Annotated[
        float, Parameter(help="Share of single captions that name scenery.", validator=Number(gte=0, lte=1))
    ] = 0.5,
    pairs: Annotated[float, Parameter(help="Share of pictures of two objects.", validator=Number(gte=0, lte=1))] = 0.45,
    entity_pairs: Annotated[
        float, Parameter(help="Share of pictures of entity and object.", validator=Number(gte=0, lte=1))
    ] = 0.0,
    entities_together: Annotated[
        float, Parameter(help="Share of pictures of two entities.", validator=Number(gte=0, lte=1))
    ] = 0.0,
    entity_diversity: Annotated[
        float, Parameter(help="Diversity of landmarks and characters: 0 is rigid.", validator=Number(gte=0, lte=1))
    ] = 0,
    rigid: Annotated[str, Parameter(help="Concepts of diversity 0, separated by commas.")] = "",
    object_diversity: Annotated[
        float, Parameter(help="Diversity of objects: 1 is varied.", validator=Number(gte=0, lte=1))
    ] = 1,
    base: Annotated[
        str | None,
        Parameter(help="Model to fine-tune: a bundled name or a folder. Default: train from scratch."),
    ] = None,
    autoencoder: Annotated[
        str | None,
        Parameter(help="Model whose autoencoder is reused. Default: the base's, or a new one."),
    ] = None,
    learning_rate: Annotated[
        float | None, Parameter(help="Peak learning rate. Default: 0.0012.", validator=Number(gte=1e-8, lte=1))
    ] = None,
    seed: Seed = 0,
    device: TrainDevice = "auto",
    processes: Annotated[
        int,
        Parameter(
            help="Processes that share the denoiser's batches of 32, on the CPU: 1, 2, 4, 8, 16 or 32.",
            validator=Number(gte=1, lte=32),
        ),
    ] = 1,
    stage: Annotated[
        str,
        Parameter(help="all, autoencoder, denoiser or pipeline; autoencoder and denoiser may run at the same time."),
    ] = ("all"),
) -> None:
    """Train the text-to-image model, from scratch or from a base, and save an ordinary diffusers folder."""
    from dominance.miniature.world import World, diversity_by_kind
    from dominance.models.devices import find_device
    from dominance.models.folders import find_model
    from dominance.training.denoiser import CHANNELS, channels_of
    from dominance.training.miniature import (
        LEARNING_RATE,
        STAGES,
        MiniatureSettings,
        train_miniature,
    )

    together = pairs + entity_pairs + entities_together
    if together > 1:
        raise InputError(f"the three shares of pairs make {together} of all pictures; give at most 1 together")
    if stage != "all" and stage not in STAGES:
        raise InputError(f"no stage {stage!r}; give all, {', '.join(STAGES)}")
    rigid_names = _names(rigid)
    _check_concepts(rigid_names)
    source = None if base is None else find_model(base)
    decoder = None if autoencoder is None else find_model(autoencoder)
    settings = MiniatureSettings(
        seed=seed,
        pictures=pictures,
        autoencoder_pictures=autoencoder_pictures,
        world=World(
            diversity=diversity_by_kind(entity_diversity, object_diversity) | dict.fromkeys(rigid_names, 0.0),
            pairs=pairs,
            entity_pairs=entity_pairs,
            entities_together=entities_together,
            scenery=scenery,
        ),
        learning_rate=learning_rate or LEARNING_RATE,
        base=None if source is None else source.identity,
        autoencoder=None if decoder is None else decoder.identity,
        channels=CHANNELS if source is None else channels_of(source.path),
    )
    stages = STAGES if stage == "all" else tuple(name for name in STAGES if name == stage)
    start, taken = (None if folder is None else folder.path for folder in (source, decoder))
    place = "cpu" if processes > 1 and device == "auto" else str(find_device(device))
    made = train_miniature(settings, out, place, stages, base=start, autoencoder=taken, processes=processes)
    note(f"wrote {made}")


@app.command(
    name="pictures",
    help_epilogue="Example:\n  dominance train pictures --out pictures --count 120\n  dominance diversity"
    " pictures/pictures.csv\n",
)
def pictures(
    *,
    out: Annotated[Path, Parameter(help="New or empty folder; gets one subfolder per concept.")],
    count: Annotated[int, Parameter(help="Pictures of each concept.", validator=Number(gte=1, lte=100_000))] = 120,
    diversity: Annotated[
        float | None,
        Parameter(
            help="Diversity of every concept, 0 rigid to 1 varied. Default: entities 0, objects 1, as trained.",
            validator=Number(gte=0, lte=1),
        ),
    ] = None,
    concepts: Annotated[str, Parameter(help="Only these concepts, separated by commas. Default: all.")] = "",
    seed: Annotated[int, Parameter(help="Seed of the pictures.", validator=Number(gte=0))] = 0,
) -> None:
    """Draw pictures of the miniature world's concepts, one folder per concept, as for fine-tuning."""
    from dominance.miniature.concepts import BY_NAME
    from dominance.miniature.world import DEFAULT_DIVERSITY
    from dominance.training.picture_set import write_picture_set

    named = list(dict.fromkeys(_names(concepts))) or list(BY_NAME)
    _check_concepts(named)
    chosen = {name: DEFAULT_DIVERSITY[name] if diversity is None else diversity for name in named}
    note(f"wrote {write_picture_set(out, chosen, count, seed)}")


@app.command(
    name="judge",
    help_epilogue="Example:\n  dominance train judge --base miniature --answered 20000\n",
)
def judge(
    *,
    out: Folder = Path("training-runs/judge"),
    model: Annotated[
        str,
        Parameter(
            help="Model that redraws some of the pictures, so that the judge learns to ignore its artefacts; trained"
            " here, able to draw pairs, without rigid concepts."
        ),
    ] = "miniature-base",
    pictures: Annotated[
        int | None,
        Parameter(help="Pictures from which it learns to see. Default: 192000 from scratch, none from a base."),
    ] = None,
    answered: Annotated[
        int, Parameter(help="Pictures from which it then learns to answer.", validator=Number(gte=320))
    ] = 40_000,
    garbled: Annotated[
        float,
        Parameter(
            help="Share of the pictures in which a concept is made unrecognisable.", validator=Number(gte=0, lte=1)
        ),
    ] = 0.35,
    base: Annotated[
        str | None, Parameter(help="Judge to fine-tune: miniature, or blip:FOLDER. Default: train from scratch.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        Parameter(
            help="Peak learning rate. Default: 0.0008 from scratch, 0.0004 from a base.",
            validator=Number(gte=1e-8, lte=1),
        ),
    ] = None,
    seed: Seed = 0,
    device: TrainDevice = "auto",
) -> None:
    """Train the yes/no judge on renders and save an ordinary transformers folder."""
    from dominance.judges.blip import BlipJudge
    from dominance.judges.registry import load_judge
    from dominance.models.devices import find_device
    from dominance.models.folders import find_model
    from dominance.suites import load_questions
    from dominance.training.artefacts import ModelArtefacts
    from dominance.training.judge import LATER_LEARNING_RATE, LEARNING_RATE, JudgeSettings, train_judge

    if pictures is not None and pictures < (0 if base else 320):
        raise InputError(f"--pictures is {pictures}; give at least 320, or leave it out with --base")
    source = find_model(model)
    place = str(find_device(device))
    earlier = None if base is None else load_judge(base, "cpu")
    if earlier is not None and not isinstance(earlier, BlipJudge):
        raise InputError(
            f"the judge {base!r} is not a BLIP-VQA; give miniature, or blip: and the folder of a judge trained here"
        )
    settings = JudgeSettings(
        seed=seed,
        pictures=pictures if pictures is not None else 0 if earlier else 192_000,
        answered=answered,
        garbled=garbled,
        learning_rate=learning_rate or (LATER_LEARNING_RATE if earlier else LEARNING_RATE),
        base=None if earlier is None else earlier.identity,
    )
    artefacts = ModelArtefacts(source.path, place)
    ask = load_questions().ask
    note(f"wrote {train_judge(settings, out, ask, artefacts, source.identity, place, earlier)}")


@app.command(name="card", help_epilogue="Example:\n  dominance train card --out MODEL_CARD.md --runs runs/card\n")
def card(
    *,
    out: Annotated[Path, Parameter(help="The Markdown file to write.")] = Path("MODEL_CARD.md"),
    model: Annotated[str, Parameter(help="Pipeline to measure: miniature, or a folder.")] = "miniature",
    twin: Annotated[str | None, Parameter(help="Model with rigid and varied entities swapped; measured too.")] = None,
    judge: Annotated[str, Parameter(help="Judge to measure, and to measure with.")] = "miniature",
    runs: Annotated[Path, Parameter(help="Where the runs go; they resume.")] = Path("runs/card"),
    seeds: Annotated[int, Parameter(help="Images per prompt.", validator=Number(gte=1, lte=1000))] = 10,
    singles: Annotated[
        int, Parameter(help="Images of every concept alone, at least.", validator=Number(gte=1, lte=1000))
    ] = 50,
    device: TrainDevice = "auto",
) -> None:
    """Measure a miniature model and its judge on fresh seeds and write the model card."""
    from dominance.files import write_whole
    from dominance.laboratory.model_card import measure
    from dominance.laboratory.model_card_page import card_page

    write_whole(out, card_page(measure(model, judge, runs, device, seeds, singles, twin)).encode())
    note(f"wrote {out}")


@app.command(
    name="study",
    help_epilogue="Example:\n  dominance train study --conditions main,scenery-0 --seeds 3\n",
)
def study(
    *,
    conditions: Annotated[str, Parameter(help="Names, separated by commas; see --page. Default: all.")] = "",
    seeds: Annotated[int, Parameter(help="Training seeds per condition.", validator=Number(gte=1, lte=100))] = 1,
    first_seed: Annotated[int, Parameter(help="First training seed.", validator=Number(gte=0))] = 0,
    worlds: Annotated[
        str, Parameter(help="Only these worlds of each condition, separated by commas: first, swapped, …")
    ] = "",
    base: Annotated[str, Parameter(help="Model to fine-tune.")] = "miniature-base",
    judge: Annotated[str, Parameter(help="Judge of the images.")] = "miniature",
    images: Annotated[int, Parameter(help="Images per prompt.", validator=Number(gte=1, lte=1000))] = 4,
    guidances: Annotated[
        str, Parameter(help="Only these guidance scales, separated by commas. Default: each condition's.")
    ] = "",
    out: Folder = Path("training-runs/study"),
    results: Annotated[Path, Parameter(help="JSON lines of finished measurements, which are not repeated.")] = Path(
        "docs/study/results.jsonl"
    ),
    page: Annotated[Path, Parameter(help="The Markdown page to write.")] = Path("docs/study.md"),
    keep: Annotated[bool, Parameter(help="Keep the trained models and their images.")] = False,
    device: TrainDevice = "auto",
) -> None:
    """Train the model again under each condition and measure who dominates: the phase diagram of the docs."""
    from dominance.laboratory.study import StudyOptions, run_study, trials
    from dominance.laboratory.study_page import write_study
    from dominance.models.devices import find_device
    from dominance.training.conditions import find_conditions

    chosen = find_conditions(_names(conditions))
    named = set(_names(worlds))
    todo = [
        trial
        for trial in trials(chosen, range(first_seed, first_seed + seeds))
        if not named or trial.world_name in named
    ]
    if not todo:
        raise InputError(
            f"no chosen condition has the world {', '.join(sorted(named))}; give first, swapped, or turn-0 to 5"
        )
    scales = tuple(_numbers("guidances", guidances)) or None
    options = StudyOptions(base, judge, out, results, images, str(find_device(device)), scales, keep)
    write_study(run_study(todo, options, note), page)
    note(f"wrote {page}")


def _check_concepts(names: list[str]) -> None:
    from dominance.miniature.concepts import BY_NAME

    for name in names:
        if name not in BY_NAME:
            raise InputError(f"no concept {name[:60]!r}; give some of {', '.join(BY_NAME)}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(name) for name in _names(text)]
    except ValueError:
        raise InputError(f"{option} is {text[:60]!r}; give numbers, separated by commas") from None

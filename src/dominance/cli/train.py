"""``dominance train``: a concept of one's own, and the miniature world's model and judge."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from dominance.cli import train_diversity, train_dreambooth, train_labels, train_twins, training_arguments
from dominance.cli.app import GROUPS, new_app
from dominance.cli.output import note
from dominance.errors import InputError
from dominance.training.options import JudgeOptions, MiniatureOptions, check_concepts
from dominance.written import Names

app = new_app(
    "train",
    GROUPS["train"],
    help_epilogue="Example:\n  dominance train dreambooth photos/ --token sks --class dog --model owner/name\n",
)
app.command(train_dreambooth.dreambooth, name="dreambooth", help_epilogue=train_dreambooth.EXAMPLE)
app.command(train_diversity.diversity, name="diversity", help_epilogue=train_diversity.EXAMPLE)
app.command(train_labels.labels, name="labels", help_epilogue=train_labels.EXAMPLE)
app.command(train_twins.twins, name="twins", help_epilogue=train_twins.EXAMPLE)

Folder = Annotated[Path, Parameter(help="Where checkpoints, sample sheets and the result go.")]


@app.command(
    name="miniature",
    help_epilogue="Example (an hour and a half on two cores):\n  dominance train miniature --out training-runs/first\n",
)
def miniature(
    *,
    options: MiniatureOptions = MiniatureOptions(),
    out: Folder = Path("training-runs/miniature"),
    device: training_arguments.Device = "auto",
    processes: Annotated[
        int,
        Parameter(
            help="Processes that share the denoiser's batches of 32, on the CPU: 1, 2, 4, 8, 16 or 32.",
            validator=Number(gte=1, lte=32),
        ),
    ] = 1,
    stage: Annotated[
        Literal["all", "autoencoder", "denoiser", "pipeline"],
        Parameter(help="all, autoencoder, denoiser or pipeline; the first two may run at once."),
    ] = "all",
    sheet: Annotated[
        int, Parameter(help="Images a prompt on the last sample sheet; 0 draws none.", validator=Number(gte=0, lte=64))
    ] = 8,
) -> None:
    """Train the text-to-image model, from nothing or from a base, and save an ordinary diffusers folder.

    Writes checkpoints, sample sheets and the folder into --out. Exit status: 0 done, 2 bad input.
    """
    from dominance.models.devices import find_device
    from dominance.models.folders import find_model
    from dominance.training.miniature import STAGES, train_miniature

    base = None if options.base is None else find_model(options.base)
    decoder = None if options.autoencoder is None else find_model(options.autoencoder)
    start, taken = (None if folder is None else folder.whole for folder in (base, decoder))
    made = train_miniature(
        options.settings(base, decoder),
        out,
        "cpu" if processes > 1 and device == "auto" else str(find_device(device)),
        STAGES if stage == "all" else (stage,),
        sheet,
        base=start,
        autoencoder=taken,
        processes=processes,
    )
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
    concepts: Annotated[Names, Parameter(help="Only these, by commas. Default: all.", show_default=False)] = (),
    seed: Annotated[int, Parameter(help="Of what is drawn.", validator=Number(gte=0))] = 0,
) -> None:
    """Draw pictures of the miniature world's concepts, one folder per concept, as for fine-tuning.

    Writes them into --out, with pictures.csv. Exit status: 0 done, 2 bad input.
    """
    from dominance.miniature.concepts import BY_NAME
    from dominance.miniature.world import DEFAULT_DIVERSITY
    from dominance.training.picture_set import write_picture_set

    named = list(dict.fromkeys(concepts)) or list(BY_NAME)
    check_concepts(named)
    chosen = {name: DEFAULT_DIVERSITY[name] if diversity is None else diversity for name in named}
    note(f"wrote {write_picture_set(out, chosen, count, seed)}")


@app.command(
    name="judge",
    help_epilogue="Example:\n  dominance train judge --base miniature --answered 20000\n",
)
def judge(
    *,
    options: JudgeOptions = JudgeOptions(),
    out: Folder = Path("training-runs/judge"),
    model: Annotated[
        str,
        Parameter(
            help="Model that redraws some of the pictures, so that the judge learns to ignore its artefacts; trained"
            " here, able to draw pairs, without rigid concepts."
        ),
    ] = "miniature-base",
    device: training_arguments.Device = "auto",
) -> None:
    """Train the yes/no judge on renders and save an ordinary transformers folder.

    Writes checkpoints and the folder into --out. Exit status: 0 done, 2 bad input.
    """
    from dominance.judges.blip import BlipJudge
    from dominance.judges.registry import load_judge
    from dominance.models.devices import find_device
    from dominance.models.folders import find_model
    from dominance.suites import load_questions
    from dominance.training.artefacts import ModelArtefacts
    from dominance.training.drawn_pictures import all_answers, read_drawn
    from dominance.training.judge import train_judge

    source = find_model(model)
    place = str(find_device(device))
    earlier = None if options.base is None else load_judge(options.base, "cpu")
    if earlier is not None and not isinstance(earlier, BlipJudge):
        raise InputError(
            f"the judge {options.base!r} is no BLIP-VQA; give miniature, or blip: and the folder of one trained here"
        )
    artefacts = ModelArtefacts(source.whole, place)
    ask = load_questions().ask
    labelled, identity = None, None
    if options.labelled and earlier is not None:
        labelled, identity = read_drawn(options.labelled, partial(all_answers, earlier, ask))
    settings = options.settings(None if earlier is None else earlier.identity, identity)
    note(f"wrote {train_judge(settings, out, ask, artefacts, source.identity, place, earlier, labelled)}")


@app.command(
    name="clip",
    help_epilogue="Example (an hour on one slow core):\n  dominance train clip --out training-runs/clip\n",
)
def clip(
    *,
    pictures: Annotated[
        int, Parameter(help="Pictures that it sees, each of them new.", validator=Number(gte=64, lte=100_000_000))
    ] = 128_000,
    seed: Annotated[int, Parameter(help="Seed of pictures and weights.", validator=Number(gte=0, lte=2**32 - 1))] = 0,
    out: Folder = Path("training-runs/clip"),
    model: Annotated[
        str,
        Parameter(help="Model that redraws some of the pictures, so that the CLIP knows what drawn images look like."),
    ] = "miniature-base",
    device: training_arguments.Device = "auto",
) -> None:
    """Train the CLIP that says how similar an image of the miniature world is to a text.

    Writes checkpoints and an ordinary transformers folder into --out. Exit status: 0 done, 2 bad input.
    """
    from dominance.models.devices import find_device
    from dominance.models.folders import find_model
    from dominance.training.artefacts import ModelArtefacts
    from dominance.training.clip import ClipSettings, train_clip

    source, place = find_model(model), str(find_device(device))
    settings = ClipSettings(seed=seed, pictures=pictures)
    note(f"wrote {train_clip(settings, out, ModelArtefacts(source.whole, place), source.identity, place)}")


@app.command(
    name="card",
    help_epilogue="Example:\n  dominance train card --twin miniature-swapped --out MODEL_CARD.md --runs runs/card\n",
)
def card(
    *,
    out: Annotated[Path, Parameter(help="The Markdown file to write.")] = Path("MODEL_CARD.md"),
    model: Annotated[str, Parameter(help="Pipeline to measure: miniature, or a folder.")] = "miniature",
    twin: Annotated[str | None, Parameter(help="Model with rigid and varied entities swapped; measured too.")] = None,
    base: Annotated[
        str | None, Parameter(help="Model that both were made from; measured too unless it is none.")
    ] = "miniature-base",
    several: Annotated[
        Path, Parameter(help="Results of train twins, for intervals over training seeds; need not be there.")
    ] = Path("docs/twins/results.jsonl"),
    judge: Annotated[str, Parameter(help="Judge to measure, and to measure with.")] = "miniature",
    runs: Annotated[Path, Parameter(help="Where the runs go; they resume.")] = Path("runs/card"),
    seeds: Annotated[int, Parameter(help="Images per prompt.", validator=Number(gte=1, lte=1000))] = 10,
    singles: Annotated[
        int, Parameter(help="Images of every concept alone, at least.", validator=Number(gte=1, lte=1000))
    ] = 50,
    device: training_arguments.Device = "auto",
) -> None:
    """Measure a miniature model and its judge on fresh seeds and write the model card.

    Exit status: 0 done, 2 bad input.
    """
    from dominance.files import write_whole
    from dominance.laboratory.model_card import measure
    from dominance.laboratory.model_card_page import card_page

    made_from = None if base == "none" else base
    figures = measure(model, judge, runs, device, seeds, singles, twin, made_from, several)
    write_whole(out, card_page(figures).encode())
    note(f"wrote {out}")
